//! Tests of samplers in spaces with conditional parameters.

use allometry_core::rng::uniform;
use allometry_core::space::{When, contains};

use super::*;
use crate::space::Measured;

const ALL: [SamplerKind; 5] =
    [SamplerKind::Gp, SamplerKind::Tpe, SamplerKind::Sobol, SamplerKind::Random, SamplerKind::Grid];

fn when(parameter: &str, on: &str, values: &[&str]) -> When {
    let values = values.iter().map(|value| ParamValue::from(*value)).collect();
    When { parameter: parameter.into(), requires: [(on.to_owned(), values)].into_iter().collect() }
}

/// An optimizer with parameters of its own, and one shared parameter.
fn feasible(is_finite: bool) -> Arc<Feasible> {
    let rate = if is_finite {
        floats(&[1e-4, 1e-3, 1e-2])
    } else {
        Distribution::Float { low: 1e-5, high: 1e-1, log: true, step: None }
    };
    let space = space_of(&[
        ("momentum", floats(&[0.0, 0.25, 0.5, 0.75, 0.9])),
        ("optimizer", Distribution::list(vec!["adam".into(), "sgd".into()])),
        ("beta", floats(&[0.8, 0.9, 0.95, 0.99])),
        ("rate", rate),
        ("only", floats(&[0.5])),
    ]);
    let conditions = [
        when("momentum", "optimizer", &["sgd"]),
        when("beta", "optimizer", &["adam"]),
        when("only", "optimizer", &["adam"]),
    ];
    Arc::new(Feasible::conditional(&space, &any(), &[], &conditions, |_| Measured::default()).unwrap())
}

fn number(params: &Params, name: &str) -> f64 {
    params.get(name).unwrap().as_f64().unwrap()
}

/// A loss with its optimum at SGD with a momentum of 0.75 and a rate of 0.003.
fn loss(params: &Params) -> f64 {
    let rate = (number(params, "rate").log10() + 2.5).abs();
    match params.get("momentum") {
        Some(momentum) => rate + 2.0 * (momentum.as_f64().unwrap() - 0.75).abs(),
        None => 0.4 + rate + 2.0 * (number(params, "beta") - 0.95).abs(),
    }
}

/// The losses of a study with little noise.
fn losses(kind: SamplerKind, feasible: &Arc<Feasible>, seed: u64, trials: u64) -> Vec<f64> {
    let spec = SamplerSpec { probes: false, random_share: 0.0, ..SamplerSpec::new(kind) };
    let mut sampler = build(&[Direction::Minimize], spec, Arc::clone(feasible), seed).unwrap();
    let mut finished: Vec<FrozenTrial> = Vec::new();
    let mut seen = HashSet::new();
    for number in 0..trials {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let Ok(suggestion) = sampler.suggest(&view, &mut stream(seed, "sampler", number)) else { break };
        let params = suggestion.params;
        assert!(contains(feasible.space(), feasible.conditions(), &params), "{kind:?}: {params}");
        assert!(seen.insert(key(&params)), "{kind:?}: {params} twice");
        let noise = 0.02 * uniform(&mut stream(seed, "noise", number));
        finished.push(FrozenTrial::new(number, TrialState::Complete, Some(loss(&params) + noise), params));
    }
    finished.iter().map(|trial| loss(&trial.params)).collect()
}

#[test]
fn every_sampler_uses_a_finite_space_up() {
    let feasible = feasible(true);
    assert_eq!(feasible.configurations(), Some(3 * (5 + 4)));
    for kind in ALL {
        assert_eq!(losses(kind, &feasible, 3, 40).len(), 27, "{kind:?}");
    }
}

#[test]
fn models_find_better_configurations_than_random_draws() {
    let feasible = feasible(false);
    let best = |kind| -> f64 {
        let least = |seed| losses(kind, &feasible, seed, 30).into_iter().fold(f64::INFINITY, f64::min);
        (0..8).map(least).sum::<f64>() / 8.0
    };
    let random = best(SamplerKind::Random);
    let (gp, tpe) = (best(SamplerKind::Gp), best(SamplerKind::Tpe));
    assert!(gp < 0.5 * random && tpe < 0.9 * random, "gp {gp}, tpe {tpe}, random {random}");
}

#[test]
fn the_recommended_configuration_lacks_what_does_not_apply() {
    let feasible = feasible(false);
    let spec = spec(SamplerKind::Random, false);
    let mut sampler = build(&[Direction::Minimize], spec, Arc::clone(&feasible), 1).unwrap();
    let mut finished: Vec<FrozenTrial> = Vec::new();
    for number in 0..40 {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let params = sampler.suggest(&view, &mut stream(1, "sampler", number)).unwrap().params;
        finished.push(FrozenTrial::new(number, TrialState::Complete, Some(loss(&params)), params));
    }
    let found = recommend(&finished, feasible.space(), Direction::Minimize).unwrap();
    assert!(contains(feasible.space(), feasible.conditions(), &found.params));
    let (low, high) = found.expected.unwrap().interval;
    assert!((low..=high).contains(&loss(&found.params)), "{low} {high} {found:?}");
}
