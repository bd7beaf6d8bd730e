//! The option `--smallest-effect` of the commands that write a report.

use allometry_analysis::Options;
use clap::Args;

/// The value of `--smallest-effect`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct SmallestEffect {
    /// Smallest difference of the metric that matters, in units of the metric, such as 0.002. Overrides
    /// `smallest_effect` of the ladder file.
    #[arg(long = "smallest-effect", value_name = "X", value_parser = parse, allow_hyphen_values = true)]
    given: Option<f64>,
}

impl SmallestEffect {
    /// Returns the value, if the option is given.
    pub(super) fn given(self) -> Option<f64> {
        self.given
    }

    /// Returns `options` with the smallest effect of the command line, if it is given.
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
