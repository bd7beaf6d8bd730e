//! Retraining after a ladder's search: the best configurations of its budgets under fresh seeds.

use serde::{Deserialize, Serialize};

use crate::param::Params;
use crate::space::Feasible;
use crate::trial::{Direction, FrozenTrial, TrialNumber};

/// A configuration that one budget's search found, to be trained again by a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retraining {
    /// Label of the budget whose search found the configuration.
    pub from: String,
    /// Trial of that search.
    pub trial: TrialNumber,
    /// Rank among the best distinct configurations of that search, from 0.
    pub rank: u64,
    /// The configuration to train.
    pub params: Params,
    /// Seed of the training; equal in every budget, so that comparisons can be paired by seed.
    pub seed: u64,
}

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
