//! What can be wrong with a table, said so that it can be put right.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::dataset::PartName;

/// Why a table cannot be used. Messages name the file, and the line or row and the column where there is one.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Neither `.csv` nor `.parquet`.
    #[error("{}: unknown kind of table; its name must end in .csv or .parquet", path.display())]
    UnknownFormat {
        /// File.
        path: PathBuf,
    },
    /// A line with too many or too few fields.
    #[error("{}: {location} has {found} fields, but the header has {expected}", path.display())]
    RaggedLine {
        /// File.
        path: PathBuf,
        /// Where.
        location: Location,
        /// Fields of the header.
        expected: u64,
        /// Fields of the line.
        found: u64,
    },
    /// Bytes that are no text.
    #[error("{}: {location} is not valid UTF-8", path.display())]
    NotText {
        /// File.
        path: PathBuf,
        /// Where.
        location: Location,
    },
    /// Parquet that is truncated, corrupt or uses a feature that is not supported.
    #[error("{}: cannot be read as Parquet: {message}", path.display())]
    Parquet {
        /// File.
        path: PathBuf,
        /// What the reader said.
        message: String,
    },
    /// Nothing below the header.
    #[error("{}: the table has no rows", path.display())]
    NoRows {
        /// File.
        path: PathBuf,
    },
    /// Two columns of one name.
    #[error("{}: two columns are named `{column}`", path.display())]
    RepeatedColumn {
        /// File.
        path: PathBuf,
        /// Their name.
        column: String,
    },
    /// A column that the ladder names is not there.
    #[error("{}: there is no column `{column}` ({role})", path.display())]
    MissingColumn {
        /// File.
        path: PathBuf,
        /// The name asked for.
        column: String,
        /// What it was asked for.
        role: Role,
        /// The names that are there.
        columns: Vec<String>,
    },
    /// A column of another type than its role needs.
    #[error("{}: column `{column}` ({role}) holds {found}, not {wanted}", path.display())]
    WrongType {
        /// File.
        path: PathBuf,
        /// Column.
        column: String,
        /// What it is used for.
        role: Role,
        /// What it holds.
        found: String,
        /// What it must hold.
        wanted: &'static str,
    },
    /// Text amid the numbers of a column.
    #[error("{}: {location}: column `{column}` has `{value}`, which is not a number", path.display())]
    NotANumber {
        /// File.
        path: PathBuf,
        /// Column.
        column: String,
        /// Where.
        location: Location,
        /// What is there.
        value: String,
    },
    /// The time or the label is asked for as a feature.
    #[error("{}: column `{column}` is the {role}, so it cannot be a feature too", path.display())]
    ReservedColumn {
        /// File.
        path: PathBuf,
        /// Column.
        column: String,
        /// What it is.
        role: Role,
    },
    /// A feature is asked for twice.
    #[error("{}: feature `{column}` is included twice", path.display())]
    RepeatedFeature {
        /// File.
        path: PathBuf,
        /// Column.
        column: String,
    },
    /// No numeric column is left.
    #[error("{}: no numeric column is left to be a feature", path.display())]
    NoFeatures {
        /// File.
        path: PathBuf,
        /// Columns that are not numeric.
        skipped: Vec<String>,
    },
    /// A feature is missing or infinite, and the ladder says that this is an error.
    #[error("{}: {location}: column `{column}` {gap}{}", path.display(), others(*more, "missing or infinite value"))]
    MissingValue {
        /// File.
        path: PathBuf,
        /// Column of the first such value.
        column: String,
        /// Where it is.
        location: Location,
        /// What is there instead of a number.
        gap: Gap,
        /// How many more such values there are.
        more: u64,
    },
    /// A label is missing although later rows have one.
    #[error("{}: {location}: label `{column}` is missing{}", path.display(), others(*more, "missing label"))]
    MissingLabel {
        /// File.
        path: PathBuf,
        /// Label column.
        column: String,
        /// Where the first is missing.
        location: Location,
        /// How many more are, not counting those at the end.
        more: u64,
    },
    /// A label that is nothing to be learned.
    #[error("{}: {location}: label `{column}` is {value}; it must be {wanted}", path.display())]
    BadLabel {
        /// File.
        path: PathBuf,
        /// Label column.
        column: String,
        /// Where.
        location: Location,
        /// What is there.
        value: String,
        /// What must be there.
        wanted: &'static str,
    },
    /// A time that cannot be understood.
    #[error("{}: {location}: time `{column}` is {value}, which is no date, time or number", path.display())]
    BadTime {
        /// File.
        path: PathBuf,
        /// Time column.
        column: String,
        /// Where.
        location: Location,
        /// What is there.
        value: String,
    },
    /// Times that cannot be put in one order, such as dates and numbers.
    #[error("{}: {location}: time `{column}` is {value}, which is of another kind than the times before it", path.display())]
    MixedTimes {
        /// File.
        path: PathBuf,
        /// Time column.
        column: String,
        /// Where the kind changes.
        location: Location,
        /// What is there.
        value: String,
    },
    /// Two rows of one time.
    #[error("{}: {first} and {second} have the same time `{column}`, {time}", path.display())]
    RepeatedTime {
        /// File.
        path: PathBuf,
        /// Time column.
        column: String,
        /// The time.
        time: String,
        /// Where it is first.
        first: Location,
        /// Where it is again.
        second: Location,
    },
    /// No test part is left.
    #[error(
        "the split's shares, {train} for training and {validation} for validation, leave nothing for the test part"
    )]
    SplitSum {
        /// Share of the training part.
        train: f64,
        /// Share of the validation part.
        validation: f64,
    },
    /// A part without a window.
    #[error(
        "{}: too few rows: of {rows} rows{} the {part} part gets no window of {context} rows{}", path.display(),
        if *dropped > 0 { format!(" ({dropped} more were dropped)") } else { String::new() },
        if *horizon > 1 { format!(" whose label looks {horizon} rows ahead") } else { String::new() }
    )]
    TooFewRows {
        /// File.
        path: PathBuf,
        /// The part.
        part: PartName,
        /// Rows that are left.
        rows: usize,
        /// Rows that were dropped for missing values.
        dropped: usize,
        /// Rows in a window.
        context: usize,
        /// Rows ahead that a label looks.
        horizon: usize,
    },
    /// Labels that look beyond a part.
    #[error("{}: the label looks {horizon} rows ahead, but the {part} part has {rows} rows", path.display())]
    LongHorizon {
        /// File.
        path: PathBuf,
        /// Rows ahead that a label looks.
        horizon: usize,
        /// The first part that is not longer.
        part: PartName,
        /// Its rows, before the embargo.
        rows: usize,
    },
    /// Fewer rows to be predicted than a window has.
    #[error("{}: {rows} rows are too few for a window of {context}", path.display())]
    NoWindow {
        /// File.
        path: PathBuf,
        /// Rows that are left.
        rows: usize,
        /// Rows in a window.
        context: usize,
    },
    /// A class that the training part does not show.
    #[error("{}: class {class} of {classes} has no window in the training part", path.display())]
    AbsentClass {
        /// File.
        path: PathBuf,
        /// The class.
        class: usize,
        /// Classes of the whole table: one more than the highest number.
        classes: usize,
    },
    /// A threshold label where numbers or several classes are to be learned.
    #[error("{}: a label by threshold is 0 or 1, so that there is no more to learn of it", path.display())]
    ThresholdLabel {
        /// File.
        path: PathBuf,
    },
    /// A part where every label is the same.
    #[error("{}: all {windows} windows of the {part} part are labelled {class}", path.display())]
    OneClass {
        /// File.
        path: PathBuf,
        /// The part.
        part: PartName,
        /// Its windows.
        windows: u64,
        /// Their class.
        class: usize,
    },
}

