//! Tests of model-based samplers with constraints on reported metrics.

use std::fmt::Write as _;

use allometry_core::ChoiceOrder;
use allometry_core::constraints::Constraints;

use super::*;

fn mixed_space() -> SearchSpace {
    let float = |low, high, log| Distribution::Float { low, high, log, step: None };
    let ranks = (0..9_i64).map(ParamValue::Int).collect();
    space_of(&[
        ("rank", Distribution::Categorical { choices: ranks, order: ChoiceOrder::Ordinal }),
        ("kind", Distribution::list(vec!["a".into(), "b".into(), "c".into()])),
        ("x", float(0.0, 1.0, false)),
        ("rate", float(1e-4, 1e-1, true)),
    ])
}

/// The suggestions in a study of 40 trials, one of which is pending; some are failed or pruned.
fn proposals(kind: SamplerKind, directions: &[Direction]) -> String {
    let feasible = Arc::new(unbound(&mixed_space()));
    let mut sampler = build(directions, spec(kind, true), Arc::clone(&feasible), 7).unwrap();
    let mut trials: Vec<FrozenTrial> = Vec::new();
    let mut lines = String::new();
    for number in 0..40_u64 {
        let (finished, running) = trials.split_at(trials.len().saturating_sub(1));
        let view = StudyView { finished, running, other_budgets: &[] };
        let params = sampler.suggest(&view, &mut stream(7, "sampler", number)).unwrap().params;
        let number_of = |name: &str| params.get(name).and_then(ParamValue::as_f64).unwrap();
        let value = (number_of("x") - 0.3).powi(2) + 0.1 * (number_of("rank") - 5.0).abs()
            - 0.05 * number_of("rate").ln();
        let (kind, x, rate) = (params.get("kind").unwrap(), number_of("x"), number_of("rate"));
        writeln!(lines, "{number} {kind} {x:.6} {rate:.6e}").unwrap();
        let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(value), params);
        match number % 9 {
            4 => (trial.state, trial.values) = (TrialState::Failed, Vec::new()),
            7 => {
                trial.state = TrialState::Pruned;
                trial.intermediate.insert(3, value + 0.2);
                trial.values = vec![value + 0.2];
            }
            _ => trial.values.extend(directions[1..].iter().map(|_| 1.0 - value + 0.01 * number as f64)),
        }
        trials.push(trial);
    }
    lines
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The digests were recorded before samplers supported constraints.
#[test]
fn without_constraints_suggestions_are_unchanged() {
    use Direction::Minimize;
    let found: Vec<String> = [SamplerKind::Gp, SamplerKind::Tpe]
        .into_iter()
        .flat_map(|kind| [vec![Minimize], vec![Minimize, Minimize]].map(|directions| (kind, directions)))
        .map(|(kind, directions)| format!("{:016x}", digest(&proposals(kind, &directions))))
        .collect();
    let recorded = ["26f3f725b071b898", "c464bf850d226aea", "d383f4e5f9527e62", "a8eb770492a04c2e"];
    assert_eq!(found, recorded);
}

/// A loss with two valleys, the deeper one infeasible; returns `(loss, constraint)` of a configuration of a
/// 31 by 31 grid.
fn two_valleys(params: &Params) -> (f64, f64) {
    let of = |name: &str| params.get(name).and_then(ParamValue::as_f64).unwrap() / 30.0;
    let (x, y) = (of("x0"), of("x1"));
    let near = |a: f64, b: f64| (x - a).powi(2) + (y - b).powi(2);
    let loss = 1.0 - (-20.0 * near(0.2, 0.2)).exp() - 0.7 * (-20.0 * near(0.8, 0.7)).exp();
    (loss, 0.9 - x - y)
}

