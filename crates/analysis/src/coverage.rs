//! Coverage: which combinations of parameter values were tried.

mod summary;

use allometry_core::ParamValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use summary::{Confounding, SpaceCoverage};

use crate::level::Level;
use crate::stats::table::association;

/// Most cells of a pair of parameters; a larger table would be unreadable and is left out.
const MOST_CELLS: usize = 2_500;

/// Coverage of the combinations of two parameters by the trials of one budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The parameter of the rows.
    pub row_parameter: String,
    /// The parameter of the columns.
    pub column_parameter: String,
    /// Values of the row parameter, ascending; ranges where there are many values.
    pub rows: Vec<Step>,
    /// Values of the column parameter, ascending; ranges where there are many values.
    pub columns: Vec<Step>,
    /// Number of trials at each combination, by row and column.
    pub counts: Vec<Vec<u64>>,
    /// Mean value of the trials at each combination, by row and column; `null` without trials. Empty where
    /// the values are not known.
    #[serde(default)]
    pub means: Vec<Vec<Option<f64>>>,
    /// Number of combinations without a trial.
    pub empty_cells: u64,
    /// Expected number of combinations without a trial if trials were placed at random: `c (1 - 1/c)^n`.
    pub empty_by_chance: f64,
    /// Largest number of trials at one combination.
    pub largest_cell: u64,
    /// Effective number of combinations: the exponential of the counts' entropy.
    pub effective_cells: f64,
    /// Cramer's V, corrected for chance (Bergsma 2013): 0 where the two parameters were varied independently,
    /// 1 where one determines the other, so that their effects cannot be separated. `null` where one has a
    /// single value.
    pub cramers_v: Option<f64>,
}

/// A value or a range of values along one side of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The value; for a range, the smallest value.
    pub value: ParamValue,
    /// The largest value of a range; `null` for a single value.
    pub upper: Option<ParamValue>,
}

impl Coverage {
    /// Counts the combinations of two parameters, given by name and levels, and averages the `values` of the
    /// trials there; `None` where one has no level, or where the table would have more than 2,500 cells.
    pub fn new(row: (&str, &[Level]), column: (&str, &[Level]), values: &[f64]) -> Option<Self> {
        let cells = row.1.len() * column.1.len();
        if cells == 0 || cells > MOST_CELLS {
            return None;
        }
        let steps = |levels: &[Level]| levels.iter().map(Step::of).collect();
        let counts = count(row.1, column.1);
        let means = means(row.1, column.1, &counts, values);
        Some(Self { means, ..Self::of_counts((row.0, steps(row.1)), (column.0, steps(column.1)), counts) })
    }

    /// Computes the coverage from a table of counts of two parameters, given by name and values.
    pub(crate) fn of_counts(
        row: (&str, Vec<Step>),
        column: (&str, Vec<Step>),
        counts: Vec<Vec<u64>>,
    ) -> Self {
        let cells = row.1.len() * column.1.len();
        let filled = || counts.iter().flatten().copied().filter(|&count| count > 0);
        let trials = filled().sum::<u64>() as f64;
        let entropy: f64 = filled().map(|count| count as f64 / trials).map(|share| -share * share.ln()).sum();
        Self {
            row_parameter: row.0.to_owned(),
            column_parameter: column.0.to_owned(),
            rows: row.1,
            columns: column.1,
            empty_cells: (cells - filled().count()) as u64,
            empty_by_chance: cells as f64 * (1.0 - 1.0 / cells as f64).powf(trials),
            largest_cell: filled().max().unwrap_or(0),
            effective_cells: if trials > 0.0 { entropy.exp() } else { 0.0 },
            cramers_v: association(&counts).map(|association| association.cramers_v),
            counts,
            means: Vec::new(),
        }
    }
}

impl Step {
    /// Returns the step of a level.
    pub(crate) fn of(level: &Level) -> Self {
        Self { value: level.value.clone(), upper: level.upper.clone() }
    }
}

/// Returns the number of trials at each pair of levels: one row per level of the first parameter, one column
/// per level of the second.
pub fn count(rows: &[Level], columns: &[Level]) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; columns.len()]; rows.len()];
    for_each_trial(rows, columns, |row, column, _| counts[row][column] += 1);
    counts
}

fn means(rows: &[Level], columns: &[Level], counts: &[Vec<u64>], values: &[f64]) -> Vec<Vec<Option<f64>>> {
    let mut sums = vec![vec![0.0; columns.len()]; rows.len()];
    for_each_trial(rows, columns, |row, column, position| sums[row][column] += values[position]);
    let mean = |(sum, count): (f64, &u64)| (*count > 0).then(|| sum / *count as f64);
    sums.into_iter()
        .zip(counts)
        .map(|(sums, counts)| sums.into_iter().zip(counts).map(mean).collect())
        .collect()
}

/// Calls `visit` with row, column and position of each trial that has both parameters.
fn for_each_trial(rows: &[Level], columns: &[Level], mut visit: impl FnMut(usize, usize, usize)) {
    let last = columns.iter().filter_map(|level| level.members.last()).max();
    let mut column_of: Vec<Option<usize>> = vec![None; last.map_or(0, |&position| position + 1)];
    for (column, level) in columns.iter().enumerate() {
        for &position in &level.members {
            column_of[position] = Some(column);
        }
    }
    for (row, level) in rows.iter().enumerate() {
        for &position in &level.members {
            if let Some(Some(column)) = column_of.get(position) {
                visit(row, *column, position);
            }
        }
    }
}
