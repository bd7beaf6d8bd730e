//! Decides which column of a table is the time, which is the label, and which are features.

use allometry_ladder::Task;
use allometry_trainer::data::{ColumnDescription, Distinct, SeriesColumn, TableDescription, TimeDescription};

use super::{code, first_of, shown};

/// Names of time columns, for times and numbers.
const TIMES: [&str; 4] = ["date", "time", "datetime", "timestamp"];

/// Names of time columns, for times and for numbers that are unique.
const UNIQUE_TIMES: [&str; 10] = ["ts", "ds", "day", "week", "month", "year", "period", "step", "t", "epoch"];

/// Names of time columns for numbers that repeat because a table has several series.
pub(super) const TIMES_OF_SERIES: [&str; 7] = ["ts", "ds", "year", "period", "step", "t", "epoch"];

/// Names of columns of numbers that tell the series of a row, beside those that end with `_id`.
const SERIES: [&str; 14] = [
    "id", "nr", "unit", "series", "item", "entity", "person", "firm", "company", "store", "shop", "customer",
    "patient", "machine",
];

/// Names of label columns.
const LABELS: [&str; 6] = ["label", "target", "y", "class", "outcome", "response"];

/// Maximum number of distinct whole numbers that are taken for classes.
const MOST_CLASSES: usize = 20;

/// Maximum share of rows without a value in a feature; above it the column is left out instead of the rows.
const MOST_MISSING: f64 = 0.2;

/// Maximum number of columns that are examined as identifiers of the series of a panel.
const MOST_SERIES_COLUMNS: usize = 8;

/// The roles of a table's columns in a ladder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Roles {
    /// Column that orders the rows; `None` for the order of the file.
    pub(crate) time: Option<String>,
    /// Whether the time column is one only if a column tells the series of the rows, because its numbers
    /// repeat.
    pub(crate) time_needs_series: bool,
    /// Column that tells the series of a row; `None` for a table of one.
    pub(crate) series: Option<String>,
    /// Column of the label.
    pub(crate) label: String,
    /// Why this column is the label.
    pub(crate) why: &'static str,
    /// Task of the model.
    pub(crate) task: Task,
    /// Text that is class 1 of a binary label; `None` for a label of numbers.
    pub(crate) positive: Option<String>,
    /// Columns of numbers that are features, in the order of the file.
    pub(crate) features: Vec<String>,
    /// Columns that are not features, each with the reason; without the time, the label and row indices.
    pub(crate) excluded: Vec<(String, String)>,
    /// Whether features or the label have gaps.
    pub(crate) has_gaps: bool,
}

/// The reason why the roles of the columns cannot be decided.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Unclear {
    /// An option names a column that does not exist.
    #[error("{option}: there is no column {}", code(name))]
    NoColumn {
        /// Name of the option.
        option: &'static str,
        /// Value of the option.
        name: String,
        /// Columns of the table.
        columns: Vec<String>,
    },
    /// The options give one column as the time and as the label.
    #[error("column {} cannot be both the time and the label", code(name))]
    Both {
        /// Name of the column.
        name: String,
    },
    /// The label column is ambiguous.
    #[error("cannot tell which column is the label{}", could_be(candidates))]
    NoLabel {
        /// Possible columns with their values, most likely first.
        candidates: Vec<(String, String)>,
    },
    /// The label column has text.
    #[error("column {} cannot be the label: it holds {found}, not numbers or a few classes", code(name))]
    TextLabel {
        /// Name of the column.
        name: String,
        /// Text in the column.
        found: String,
    },
    /// The label column has one value only.
    #[error("column {} cannot be the label: it is the same in all rows", code(name))]
    ConstantLabel {
        /// Name of the column.
        name: String,
    },
    /// No column is left to be a feature.
    #[error("no column of numbers is left to be a feature")]
    NoFeatures {
        /// Columns that cannot be features, each with the reason.
        unsuitable: Vec<(String, String)>,
    },
}

fn could_be(candidates: &[(String, String)]) -> String {
    let listed: Vec<String> =
        candidates.iter().map(|(name, what)| format!("{} ({what})", code(name))).collect();
    if listed.is_empty() {
        ": no column could be one".into()
    } else {
        format!("; it could be {}", first_of(&listed))
    }
}

