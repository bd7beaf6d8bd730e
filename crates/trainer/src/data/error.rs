//! Errors of tables, with hints for correcting them.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use allometry_core::RowCount;
use allometry_ladder::MaxGap;

use super::dataset::PartName;
use super::leakage::Leak;
use super::value::EMPTY;

/// Largest number of classes or of categories.
pub(super) const MOST_CLASSES: usize = 1000;

/// Reason why a table cannot be used. Messages name the file and, if known, the line or row and the column.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// Path of the table.
        path: PathBuf,
        /// Error of the operating system.
        cause: io::Error,
    },
    /// The name ends neither in `.csv` nor in `.parquet`.
    #[error("{}: unknown kind of table; its name must end in .csv or .parquet", path.display())]
    UnknownFormat {
        /// Path of the table.
        path: PathBuf,
    },
    /// A line has too many or too few fields.
    #[error("{}: {location} has {found} fields, but the header has {expected}", path.display())]
    RaggedLine {
        /// Path of the table.
        path: PathBuf,
        /// Location of the line.
        location: Location,
        /// Number of fields of the header.
        expected: u64,
        /// Number of fields of the line.
        found: u64,
    },
    /// The file contains bytes that are not UTF-8.
    #[error("{}: {location} is not valid UTF-8", path.display())]
    NotText {
        /// Path of the table.
        path: PathBuf,
        /// Location of the line.
        location: Location,
    },
    /// The Parquet file is truncated, corrupt, or uses an unsupported feature.
    #[error("{}: cannot be read as Parquet: {message}", path.display())]
    Parquet {
        /// Path of the table.
        path: PathBuf,
        /// Message of the reader.
        message: String,
    },
    /// The table has no rows.
    #[error("{}: the table has no rows", path.display())]
    NoRows {
        /// Path of the table.
        path: PathBuf,
    },
    /// Two columns have the same name.
    #[error("{}: two columns are named `{column}`", path.display())]
    RepeatedColumn {
        /// Path of the table.
        path: PathBuf,
        /// Name of the columns.
        column: String,
    },
    /// A column named by the ladder is missing.
    #[error("{}: there is no column `{column}` ({role})", path.display())]
    MissingColumn {
        /// Path of the table.
        path: PathBuf,
        /// Name of the missing column.
        column: String,
        /// Use of the column.
        role: Role,
        /// Names of the table's columns.
        columns: Vec<String>,
    },
    /// A column has another type than its use requires.
    #[error("{}: column `{column}` ({role}) holds {found}, not {wanted}", path.display())]
    WrongType {
        /// Path of the table.
        path: PathBuf,
        /// Name of the column.
        column: String,
        /// Use of the column.
        role: Role,
        /// Description of its values.
        found: String,
        /// Description of valid values.
        wanted: &'static str,
    },
    /// A numeric column contains text.
    #[error("{}: {location}: column `{column}` has `{value}`, which is not a number", path.display())]
    NotANumber {
        /// Path of the table.
        path: PathBuf,
        /// Name of the column.
        column: String,
        /// Location of the text.
        location: Location,
        /// The text.
        value: String,
    },
    /// The time or the label is included as a feature.
    #[error("{}: column `{column}` is the {role}, so it cannot be a feature too", path.display())]
    ReservedColumn {
        /// Path of the table.
        path: PathBuf,
        /// Name of the column.
        column: String,
        /// Use of the column.
        role: Role,
    },
    /// Columns that are not excluded hold something else than numbers.
    #[error("{}: {}", path.display(), not_numeric(columns))]
    NotNumericFeatures {
        /// Path of the table.
        path: PathBuf,
        /// The columns, at least one.
        columns: Vec<NotNumeric>,
    },
    /// Features give the label away.
    #[error("{}: features give the label away: {}", path.display(), leaks_listed(leaks))]
    Leaks {
        /// Path of the table.
        path: PathBuf,
        /// The features, at least one.
        leaks: Vec<Leak>,
    },
    /// A binary label by name has other than two classes.
    #[error(
        "{}: label `{column}` has {} ({}{}), but `task = \"binary\"` predicts two", path.display(),
        class_count(classes.len()), class_rows(classes), rarest_at(rarest.as_ref())
    )]
    NotTwoClasses {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Its classes, sorted, each with its number of rows.
        classes: Vec<(String, u64)>,
        /// The rarest of more than two classes with its first location, if it may be a mistake.
        rarest: Option<(String, Location)>,
    },
    /// No class of a binary label is named as the positive one.
    #[error(
        "{}: label `{column}` has two classes ({}), and neither is named as positive", path.display(),
        class_rows(classes)
    )]
    NoPositive {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Its classes, sorted, each with its number of rows.
        classes: Vec<(String, u64)>,
    },
    /// The positive class does not occur.
    #[error(
        "{}: label `{column}` is never `{positive}` (positive); its classes are {}", path.display(),
        class_rows(classes)
    )]
    UnknownPositive {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// The positive class of the ladder.
        positive: String,
        /// The label's classes, sorted, each with its number of rows.
        classes: Vec<(String, u64)>,
    },
    /// A column has too many categories.
    #[error("{}: {location}: column `{column}` has more than {MOST_CLASSES} categories", path.display())]
    TooManyCategories {
        /// Path of the table.
        path: PathBuf,
        /// Name of the column.
        column: String,
        /// Location of the first category too many.
        location: Location,
    },
    /// A label has too many names.
    #[error("{}: {location}: label `{column}` has more than {MOST_CLASSES} classes", path.display())]
    TooManyClasses {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Location of the first class too many.
        location: Location,
    },
    /// A feature is included twice.
    #[error("{}: feature `{column}` is included twice", path.display())]
    RepeatedFeature {
        /// Path of the table.
        path: PathBuf,
        /// Name of the column.
        column: String,
    },
    /// No column is left as a feature.
    #[error("{}: no column is left to be a feature", path.display())]
    NoFeatures {
        /// Path of the table.
        path: PathBuf,
        /// Names of the unused columns.
        skipped: Vec<String>,
    },
    /// A feature is missing or infinite, and the ladder treats this as an error.
    #[error(
        "{}: {location}: column `{column}` {gap}{}", path.display(),
        further_count(*more, "missing or infinite value")
    )]
    MissingValue {
        /// Path of the table.
        path: PathBuf,
        /// Column of the first such value.
        column: String,
        /// Location of the first such value.
        location: Location,
        /// Kind of the first such value.
        gap: Gap,
        /// Number of further such values.
        more: u64,
    },
    /// A label is missing although later rows have one.
    #[error(
        "{}: {location}: label `{column}` is missing{}", path.display(), further_count(*more, "missing label")
    )]
    MissingLabel {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Location of the first missing label.
        location: Location,
        /// Number of further missing labels, without those at the end.
        more: u64,
    },
    /// A label is not valid for the task.
    #[error("{}: {location}: label `{column}` is {value}; it must be {wanted}", path.display())]
    BadLabel {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Location of the label.
        location: Location,
        /// The value found.
        value: String,
        /// Description of valid labels.
        wanted: &'static str,
    },
    /// A time cannot be parsed.
    #[error(
        "{}: {location}: time `{column}` is {value}, which is not a date, time or number", path.display()
    )]
    BadTime {
        /// Path of the table.
        path: PathBuf,
        /// Name of the time column.
        column: String,
        /// Location of the time.
        location: Location,
        /// The value found.
        value: String,
    },
    /// Times of different kinds, such as dates and numbers, cannot be ordered.
    #[error(
        "{}: {location}: time `{column}` is {value}, which is of another kind than the times before it",
        path.display()
    )]
    MixedTimes {
        /// Path of the table.
        path: PathBuf,
        /// Name of the time column.
        column: String,
        /// Location of the first time of another kind.
        location: Location,
        /// The value found there.
        value: String,
    },
    /// Two rows have the same time.
    #[error("{}: {first} and {second} have the same time `{column}`, {time}", path.display())]
    RepeatedTime {
        /// Path of the table.
        path: PathBuf,
        /// Name of the time column.
        column: String,
        /// The repeated time.
        time: String,
        /// Location of its first row.
        first: Location,
        /// Location of its second row.
        second: Location,
    },
    /// The split leaves no test part.
    #[error(
        "the split's shares, {train} for training and {validation} for validation, leave nothing for the \
         test part"
    )]
    SplitSum {
        /// Share of the training part.
        train: f64,
        /// Share of the validation part.
        validation: f64,
    },
    /// A part has no window.
    #[error(
        "{}: too few rows: with {rows} rows{} the {part} part has no window of {context} rows{}",
        path.display(),
        if *dropped > 0 { format!(" ({dropped} more were dropped)") } else { String::new() },
        if *horizon > 1 { format!(" whose label looks {horizon} rows ahead") } else { String::new() }
            + &without_hole(*max_gap)
    )]
    TooFewRows {
        /// Path of the table.
        path: PathBuf,
        /// Name of the part.
        part: PartName,
        /// Number of rows that are left.
        rows: usize,
        /// Number of rows dropped because of missing values.
        dropped: usize,
        /// Number of rows in a window.
        context: usize,
        /// Number of rows that a label looks ahead.
        horizon: usize,
        /// Longest time between the rows of a window, if windows of the part are left out by it.
        max_gap: Option<MaxGap>,
    },
    /// Labels look further ahead than a part is long.
    #[error("{}: the label looks {horizon} rows ahead, but the {part} part has {rows} rows", path.display())]
    LongHorizon {
        /// Path of the table.
        path: PathBuf,
        /// Number of rows that a label looks ahead.
        horizon: usize,
        /// The first part that is too short.
        part: PartName,
        /// Number of rows of the part, before the embargo.
        rows: usize,
    },
    /// The times are of another kind than `max_gap`.
    #[error(
        "{}: `max_gap` is {}, but column `{column}` (time) has {}",
        path.display(),
        match max_gap {
            MaxGap::Seconds(_) => format!("\"{max_gap}\""),
            MaxGap::Number(_) => max_gap.to_string()
        },
        match max_gap { MaxGap::Seconds(_) => "numbers", MaxGap::Number(_) => "dates or times" }
    )]
    GapUnit {
        /// Path of the table.
        path: PathBuf,
        /// Column of the times.
        column: String,
        /// Longest time between the rows of a window.
        max_gap: MaxGap,
    },
    /// A table to be predicted has fewer rows than a window, or each window has a hole.
    #[error(
        "{}: {rows} rows are too few for a window of {context}{}", path.display(), without_hole(*max_gap)
    )]
    NoWindow {
        /// Path of the table.
        path: PathBuf,
        /// Number of rows that are left.
        rows: usize,
        /// Number of rows in a window.
        context: usize,
        /// Longest time between the rows of a window, if windows are left out by it.
        max_gap: Option<MaxGap>,
    },
    /// A class does not occur in the training part.
    #[error(
        "{}: class {class} of {classes} has no window in the training part; {}", path.display(),
        occurrence(*rows, *first)
    )]
    AbsentClass {
        /// Path of the table.
        path: PathBuf,
        /// Name of the class, or its number.
        class: String,
        /// Number of classes of the whole table.
        classes: usize,
        /// Number of rows of the class.
        rows: u64,
        /// Location of the first of them.
        first: Option<Location>,
    },
    /// The label is a threshold although the task is not binary.
    #[error("{}: a threshold label is 0 or 1, so the task must be binary", path.display())]
    ThresholdLabel {
        /// Path of the table.
        path: PathBuf,
    },
    /// A part of the training rows cannot be trained on.
    #[error(
        "{}: a part of {rows} of the training rows has {problem}: there are {windows} training windows",
        path.display()
    )]
    TrainPart {
        /// Path of the table.
        path: PathBuf,
        /// The part.
        rows: RowCount,
        /// What is wrong with it.
        problem: TrainPartProblem,
        /// Number of training windows.
        windows: usize,
    },
    /// All labels of a part are equal.
    #[error("{}: all {windows} windows of the {part} part are labelled {class}", path.display())]
    OneClass {
        /// Path of the table.
        path: PathBuf,
        /// Name of the part.
        part: PartName,
        /// Number of its windows.
        windows: u64,
        /// Name of their class, or its number.
        class: String,
    },
}