impl DataError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::MissingColumn { column, columns, .. } => {
                match (nearest(column, columns), columns.as_slice()) {
                    (Some(name), _) => format!("did you mean `{name}`?"),
                    (None, [only]) => {
                        format!("its only column is `{only}`; fields must be separated by commas")
                    }
                    (None, _) => format!("its columns are {}", listed(columns)),
                }
            }
            Self::NotANumber { column, .. } => {
                format!(
                    "correct the value, or leave the column out: features = {{ exclude = [\"{column}\"] }}"
                )
            }
            Self::NoFeatures { skipped, .. } if !skipped.is_empty() => {
                format!("not used: {}", listed(skipped))
            }
            Self::MissingValue { .. } => "na = \"drop\" under [data] leaves such rows out".to_owned(),
            Self::MissingLabel { .. } => {
                "na = \"drop\" under [data] keeps such rows as history and predicts none of them".to_owned()
            }
            Self::BadLabel { wanted: "0 or 1", .. } => "a threshold can be the label: \
                 label = { rise = 0.01, of = \"high\", over = \"close\", horizon = 1 }"
                .to_owned(),
            Self::BadTime { .. } => {
                "times are written as 2024-01-31, 2024-01-31T16:00:00, 2024-01-31T16:00:00Z or a number"
                    .to_owned()
            }
            Self::RepeatedTime { .. } => "a table holds one series: one row per time step".to_owned(),
            Self::TooFewRows { part, horizon, .. } => {
                let shorter = if *horizon > 1 { "context or horizon" } else { "context" };
                let share = match part {
                    PartName::Train => "a larger share for training",
                    PartName::Validation => "a larger share for validation",
                    PartName::Test => "smaller shares for training and validation",
                };
                format!("a shorter {shorter}, more rows, or {share}")
            }
            Self::LongHorizon { .. } => {
                "a shorter `horizon`, more rows, or another `split`: each part must be longer than the horizon".to_owned()
            }
            Self::OneClass { .. } => "more rows, another split, or another threshold of the label".to_owned(),
            Self::Parquet { message, .. } if message.contains("feature") => {
                "write the file with snappy, zstd, gzip, lz4 or no compression".to_owned()
            }
            _ => return None,
        })
    }
}