impl Unclear {
    /// Returns whether another command line can solve the problem.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::NoColumn { .. } | Self::Both { .. } | Self::NoLabel { .. })
    }

    /// Returns what the user can do.
    pub(crate) fn hint(&self) -> Option<String> {
        const NUMBERS: &str =
            "a label is a column of 0 and 1, of classes by number or by name, or of any numbers";
        Some(match self {
            Self::NoColumn { columns, .. } => {
                let names: Vec<String> = columns.iter().map(|name| code(name)).collect();
                format!("its columns are {}{}", first_of(&names), commas(columns.len()))
            }
            Self::Both { .. } => "name two columns".into(),
            Self::NoLabel { candidates } if candidates.is_empty() => NUMBERS.into(),
            Self::NoLabel { .. } => "name it with --label COLUMN".into(),
            Self::TextLabel { .. } | Self::ConstantLabel { .. } => NUMBERS.into(),
            Self::NoFeatures { unsuitable } => {
                let listed: Vec<String> =
                    unsuitable.iter().map(|(name, why)| format!("{} ({why})", code(name))).collect();
                if listed.is_empty() {
                    return None;
                }
                format!("not used: {}{}", first_of(&listed), commas(unsuitable.len()))
            }
        })
    }
}

/// Returns a remark on separators for a table of one column, which often has another separator than commas.
fn commas(columns: usize) -> &'static str {
    if columns == 1 { "; fields must be separated by commas" } else { "" }
}

impl Roles {
    /// Decides the roles of a table's columns. `label` and `time` are the columns named by the user.
    ///
    /// # Errors
    /// [`Unclear`] if they cannot be decided.
    pub(crate) fn of(
        table: &TableDescription,
        label: Option<&str>,
        time: Option<&str>,
    ) -> Result<Self, Unclear> {
        Self::decide(table, (label, time), time_of_series)
    }

    /// Decides the roles of the columns of a table of one series, whose times do not repeat.
    ///
    /// # Errors
    /// As [`Roles::of`].
    pub(crate) fn of_one_series(
        table: &TableDescription,
        label: Option<&str>,
        time: Option<&str>,
    ) -> Result<Self, Unclear> {
        Self::decide(table, (label, time), |_, _| None)
    }

