//! `--smallest-effect`, for every command that writes a report.

use allometry_analysis::Options;
use clap::Args;

/// The smallest difference of interest, as the command line has it.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct SmallestEffect {
    /// Smallest difference of the metric that is of interest, in its own units, such as 0.002; in place of the ladder's
    /// `smallest_effect`.
    #[arg(long = "smallest-effect", value_name = "X", value_parser = parse, allow_hyphen_values = true)]
    given: Option<f64>,
}

impl SmallestEffect {
    /// What was given.
    pub(super) fn given(self) -> Option<f64> {
        self.given
    }

    /// Settings of an analysis, this one laid over `options`.
    pub(super) fn over(self, options: Options) -> Options {
        Options { smallest_effect: self.given.or(options.smallest_effect), ..options }
    }
}

fn parse(text: &str) -> Result<f64, String> {
    let parsed = text.trim().parse().ok().filter(|effect: &f64| *effect > 0.0 && effect.is_finite());
    parsed.ok_or_else(|| "expected a finite number above 0, such as 0.002".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_finite_and_above_nothing() {
        assert_eq!((parse("0.002"), parse("2")), (Ok(0.002), Ok(2.0)));
        for bad in ["0", "-1", "inf", "NaN", "small", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_line_wins() {
        let ladders = Options { smallest_effect: Some(0.5), ..Options::default() };
        let given = |given| SmallestEffect { given }.over(ladders).smallest_effect;
        assert_eq!((given(Some(0.1)), given(None)), (Some(0.1), Some(0.5)));
    }
}