/// Reason why a part of the training rows cannot be trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainPartProblem {
    /// It has no window.
    None,
    /// It has all windows.
    All,
    /// All its windows have the same class.
    OneClass,
}

impl fmt::Display for TrainPartProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no window",
            Self::All => "all windows",
            Self::OneClass => "windows of one class",
        })
    }
}

impl DataError {
    /// Returns advice for the user.
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
            Self::MissingValue { .. } => {
                "na = \"drop\" under [data] leaves such rows out, \"ffill\" and \"mean\" fill them".to_owned()
            }
            Self::MissingLabel { .. } => {
                "na = \"drop\" under [data] keeps such rows as history without predicting them".to_owned()
            }
            Self::BadLabel { value, wanted, .. } => label_hint(value, wanted),
            Self::NotNumericFeatures { columns, .. } => {
                let exclude = excluding(columns.iter().map(|column| column.column.as_str()));
                match columns.iter().find(|column| column.first.is_some()) {
                    Some(column) => format!("{exclude}; {}", as_categories(&column.column)),
                    None => exclude,
                }
            }
            Self::WrongType { column, role: Role::Feature, found, .. } if found != EMPTY => {
                as_categories(column)
            }
            Self::TooManyCategories { column, .. } => excluding([column.as_str()].into_iter()),
            Self::Leaks { leaks, .. } => {
                let exclude = excluding(leaks.iter().map(|leak| leak.column.as_str()));
                format!("a feature must be known before its label: {exclude}; if it is, `run` trains with it")
            }
            Self::NotTwoClasses { classes, .. } if classes.len() > 2 => {
                "`task = \"classes\"` under [model] predicts several classes; otherwise correct the label"
                    .to_owned()
            }
            Self::NoPositive { classes, .. } => {
                let name = &classes[1].0;
                format!("positive = {name:?} under [data] makes `{name}` class 1")
            }
            Self::UnknownPositive { positive, classes, .. } => {
                let names: Vec<String> = classes.iter().map(|(name, _)| name.clone()).collect();
                let name = nearest(positive, &names)?;
                format!("did you mean positive = {name:?}?")
            }
            Self::TooManyClasses { .. } => {
                "name another column; numbers are predicted with `task = \"regression\"` under [model]"
                    .to_owned()
            }
            Self::AbsentClass { rows: 0, .. } => {
                "number the classes from 0 without gaps, or write them as names".to_owned()
            }
            Self::AbsentClass { .. } => {
                "a larger share for training, or one class for it and another in the table".to_owned()
            }
            Self::BadTime { .. } => {
                "times are written as 2024-01-31, 2024-01-31T16:00:00, 2024-01-31T16:00:00Z or a number"
                    .to_owned()
            }
            Self::RepeatedTime { .. } => "a table holds one series: one row per time step".to_owned(),
            Self::GapUnit { max_gap: MaxGap::Seconds(_), .. } => {
                "a number in the unit of the times: max_gap = 5".to_owned()
            }
            Self::GapUnit { .. } => "a time with its unit: max_gap = \"7d\"".to_owned(),
            Self::TooFewRows { part, horizon, max_gap, .. } => {
                let shorter = if *horizon > 1 { "context or horizon" } else { "context" };
                let share = match part {
                    PartName::Train => "a larger share for training",
                    PartName::Validation => "a larger share for validation",
                    PartName::Test => "smaller shares for training and validation",
                };
                let longer = if max_gap.is_some() { "a longer max_gap, " } else { "" };
                format!("{longer}a shorter {shorter}, more rows, or {share}")
            }
            Self::LongHorizon { .. } => {
                "a shorter `horizon`, more rows, or another `split`: each part must be longer than the \
                 horizon"
                    .to_owned()
            }
            Self::TrainPart { problem: TrainPartProblem::All, .. } => {
                "leave it out: each budget is trained on all rows anyway".to_owned()
            }
            Self::TrainPart { .. } => "a larger part in `train_share` or `train_rows`".to_owned(),
            Self::OneClass { .. } => "more rows, another split, or another threshold of the label".to_owned(),
            Self::Parquet { message, .. } if message.contains("feature") => {
                "write the file with snappy, zstd, gzip, lz4 or no compression".to_owned()
            }
            _ => return None,
        })
    }
}