    fn decide<'t>(
        table: &'t TableDescription,
        (label, time): (Option<&str>, Option<&str>),
        time_of_series: impl Fn(
            &'t TableDescription,
            &dyn Fn(&ColumnDescription) -> bool,
        ) -> Option<&'t ColumnDescription>,
    ) -> Result<Self, Unclear> {
        let asked = |option, name: Option<&str>| name.map(|name| find(table, option, name)).transpose();
        let (asked_label, asked_time) = (asked("--label", label)?, asked("--time", time)?);
        if let (Some(label), Some(time)) = (asked_label, asked_time)
            && label.name == time.name
        {
            return Err(Unclear::Both { name: label.name.clone() });
        }
        let is_label = |column: &ColumnDescription| asked_label.is_some_and(|l| l.name == column.name);
        let unique = asked_time.or_else(|| time_column(table, is_label));
        let time = unique.or_else(|| time_of_series(table, &is_label));
        let is_time = |column: &ColumnDescription| time.is_some_and(|t| t.name == column.name);
        if !table.columns.iter().any(|column| column.is_numeric() && !is_time(column)) {
            return Err(Unclear::NoFeatures { unsuitable: text_columns(table) });
        }
        let (label, why) = match asked_label {
            Some(column) => (column, "given by --label"),
            None => label_column(table, is_time)?,
        };
        check_label(label)?;
        let (features, excluded) = features(table, |column| is_time(column) || column.name == label.name);
        if features.is_empty() {
            return Err(Unclear::NoFeatures { unsuitable: excluded });
        }
        let has_gap = |column: &&ColumnDescription| column.missing + column.infinite > 0;
        let has_gaps = features.iter().any(has_gap) || label.missing > 0;
        Ok(Self {
            time: time.map(|column| column.name.clone()),
            time_needs_series: unique.is_none(),
            series: None,
            label: label.name.clone(),
            why,
            task: task(label),
            positive: positive(label),
            features: features.into_iter().map(|column| column.name.clone()).collect(),
            excluded,
            has_gaps,
        })
    }

    /// Returns the columns that may identify the series of a panel: texts first, then whole numbers.
    pub(crate) fn series_columns<'a>(&self, table: &'a TableDescription) -> Vec<&'a str> {
        let taken = |c: &ColumnDescription| Some(&c.name) == self.time.as_ref() || c.name == self.label;
        let free = || table.columns.iter().filter(|c| !taken(c) && !c.name.is_empty() && !c.is_constant());
        let texts = free().filter(|c| c.found.is_some() && !c.is_time);
        // Numbers that are the time only together with a series need a clear one.
        let may_be_number = !self.time_needs_series;
        let is_number = |c: &&ColumnDescription| c.is_numeric() && c.is_whole && !c.counts_rows;
        let numbers = free().filter(is_number).filter(|c| may_be_number || tells_series(c));
        texts.chain(numbers).map(|c| c.name.as_str()).take(MOST_SERIES_COLUMNS).collect()
    }

    /// Names the series of the rows if times repeat and a column distinguishes the rows of one time. Without
    /// such a column, drops the time column, because the times of one series do not repeat. The rows then
    /// keep the order of the file.
    pub(crate) fn tell_series(&mut self, table: &TableDescription, times: &TimeDescription) {
        if times.repeated == 0 {
            return;
        }
        let has_others = |series: &&SeriesColumn| self.features.iter().any(|name| *name != series.name);
        if let Some(column) = times.series.as_ref().filter(has_others) {
            self.features.retain(|feature| *feature != column.name);
            self.excluded.retain(|(excluded, _)| *excluded != column.name);
            self.series = Some(column.name.clone());
            return;
        }
        let Some(time) = self.time.take() else { return };
        if table.column(&time).is_some() {
            self.excluded.push((time, "its times repeat".into()));
        }
    }
}

fn find<'a>(
    table: &'a TableDescription,
    option: &'static str,
    name: &str,
) -> Result<&'a ColumnDescription, Unclear> {
    table.column(name).ok_or_else(|| Unclear::NoColumn {
        option,
        name: name.to_owned(),
        columns: table.columns.iter().map(|column| column.name.clone()).collect(),
    })
}

fn is_named(column: &ColumnDescription, names: &[&str]) -> bool {
    names.contains(&column.name.to_lowercase().as_str())
}

/// Returns the time column: one with such a name, or else the first that holds times.
fn time_column(
    table: &TableDescription,
    is_label: impl Fn(&ColumnDescription) -> bool,
) -> Option<&ColumnDescription> {
    let columns = || table.columns.iter().filter(|column| !is_label(column) && !column.name.is_empty());
    let times = || columns().filter(|column| column.is_time);
    let named = times().find(|column| is_named(column, &TIMES) || is_named(column, &UNIQUE_TIMES));
    let is_number = |column: &&ColumnDescription| {
        let complete = column.missing + column.infinite == 0 && column.is_whole && !column.is_constant();
        column.is_numeric() && complete
    };
    let is_unique = |column: &&ColumnDescription| {
        column.distinct.as_ref().is_none_or(|values| values.len() as u64 == table.rows)
    };
    let numbers = || columns().filter(is_number);
    named
        .or_else(|| times().next())
        .or_else(|| numbers().find(|column| is_named(column, &TIMES)))
        .or_else(|| numbers().filter(is_unique).find(|column| is_named(column, &UNIQUE_TIMES)))
}

/// Returns a column of whole numbers that may be the time of a table with several series: one with such a
/// name, if no other column is named like a time and a column of text, or of numbers with such a name, may
/// tell the series.
fn time_of_series<'t>(
    table: &'t TableDescription,
    is_label: &dyn Fn(&ColumnDescription) -> bool,
) -> Option<&'t ColumnDescription> {
    let columns = || table.columns.iter().filter(|column| !is_label(column));
    let named: Vec<&ColumnDescription> =
        columns().filter(|column| is_named(column, &TIMES) || is_named(column, &UNIQUE_TIMES)).collect();
    let [only] = named[..] else { return None };
    let is_complete = only.missing + only.infinite == 0 && only.is_whole && only.is_numeric();
    let may_tell = |column: &ColumnDescription| {
        !column.is_constant() && (column.found.is_some() || tells_series(column))
    };
    let fits = is_named(only, &TIMES_OF_SERIES) && is_complete && !only.is_constant();
    (fits && columns().any(may_tell)).then_some(only)
}

