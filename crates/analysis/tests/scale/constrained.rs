//! Tests with trials that break a constraint: the verdict is about the feasible trials. Size has no effect on
//! these unless stated.

use allometry_analysis::LadderTrials;
use allometry_core::{FrozenTrial, TrialRng};

use crate::random::{gaussian, uniform};
use crate::slack;
use crate::unlike::told;
use crate::world::World;

fn constrain(trial: &mut FrozenTrial, is_met: bool) {
    let value = if is_met { "[-1.0]" } else { "[1.0]" };
    trial.system_attributes.insert("constraints".into(), value.into());
}

/// Makes each trial feasible with the probability of its budget.
fn by_chance(met: [f64; 3]) -> impl Fn(&mut LadderTrials, &mut TrialRng) {
    move |ladder, rng| {
        for (study, met) in ladder.studies.iter_mut().zip(met) {
            for trial in &mut study.trials {
                constrain(trial, uniform(rng) < met);
            }
        }
    }
}

fn errs_at_most(name: &str, world: &World, change: impl Fn(&mut LadderTrials, &mut TrialRng)) {
    let (wrong, _) = told(name, world, change);
    assert!(wrong <= 0.075 + slack(0.075), "{name}: {wrong}");
}

#[test]
fn constraints_met_by_chance_make_no_size_better() {
    for met in [[0.5; 3], [0.9, 0.6, 0.3]] {
        let name = format!("shares of {met:?} feasible");
        errs_at_most(&name, &World::default(), by_chance(met));
    }
}

/// The better models break a limit on time, so that the worse ones remain, which are equal at each size.
#[test]
fn constraints_that_good_models_break_make_no_size_better() {
    errs_at_most("the better half infeasible", &World::default(), |ladder, rng| {
        for trial in ladder.studies.iter_mut().flat_map(|study| &mut study.trials) {
            let cost = trial.value().unwrap() + 0.006 * gaussian(rng);
            constrain(trial, cost < 0.7);
        }
    });
}

#[test]
fn a_gain_of_infeasible_trials_is_none() {
    errs_at_most("a gain of 0.02 a decade of what is infeasible", &World::default(), |ladder, rng| {
        for (place, study) in ladder.studies.iter_mut().enumerate() {
            for trial in &mut study.trials {
                let is_met = uniform(rng) < 0.5;
                constrain(trial, is_met);
                if !is_met {
                    trial.values[0] += 0.02 * place as f64;
                }
            }
        }
    });
}

#[test]
fn a_gain_of_feasible_trials_is_found() {
    let world = World { gain: 0.01, ..World::default() };
    let (found, _) = told("a gain of 0.01 a decade, half feasible", &world, by_chance([0.5; 3]));
    assert!(found >= 0.85 - slack(0.85), "{found}");
}

/// There are more budgets than are compared in pairs.
#[test]
fn sixty_sizes_err_no_more_than_three() {
    let world = World { trials: vec![20; 60], ..World::default() };
    errs_at_most("60 budgets of 20 trials", &world, |_, _| {});
}
