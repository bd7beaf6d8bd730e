//! Transfer runs: the best configurations of each budget's search, trained at every other budget, to test
//! whether settings transfer across sizes.

use std::collections::BTreeMap;

use allometry_core::rng::stream_seed;
use allometry_core::{Direction, Params, Retraining, incumbent};

use crate::retraining::{Searched, best_distinct};
use crate::space::Feasible;

/// The transfer runs of every budget, by label: the best `top` configurations of each budget, including its
/// own, under `repeats` fresh seeds. Budgets without a complete trial take no part, and a budget does not
/// train configurations that are infeasible in it.
///
/// A budget trains the settings of other budgets with the architecture of its own best trial. It also
/// retrains its own best configurations, because the value that selected them is biased by luck.
pub fn plan(
    budgets: &[Searched<'_>],
    direction: Direction,
    top: usize,
    repeats: u64,
    seed: u64,
) -> BTreeMap<String, Vec<Retraining>> {
    let label = |searched: &Searched<'_>| searched.feasible.budget().label.clone();
    let mut plan = BTreeMap::new();
    for to in budgets {
        let Some(own) = incumbent(to.trials, direction) else { continue };
        let mut runs = Vec::new();
        for from in budgets {
            for (rank, trial) in best_distinct(from.trials, direction, top).into_iter().enumerate() {
                let params = if std::ptr::eq(from.feasible, to.feasible) {
                    Some(trial.params.clone())
                } else {
                    transferred(&trial.params, &own.params, to.feasible)
                };
                let Some(params) = params else { continue };
                runs.extend((0..repeats).map(|repeat| Retraining {
                    from: label(from),
                    trial: trial.number,
                    rank: rank as u64,
                    params: params.clone(),
                    seed: stream_seed(seed, "transfer", repeat),
                }));
            }
        }
        plan.insert(label(to), runs);
    }
    plan
}

/// The settings of `params` with the architecture of `own`; `None` where the budget does not admit the
/// result. A value outside of the budget's search space is replaced by that of `own`.
fn transferred(params: &Params, own: &Params, feasible: &Feasible) -> Option<Params> {
    let mut result = Params::default();
    for (name, set) in feasible.space().iter() {
        let moved =
            params.get(name).filter(|value| !feasible.is_of_architecture(name) && set.contains(value));
        if let Some(value) = moved.or_else(|| own.get(name)) {
            result.insert(name, value.clone());
        }
    }
    feasible.find(&result).map(|found| feasible.params(&found))
}

#[cfg(test)]
mod tests {
    use allometry_core::{Distribution, FrozenTrial, SearchSpace, SizeBudget, TrialState};

    use super::*;
    use crate::space::Measured;

    fn feasible(label: &str, widths: &[i64], rates: &[f64]) -> Feasible {
        let mut space = SearchSpace::default();
        space.0.insert("d_model".into(), Distribution::list(widths.iter().map(|w| (*w).into()).collect()));
        space
            .0
            .insert("learning_rate".into(), Distribution::list(rates.iter().map(|r| (*r).into()).collect()));
        let measure = |_: &Params| Measured { size: None, flops: None };
        Feasible::constrained(&space, &SizeBudget::nominal(label), &[], measure).unwrap()
    }

    fn trial(number: u64, value: Option<f64>, width: i64, rate: f64) -> FrozenTrial {
        let mut params = Params::default();
        params.insert("d_model", width);
        params.insert("learning_rate", rate);
        let state = if value.is_some() { TrialState::Complete } else { TrialState::Failed };
        FrozenTrial::new(number, state, value, params)
    }

    #[test]
    fn settings_move_and_architectures_stay() {
        let (small, large) = (feasible("S", &[8, 16], &[0.1, 0.2]), feasible("L", &[32, 64], &[0.1, 0.3]));
        let of_small = [
            trial(0, Some(0.5), 8, 0.1),
            trial(1, Some(0.9), 16, 0.2),
            trial(2, Some(0.9), 16, 0.2),
            trial(3, None, 8, 0.2),
            trial(4, Some(f64::NAN), 8, 0.2),
        ];
        let of_large = [trial(0, Some(0.6), 64, 0.3), trial(1, Some(0.4), 32, 0.1)];
        let budgets = [
            Searched { feasible: &small, trials: &of_small },
            Searched { feasible: &large, trials: &of_large },
        ];
        let plan = plan(&budgets, Direction::Maximize, 3, 2, 7);
        let told = |label: &str| -> Vec<(String, u64, u64, String)> {
            let first = plan[label].iter().filter(|one| one.seed == stream_seed(7, "transfer", 0));
            first.map(|one| (one.from.clone(), one.trial.0, one.rank, one.params.to_string())).collect()
        };
        let row = |from: &str, trial, rank, params: &str| (from.to_owned(), trial, rank, params.to_owned());
        assert_eq!(
            told("S"),
            [
                row("S", 1, 0, "d_model=16 learning_rate=0.2"),
                row("S", 0, 1, "d_model=8 learning_rate=0.1"),
                // 0.3 is not a rate of the small budget: its own best rate is used instead.
                row("L", 0, 0, "d_model=16 learning_rate=0.2"),
                row("L", 1, 1, "d_model=16 learning_rate=0.1"),
            ]
        );
        assert_eq!(told("L")[0], row("S", 1, 0, "d_model=64 learning_rate=0.3"));
        assert_eq!(told("L")[1], row("S", 0, 1, "d_model=64 learning_rate=0.1"));
        assert_eq!(plan["S"].len(), 8, "each under two seeds");
        let seeds =
            |label: &str| plan[label].iter().map(|one| one.seed).collect::<std::collections::BTreeSet<_>>();
        assert_eq!((seeds("S"), seeds("S").len()), (seeds("L"), 2));
    }

    #[test]
    fn a_budget_without_values_takes_no_part() {
        let (small, large) = (feasible("S", &[8], &[0.1]), feasible("L", &[32], &[0.1]));
        let (of_small, of_large) = ([trial(0, Some(0.5), 8, 0.1)], [trial(0, None, 32, 0.1)]);
        let budgets = [
            Searched { feasible: &small, trials: &of_small },
            Searched { feasible: &large, trials: &of_large },
        ];
        let plan = plan(&budgets, Direction::Minimize, 1, 1, 0);
        assert_eq!(plan.keys().collect::<Vec<_>>(), ["S"]);
        assert_eq!(plan["S"].len(), 1);
    }
}