/// Whether a column of whole numbers is named like one that tells the series of a row.
fn tells_series(column: &ColumnDescription) -> bool {
    let is_named = is_named(column, &SERIES) || column.name.to_lowercase().ends_with("_id");
    is_named && column.is_numeric() && column.is_whole
}

/// Returns the label column, with the reason: the only one with such a name, or the only one of 0 and 1.
fn label_column(
    table: &TableDescription,
    is_time: impl Fn(&ColumnDescription) -> bool,
) -> Result<(&ColumnDescription, &'static str), Unclear> {
    let can_be = |column: &&ColumnDescription| {
        let is_informative = !column.is_constant() && column.range.is_some() && !column.counts_rows;
        let is_free = !is_time(column) && !column.is_row_index();
        let is_named = has_names(column) && is_named(column, &LABELS);
        (is_named || column.is_numeric() && is_informative) && is_free
    };
    let columns: Vec<&ColumnDescription> = table.columns.iter().filter(can_be).collect();
    let of_task = |wanted: Task| columns.iter().copied().filter(move |column| task(column) == wanted);
    let named: Vec<&ColumnDescription> =
        columns.iter().copied().filter(|column| is_named(column, &LABELS)).collect();
    if let [only] = named[..] {
        return Ok((only, "named like a label"));
    }
    let binary: Vec<&ColumnDescription> = of_task(Task::Binary).collect();
    if let ([], [only]) = (&named[..], &binary[..]) {
        return Ok((only, "the only column of 0 and 1"));
    }
    // Labels tend to be the last columns.
    let mut numbers: Vec<&ColumnDescription> = of_task(Task::Regression).collect();
    numbers.reverse();
    let mut texts: Vec<&ColumnDescription> =
        table.columns.iter().filter(|column| has_names(column) && !is_time(column)).collect();
    texts.reverse();
    texts.sort_by_key(|column| column.distinct.as_ref().map(Vec::len));
    let classes = of_task(Task::Classes).filter(|column| !has_names(column));
    let unnamed = binary.into_iter().filter(|column| !has_names(column)).chain(texts).chain(classes);
    let unnamed = unnamed.chain(numbers).filter(|column| !is_named(column, &LABELS));
    let candidates = named.iter().copied().chain(unnamed);
    let candidates = candidates.map(|column| (column.name.clone(), what(column))).collect();
    Err(Unclear::NoLabel { candidates })
}

/// Returns the distinct values of a column as text.
pub(super) fn values(column: &ColumnDescription) -> String {
    let values: Vec<String> = column.distinct.iter().flatten().map(|(value, _)| one_value(value)).collect();
    first_of(&values)
}

/// Returns a value as text.
pub(super) fn one_value(value: &Distinct) -> String {
    match value {
        Distinct::Number(value) => number(*value),
        Distinct::Text(text) => code(text),
    }
}

/// Returns a number as text, with an exponent if it has many digits.
pub(super) fn number(value: f64) -> String {
    if value.abs() >= 1e15 { format!("{value:e}") } else { value.to_string() }
}

fn check_label(label: &ColumnDescription) -> Result<(), Unclear> {
    let name = label.name.clone();
    if has_names(label) {
        return Ok(());
    }
    if let Some(found) = &label.found {
        return Err(Unclear::TextLabel { name, found: shown(found) });
    }
    if let Some((location, text)) = &label.stray {
        return Err(Unclear::TextLabel { name, found: format!("text, {} in {location}", code(text)) });
    }
    if label.is_constant() {
        return Err(Unclear::ConstantLabel { name });
    }
    Ok(())
}

