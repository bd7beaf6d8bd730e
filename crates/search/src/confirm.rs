//! Confirmation runs: the best configurations of each search, trained again and scored on the test rows.

use std::collections::BTreeMap;

use allometry_core::rng::stream_seed;
use allometry_core::{Direction, Retraining};

use crate::retraining::{Searched, best_distinct};

/// The confirmation runs of every budget, by label: its best `top` distinct configurations, each under the
/// same `repeats` fresh seeds. Budgets without a complete trial are left out.
pub fn plan(
    budgets: &[Searched<'_>],
    direction: Direction,
    top: usize,
    repeats: u64,
    seed: u64,
) -> BTreeMap<String, Vec<Retraining>> {
    let mut plan = BTreeMap::new();
    for budget in budgets {
        let label = &budget.feasible.budget().label;
        let best = best_distinct(budget.trials, direction, top);
        let of_trial = |(rank, trial): (u64, &allometry_core::FrozenTrial)| {
            let (number, params) = (trial.number, trial.params.clone());
            (0..repeats).map(move |repeat| Retraining {
                from: label.clone(),
                trial: number,
                rank,
                params: params.clone(),
                seed: stream_seed(seed, "confirm", repeat),
            })
        };
        let planned: Vec<Retraining> = (0..).zip(best).flat_map(of_trial).collect();
        if !planned.is_empty() {
            plan.insert(label.clone(), planned);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use allometry_core::{FrozenTrial, Params, SearchSpace, SizeBudget, TrialState};

    use super::*;
    use crate::space::{Feasible, Measured};

    fn trial(number: u64, value: Option<f64>, rate: f64) -> FrozenTrial {
        let state = if value.is_some() { TrialState::Complete } else { TrialState::Failed };
        FrozenTrial::new(number, state, value, [("rate", rate)].into_iter().collect())
    }

    #[test]
    fn each_budget_trains_its_own_best_under_seeds_that_all_share() {
        let feasible = |label: &str| {
            let measure = |_: &Params| Measured::default();
            let mut space = SearchSpace::default();
            let rates = vec![0.1.into(), 0.2.into(), 0.3.into()];
            space.0.insert("rate".into(), allometry_core::Distribution::list(rates));
            Feasible::constrained(&space, &SizeBudget::nominal(label), &[], measure).unwrap()
        };
        let (small, large, none) = (feasible("S"), feasible("L"), feasible("none"));
        let of_small = [
            trial(0, Some(0.5), 0.1),
            trial(1, Some(0.2), 0.2),
            trial(2, Some(0.1), 0.2),
            trial(3, None, 0.3),
        ];
        let of_large = [trial(0, Some(0.6), 0.3)];
        let budgets = [(&small, &of_small[..]), (&large, &of_large), (&none, &of_small[3..])];
        let budgets = budgets.map(|(feasible, trials)| Searched { feasible, trials });
        let plan = plan(&budgets, Direction::Minimize, 2, 3, 7);
        assert_eq!(plan.keys().collect::<Vec<_>>(), ["L", "S"]);
        let told: Vec<(u64, u64)> = plan["S"].iter().step_by(3).map(|one| (one.trial.0, one.rank)).collect();
        assert_eq!(told, [(2, 0), (0, 1)], "one of each configuration, the best first");
        let seeds = |label: &str| plan[label].iter().map(|one| one.seed).collect::<BTreeSet<_>>();
        assert_eq!((seeds("S"), seeds("S").len()), (seeds("L"), 3));
        assert_eq!((plan["S"].len(), plan["L"].len()), (6, 3));
        assert!(!seeds("S").contains(&stream_seed(7, "transfer", 0)), "not the seeds of transfers");
    }
}
