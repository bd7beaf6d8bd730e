//! Tests of PED-ANOVA against Optuna 5 (`oracle/ped_anova.py`), and with unusual input.

use allometry_analysis::ped_anova::{Indistinct, PedAnova, PedAnovaOutcome, ped_anova};
use allometry_core::{Direction, Distribution, Params, SearchSpace};
use serde_json::Value;

fn set(json: &Value) -> Distribution {
    if json["kind"] == "categorical" {
        return Distribution::list(serde_json::from_value(json["choices"].clone()).unwrap());
    }
    serde_json::from_value(json.clone()).unwrap()
}

fn computed(outcome: PedAnovaOutcome) -> PedAnova {
    match outcome {
        PedAnovaOutcome::Computed(ped_anova) => ped_anova,
        withheld @ PedAnovaOutcome::Withheld { .. } => panic!("{withheld:?}"),
    }
}

#[test]
fn importances_are_optunas() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/ped_anova.json")).unwrap();
    let cases = oracle["cases"].as_array().unwrap();
    for case in cases {
        let name = &case["name"];
        let sets = case["space"].as_object().unwrap().iter();
        let space = SearchSpace(sets.map(|(name, json)| (name.clone(), set(json))).collect());
        let trials: Vec<(Params, f64)> =
            serde_json::from_value::<Vec<(Params, Option<f64>)>>(case["trials"].clone())
                .unwrap()
                .into_iter()
                .map(|(params, value)| (params, value.unwrap_or(f64::INFINITY)))
                .collect();
        let trials: Vec<(&Params, f64)> = trials.iter().map(|(params, value)| (params, *value)).collect();
        let direction: Direction = serde_json::from_value(case["direction"].clone()).unwrap();
        let ours = computed(ped_anova(&space, &trials, direction));
        assert_eq!(ours.parameters.len(), case["divergence"].as_object().unwrap().len(), "{name}");
        for parameter in &ours.parameters {
            let shares =
                [(&case["divergence"], parameter.divergence), (&case["share"], parameter.share.unwrap())];
            for (theirs, ours) in shares {
                let theirs = theirs[&parameter.parameter].as_f64().unwrap();
                assert!(
                    (ours - theirs).abs() <= 1e-9 * theirs.max(1e-6),
                    "{name}, {}: {ours} against {theirs}",
                    parameter.parameter
                );
            }
        }
    }
}

fn one(x: f64) -> Params {
    Params::from_iter([("x", x)])
}

#[test]
fn nothing_to_tell_apart_is_said() {
    let range = Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
    let space = SearchSpace([("x".to_owned(), range)].into_iter().collect());
    let reason = |trials: &[(Params, f64)]| {
        let trials: Vec<(&Params, f64)> = trials.iter().map(|(params, value)| (params, *value)).collect();
        match ped_anova(&space, &trials, Direction::Maximize) {
            PedAnovaOutcome::Withheld { reason } => Some(reason),
            PedAnovaOutcome::Computed(_) => None,
        }
    };
    assert_eq!(reason(&[]), Some(Indistinct::TooFewTrials));
    assert_eq!(reason(&[(one(0.1), 0.5), (one(0.2), f64::NAN)]), Some(Indistinct::TooFewTrials));
    assert_eq!(reason(&[(one(0.1), 0.5), (one(0.9), 0.5)]), Some(Indistinct::AllAmongTheBest));
    assert_eq!(reason(&[(one(0.1), 0.5), (one(0.9), 0.6)]), None);
}

#[test]
fn values_outside_the_space_do_no_harm() {
    let sets = [
        ("x", Distribution::Float { low: 0.1, high: 1.0, log: true, step: None }),
        ("word", Distribution::list(vec!["a".into(), "b".into()])),
        ("none", Distribution::list(vec![])),
        ("backwards", Distribution::Int { low: 5, high: 1, log: false, step: 1 }),
    ];
    let space = SearchSpace(sets.into_iter().map(|(name, set)| (name.to_owned(), set)).collect());
    let trials: Vec<Params> = [f64::NAN, -1.0, f64::INFINITY, 0.3, 0.2, 1e300]
        .into_iter()
        .map(|x| {
            let mut params = one(x);
            params.insert("word", if x > 0.25 { "a" } else { "z" });
            params.insert("backwards", 3_i64);
            params
        })
        .collect();
    let trials: Vec<(&Params, f64)> = trials.iter().zip([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).collect();
    let ours = computed(ped_anova(&space, &trials, Direction::Minimize));
    assert_eq!((ours.trials, ours.best, ours.parameters.len()), (6, 1, 4));
    assert!(ours.parameters.iter().all(|parameter| parameter.divergence.is_finite()));
}