/// Returns the task for a label column.
pub(super) fn task(column: &ColumnDescription) -> Task {
    let Some(values) = column.distinct.as_ref().filter(|_| column.infinite == 0) else {
        return Task::Regression;
    };
    let counts_from_0 =
        (0..).zip(values).all(|(class, (value, _))| *value == Distinct::Number(f64::from(class)));
    match values.len() {
        2 if has_names(column) => Task::Binary,
        _ if has_names(column) => Task::Classes,
        2 if counts_from_0 => Task::Binary,
        3..=MOST_CLASSES if counts_from_0 => Task::Classes,
        _ => Task::Regression,
    }
}

/// Whether a column holds a few texts, which can be the names of classes.
fn has_names(column: &ColumnDescription) -> bool {
    let is_text = |value: &Distinct| matches!(value, Distinct::Text(_));
    column.found.is_some()
        && !column.is_time
        && column.distinct.as_ref().is_some_and(|values| {
            (2..=MOST_CLASSES).contains(&values.len()) && values.iter().all(|(value, _)| is_text(value))
        })
}

/// Returns the text that is proposed as class 1 of a label with two texts: the one with such a meaning, or
/// else the rarer one.
fn positive(column: &ColumnDescription) -> Option<String> {
    const POSITIVE: [&str; 6] = ["yes", "y", "up", "positive", "true", "1"];
    let values = column.distinct.as_ref().filter(|_| has_names(column) && task(column) == Task::Binary)?;
    let names = values.iter().filter_map(|(value, rows)| match value {
        Distinct::Text(text) => Some((text, *rows)),
        Distinct::Number(_) => None,
    });
    let is_meant = |text: &str| POSITIVE.contains(&text.to_lowercase().as_str());
    let chosen = names.min_by_key(|(text, rows)| (!is_meant(text), *rows));
    chosen.map(|(text, _)| text.clone())
}

/// Returns a description of the values of a possible label column.
fn what(column: &ColumnDescription) -> String {
    match (task(column), column.range) {
        _ if has_names(column) => values(column),
        (Task::Binary, _) => "0 and 1".into(),
        (Task::Classes, Some((_, most))) => format!("classes 0 to {most}"),
        (_, Some((low, high))) => format!("numbers from {} to {}", number(low), number(high)),
        (_, None) => "numbers".into(),
    }
}

/// Returns the features, and the columns that cannot be features with the reasons. Columns for
/// which `taken` is true are neither.
fn features(
    table: &TableDescription,
    taken: impl Fn(&ColumnDescription) -> bool,
) -> (Vec<&ColumnDescription>, Vec<(String, String)>) {
    let (mut features, mut excluded) = (Vec::new(), Vec::new());
    for column in &table.columns {
        if taken(column) || column.is_row_index() {
            continue;
        }
        match unfit(column, table.rows) {
            None => features.push(column),
            Some(why) => excluded.push((column.name.clone(), why)),
        }
    }
    (features, excluded)
}

/// Returns why a column cannot be a feature; `None` if it can.
fn unfit(column: &ColumnDescription, rows: u64) -> Option<String> {
    let gaps = column.missing + column.infinite;
    if let Some(found) = &column.found {
        let advice = if has_names(column) { "; it can be `categorical`" } else { "" };
        Some(format!("holds {}{advice}", shown(found)))
    } else if let Some((location, text)) = &column.stray {
        Some(format!("has text, {} in {location}", code(text)))
    } else if column.range.is_none() {
        Some("has no number".into())
    } else if column.is_constant() {
        Some("the same in all rows".into())
    } else if column.counts_rows {
        Some("counts the rows".into())
    } else if gaps as f64 > MOST_MISSING * rows as f64 {
        Some(format!("missing in {gaps} of {rows} rows"))
    } else {
        None
    }
}

/// Returns the columns with text, each with an example.
fn text_columns(table: &TableDescription) -> Vec<(String, String)> {
    let text = |column: &ColumnDescription| match (&column.found, &column.stray) {
        (Some(found), _) => Some((column.name.clone(), shown(found))),
        (None, Some(_)) => Some((column.name.clone(), "numbers and text".into())),
        (None, None) => None,
    };
    table.columns.iter().filter_map(text).collect()
}
