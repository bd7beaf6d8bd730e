//! The parts of lines.

use allometry_analysis::lint::stated::Printed;

use super::error::ReadError;

/// The largest absolute value of a measurement.
const LARGEST: f64 = 1e100;
/// The largest number of digits after the point; a float has no more.
const MOST_DECIMALS: usize = 17;
/// The number of characters of a line that an error shows.
const SHOWN: usize = 80;

/// A line of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// The number of the line, counted from 1.
    pub(super) number: u64,
    pub(super) text: &'a str,
}

impl Line<'_> {
    /// Returns the error that the line does not have the expected form.
    pub(super) fn expected<T>(&self, expected: &str) -> Result<T, ReadError> {
        let text = self.text.trim();
        let shown: String = text.chars().take(SHOWN).collect();
        let found = if shown.len() < text.len() { shown + "..." } else { shown };
        Err(ReadError::Malformed { line: self.number, expected: expected.to_owned(), found })
    }

    /// Reads a printed number.
    pub(super) fn number(&self, text: &str, what: &str) -> Result<Printed, ReadError> {
        printed(text.trim()).map_or_else(|| self.expected(what), Ok)
    }

    /// Reads a printed number; `None` for `N/A`.
    pub(super) fn maybe_number(&self, text: &str, what: &str) -> Result<Option<Printed>, ReadError> {
        if text.trim() == "N/A" { Ok(None) } else { self.number(text, what).map(Some) }
    }

    /// Reads a count of trials, which must be below 2³².
    pub(super) fn count(&self, text: &str, what: &str) -> Result<u64, ReadError> {
        let text = text.trim();
        let count = text.parse::<u32>().ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit()));
        count.map_or_else(|| self.expected(what), |count| Ok(u64::from(count)))
    }
}

fn printed(text: &str) -> Option<Printed> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) || decimals.len() > MOST_DECIMALS {
        return None;
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| value.abs() <= LARGEST)?;
    Some(Printed { value, half_unit: 0.5 * 10_f64.powi(-(decimals.len() as i32)) })
}

/// Returns the cells of a table row; `None` if the line is not a row.
pub(super) fn cells(text: &str) -> Option<Vec<&str>> {
    let inside = text.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inside.split('|').map(str::trim).collect())
}

/// Returns the last `N` cells of a row and the text before them, which may contain vertical bars.
pub(super) fn last_cells<const N: usize>(text: &str) -> Option<(&str, [&str; N])> {
    let mut rest = text.trim().strip_prefix('|')?.strip_suffix('|')?;
    let mut last = [""; N];
    for cell in last.iter_mut().rev() {
        let (before, text) = rest.rsplit_once('|')?;
        (*cell, rest) = (text.trim(), before);
    }
    Some((rest.trim(), last))
}

/// Whether a row of cells is the rule below a header.
pub(super) fn is_rule(cells: &[&str]) -> bool {
    cells.iter().all(|cell| !cell.is_empty() && cell.bytes().all(|b| b == b'-' || b == b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_know_what_they_round() {
        assert_eq!(printed("0.7050"), Some(Printed { value: 0.705, half_unit: 0.5e-4 }));
        assert_eq!(printed("-3"), Some(Printed { value: -3.0, half_unit: 0.5 }));
        for bad in ["", "-", ".5", "0.1x", "1e-5", "+1", "nan", "--1", &"9".repeat(200)] {
            assert_eq!(printed(bad), None, "{bad}");
        }
    }

    #[test]
    fn cells_of_rows() {
        assert_eq!(cells("| a |  | 1 |"), Some(vec!["a", "", "1"]));
        assert_eq!(cells("a | b"), None);
        assert_eq!(last_cells::<2>("| a | b | 1 | 2 |"), Some(("a | b", ["1", "2"])));
        assert_eq!(last_cells::<2>("| 1 |"), None);
        assert!(is_rule(&["---", ":--"]) && !is_rule(&["---", ""]));
    }
}
