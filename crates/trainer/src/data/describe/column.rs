//! Description of one column.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use super::Value;
use crate::data::columns::is_row_index;
use crate::data::error::Location;
use crate::data::time::Time;

/// Maximum number of distinct values that are counted. No label has more classes.
pub const MOST_DISTINCT: usize = 1000;

/// Maximum bytes of a text that is counted among the distinct values.
const LONGEST_TEXT: usize = 256;

/// Description of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDescription {
    /// Name of the column.
    pub name: String,
    /// Description of the values if they are not numbers, in which case the column can be neither a feature
    /// nor a label.
    pub found: Option<String>,
    /// Number of rows without a value, including NaN.
    pub missing: u64,
    /// Number of rows with an infinite value.
    pub infinite: u64,
    /// The least and the greatest finite number.
    pub range: Option<(f64, f64)>,
    /// Whether every finite number is an integer.
    pub is_whole: bool,
    /// Whether each number is the previous one plus 1, in the file's order, in at least two rows.
    pub counts_rows: bool,
    /// Whether every row has a date or a time, all of one kind, that is not just a number.
    pub is_time: bool,
    /// The first text in a numeric column, which no reader accepts, and its location.
    pub stray: Option<(Location, String)>,
    /// The distinct finite numbers, ascending, then the texts, each with its number of rows. `None` if
    /// there are more than [`MOST_DISTINCT`] or a text is long.
    pub distinct: Option<Vec<(Distinct, u64)>>,
}

/// A distinct value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Distinct {
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
}

impl ColumnDescription {
    /// Whether a reader accepts every value of the column as a number.
    pub fn is_numeric(&self) -> bool {
        self.found.is_none() && self.stray.is_none()
    }

    /// Whether the column is a row index written by pandas, which is never a feature.
    pub fn is_row_index(&self) -> bool {
        is_row_index(&self.name)
    }

    /// Whether all rows with a value have the same value.
    pub fn is_constant(&self) -> bool {
        self.infinite == 0 && self.distinct.as_ref().is_some_and(|values| values.len() <= 1)
    }
}

/// Accumulates the description of a column.
#[derive(Debug)]
pub(super) struct Observer {
    rows: u64,
    missing: u64,
    infinite: u64,
    range: Option<(f64, f64)>,
    is_whole: bool,
    previous: Option<f64>,
    counts_rows: bool,
    times: Times,
    stray: Option<(u64, String)>,
    /// Rows per distinct value, or `None` if there are too many.
    distinct: Option<Counts>,
}

/// Whether all values so far are times.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Times {
    /// There is no value yet.
    Unknown,
    /// All values are times of this kind.
    Of(Discriminant<Time>),
    /// Not all values are times.
    No,
}

/// Rows of each distinct number, by its bits, and of each text.
#[derive(Debug, Default)]
struct Counts {
    numbers: HashMap<u64, u64>,
    texts: HashMap<String, u64>,
}

impl Default for Observer {
    fn default() -> Self {
        Self {
            rows: 0,
            missing: 0,
            infinite: 0,
            range: None,
            is_whole: true,
            previous: None,
            counts_rows: true,
            times: Times::Unknown,
            stray: None,
            distinct: Some(Counts::default()),
        }
    }
}

impl Observer {
    /// Records the value of the next row.
    pub(super) fn value(&mut self, place: u64, value: Value<'_>) {
        self.rows += 1;
        match value {
            Value::Number(number) if number.is_finite() => self.number(number),
            Value::Number(number) if number.is_infinite() => {
                self.infinite += 1;
                self.no_time();
            }
            Value::Missing | Value::Number(_) => {
                self.missing += 1;
                self.no_time();
            }
            Value::Text(text) => self.text(place, text),
            // Times may be as many as rows, and their distinct values are not needed.
            Value::Time(time) => {
                self.distinct = None;
                self.time(Some(time));
            }
        }
    }

    fn no_time(&mut self) {
        self.times = Times::No;
        self.counts_rows = false;
    }

    fn number(&mut self, number: f64) {
        self.times = Times::No;
        let (low, high) = self.range.unwrap_or((number, number));
        self.range = Some((low.min(number), high.max(number)));
        self.is_whole &= number.fract() == 0.0;
        self.counts_rows &= self.previous.is_none_or(|previous| number == previous + 1.0);
        self.previous = Some(number);
        // Adding 0 maps both zeros to one value.
        self.count(|counts| *counts.numbers.entry((number + 0.0).to_bits()).or_default() += 1);
    }

    fn text(&mut self, place: u64, text: &str) {
        if self.times != Times::No {
            self.time(Time::parse(text));
        }
        self.counts_rows = false;
        if self.stray.is_none() {
            self.stray = Some((place, shortened(text)));
        }
        if text.len() > LONGEST_TEXT {
            self.distinct = None;
        }
        self.count(|counts| match counts.texts.get_mut(text) {
            Some(rows) => *rows += 1,
            None => _ = counts.texts.insert(text.to_owned(), 1),
        });
    }

    /// Records a time, or `None` for a value that is not a time.
    fn time(&mut self, time: Option<Time>) {
        self.counts_rows = false;
        let kind = time.as_ref().map(discriminant);
        self.times = match (self.times, kind) {
            (Times::Unknown, Some(kind)) => Times::Of(kind),
            (Times::Of(before), Some(kind)) if before == kind => Times::Of(kind),
            _ => Times::No,
        };
    }

    fn count(&mut self, add: impl FnOnce(&mut Counts)) {
        let Some(counts) = &mut self.distinct else { return };
        add(counts);
        if counts.numbers.len() + counts.texts.len() > MOST_DISTINCT {
            self.distinct = None;
        }
    }

    /// Returns the description of the column. `locate` returns the location of a place.
    pub(super) fn finish(
        self,
        name: String,
        found: Option<String>,
        locate: impl Fn(u64) -> Location,
    ) -> ColumnDescription {
        let stray = self.stray.filter(|_| found.is_none()).map(|(place, text)| (locate(place), text));
        ColumnDescription {
            name,
            found,
            missing: self.missing,
            infinite: self.infinite,
            range: self.range,
            is_whole: self.is_whole && self.range.is_some(),
            counts_rows: self.counts_rows && self.rows > 1,
            is_time: matches!(self.times, Times::Of(_)),
            stray,
            distinct: self.distinct.map(Counts::sorted),
        }
    }
}

impl Counts {
    fn sorted(self) -> Vec<(Distinct, u64)> {
        let mut numbers: Vec<(f64, u64)> =
            self.numbers.into_iter().map(|(bits, rows)| (f64::from_bits(bits), rows)).collect();
        numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut texts: Vec<(String, u64)> = self.texts.into_iter().collect();
        texts.sort();
        let numbers = numbers.into_iter().map(|(number, rows)| (Distinct::Number(number), rows));
        numbers.chain(texts.into_iter().map(|(text, rows)| (Distinct::Text(text), rows))).collect()
    }
}

/// Returns the beginning of a text, for messages.
fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
