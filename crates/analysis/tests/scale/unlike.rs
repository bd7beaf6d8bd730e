//! Trials that are no like samples of their spaces although nothing says so: bad ones without a value, and searches that go on from
//! their last trial. Size does nothing unless said.

use allometry_analysis::{LadderTrials, Outcome, analyze};
use allometry_core::rng::stream;
use allometry_core::{FrozenTrial, TrialRng, TrialState};

use crate::random::{gaussian, uniform};
use crate::world::World;
use crate::{options, simulations, slack};

/// Shares of ladders with a told verdict, and of those withheld because searches seem to learn.
fn told(name: &str, world: &World, change: impl Fn(&mut LadderTrials, &mut TrialRng)) -> (f64, f64) {
    let (mut told, mut learns) = (0, 0);
    for index in 0..simulations() {
        let rng = &mut stream(53, name, index);
        let mut ladder = world.ladder(rng);
        for trial in ladder.studies.iter_mut().flat_map(|study| &mut study.trials) {
            trial.record.origin = None;
        }
        change(&mut ladder, rng);
        let analysis = analyze(&ladder, &options(0));
        told += u32::from(matches!(analysis.verdict.outcome, Outcome::Holds | Outcome::Violated));
        learns += u32::from(analysis.verdict.sentence.contains("as in a search that learns"));
    }
    let shares = [told, learns].map(|count| f64::from(count) / simulations() as f64);
    println!("| {name} | told {:.1}% | seems to learn {:.1}% |", shares[0] * 100.0, shares[1] * 100.0);
    (shares[0], shares[1])
}

fn lose(trial: &mut FrozenTrial, state: TrialState) {
    (trial.state, trial.value) = (state, None);
}

#[test]
fn bad_trials_without_a_value_make_no_size_better() {
    for state in [TrialState::Failed, TrialState::Pruned] {
        for trials in [20, 50] {
            let world = World { trials: vec![trials; 3], ..World::default() };
            let name = format!("the worse of {trials} trials lost at the largest size, {state:?}");
            let (told, _) = told(&name, &world, |ladder, _| {
                let largest = ladder.studies.last_mut().unwrap();
                let bad = largest.trials.iter_mut().filter(|trial| trial.value.unwrap() < 0.697);
                bad.for_each(|trial| lose(trial, state));
            });
            assert!(told <= 0.075 + slack(0.075), "{name}: {told}");
        }
    }
}

/// Trials that fail everywhere by chance leave like samples, and a gain is found among the others.
#[test]
fn trials_that_fail_by_chance_leave_a_verdict() {
    let fail = |ladder: &mut LadderTrials, rng: &mut TrialRng| {
        for trial in ladder.studies.iter_mut().flat_map(|study| &mut study.trials) {
            if uniform(rng) < 0.05 {
                lose(trial, TrialState::Failed);
            }
        }
    };
    let (wrong, _) = told("one in twenty fails everywhere", &World::default(), fail);
    assert!(wrong <= 0.075 + slack(0.075), "{wrong}");
    let pays = World { gain: 0.008, ..World::default() };
    let (found, _) = told("the same, 0.008 a decade", &pays, fail);
    assert!(found >= 0.85 - slack(0.85), "{found}");
}

#[test]
fn searches_that_go_on_from_their_last_trial_make_no_size_better() {
    let world = World::default();
    for memory in [0.5_f64, 0.9] {
        let name = format!("values that follow the one before, {memory}");
        let (told, _) = told(&name, &world, |ladder, rng| {
            for study in &mut ladder.studies {
                let mut level = gaussian(rng);
                for trial in &mut study.trials {
                    level = memory * level + (1.0 - memory * memory).sqrt() * gaussian(rng);
                    trial.value = Some(0.7 + world.spread * level);
                }
            }
        });
        assert!(told <= 0.075 + slack(0.075), "{name}: {told}");
    }
    for step in [0.3, 0.6] {
        let name = format!("hill climbs in steps of {step} deviations");
        let (told, _) = told(&name, &world, |ladder, rng| {
            for study in &mut ladder.studies {
                // A smooth hill of 4 parameters; what lies nearer to its top is better.
                let mut at = [(); 4].map(|()| gaussian(rng));
                let height = |at: &[f64; 4]| -0.5 * at.iter().map(|x| x * x).sum::<f64>();
                for trial in &mut study.trials {
                    let next = at.map(|x| x + step * gaussian(rng));
                    trial.value = Some(0.7 + world.spread * (height(&next) + 0.3 * gaussian(rng)));
                    if height(&next) > height(&at) {
                        at = next;
                    }
                }
            }
        });
        assert!(told <= 0.075 + slack(0.075), "{name}: {told}");
    }
}

/// Random trials of which nothing is recorded seldom look like those of a search that learns.
#[test]
fn random_trials_seldom_seem_to_learn() {
    for trials in [10, 50] {
        let world = World { trials: vec![trials; 3], ..World::default() };
        let (_, learns) = told(&format!("{trials} random trials"), &world, |_, _| {});
        assert!(learns <= 0.03 + slack(0.03), "{trials} trials: {learns}");
    }
}
