//! Scales: the positions of values along an axis.

use allometry_core::{ParamValue, human_weights};

/// Space beyond the outermost values, as a share of their range.
const PADDING: f64 = 0.05;
/// The number of digits after the point above which a tick is written with an exponent.
const MOST_DIGITS: i32 = 4;

/// The mapping from values to positions along an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scale {
    /// Linear.
    Linear { low: f64, high: f64 },
    /// Logarithmic; both ends are positive.
    Log { low: f64, high: f64 },
    /// Named places at equal distances; a value is the index of its place, from 0.
    Places(Vec<String>),
}

/// The format of a label at a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TickFormat {
    /// A number, with as few digits as the distance to the next tick allows.
    Number,
    /// A whole number.
    Count,
    /// The weights of a model: `387k`.
    Weights,
    /// A share of a whole: `20%`.
    Percent,
}

/// A labelled position on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) label: String,
}

impl Scale {
    /// Returns a linear scale over all finite values of `values`, with some space around them.
    pub(crate) fn linear(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = span(values).unwrap_or((0.0, 1.0));
        let room = if high > low { (high - low) * PADDING } else { (low.abs() * 0.1).max(1e-3) };
        Self::Linear { low: low - room, high: high + room }
    }

    /// Returns a logarithmic scale over all positive values of `values`.
    pub(crate) fn log(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = span(values.into_iter().filter(|value| *value > 0.0)).unwrap_or((1.0, 10.0));
        let room = if high > low { (high / low).powf(PADDING) } else { 1.5 };
        Self::Log { low: low / room, high: high * room }
    }

    /// Returns the position of a value: 0 at the axis' start, 1 at its end.
    pub(crate) fn unit(&self, value: f64) -> f64 {
        match self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Log { low, high } => (value / low).ln() / (high / low).ln(),
            Self::Places(names) => (value + 0.5) / names.len().max(1) as f64,
        }
    }

    /// Returns the name of the kind, for the script of the page.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Log { .. } => "log",
            Self::Places(_) => "places",
        }
    }

    /// Returns both ends as values.
    pub(crate) fn ends(&self) -> (f64, f64) {
        match self {
            Self::Linear { low, high } | Self::Log { low, high } => (*low, *high),
            Self::Places(names) => (-0.5, names.len() as f64 - 0.5),
        }
    }

    /// Returns about `wanted` labelled positions; named places are all labelled.
    pub(crate) fn ticks(&self, wanted: usize, format: TickFormat) -> Vec<Tick> {
        match self {
            Self::Linear { low, high } => linear_ticks(*low, *high, wanted, format),
            Self::Log { low, high } => log_ticks(*low, *high, wanted, format),
            Self::Places(names) => {
                let named = names.iter().enumerate().filter(|(_, name)| !name.is_empty());
                named.map(|(place, name)| Tick { at: place as f64, label: name.clone() }).collect()
            }
        }
    }
}

fn span(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|value| value.is_finite()).fold(None, |span, value| {
        let (low, high) = span.unwrap_or((value, value));
        Some((f64::min(low, value), f64::max(high, value)))
    })
}

fn linear_ticks(low: f64, high: f64, wanted: usize, format: TickFormat) -> Vec<Tick> {
    let least = if format == TickFormat::Count { 1.0 } else { 0.0 };
    let rough = ((high - low) / wanted.max(1) as f64).max(least);
    if !rough.is_finite() || rough <= 0.0 {
        return Vec::new();
    }
    let power = 10.0_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last)
        .map(|position| position as f64 * step)
        .map(|at| Tick { at, label: label(at, step, format) })
        .collect()
}

fn log_ticks(low: f64, high: f64, wanted: usize, format: TickFormat) -> Vec<Tick> {
    let decades = (high / low).log10();
    if !decades.is_finite() || decades <= 0.0 {
        return Vec::new();
    }
    let factors: &[f64] = match decades {
        d if d > 2.0 => &[1.0],
        d if d > 0.9 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    };
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let ticks: Vec<f64> = (first..=last)
        .flat_map(|power| factors.iter().map(move |factor| factor * 10.0_f64.powi(power)))
        .filter(|at| (low..=high).contains(at))
        .collect();
    let every = ticks.len().div_ceil(wanted.max(1) + 1).max(1);
    let labelled: Vec<f64> = ticks.into_iter().step_by(every).collect();
    // One notation for all: with an exponent if the smallest value needs one.
    let has_exponent =
        format == TickFormat::Number && labelled.iter().any(|at| *at < 10.0_f64.powi(-MOST_DIGITS) * 0.999);
    let write = |at: f64| if has_exponent { with_exponent(at) } else { label(at, at, format) };
    labelled.into_iter().map(|at| Tick { at, label: write(at) }).collect()
}

