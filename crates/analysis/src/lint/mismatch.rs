//! Contradictory statements of a report, as data.

use allometry_core::ParamValue;

use crate::consistency::NaiveConsistency;
use crate::trend::NaiveDirection;

/// Two statements of a report that contradict each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Mismatch {
    /// In the part about all budgets.
    Ladder(LadderMismatch),
    /// In a summary.
    Summary(SummaryMismatch),
    /// In importances.
    Importance(ImportanceMismatch),
    /// In a trend.
    Trend(TrendMismatch),
    /// In a table of combinations.
    Coverage(CoverageMismatch),
}

/// A contradiction in the part about all budgets, or between it and the parts about each.
#[derive(Debug, Clone, PartialEq)]
pub enum LadderMismatch {
    /// The best value of a budget differs between two places.
    OtherBest {
        /// The best value here.
        here: Option<f64>,
        /// The best value elsewhere.
        there: Option<f64>,
        /// The other place.
        place: Place,
    },
    /// A verdict without exactly three budgets.
    NotThreeBudgets,
    /// The verdict does not follow from the best values.
    VerdictWord(Vec<f64>),
    /// The order in the verdict does not match its word.
    VerdictOrder {
        /// The stated order.
        stated: String,
        /// The order that the word means.
        meant: String,
    },
    /// A parameter has fewer than two values to compare.
    FewerThanTwoValues {
        /// The parameter.
        parameter: String,
    },
    /// The word on a parameter's best values does not follow from them.
    ConsistencyWord {
        /// The parameter.
        parameter: String,
        /// The stated word.
        word: NaiveConsistency,
    },
    /// The best value of a parameter differs in the table of best results.
    OtherBestParameter {
        /// The parameter.
        parameter: String,
        /// The budget, where the line is about several.
        budget: Option<String>,
        /// The value here.
        here: String,
        /// The cell of the table.
        there: String,
    },
    /// The table and the part about the budget disagree on collapse.
    CollapseWord,
    /// The range of predictions differs in the part about the budget.
    OtherRange,
    /// The word on collapse does not follow from its figures.
    CollapseRule {
        /// The range below which predictions count as collapsed.
        range: f64,
        /// The percentage of trials with zero recall above which predictions count as collapsed.
        percent: f64,
    },
}

impl From<LadderMismatch> for Mismatch {
    fn from(mismatch: LadderMismatch) -> Self {
        Self::Ladder(mismatch)
    }
}

/// A contradiction between the summary of a budget and its tables.
#[derive(Debug, Clone, PartialEq)]
pub enum SummaryMismatch {
    /// The counts of a table exceed the trials.
    CountsExceedTrials {
        /// The parameter of the table.
        parameter: String,
        /// The sum of the counts.
        total: u64,
        /// The line with the number of trials.
        line: u64,
        /// Number of trials.
        trials: u64,
    },
    /// A figure of the summary does not follow from a table.
    Figure {
        /// The figure.
        figure: SummaryFigure,
        /// The parameter of the table.
        parameter: String,
        /// The value that the table gives.
        implied: Implied,
        /// Line of the summary.
        line: u64,
        /// The stated value.
        stated: f64,
    },
    /// A figure of the summary does not follow from most tables.
    FigureAgainstMost {
        /// The figure.
        figure: SummaryFigure,
        /// Number of tables that disagree.
        disagreeing: usize,
        /// Number of tables.
        tables: usize,
        /// The first mismatch.
        first: Box<SummaryMismatch>,
    },
    /// One trial has a standard deviation other than 0.
    DeviationOfOneTrial(f64),
    /// The best value is worse than the mean.
    BestBelowMean {
        /// The best value.
        best: f64,
        /// The mean.
        mean: f64,
    },
    /// The best value is further from the mean than this number of values allows.
    BestTooFar {
        /// Number of trials.
        trials: u64,
        /// Number of standard deviations within which all values lie.
        reach: f64,
        /// The best value.
        best: f64,
    },
    /// The mean at a value is better than the best value.
    MeanAboveBest {
        /// The parameter.
        parameter: String,
        /// The value.
        value: ParamValue,
        /// The best value of the metric.
        best: f64,
        /// Line of the best value.
        line: u64,
    },
    /// No group of a parameter's table can contain the best trial.
    BestInNoGroup {
        /// The parameter.
        parameter: String,
        /// The best value of the metric.
        best: f64,
        /// Line of the best value.
        line: u64,
    },
}

