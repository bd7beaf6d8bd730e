//! What a classic report says, with the lines where it says it.

use allometry_core::ParamValue;

use crate::collapse::NaiveOutcome;
use crate::consistency::{BestValue, NaiveConsistency};
use crate::scaling::NaiveScaling;
use crate::trend::NaiveDirection;

/// A number as printed: what it stands for lies within half a unit of its last digit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Printed {
    /// The number read.
    pub value: f64,
    /// Half a unit of its last digit.
    pub half_unit: f64,
}

/// Something and the line that says it, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated<T> {
    /// The line.
    pub line: u64,
    /// What it says.
    pub value: T,
}

/// A classic report as its lines say it. Sections may be absent.
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
    /// Lines that are of no known form: the first of each run of them.
    pub unread: Vec<u64>,
}

/// A row of the table of best results.
#[derive(Debug, Clone, PartialEq)]
pub struct BestResult {
    /// Its line.
    pub line: u64,
    /// The budget.
    pub label: String,
    /// The best value of the metric; `None` where the row says so.
    pub best: Option<Printed>,
    /// Parameters of the best configuration by name, as their cells have them; `None` where a cell says so.
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
    /// Its word.
    pub word: NaiveScaling,
    /// What stands behind the word: `20M > 2M > 200M`.
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
    /// Its word, where *No* beside nothing recorded is unknown.
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
    /// Best value of the metric; inside, `None` where the line says `N/A`.
    pub best: Option<Stated<Option<Printed>>>,
    /// Its mean.
    pub mean: Option<Stated<Option<Printed>>>,
    /// Its sample standard deviation.
    pub sd: Option<Stated<Option<Printed>>>,
    /// The best configuration, one parameter a line, as written.
    pub best_params: Vec<Stated<(String, String)>>,
    /// What the section on collapse says.
    pub collapse: Option<Stated<StudyCollapse>>,
    /// The line that says what importances are.
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
    /// Whether it warns.
    pub collapsed: bool,
    /// Mean range of predictions, where it warns.
    pub range: Option<Printed>,
    /// Percentage of trials with zero recall, where it warns.
    pub zero_recall: Option<Printed>,
}

/// A line of the section on importance.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedImportance {
    /// The parameter.
    pub parameter: String,
    /// Characters of the bar.
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
    /// The value said to be best, and its mean.
    pub best: Option<Stated<(ParamValue, f64)>>,
    /// The value said to be worst, and its mean.
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
    /// Trials.
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
    /// Its values.
    pub columns: Vec<ParamValue>,
    /// The rows: value and trials at each column.
    pub rows: Vec<Stated<(ParamValue, Vec<u64>)>>,
}

impl StatedReport {
    /// The row of the best results that belongs to the study at `position`: that at the same place if the
    /// labels agree, else the first of that label.
    pub fn best_result(&self, position: usize) -> Option<&BestResult> {
        let label = &self.studies.get(position)?.label;
        let beside = self.best_results.get(position).filter(|row| row.label == *label);
        beside.or_else(|| self.best_results.iter().find(|row| row.label == *label))
    }
}

impl StatedStudy {
    /// The best value of the metric, where the summary has one.
    pub fn best_value(&self) -> Option<Printed> {
        self.best.as_ref()?.value
    }

    /// A trend by parameter.
    pub fn trend(&self, parameter: &str) -> Option<&StatedTrend> {
        self.trends.iter().find(|trend| trend.parameter == parameter)
    }
}

/// A value as text says it: a number, truth value or `None` where it reads as one, else the word.
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
