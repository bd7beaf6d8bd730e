//! What differs from a source, or was not in it.

use std::fmt;

use allometry_core::{Direction, SearchSpace};

/// Names that a note lists at most.
const MOST_NAMES: usize = 20;

/// What differs from the source of a study, or was not in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// The file is no UTF-8, and was read as Windows-1252.
    Latin1 {
        /// Characters beyond ASCII.
        characters: usize,
    },
    /// Columns or fields were taken for hyperparameters although nothing says that they are.
    Guessed {
        /// Their names.
        params: Vec<String>,
    },
    /// Columns or fields are in no trial.
    LeftOut {
        /// Their names.
        columns: Vec<String>,
    },
    /// Numbers had gaps or repetitions.
    Renumbered,
    /// Complete trials without a value for each objective; they failed.
    WithoutValue {
        /// How many.
        trials: usize,
    },
    /// Trials that did not end, or failed, had values, which have no place in a store.
    ValuesLeftOut {
        /// How many.
        trials: usize,
    },
    /// Sets of parameters that follow from the values that occur.
    Inferred {
        /// The sets.
        space: SearchSpace,
    },
    /// Rows of Ray Tune that are iterations of one trial.
    Iterations {
        /// How many rows there were.
        rows: usize,
        /// How many trials they are of.
        trials: usize,
    },
    /// Directions were said in the order of objectives that a file sorted by their names.
    Order {
        /// The names of the objectives and what was taken for each.
        said: Vec<(String, Direction)>,
    },
    /// Trials of Ray Tune that had not ended when their table was written; they failed.
    Unended {
        /// How many.
        trials: usize,
    },
    /// Trials that count as infeasible because a constraint of theirs is no number.
    OddConstraints {
        /// How many.
        trials: usize,
    },
    /// Trials that run in the source.
    Running {
        /// How many.
        trials: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latin1 { characters } => write!(
                f,
                "it is no UTF-8 and was read as Latin-1 (Windows-1252); characters that depend on this: {characters}"
            ),
            Self::Guessed { params } => write!(
                f,
                "taken for hyperparameters, unless --params says otherwise ({}): {}",
                params.len(),
                listed(params)
            ),
            Self::LeftOut { columns } => {
                write!(
                    f,
                    "left out, as it says how or where trials ran ({}): {}",
                    columns.len(),
                    listed(columns)
                )
            }
            Self::Renumbered => {
                f.write_str("its numbers had gaps or repetitions: trials are numbered anew from 0")
            }
            Self::WithoutValue { trials } => {
                write!(f, "complete trials without a value failed: {trials}")
            }
            Self::ValuesLeftOut { trials } => {
                write!(f, "values of trials that are neither complete nor pruned are left out: {trials}")
            }
            Self::Inferred { space } => {
                let sets: Vec<String> = space.iter().map(|(name, set)| format!("{name} = {set}")).collect();
                write!(f, "sets by the values that occur, unless --space says otherwise: {}", sets.join(", "))
            }
            Self::Iterations { rows, trials } => {
                write!(
                    f,
                    "{rows} rows are iterations of {trials} trials; the newest row of a trial has its value"
                )
            }
            Self::Order { said } => {
                let said = said.iter().map(|(name, direction)| format!("`{name}` {}", direction.as_str()));
                write!(
                    f,
                    "directions are taken in the order of the file, which may not be the study's: {} \
                     (--direction NAME=DIRECTION says one by its name)",
                    said.collect::<Vec<_>>().join(", ")
                )
            }
            Self::Unended { trials } => {
                write!(f, "trials whose last result is not `done` had not ended, and failed: {trials}")
            }
            Self::OddConstraints { trials } => {
                write!(f, "trials with a constraint that is no number count as infeasible: {trials}")
            }
            Self::Running { trials } => {
                write!(f, "trials that still run in the source, and here for ever: {trials}")
            }
        }
    }
}

/// Names as a sentence lists them.
pub(super) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