impl From<SummaryMismatch> for Mismatch {
    fn from(mismatch: SummaryMismatch) -> Self {
        Self::Summary(mismatch)
    }
}

/// A contradiction between importances and the tables.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportanceMismatch {
    /// Importances are not sorted.
    NotSorted {
        /// The parameter that stands lower with its importance.
        below: (String, f64),
        /// The parameter above it with its importance.
        above: (String, f64),
    },
    /// A bar has the wrong length.
    BarLength {
        /// The parameter.
        parameter: String,
        /// Characters of its bar.
        characters: u64,
        /// Its importance.
        share: f64,
        /// Number of characters for this importance.
        expected: u64,
    },
    /// An importance is more than 1.
    MoreThanAll(f64),
    /// An importance does not follow from its table.
    OfTable {
        /// The parameter.
        parameter: String,
        /// The value that the table gives.
        implied: Implied,
        /// The stated importance.
        share: f64,
    },
}

impl From<ImportanceMismatch> for Mismatch {
    fn from(mismatch: ImportanceMismatch) -> Self {
        Self::Importance(mismatch)
    }
}

/// A contradiction between the lines above a table of a trend and the table.
#[derive(Debug, Clone, PartialEq)]
pub enum TrendMismatch {
    /// One trial has a standard deviation other than 0.
    DeviationOfOneTrial(f64),
    /// A parameter with one value has a trend.
    OneValue {
        /// The parameter.
        parameter: String,
    },
    /// The word of a trend does not follow from its means.
    Word {
        /// The parameter.
        parameter: String,
        /// The word.
        word: NaiveDirection,
        /// The change of the mean.
        change: f64,
        /// The change at which a trend stops being flat.
        margin: f64,
    },
    /// A value is not in the table of its parameter.
    NotInTable {
        /// The parameter.
        parameter: String,
        /// The value.
        value: ParamValue,
    },
    /// The mean at a value differs in the table.
    OtherMean {
        /// The value.
        value: ParamValue,
        /// Its mean in the table.
        table: f64,
        /// Its mean here.
        here: f64,
    },
    /// A value is not the extreme that the report calls it.
    NotExtreme {
        /// The stated extreme.
        extreme: Extreme,
        /// The parameter.
        parameter: String,
        /// The value with its mean.
        value: (ParamValue, f64),
        /// A value beyond it with its mean.
        beyond: (ParamValue, f64),
    },
}

impl From<TrendMismatch> for Mismatch {
    fn from(mismatch: TrendMismatch) -> Self {
        Self::Trend(mismatch)
    }
}

/// A contradiction between a table of combinations and the tables by value.
#[derive(Debug, Clone, PartialEq)]
pub enum CoverageMismatch {
    /// The cells of a table of combinations exceed the trials.
    CellsExceedTrials {
        /// The sum of the cells.
        total: u64,
        /// The line with the number of trials.
        line: u64,
        /// Number of trials.
        trials: u64,
    },
    /// The rows or columns differ from the values in the table of their parameter.
    OtherValues {
        /// Rows or columns.
        side: TableSide,
        /// The parameter.
        parameter: String,
    },
    /// A row or column does not add up to the trials with its value.
    SideSum {
        /// Row or column.
        side: TableSide,
        /// The parameter.
        parameter: String,
        /// The value.
        value: ParamValue,
        /// The sum.
        sum: u64,
        /// The line with the number of trials.
        line: u64,
        /// Number of trials.
        trials: u64,
    },
}

impl From<CoverageMismatch> for Mismatch {
    fn from(mismatch: CoverageMismatch) -> Self {
        Self::Coverage(mismatch)
    }
}

/// The other place of a value of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the table of best results.
    Table,
    /// In the part about all budgets.
    AllBudgets,
}

/// A side of a table of combinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableSide {
    /// The rows.
    Row,
    /// The columns.
    Column,
}

/// A figure of the summary of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryFigure {
    /// The mean of all trials.
    Mean,
    /// Their standard deviation.
    Deviation,
}

/// An extreme of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// The best value.
    Best,
    /// The worst value.
    Worst,
}

/// A number that follows from a table, with its bounds before rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Implied {
    /// Smallest number.
    pub low: f64,
    /// Largest number; infinite where only the smallest is known.
    pub high: f64,
}
