//! Tests of samplers with several objectives.

use allometry_core::pareto::{hypervolume, losses};

use super::*;

const DIRECTIONS: [Direction; 2] = [Direction::Minimize, Direction::Maximize];

fn x(params: &Params, i: usize) -> f64 {
    params.get(&format!("x{i}")).unwrap().as_f64().unwrap()
}

/// A loss and a gain that both fall with `x0`; the other parameters have their optimum at 4, 2 and 1.
fn values(params: &Params) -> [f64; 2] {
    let off = (x(params, 1) - 4.0).powi(2) + (x(params, 2) - 2.0).powi(2) + (x(params, 3) - 1.0).powi(2);
    let t = x(params, 0) / 7.0;
    [(1.0 - t).powi(2) + 0.05 * off, 1.0 - t.powi(2) - 0.05 * off]
}

fn spec(kind: SamplerKind) -> SamplerSpec {
    SamplerSpec { probes: false, random_share: 0.0, ..SamplerSpec::new(kind) }
}

/// The trials of a study.
fn study(kind: SamplerKind, seed: u64, trials: usize) -> (Arc<Feasible>, Vec<FrozenTrial>) {
    let feasible = Arc::new(ordinals(&[8, 6, 6, 4]));
    let mut sampler = build(&DIRECTIONS, spec(kind), Arc::clone(&feasible), seed).unwrap();
    let mut finished: Vec<FrozenTrial> = Vec::new();
    for number in 0..trials {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let params = sampler.suggest(&view, &mut stream(seed, "sampler", number as u64)).unwrap().params;
        assert!(finished.iter().all(|trial| trial.params != params), "{kind:?}: {params} twice");
        let mut trial = FrozenTrial::new(number as u64, TrialState::Complete, values(&params), params);
        if number % 11 == 5 {
            // Failed trials, and trials of other programs without a second value, are skipped.
            trial.values.truncate(1);
            trial.state = if number % 2 == 0 { TrialState::Failed } else { TrialState::Complete };
        }
        finished.push(trial);
    }
    (feasible, finished)
}

fn volume(finished: &[FrozenTrial]) -> f64 {
    let points: Vec<Vec<f64>> =
        finished.iter().map(|trial| losses(&values(&trial.params), &DIRECTIONS)).collect();
    hypervolume(&points, &[1.1, 0.1])
}

#[test]
fn models_win_more_than_random_draws() {
    let mean = |kind| (0..6).map(|seed| volume(&study(kind, seed, 40).1)).sum::<f64>() / 6.0;
    let random = mean(SamplerKind::Random);
    let (gp, tpe) = (mean(SamplerKind::Gp), mean(SamplerKind::Tpe));
    // The hypervolume of all configurations together is 0.82.
    assert!(gp > 1.2 * random && tpe > 1.05 * random, "gp {gp}, tpe {tpe}, random {random}");
}

#[test]
fn a_sampler_that_never_saw_the_study_proposes_the_same_and_pending_trials_count() {
    for kind in [SamplerKind::Gp, SamplerKind::Tpe] {
        let (feasible, finished) = study(kind, 3, 20);
        let ask = |finished: &[FrozenTrial], running: &[FrozenTrial]| {
            let mut sampler = build(&DIRECTIONS, spec(kind), Arc::clone(&feasible), 3).unwrap();
            let view = StudyView { finished, running, other_budgets: &[] };
            sampler.suggest(&view, &mut stream(3, "sampler", 20)).unwrap().params
        };
        let mut kept = build(&DIRECTIONS, spec(kind), Arc::clone(&feasible), 3).unwrap();
        for end in 12..=20 {
            let view = StudyView { finished: &finished[..end], running: &[], other_budgets: &[] };
            let own = kept.suggest(&view, &mut stream(3, "sampler", 20)).unwrap().params;
            assert_eq!(own, ask(&finished[..end], &[]), "{kind:?} after {end}");
        }
        let first = ask(&finished, &[]);
        let running = [FrozenTrial::new(20, TrialState::Running, None, first.clone())];
        assert_ne!(ask(&finished, &running), first, "{kind:?}");
    }
}

#[test]
fn three_objectives_are_as_good_as_two() {
    let feasible = Arc::new(ordinals(&[6, 6]));
    let directions = [Direction::Minimize; 3];
    let mut sampler = build(&directions, spec(SamplerKind::Gp), Arc::clone(&feasible), 1).unwrap();
    let mut finished: Vec<FrozenTrial> = Vec::new();
    for number in 0..36 {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let params = sampler.suggest(&view, &mut stream(1, "sampler", number)).unwrap().params;
        let (a, b) = (x(&params, 0), x(&params, 1));
        let values = [a, b, (5.0 - a).hypot(5.0 - b)];
        finished.push(FrozenTrial::new(number, TrialState::Complete, values, params));
    }
    assert!(
        sampler
            .suggest(
                &StudyView { finished: &finished, running: &[], other_budgets: &[] },
                &mut stream(1, "s", 0)
            )
            .is_err()
    );
}