fn others(more: u64, noun: &str) -> String {
    match more {
        0 => String::new(),
        1 => format!(" (and 1 more {noun})"),
        _ => format!(" (and {more} more {noun}s)"),
    }
}

/// The name that a misspelt one was probably meant to be.
fn nearest<'a>(name: &str, candidates: &'a [String]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .iter()
        .map(|c| (strsim::damerau_levenshtein(&name, &c.to_lowercase()), c.as_str()))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    let rest = names.len().saturating_sub(SHOWN);
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}

/// What a column is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It orders the rows.
    Time,
    /// It is predicted, or what is predicted is computed from it.
    Label,
    /// It is predicted from.
    Feature,
    /// It is to be left out.
    Excluded,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "time",
            Self::Label => "label",
            Self::Feature => "feature",
            Self::Excluded => "excluded",
        })
    }
}

/// Place of a row in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// Line of a text file, from 1.
    Line(u64),
    /// Row of a binary file, from 0.
    Row(u64),
}

impl Location {
    /// Line of the record of a text file that a CSV reader started to read at byte `start`: blank lines before the record
    /// are skipped, which the reader's own count of lines leaves out. Reads the file up to there.
    pub(super) fn of_record(path: &Path, start: u64) -> io::Result<Self> {
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

/// What is where a number should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Nothing: an empty field, `NA`, null.
    Empty,
    /// Not a number.
    Nan,
    /// Plus or minus infinity.
    Infinite,
    /// Finite, but beyond the largest `f32`.
    TooLarge,
}

impl Gap {
    /// The gap that a value is once stored as `f32`, if it is one.
    pub(super) fn of(value: f64) -> Option<Self> {
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
