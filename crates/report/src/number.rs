//! Numbers, probabilities and names as reports and commands print them.

use allometry_analysis::{Estimate, Interval};
use allometry_core::ParamValue;

/// The text for an unknown value.
pub(crate) const UNKNOWN: &str = "unknown";

pub use allometry_core::significant::{apart, signed, significant as decimals};

/// Returns a large number rounded to two digits, with separators: 8413 is `8,400`.
pub fn about(x: f64) -> String {
    if !x.is_finite() || x >= 1e15 {
        return "a great many".into();
    }
    let mut unit = 1.0;
    while x / unit >= 100.0 {
        unit *= 10.0;
    }
    let digits = if unit > 1.0 { (x / unit).round() } else { x.ceil() };
    grouped((digits * unit) as u64)
}

/// Returns a count with separators: `12,345`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a duration in the unit of its size: `42 s`, `7 min`, `3.5 h`, `2.1 days`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "less than 1 s".into(),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

/// Returns a share as a whole percentage; `<1%` for small shares that are not 0.
pub fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 { "<1%".into() } else { format!("{:.0}%", share * 100.0) }
}

/// Returns a p-value: `0.034`, `<0.001`.
pub fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => "<0.001".into(),
        p if p < 0.0995 => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}

/// Returns a p-value with its letter: `p = 0.034`, `p < 0.001`.
pub fn p_is(p: f64) -> String {
    let value = p_value(p);
    match value.strip_prefix('<') {
        Some(bound) => format!("p < {bound}"),
        None => format!("p = {value}"),
    }
}

/// Returns a user's name in quotes.
pub fn quoted(name: &str) -> String {
    format!("'{name}'")
}

/// Returns a list in words: `a`, `a and b`, `a, b and c`.
pub fn listed<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Returns a count with its noun: `1 trial`, `2 trials`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Returns a range: `1985 to 1990`, or `1985` if both ends are equal.
pub fn range<S: AsRef<str>>(first: S, last: S) -> String {
    let (first, last) = (first.as_ref(), last.as_ref());
    if first == last { first.to_owned() } else { format!("{first} to {last}") }
}

/// Returns a number as [`decimals`] writes it, or `unknown`.
pub(crate) fn known(x: Option<f64>) -> String {
    x.map_or_else(|| UNKNOWN.into(), decimals)
}

/// Returns an interval: `0.6451 to 0.7811`, or `unknown`.
pub(crate) fn interval(interval: Option<Interval>) -> String {
    interval.map_or_else(
        || UNKNOWN.into(),
        |Interval { lower, upper }| format!("{} to {}", decimals(lower), decimals(upper)),
    )
}

/// Returns a share with its interval: `6% (2% to 16%)`.
pub(crate) fn share(estimate: Estimate) -> String {
    let interval = estimate
        .interval
        .map_or_else(String::new, |i| format!(" ({} to {})", percent(i.lower), percent(i.upper)));
    format!("{}{interval}", percent(estimate.point))
}

/// Returns a number with three decimals and a sign.
pub(crate) fn signed3(x: f64) -> String {
    format!("{x:+.3}")
}

/// Returns a p-value: `0.034`, `<0.001`, or `unknown`.
pub(crate) fn known_p(p: Option<f64>) -> String {
    p.map_or_else(|| UNKNOWN.into(), p_value)
}

/// Longest value that a report shows as it is. Those that people write are shorter; those that a search
/// draws from a range have all digits of a float.
const LONGEST_VALUE: usize = 8;

/// Returns a parameter's value, or a range of values. Floats of ranges, and those with more digits than
/// people write, are rounded to three digits.
pub(crate) fn step(value: &ParamValue, upper: Option<&ParamValue>) -> String {
    match (value, upper) {
        (value, None) => {
            Some(value.to_string()).filter(|text| text.len() <= LONGEST_VALUE).unwrap_or_else(|| short(value))
        }
        (value, Some(upper)) => format!("{} to {}", short(value), short(upper)),
    }
}