/// Returns the words that follow a window which holes must not break; nothing if they may.
fn without_hole(max_gap: Option<MaxGap>) -> String {
    max_gap.map_or_else(String::new, |gap| format!(" without a hole longer than {gap} (`max_gap`)"))
}

/// Returns advice for a label that does not fit its task.
fn label_hint(value: &str, wanted: &str) -> String {
    const CLASSES: &str = "task = \"classes\" under [model] predicts classes numbered from 0";
    const NUMBERS: &str = "task = \"regression\" under [model] predicts numbers";
    const THRESHOLD: &str =
        "a threshold can be the label: label = { rise = 0.01, of = \"high\", over = \"close\", horizon = 1 }";
    let number = value.trim_matches('`').parse::<f64>().ok();
    let is_class = |x: f64| x.fract() == 0.0 && (0.0..MOST_CLASSES as f64).contains(&x);
    match (number, wanted) {
        (None, "a finite number") => {
            "task = \"binary\" or task = \"classes\" under [model] predicts classes by name".to_owned()
        }
        (None, _) => "the label's first value is a number, so all must be; correct this one".to_owned(),
        (Some(x), "0 or 1") if is_class(x) => {
            format!(
                "{CLASSES}; {NUMBERS}; a label of two values names the one that is class 1: \
                 positive = \"{x}\" under [data]"
            )
        }
        (Some(_), "0 or 1") => format!("{NUMBERS}; {THRESHOLD}"),
        (Some(_), _) => NUMBERS.to_owned(),
    }
}

