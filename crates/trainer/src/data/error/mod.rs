//! Errors of tables, with hints for correcting them.

mod hint;
mod input_hint;
mod place;

use std::fmt;
use std::io;
use std::path::PathBuf;

use allometry_core::RowCount;
use allometry_ladder::{FoldSpec, MaxGap};

use super::dataset::PartName;
use super::leakage::Leak;
pub(super) use place::field_of_record;
pub use place::{Gap, Location, NotNumeric, RepeatedTime, Role, Site, TimeKind};

/// Largest number of classes, or of categories that are a feature each.
pub(super) const MOST_CLASSES: usize = 1000;

/// Largest number of categories of a column with learned vectors. Each is a number that a feature can hold
/// exactly.
pub(super) const MOST_VECTORS: usize = 1_000_000;

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
        location: Site,
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
        /// Whether the ladder names the column that tells the series of a row.
        has_series: bool,
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
        class_count(classes.len()), class_rows(classes), rarest_at(rarest.as_deref())
    )]
    NotTwoClasses {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Its classes, sorted, each with its number of rows.
        classes: Vec<(String, u64)>,
        /// The rarest of more than two classes with its first location, if it may be a mistake.
        rarest: Option<Box<(String, Site)>>,
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
    #[error("{}: {location}: column `{column}` has more than {most} categories", path.display())]
    TooManyCategories {
        /// Path of the table.
        path: PathBuf,
        /// Name of the column.
        column: String,
        /// Location of the first category too many.
        location: Site,
        /// Largest number of categories.
        most: usize,
        /// Whether a model learns a vector for each.
        has_vectors: bool,
    },
    /// A label has too many names.
    #[error("{}: {location}: label `{column}` has more than {MOST_CLASSES} classes", path.display())]
    TooManyClasses {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Location of the first class too many.
        location: Site,
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
        location: Site,
        /// Kind of the first such value.
        gap: Gap,
        /// Whether the value is a category.
        is_category: bool,
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
        location: Site,
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
        location: Box<Site>,
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
        location: Site,
        /// The value found.
        value: String,
    },
    /// Times of different kinds, such as dates and numbers, cannot be ordered.
    #[error(
        "{}: {location}: time `{column}` is {value}, {kind}, but {first} has {first_kind}", path.display()
    )]
    MixedTimes {
        /// Path of the table.
        path: PathBuf,
        /// Name of the time column.
        column: String,
        /// Location of the first time of another kind.
        location: Box<Site>,
        /// The value found there.
        value: String,
        /// Its kind.
        kind: TimeKind,
        /// Location of the first time.
        first: Location,
        /// Kind of the first time.
        first_kind: TimeKind,
    },
    /// Rows of one series have the same time.
    #[error("{}: {}", path.display(), repeated(column, times, *more))]
    RepeatedTimes {
        /// Path of the table.
        path: PathBuf,
        /// Name of the time column.
        column: String,
        /// The first of the repeated times, at least one.
        times: Vec<RepeatedTime>,
        /// Number of further repeated times.
        more: u64,
        /// Whether the clocks may have been set back at each of the times.
        are_set_back: bool,
    },
    /// The series of a row is not known.
    #[error("{}: {location}: column `{column}` (series) is empty", path.display())]
    NoSeries {
        /// Path of the table.
        path: PathBuf,
        /// Name of the column that tells the series.
        column: String,
        /// Location of the first such row.
        location: Location,
    },
    /// No series has as many rows as a window.
    #[error(
        "{}: no series is as long as a window of {context} rows: the longest of {series}, `{longest}`, has \
         {rows}", path.display()
    )]
    ShortSeries {
        /// Path of the table.
        path: PathBuf,
        /// Number of series.
        series: usize,
        /// Name of the longest series.
        longest: String,
        /// Number of its rows.
        rows: usize,
        /// Number of rows in a window.
        context: usize,
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
        "{}: too few rows: with {rows} rows{}{} the {part} part has no window of {context} rows{}",
        path.display(),
        of_series(*series),
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
        /// Number of series, and of the rows of the longest; `None` for a table of one.
        series: Option<[usize; 2]>,
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
    #[error(
        "{}: the label looks {horizon} rows ahead, but the {part} part has {rows} rows{}", path.display(),
        if *is_panel { " in its longest series" } else { "" }
    )]
    LongHorizon {
        /// Path of the table.
        path: PathBuf,
        /// Number of rows that a label looks ahead.
        horizon: usize,
        /// The first part that is too short.
        part: PartName,
        /// Number of rows of the part, or of its longest series, before the embargo.
        rows: usize,
        /// Whether the table has several series.
        is_panel: bool,
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
        "{}: class {class} of {classes} of label `{column}` has no window in the training part; {}",
        path.display(), occurrence(*rows, first.as_deref())
    )]
    AbsentClass {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column.
        column: String,
        /// Name of the class, or its number.
        class: String,
        /// Number of classes of the whole table.
        classes: usize,
        /// Number of rows of the class.
        rows: u64,
        /// Location of the first of them.
        first: Option<Box<Site>>,
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
    /// A fold cannot be cut or trained on.
    #[error("{}: {cause}", fold_name(*fold, *folds))]
    Fold {
        /// Number of the fold, from 1; `None` for the model that is trained on all rows before the test part.
        fold: Option<u64>,
        /// Number of folds.
        folds: u64,
        /// Largest smaller number of folds that can be cut, if there is one.
        most: Option<u64>,
        /// What is wrong with it.
        cause: Box<Self>,
    },
    /// All labels of a part are equal.
    #[error(
        "{}: all {windows} windows of the {part} part have the label {class}{}", path.display(),
        column.as_ref().map_or_else(String::new, |column| format!(" in column `{column}`"))
    )]
    OneClass {
        /// Path of the table.
        path: PathBuf,
        /// Name of the label's column; `None` for a label by threshold.
        column: Option<String>,
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
    /// Returns the error with the number of folds that can be cut.
    pub(super) fn with_most(self, possible: Option<FoldSpec>) -> Self {
        match self {
            Self::Fold { fold, folds, cause, .. } => {
                Self::Fold { fold, folds, most: possible.map(|folds| folds.count as u64), cause }
            }
            other => other,
        }
    }
}