/// Returns a number with an exponent: `1e-05`, `2.5e-04`.
fn with_exponent(value: f64) -> String {
    let text = format!("{value:.1e}");
    let (mantissa, power) = text.split_once('e').expect("the format has an exponent");
    let power: i32 = power.parse().expect("an exponent is a whole number");
    let sign = if power < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", mantissa.trim_end_matches(".0"), power.abs())
}

/// Returns the label of a value when neighbouring ticks are `step` apart.
fn label(value: f64, step: f64, format: TickFormat) -> String {
    let digits = |step: f64| (-(step.abs().log10() + 1e-9).floor() as i32).max(0);
    match format {
        TickFormat::Weights => human_weights(value),
        TickFormat::Percent => format!("{:.*}%", (digits(step) - 2).max(0) as usize, value * 100.0),
        TickFormat::Count => format!("{value:.0}"),
        TickFormat::Number if digits(step) > MOST_DIGITS || value.abs() >= 1e6 => {
            ParamValue::Float(value).rounded().to_string()
        }
        TickFormat::Number => {
            // Factors of log ticks such as 1.5 need one more digit than their power of ten.
            let mantissa = step / 10.0_f64.powf((step.abs().log10() + 1e-9).floor());
            let extra = i32::from((mantissa - mantissa.round()).abs() > 1e-6 && step.abs() < 10.0);
            let value = if value.abs() < step.abs() * 1e-9 { 0.0 } else { value };
            format!("{value:.*}", (digits(step) + extra) as usize)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale, wanted: usize, format: TickFormat) -> Vec<String> {
        scale.ticks(wanted, format).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let scale = Scale::Linear { low: 0.683, high: 0.731 };
        assert_eq!(labels(&scale, 5, TickFormat::Number), ["0.69", "0.70", "0.71", "0.72", "0.73"]);
        let scale = Scale::Linear { low: -0.012, high: 0.011 };
        assert_eq!(labels(&scale, 4, TickFormat::Number), ["-0.01", "0.00", "0.01"]);
        let scale = Scale::Linear { low: 0.9, high: 3.1 };
        assert_eq!(labels(&scale, 5, TickFormat::Count), ["1", "2", "3"]);
        let scale = Scale::Linear { low: 0.0, high: 0.42 };
        assert_eq!(labels(&scale, 4, TickFormat::Percent), ["0%", "20%", "40%"]);
    }

    #[test]
    fn log_ticks_are_powers_and_their_parts() {
        let scale = Scale::Log { low: 9e-6, high: 1.1e-2 };
        assert_eq!(labels(&scale, 5, TickFormat::Number), ["1e-05", "1e-04", "1e-03", "1e-02"]);
        let scale = Scale::Log { low: 1.8e5, high: 2.2e6 };
        assert_eq!(labels(&scale, 5, TickFormat::Weights), ["200k", "500k", "1.00M", "2.00M"]);
    }

    #[test]
    fn equal_and_absent_values_have_an_axis() {
        for scale in [Scale::linear([]), Scale::linear([0.7, 0.7]), Scale::log([]), Scale::log([3.0, -1.0])] {
            let (low, high) = scale.ends();
            assert!(low < high, "{scale:?}");
            assert!(!scale.ticks(5, TickFormat::Number).is_empty(), "{scale:?}");
        }
    }

    #[test]
    fn a_value_lies_where_its_logarithm_does() {
        let scale = Scale::Log { low: 1.0, high: 10_000.0 };
        assert!((scale.unit(100.0) - 0.5).abs() < 1e-12);
        assert!((Scale::Places(vec!["a".into(), "b".into()]).unit(1.0) - 0.75).abs() < 1e-12);
    }
}
