//! Notes on differences between a source and the imported study.

use std::collections::BTreeMap;
use std::fmt;

use allometry_core::{Direction, SearchSpace};

/// Maximum number of names in a note.
const MOST_NAMES: usize = 20;

/// A difference between a source and the imported study, or a guess about the source.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The file is not UTF-8, and was read as Windows-1252.
    Latin1 {
        /// Number of characters beyond ASCII.
        characters: usize,
    },
    /// Columns or fields were taken for hyperparameters, although the source does not mark them as such.
    Guessed {
        /// Names of the columns.
        params: Vec<String>,
    },
    /// No column or field has the name of the metric, and the usual one of values was taken for it.
    ValueAsMetric {
        /// Name of the column or field.
        column: String,
        /// Name of the metric.
        metric: String,
    },
    /// Columns or fields were left out.
    LeftOut {
        /// Names of the columns.
        columns: Vec<String>,
    },
    /// Trials that ran have no value of a hyperparameter.
    EmptyParams {
        /// Number of trials by parameter.
        trials: BTreeMap<String, usize>,
    },
    /// The numbers of trials had gaps or repetitions.
    Renumbered,
    /// Complete trials without a value for each objective became failed.
    WithoutValue {
        /// Number of trials.
        trials: usize,
    },
    /// Values of trials that neither completed nor were pruned were left out.
    ValuesLeftOut {
        /// Number of trials.
        trials: usize,
    },
    /// Distributions were inferred from the values of the trials.
    Inferred {
        /// Inferred distributions.
        space: SearchSpace,
    },
    /// Rows of Ray Tune were merged as iterations of one trial.
    Iterations {
        /// Number of rows.
        rows: usize,
        /// Number of trials.
        trials: usize,
    },
    /// Directions were applied in the order of a file that sorts objectives by name.
    Order {
        /// Name and direction of each objective.
        said: Vec<(String, Direction)>,
    },
    /// Complete trials of Ray Tune may have been running when their table was written.
    Unended {
        /// Number of trials.
        trials: usize,
    },
    /// Trials without a value and without a recorded state became failed.
    NoState {
        /// Number of trials.
        trials: usize,
    },
    /// The number of a trial is that of its row, because the column of numbers contains names.
    NumberedByRow {
        /// Name of the column.
        column: String,
    },
    /// Texts look like numbers with a decimal comma.
    DecimalCommas {
        /// Names of the columns.
        columns: Vec<String>,
    },
    /// Trials count as infeasible because one of their constraints is not a number.
    OddConstraints {
        /// Number of trials.
        trials: usize,
    },
    /// User attributes of the study were left out of a file that holds trials alone.
    StudyAttributes {
        /// Names of the attributes.
        names: Vec<String>,
    },
    /// Trials are running in the source.
    Running {
        /// Number of trials.
        trials: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latin1 { characters } => write!(
                f,
                "the file is not UTF-8 and was read as Windows-1252 (Latin-1); characters beyond ASCII: \
                 {characters}"
            ),
            Self::Guessed { params } => write!(
                f,
                "columns taken for hyperparameters, which --params overrides ({}): {}",
                params.len(),
                listed(params)
            ),
            Self::ValueAsMetric { column, metric } => {
                write!(f, "no column is called `{metric}`, so that `{column}` is taken for it")
            }
            Self::LeftOut { columns } => {
                write!(
                    f,
                    "columns left out, which describe how or where trials ran ({}): {}",
                    columns.len(),
                    listed(columns)
                )
            }
            Self::EmptyParams { trials } => {
                let each: Vec<String> =
                    trials.iter().map(|(name, trials)| format!("`{name}` ({trials})")).collect();
                write!(
                    f,
                    "hyperparameters that trials lack, with the number of trials (pandas also writes the \
                     choices `None` and `''` as empty cells): {}",
                    each.join(", ")
                )
            }
            Self::Renumbered => {
                f.write_str("trial numbers had gaps or repetitions: the trials are renumbered from 0")
            }
            Self::WithoutValue { trials } => {
                write!(f, "complete trials that lack a value, imported as failed: {trials}")
            }
            Self::ValuesLeftOut { trials } => {
                write!(f, "trials neither complete nor pruned, imported without their values: {trials}")
            }
            Self::Inferred { space } => {
                let inferred = space.iter().map(|(name, set)| format!("{name} = {set}"));
                let inferred = inferred.collect::<Vec<_>>().join(", ");
                write!(f, "distributions inferred from the values, which --space overrides: {inferred}")
            }
            Self::Iterations { rows, trials } => {
                write!(
                    f,
                    "{rows} rows were merged as iterations of {trials} {}; the newest row of a trial has its \
                     value",
                    if *trials == 1 { "trial" } else { "trials" }
                )
            }
            Self::Order { said } => {
                let said = said.iter().map(|(name, direction)| format!("`{name}` {}", direction.as_str()));
                write!(
                    f,
                    "directions were applied in the order of the file, which may differ from the study's: {} \
                     (--direction NAME=DIRECTION sets one by name)",
                    said.collect::<Vec<_>>().join(", ")
                )
            }
            Self::Unended { trials } => write!(
                f,
                "complete trials whose last result is not `done`: {trials} (a table does not show whether \
                 they had ended, but the folder of the experiment does)"
            ),
            Self::NoState { trials } => {
                write!(f, "trials without a value and without a state, which count as failed: {trials}")
            }
            Self::NumberedByRow { column } => {
                write!(f, "`{column}` contains names, so trials are numbered by row")
            }
            Self::DecimalCommas { columns } => write!(
                f,
                "columns read as texts although their cells may be numbers with a decimal comma ({}): {} (to \
                 have them read as numbers, separate cells by semicolons or write decimal points)",
                columns.len(),
                listed(columns)
            ),
            Self::OddConstraints { trials } => {
                write!(
                    f,
                    "trials with a constraint that is not a number, which count as infeasible: {trials}"
                )
            }
            Self::StudyAttributes { names } => write!(
                f,
                "attributes of the study left out, which only a database holds ({}): {}",
                names.len(),
                listed(names)
            ),
            Self::Running { trials } => {
                write!(f, "trials that are running in the source: {trials}")
            }
        }
    }
}

/// Joins names for a sentence.
pub(super) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