/// Whether a cell holds a number, with or without a unit; `None` if it holds nothing.
pub(crate) fn numeric(cell: &str) -> Option<bool> {
    let cell = cell.trim();
    if cell.is_empty() || matches!(cell, "unknown" | "N/A" | "–") {
        return None;
    }
    let first = cell.trim_start_matches(['+', '-', '<', '−']);
    let digits =
        first.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | 'e' | '-')).count();
    let rest: String = first.chars().skip(digits).collect();
    Some(
        first.starts_with(|c: char| c.is_ascii_digit())
            && matches!(rest.trim(), "" | "%" | "k" | "M" | "B" | "*" | "(thin)"),
    )
}

/// Whether the cells of a column are numbers, apart from empty ones.
pub(crate) fn is_numeric<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let mut known = cells.filter_map(numeric).peekable();
    known.peek().is_some() && known.all(|is| is)
}

/// Returns a name, cut to at most `longest` characters.
pub fn shortened(name: &str, longest: usize) -> String {
    if name.chars().count() <= longest {
        return name.to_owned();
    }
    name.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// One notation for the values of a column: if a number among them needs an exponent, all but 0 have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Notation {
    has_exponents: bool,
}

impl Notation {
    /// Returns the notation for some values.
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a ParamValue>) -> Self {
        let needs_exponent =
            |value: &ParamValue| matches!(value, ParamValue::Float(_)) && short(value).contains('e');
        Self { has_exponents: values.into_iter().any(needs_exponent) }
    }

    /// Returns a value rounded to three digits.
    pub(crate) fn write(self, value: &ParamValue) -> String {
        match value {
            ParamValue::Float(x) if self.has_exponents && *x != 0.0 && x.is_finite() => {
                let text = format!("{x:.2e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let digits = digits.trim_end_matches('0').trim_end_matches('.');
                let (sign, power) = exponent.strip_prefix('-').map_or(("+", exponent), |power| ("-", power));
                format!("{digits}e{sign}{power:0>2}")
            }
            value => short(value),
        }
    }
}

/// Returns a value rounded to three digits.
pub(crate) fn short(value: &ParamValue) -> String {
    value.rounded().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(about(83_917.0), "84,000");
        assert_eq!(about(8_413.3), "8,400");
        assert_eq!(about(3.2), "4");
        assert_eq!(about(f64::INFINITY), "a great many");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!((p_is(0.0341).as_str(), p_is(1e-9).as_str()), ("p = 0.034", "p < 0.001"));
        assert_eq!(percent(0.004), "<1%");
        assert_eq!(percent(0.0), "0%");
        assert_eq!(counted(1, "trial"), "1 trial");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn a_column_of_numbers_is_known() {
        for (cell, is) in [("+0.1", true), ("<0.001", true), ("8,400", true), ("6% (2% to 16%)", false)] {
            assert_eq!(numeric(cell), Some(is), "{cell}");
        }
        assert!(is_numeric(["0.5", "unknown", "387k"].into_iter()));
        assert!(!is_numeric(["unknown"].into_iter()) && !is_numeric(["0.5", "none"].into_iter()));
    }

    #[test]
    fn values_of_a_column_have_one_notation() {
        let write = |values: &[f64]| -> Vec<String> {
            let values: Vec<ParamValue> = values.iter().map(|x| ParamValue::Float(*x)).collect();
            let notation = Notation::of(&values);
            values.iter().map(|value| notation.write(value)).collect()
        };
        assert_eq!(
            write(&[1e-5, 1e-4, 0.000_495_4, 0.0, 2.0]),
            ["1e-05", "1e-04", "4.95e-04", "0.0", "2e+00"]
        );
        assert_eq!(write(&[0.1, 0.000_123_4, 0.0]), ["0.1", "0.000123", "0.0"]);
    }

    #[test]
    fn values_are_short() {
        assert_eq!(short(&0.000_123_456.into()), "0.000123");
        assert_eq!(short(&1.234_5e-5.into()), "1.23e-05");
        assert_eq!(short(&64.into()), "64");
        assert_eq!(step(&0.000_194_876_784.into(), None), "0.000195");
        assert_eq!(step(&0.000_125.into(), None), "0.000125");
        assert_eq!(step(&1e-5.into(), Some(&2.345_67e-5.into())), "1e-05 to 2.35e-05");
    }
}
