//! The content of a classic report, with line numbers.

use allometry_core::ParamValue;

use crate::collapse::NaiveOutcome;
use crate::consistency::{BestValue, NaiveConsistency};
use crate::scaling::NaiveScaling;
use crate::trend::NaiveDirection;

/// A printed number: the exact number lies within half a unit of its last digit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Printed {
    /// The number read.
    pub value: f64,
    /// Half a unit of its last digit.
    pub half_unit: f64,
}

/// A value and the line that states it, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated<T> {
    /// The line.
    pub line: u64,
    /// The stated value.
    pub value: T,
}

/// The content of a classic report. Sections may be absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatedReport {
    /// The metric's name.
    pub metric: String,
    /// Names the data set or feature tier.
    pub tag: Option<String>,
    /// The table of best results.
    pub best_results: Vec<BestResult>,
    /// The list of maxima.
    pub maxima: Vec<Maximum>,
    /// The verdict on scaling.
    pub verdict: Option<Stated<StatedVerdict>>,
    /// The comparison of best values.
    pub consistency: Vec<Stated<StatedConsistency>>,
    /// The table of collapse by budget.
    pub collapse: Vec<CollapseRow>,
    /// The parts about one budget.
    pub studies: Vec<StatedStudy>,
    /// Lines of unknown form: the first line of each run.
    pub unread: Vec<u64>,
}

/// A row of the table of best results.
#[derive(Debug, Clone, PartialEq)]
pub struct BestResult {
    /// Its line.
    pub line: u64,
    /// The budget.
    pub label: String,
    /// The best value of the metric; `None` where the row has none.
    pub best: Option<Printed>,
    /// Parameters of the best configuration by name, with the text of their cells; `None` for an empty cell.
    pub params: Vec<(String, Option<String>)>,
}

/// An item of the list of maxima.
#[derive(Debug, Clone, PartialEq)]
pub struct Maximum {
    /// Its line.
    pub line: u64,
    /// The budget.
    pub label: String,
    /// The best value of the metric.
    pub best: Option<Printed>,
}

/// The verdict on scaling.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedVerdict {
    /// The word of the verdict.
    pub word: NaiveScaling,
    /// The order after the word: `20M > 2M > 200M`.
    pub order: String,
}

/// A line of the comparison of best values.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedConsistency {
    /// The parameter.
    pub parameter: String,
    /// Its word.
    pub word: NaiveConsistency,
    /// The best configurations' values.
    pub values: Vec<BestValue>,
}

/// A row of the table of collapse.
#[derive(Debug, Clone, PartialEq)]
pub struct CollapseRow {
    /// Its line.
    pub line: u64,
    /// The budget.
    pub label: String,
    /// The outcome of the row; *No* counts as unknown where nothing was recorded.
    pub outcome: NaiveOutcome,
    /// Mean range of predictions.
    pub range: Option<Printed>,
    /// Mean recall.
    pub recall: Option<Printed>,
}

/// The part about one budget.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatedStudy {
    /// Line of its title.
    pub line: u64,
    /// The budget.
    pub label: String,
    /// Number of trials.
    pub trials: Option<Stated<u64>>,
    /// Best value of the metric; the inner `None` is a line with `N/A`.
    pub best: Option<Stated<Option<Printed>>>,
    /// Mean of the metric.
    pub mean: Option<Stated<Option<Printed>>>,
    /// Sample standard deviation of the metric.
    pub sd: Option<Stated<Option<Printed>>>,
    /// The best configuration, one parameter a line, as written.
    pub best_params: Vec<Stated<(String, String)>>,
    /// The section on collapse.
    pub collapse: Option<Stated<StudyCollapse>>,
    /// Line that explains importances as fractions.
    pub fraction: Option<u64>,
    /// The section on importance.
    pub importance: Vec<Stated<StatedImportance>>,
    /// The section on trends.
    pub trends: Vec<StatedTrend>,
    /// The section on coverage.
    pub coverage: Vec<StatedCoverage>,
}

/// The section on collapse in the part about one budget.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StudyCollapse {
    /// Whether the section warns of collapse.
    pub collapsed: bool,
    /// Mean range of predictions in the warning.
    pub range: Option<Printed>,
    /// Percentage of trials with zero recall in the warning.
    pub zero_recall: Option<Printed>,
}

/// A line of the section on importance.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedImportance {
    /// The parameter.
    pub parameter: String,
    /// Number of characters of the bar.
    pub bar: u64,
    /// The figure.
    pub share: Printed,
}

/// The trend of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedTrend {
    /// Line of its heading.
    pub line: u64,
    /// The parameter.
    pub parameter: String,
    /// Its word.
    pub word: Option<Stated<NaiveDirection>>,
    /// The value that the report calls best, and its mean.
    pub best: Option<Stated<(ParamValue, f64)>>,
    /// The value that the report calls worst, and its mean.
    pub worst: Option<Stated<(ParamValue, f64)>>,
    /// The table.
    pub levels: Vec<StatedLevel>,
}

/// A row of a trend's table.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedLevel {
    /// Its line.
    pub line: u64,
    /// The value.
    pub value: ParamValue,
    /// Mean of the metric.
    pub mean: Printed,
    /// Its sample standard deviation.
    pub sd: Printed,
    /// Number of trials.
    pub count: u64,
}

/// A table of combinations.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedCoverage {
    /// Line of its heading.
    pub line: u64,
    /// The parameter of the rows.
    pub row_parameter: String,
    /// The parameter of the columns.
    pub column_parameter: String,
    /// Values of the column parameter.
    pub columns: Vec<ParamValue>,
    /// The rows: value and trials at each column.
    pub rows: Vec<Stated<(ParamValue, Vec<u64>)>>,
}

impl StatedReport {
    /// Returns the row of the best results for the study at `position`: the row at this position if the
    /// labels agree, otherwise the first row with that label.
    pub fn best_result(&self, position: usize) -> Option<&BestResult> {
        let label = &self.studies.get(position)?.label;
        let beside = self.best_results.get(position).filter(|row| row.label == *label);
        beside.or_else(|| self.best_results.iter().find(|row| row.label == *label))
    }
}

impl StatedStudy {
    /// Returns the best value of the metric, where the summary has one.
    pub fn best_value(&self) -> Option<Printed> {
        self.best.as_ref()?.value
    }

    /// Returns the trend of a parameter.
    pub fn trend(&self, parameter: &str) -> Option<&StatedTrend> {
        self.trends.iter().find(|trend| trend.parameter == parameter)
    }
}

/// Parses a value: a number, a truth value or `None`, otherwise a word.
pub fn value_of(text: &str) -> ParamValue {
    match text {
        "None" => return ParamValue::Null,
        "True" => return ParamValue::Bool(true),
        "False" => return ParamValue::Bool(false),
        "nan" | "inf" | "-inf" => {}
        _ if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            || !text.ends_with(|c: char| c.is_ascii_digit() || c == '.') =>
        {
            return text.into();
        }
        _ => {}
    }
    let integer = text.parse().ok().map(ParamValue::Int);
    integer.or_else(|| text.parse().ok().map(ParamValue::Float)).unwrap_or_else(|| text.into())
}