/// The trials of a study of 40 trials without probes; `constraints` maps the constraint's value to reported
/// constraints.
fn limited_run(
    kind: SamplerKind,
    directions: &[Direction],
    seed: u64,
    constraints: impl Fn(f64) -> Vec<f64>,
) -> Vec<FrozenTrial> {
    let feasible = Arc::new(ordinals(&[31, 31]));
    let mut sampler = build(directions, spec(kind, false), Arc::clone(&feasible), seed).unwrap();
    let mut trials: Vec<FrozenTrial> = Vec::new();
    for number in 0..40_u64 {
        let view = StudyView { finished: &trials, running: &[], other_budgets: &[] };
        let params = sampler.suggest(&view, &mut stream(seed, "sampler", number)).unwrap().params;
        let (loss, broken) = two_valleys(&params);
        let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(loss), params);
        trial.values.extend(directions[1..].iter().map(|_| -broken));
        let constraints = Constraints { listed: constraints(broken), ..Constraints::default() };
        trial.system_attributes = constraints.attributes().into_iter().collect();
        trials.push(trial);
    }
    trials
}

fn feasible_share(trials: &[FrozenTrial]) -> f64 {
    let proposed: Vec<bool> = trials.iter().skip(12).map(FrozenTrial::is_feasible).collect();
    proposed.iter().filter(|is_feasible| **is_feasible).count() as f64 / proposed.len() as f64
}

/// The optimum of the feasible valley has a loss of 0.3, and without the constraint the samplers find the
/// other valley.
#[test]
fn the_best_feasible_configuration_is_found() {
    for kind in [SamplerKind::Gp, SamplerKind::Tpe] {
        let (mut regret, mut shares, mut without) = (0.0, 0.0, 0.0);
        for seed in 0..6 {
            let trials = limited_run(kind, &[Direction::Minimize], seed, |broken| vec![broken]);
            let best =
                allometry_core::incumbent(&trials, Direction::Minimize).and_then(FrozenTrial::value).unwrap();
            regret += (best - 0.3) / 6.0;
            shares += feasible_share(&trials) / 6.0;
            let trials = limited_run(kind, &[Direction::Minimize], seed, |_| Vec::new());
            let is_feasible = |trial: &&FrozenTrial| two_valleys(&trial.params).1 <= 0.0;
            without += trials.iter().skip(12).filter(is_feasible).count() as f64 / 28.0 / 6.0;
        }
        assert!(regret < 0.05, "{kind:?}: {regret}");
        assert!(shares > 0.6 && shares > without + 0.2, "{kind:?}: {shares}, without {without}");
    }
}

/// A constraint that all trials meet, or that has no value, changes nothing; one that no trial meets does not
/// stop the study.
#[test]
fn constraints_that_are_always_or_never_met_do_no_harm() {
    for kind in [SamplerKind::Gp, SamplerKind::Tpe] {
        for directions in [vec![Direction::Minimize], vec![Direction::Minimize, Direction::Maximize]] {
            for constraint in [-1.0, 1.0, f64::NAN, f64::INFINITY] {
                let trials = limited_run(kind, &directions, 3, |_| vec![constraint]);
                let distinct: HashSet<String> = trials.iter().map(|trial| key(&trial.params)).collect();
                assert_eq!(distinct.len(), 40);
            }
            let never = limited_run(kind, &directions, 3, |broken| vec![2.0 + broken]);
            // The samplers approach the constraint.
            let nearest = never.iter().skip(20).map(|trial| two_valleys(&trial.params).1).sum::<f64>() / 20.0;
            assert!(nearest < -0.2, "{kind:?}: {nearest}");
        }
    }
}

/// With several objectives the front is searched among feasible configurations.
#[test]
fn fronts_are_sought_among_the_feasible() {
    for kind in [SamplerKind::Gp, SamplerKind::Tpe] {
        let directions = [Direction::Minimize, Direction::Minimize];
        let shares = |constrained: bool| -> f64 {
            let run = |seed| {
                limited_run(kind, &directions, seed, |broken| if constrained { vec![broken] } else { vec![] })
            };
            let is_feasible = |trial: &FrozenTrial| two_valleys(&trial.params).1 <= 0.0;
            (0..4)
                .map(|seed| run(seed).iter().skip(12).filter(|t| is_feasible(t)).count() as f64 / 112.0)
                .sum()
        };
        let (with, without) = (shares(true), shares(false));
        assert!(with > 0.6 && with > without, "{kind:?}: {with}, without {without}");
    }
}
