//! Columns, rows and values that errors name.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// A column that holds something else than numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNumeric {
    /// Name of the column.
    pub column: String,
    /// Description of its values.
    pub found: String,
    /// Its first value with the location, if it can be read.
    pub first: Option<(Location, String)>,
}

/// A time that several rows of one series have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatedTime {
    /// Name of the series; `None` for a table of one.
    pub series: Option<String>,
    /// The time.
    pub time: String,
    /// Locations of the first such rows.
    pub rows: Vec<Location>,
    /// Number of such rows, at least 2.
    pub count: u64,
}

/// Kind of a time. Times of different kinds have no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    /// A number.
    Number,
    /// A date or local time.
    Local,
    /// A point in time.
    Instant,
}

impl fmt::Display for TimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Local => "a time without a zone",
            Self::Instant => "a time with a zone",
        })
    }
}

/// Use of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Orders the rows.
    Time,
    /// Is predicted, or determines what is predicted.
    Label,
    /// Is an input of the model.
    Feature,
    /// Holds categories, which are inputs of the model.
    Category,
    /// Tells the series of a row.
    Series,
    /// Is left out.
    Excluded,
    /// Is read as numbers.
    Read,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Label => "label",
            Self::Feature => "feature",
            Self::Category => "categorical",
            Self::Series => "series",
            Self::Excluded => "excluded",
            Self::Read => "numbers",
        })
    }
}

/// Location of a row in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// Line of a text file, from 1.
    Line(u64),
    /// Row of a binary file, from 0.
    Row(u64),
}

impl Location {
    /// Returns the line of the record that a CSV reader started to read at byte `start`.
    ///
    /// Blank lines before the record are skipped, because the reader's own count of lines leaves them out.
    /// This reads the file up to the record.
    pub(in crate::data) fn of_record(path: &Path, start: u64) -> io::Result<Self> {
        let (mut line, mut previous) = (1, 0);
        for (position, byte) in (0..).zip(BufReader::new(File::open(path)?).bytes()) {
            let byte = byte?;
            if position >= start && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            if byte == b'\r' || (byte == b'\n' && previous != b'\r') {
                line += 1;
            }
            previous = byte;
        }
        Ok(Self::Line(line))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row} (from 0)"),
        }
    }
}

/// Location of a row in its file and the series that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Location in the file.
    pub location: Location,
    /// Name of the series; `None` for a table of one.
    pub series: Option<Box<str>>,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.location)?;
        self.series.as_ref().map_or(Ok(()), |series| write!(f, " (series `{series}`)"))
    }
}

/// Reason why a value is not a finite number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Empty field, `NA`, or null.
    Empty,
    /// Not a number.
    Nan,
    /// Plus or minus infinity.
    Infinite,
    /// Finite, but larger than the largest `f32`.
    TooLarge,
}

impl Gap {
    /// Returns the kind of gap that a value leaves when stored as `f32`, if any.
    pub(in crate::data) fn of(value: f64) -> Option<Self> {
        if value.is_nan() {
            Some(Self::Nan)
        } else if value.is_infinite() {
            Some(Self::Infinite)
        } else if (value as f32).is_infinite() {
            Some(Self::TooLarge)
        } else {
            None
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::Nan => "is NaN",
            Self::Infinite => "is infinite",
            Self::TooLarge => "is too large for a 32-bit float",
        })
    }
}

/// Returns the field in a column of the row that starts at this byte of a file of comma-separated values;
/// `None` if it cannot be read.
pub(in crate::data) fn field_of_record(path: &Path, start: u64, column: usize) -> Option<String> {
    let mut file = File::open(path).ok()?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut record = csv::StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let has_one = reader.read_record(&mut record).ok()?;
    record.get(column).filter(|_| has_one).map(|text| text.trim().to_owned())
}
