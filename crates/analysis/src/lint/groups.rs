//! Groups with known summaries, from the tables by value.

use allometry_core::{Direction, ParamValue};

use super::stated::StatedLevel;
use crate::consistency::{BestValueSet, may_be_best};
use crate::coverage::Step;
use crate::options::Options;
use crate::stats::group::GroupSummary;

/// Fewest trials for an unmarked mean of a value.
pub(super) const FEW: u64 = 5;

/// Most levels for the tests; with more, none is excluded from being best.
const MOST_LEVELS: usize = 100;

/// Returns the summaries of a table. A standard deviation that rounds to 0 is replaced by half a unit of its
/// last digit, the largest value that rounds so.
pub(super) fn summaries(levels: &[StatedLevel]) -> Vec<GroupSummary> {
    levels
        .iter()
        .map(|level| {
            let sd = if level.count > 1 { level.sd.value.max(level.sd.half_unit) } else { 0.0 };
            GroupSummary { count: level.count, mean: level.mean.value, variance: sd * sd }
        })
        .collect()
}

/// Returns the values that may be the best.
pub(super) fn best_values(
    parameter: &str,
    levels: &[StatedLevel],
    direction: Direction,
    options: &Options,
) -> BestValueSet {
    let sign = if direction.better(1.0, 0.0) { 1.0 } else { -1.0 };
    let groups: Vec<Option<GroupSummary>> = summaries(levels)
        .into_iter()
        .map(|group| Some(GroupSummary { mean: sign * group.mean, ..group }))
        .collect();
    let tried: Vec<Step> = levels.iter().map(|level| step(&level.value)).collect();
    let possible = (0..tried.len())
        .filter(|&level| tried.len() > MOST_LEVELS || may_be_best(&groups, level, 1.0 - options.level))
        .map(|level| tried[level].clone())
        .collect();
    BestValueSet { parameter: parameter.to_owned(), tried, possible }
}

/// Returns the step of a single value.
pub(super) fn step(value: &ParamValue) -> Step {
    Step { value: value.clone(), upper: None }
}
