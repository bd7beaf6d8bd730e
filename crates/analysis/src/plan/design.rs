//! Numbers of trainings: what they cost and which are best.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::noise::Noise;
use crate::input::LadderTrials;
use crate::retrained::in_order;

/// Fewest seeds of the best configuration: with one, the spread over seeds is unknown.
pub(super) const FEWEST_SEEDS: u64 = 2;
/// Part of the searches' configurations that may be trained again: half of them, or a fifth of the shortest
/// search's if the searches had unequal numbers of trials. The mean of the best ten of a hundred gains more
/// by the longer search than the best does, and only the gain of the best is taken off.
const OF_EQUAL_SEARCHES: u64 = 2;
const OF_UNEQUAL_SEARCHES: u64 = 5;
/// Number of configurations that may always be trained again.
const ALWAYS: u64 = 3;

/// Trainings of the best configurations of every budget: one seed of each, and more of the best one.
///
/// Configurations show what another search would have found, and seeds of the best one what it is worth. A
/// second seed of another configuration says less than one more configuration does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Design {
    /// Number of configurations, the same for every budget: the mean of the best two compares with no mean of
    /// the best three.
    pub top: u64,
    /// Seeds of the best configuration of every budget, in the ladder's order.
    pub seeds: Vec<BudgetSeeds>,
}

/// Seeds of the best configuration of one budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetSeeds {
    /// The budget's label.
    pub budget: String,
    /// Number of seeds.
    pub seeds: u64,
}

impl Design {
    /// Returns the first trainings of a plan: `trainings` of each of the budgets with these labels, of at
    /// most `most` configurations.
    pub(super) fn first(labels: &[&str], trainings: u64, most: u64) -> Self {
        let top = (trainings + 1).saturating_sub(FEWEST_SEEDS).clamp(1, most);
        let seeds = (trainings + 1 - top).max(FEWEST_SEEDS);
        let seeds = labels.iter().map(|label| BudgetSeeds { budget: (*label).to_owned(), seeds }).collect();
        Self { top, seeds }
    }

    /// Returns the trainings that are planned for a ladder.
    pub(super) fn of(ladder: &LadderTrials) -> Self {
        let planned = in_order(&ladder.confirmations, ladder);
        let top = planned.iter().flat_map(|one| one.plan.iter().map(|plan| plan.rank + 1)).max();
        let seeds = planned.iter().map(|one| BudgetSeeds {
            budget: one.budget.clone(),
            seeds: one.plan.iter().filter(|plan| plan.rank == 0).count() as u64,
        });
        Self { top: top.unwrap_or(0), seeds: seeds.collect() }
    }

    /// Returns the number of seeds of a budget's best configuration.
    pub fn seeds_of(&self, label: &str) -> u64 {
        self.seeds.iter().find(|one| one.budget == label).map_or(0, |one| one.seeds)
    }

    /// Returns the number of trainings of a budget.
    pub fn trainings_of(&self, label: &str) -> u64 {
        let seeds = self.seeds.iter().find(|one| one.budget == label);
        seeds.map_or(0, |one| self.top - 1 + one.seeds)
    }

    /// Returns the number of trainings.
    pub fn trainings(&self) -> u64 {
        self.seeds.iter().map(|one| self.trainings_of(&one.budget)).sum()
    }

    /// Returns the cost: the sum over the trainings of the cost of one.
    fn cost(&self, noise: &Noise) -> f64 {
        let of = |one: &BudgetSeeds| self.trainings_of(&one.budget) as f64 * noise.cost(&one.budget);
        self.seeds.iter().map(of).sum()
    }

    /// Returns the best extension of this design that costs at most `limit`, with at most `most`
    /// configurations: the one with the shortest interval of the slope at the level `alpha`.
    ///
    /// For each number of configurations, seeds go one by one to the budget whose part of the variance they
    /// lower most for their cost, which ends at Neyman's (1934) allocation: seeds in proportion to `|weight|
    /// sd / sqrt(cost)`.
    pub(super) fn extend(&self, noise: &Noise, limit: f64, most: u64, alpha: f64) -> Self {
        let tops = self.top..=most.max(self.top);
        let designs = tops.filter_map(|top| Self { top, ..self.clone() }.filled(noise, limit, alpha));
        let best = designs.min_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or_else(|| self.clone(), |(_, design)| design)
    }

    /// Adds seeds up to the cost `limit`; returns the half-width of the interval with the design. `None` if
    /// the design itself costs more.
    fn filled(mut self, noise: &Noise, limit: f64, alpha: f64) -> Option<(f64, Self)> {
        // A sum of equal costs may differ from the limit by rounding.
        let limit = limit * (1.0 + 1e-9);
        let mut spent = self.cost(noise);
        if spent > limit {
            return None;
        }
        loop {
            let gain = |one: &BudgetSeeds| {
                let added = noise.cost(&one.budget);
                let fits = spent + added <= limit;
                fits.then(|| (noise.gain_of_seed(&one.budget, one.seeds) / added, added))
            };
            let gains = self.seeds.iter_mut().filter_map(|one| Some((gain(one)?, one)));
            let best = gains.max_by(|a, b| a.0.0.total_cmp(&b.0.0));
            match best {
                Some(((gain, added), one)) if gain > 0.0 => {
                    one.seeds += 1;
                    spent += added;
                }
                _ => break,
            }
        }
        Some((noise.half_width(&self, alpha), self))
    }
}

/// Returns the largest number of configurations that may be trained again, from the numbers of distinct
/// configurations of the searches.
pub(super) fn most_configurations(searches: &[u64]) -> u64 {
    let Some(&fewest) = searches.iter().min() else { return 1 };
    let are_equal = searches.iter().all(|count| *count == fewest);
    let part = if are_equal { OF_EQUAL_SEARCHES } else { OF_UNEQUAL_SEARCHES };
    (fewest / part).max(ALWAYS).min(fewest).max(1)
}
