//! What is trained anew when a ladder's search is over: the best configurations of its budgets, under fresh seeds.

use serde::{Deserialize, Serialize};

use crate::param::Params;
use crate::space::Feasible;
use crate::trial::{Direction, FrozenTrial, TrialNumber};

/// A configuration of one budget's search as a budget trains it anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retraining {
    /// Label of the budget whose search found it.
    pub from: String,
    /// Its trial there.
    pub trial: TrialNumber,
    /// Its place among the best distinct configurations of that search, from 0.
    pub rank: u64,
    /// What is trained.
    pub params: Params,
    /// Seed of the training; the same in every budget, so that seeds pair.
    pub seed: u64,
}

/// A budget whose search is over, or far enough.
#[derive(Debug, Clone, Copy)]
pub struct Searched<'a> {
    /// What it admits; its budget's label names it.
    pub feasible: &'a Feasible,
    /// Its trials.
    pub trials: &'a [FrozenTrial],
}

/// The best complete trials, one of each configuration, the earliest of equals first.
pub(crate) fn best_distinct(trials: &[FrozenTrial], direction: Direction, top: usize) -> Vec<&FrozenTrial> {
    let mut best: Vec<(&FrozenTrial, f64)> = trials
        .iter()
        .filter_map(|trial| Some((trial, trial.eligible_value().filter(|value| !value.is_nan())?)))
        .collect();
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