fn not_numeric(columns: &[NotNumeric]) -> String {
    let one = |column: &NotNumeric| {
        let name = &column.column;
        match &column.first {
            Some((location, value)) => {
                format!("column `{name}` cannot be a feature: {location} has {value}, which is not a number")
            }
            None => format!("column `{name}` cannot be a feature: it holds {}", column.found),
        }
    };
    columns.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn leaks_listed(leaks: &[Leak]) -> String {
    leaks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Returns the setting that makes a column one of categories.
fn as_categories(column: &str) -> String {
    format!("categorical = [{column:?}] under [data] makes a feature of each of its values")
}

/// Returns the setting that leaves out columns, of which there is at least one.
fn excluding<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = columns.map(|column| format!("{column:?}")).collect();
    names.dedup();
    let what = if names.len() == 1 { "it" } else { "them" };
    format!("exclude = [{}] under [data.features] leaves {what} out", names.join(", "))
}

fn rarest_at(rarest: Option<&(String, Location)>) -> String {
    rarest.map_or_else(String::new, |(name, location)| format!("; the first `{name}` is in {location}"))
}

fn class_count(count: usize) -> String {
    if count == 1 { "1 class".to_owned() } else { format!("{count} classes") }
}

fn class_rows(classes: &[(String, u64)]) -> String {
    const SHOWN: usize = 12;
    let one = |(name, rows): &(String, u64)| {
        format!("`{name}` in {rows} {}", if *rows == 1 { "row" } else { "rows" })
    };
    let shown: Vec<String> = classes.iter().take(SHOWN).map(one).collect();
    let rest = classes.len().saturating_sub(SHOWN);
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}

fn occurrence(rows: u64, first: Option<Location>) -> String {
    match (rows, first) {
        (1, Some(first)) => format!("it occurs in 1 row, {first}"),
        (_, Some(first)) => format!("it occurs in {rows} rows, the first is {first}"),
        _ => "it occurs in no row".to_owned(),
    }
}

fn further_count(more: u64, noun: &str) -> String {
    match more {
        0 => String::new(),
        1 => format!(" (and 1 more {noun})"),
        _ => format!(" (and {more} more {noun}s)"),
    }
}

/// Returns the candidate that a misspelt name was probably meant to be.
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
