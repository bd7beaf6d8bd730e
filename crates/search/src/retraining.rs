//! Retraining after a ladder's search: the best configurations of its budgets under fresh seeds.

use allometry_core::{Direction, FrozenTrial};

use crate::space::Feasible;

/// A budget with the trials of its search.
#[derive(Debug, Clone, Copy)]
pub struct Searched<'a> {
    /// Feasible configurations of the budget.
    pub feasible: &'a Feasible,
    /// Trials of the search.
    pub trials: &'a [FrozenTrial],
}

/// The best `top` complete trials with distinct configurations, best first; the earliest among equals.
pub(crate) fn best_distinct(trials: &[FrozenTrial], direction: Direction, top: usize) -> Vec<&FrozenTrial> {
    let mut best: Vec<(&FrozenTrial, f64)> =
        trials.iter().filter_map(|trial| Some((trial, trial.eligible_value()?))).collect();
    best.sort_by(|a, b| {
        let ascending = a.1.total_cmp(&b.1);
        if direction == Direction::Maximize { ascending.reverse() } else { ascending }
    });
    let mut distinct: Vec<&FrozenTrial> = Vec::with_capacity(top);
    for (trial, _) in best {
        if distinct.len() == top {
            break;
        }
        if distinct.iter().all(|known| known.params != trial.params) {
            distinct.push(trial);
        }
    }
    distinct
}