fn fold_name(fold: Option<u64>, folds: u64) -> String {
    match fold {
        Some(fold) => format!("fold {fold} of {folds}"),
        None => format!("the training on all rows before the test part, after {folds} folds"),
    }
}

/// Returns the words that follow a window which holes must not break; nothing if they may.
fn without_hole(max_gap: Option<MaxGap>) -> String {
    max_gap.map_or_else(String::new, |gap| format!(" without a hole longer than {gap} (`max_gap`)"))
}

fn of_series(series: Option<[usize; 2]>) -> String {
    series.map_or_else(String::new, |[count, longest]| {
        format!(" of {count} series, the longest of which has {longest},")
    })
}

fn repeated(column: &str, times: &[RepeatedTime], more: u64) -> String {
    let in_series = |one: &RepeatedTime| {
        one.series.as_ref().map_or_else(String::new, |name| format!(" in series `{name}`"))
    };
    if let ([one], 0) = (times, more)
        && let ([first, second], 2) = (one.rows.as_slice(), one.count)
    {
        return format!("{first} and {second} have the same time `{column}`{}, {}", in_series(one), one.time);
    }
    let rows = |one: &RepeatedTime| {
        let shown: Vec<String> = one.rows.iter().map(ToString::to_string).collect();
        match one.count - one.rows.len() as u64 {
            0 => shown.join(", "),
            rest => format!("{} and {rest} more", shown.join(", ")),
        }
    };
    let listed: Vec<String> =
        times.iter().map(|one| format!("{}{} ({})", one.time, in_series(one), rows(one))).collect();
    let all = times.len() as u64 + more;
    let (noun, occur) = if all == 1 { ("time", "occurs") } else { ("times", "occur") };
    let rest = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("{all} {noun} of `{column}` {occur} in several rows: {}{rest}", listed.join(", "))
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

fn rarest_at(rarest: Option<&(String, Site)>) -> String {
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

fn occurrence(rows: u64, first: Option<&Site>) -> String {
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
