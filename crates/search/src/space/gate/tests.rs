//! Tests of spaces with conditional parameters.

use std::collections::HashSet;

use allometry_core::space::contains;
use allometry_core::{Distribution, Params, SearchSpace};

use super::super::tests::{any, floats, ints, size, space_of};
use super::super::{Feasible, Measured};
use super::*;

fn when(parameter: &str, requires: &[(&str, &[&str])]) -> When {
    let values = |values: &[&str]| values.iter().map(|value| ParamValue::from(*value)).collect();
    let requires = requires.iter().map(|(on, list)| ((*on).to_owned(), values(list))).collect();
    When { parameter: parameter.into(), requires }
}

fn words(values: &[&str]) -> Distribution {
    Distribution::list(values.iter().map(|value| ParamValue::from(*value)).collect())
}

/// A space in which `nesterov` comes before the parameters that it depends on.
fn optimizers() -> SearchSpace {
    space_of(&[
        ("n_layers", ints(&[1, 2])),
        ("nesterov", words(&["no", "yes"])),
        ("optimizer", words(&["adam", "sgd", "lion"])),
        ("momentum", floats(&[0.0, 0.5, 0.9])),
        ("beta", floats(&[0.99])),
    ])
}

fn conditions() -> Vec<When> {
    let nesterov = When {
        parameter: "nesterov".into(),
        requires: [("momentum".to_owned(), vec![0.5.into(), 0.9.into()])].into_iter().collect(),
    };
    vec![
        nesterov,
        when("momentum", &[("optimizer", &["sgd"])]),
        when("beta", &[("optimizer", &["adam", "lion"])]),
    ]
}

fn feasible() -> Feasible {
    Feasible::conditional(&optimizers(), &any(), &[], &conditions(), |_| Measured::default()).unwrap()
}

/// The configurations by nested loops: each optimizer has its own parameters.
fn enumerated() -> Vec<Params> {
    let mut all = Vec::new();
    for layers in [1_i64, 2] {
        for optimizer in ["adam", "sgd", "lion"] {
            let mut params = Params::default();
            params.insert("n_layers", layers);
            params.insert("optimizer", optimizer);
            if optimizer != "sgd" {
                params.insert("beta", 0.99);
                all.push(params);
                continue;
            }
            for momentum in [0.0, 0.5, 0.9] {
                params.insert("momentum", momentum);
                if momentum == 0.0 {
                    all.push(params.clone());
                    continue;
                }
                for nesterov in ["no", "yes"] {
                    let mut params = params.clone();
                    params.insert("nesterov", nesterov);
                    all.push(params);
                }
            }
        }
    }
    all
}

fn sorted(params: &Params) -> String {
    let mut values: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    values.sort();
    values.join(" ")
}

#[test]
fn configurations_are_those_of_nested_loops() {
    let feasible = feasible();
    let expected: HashSet<String> = enumerated().iter().map(sorted).collect();
    assert_eq!(feasible.configurations(), Some(expected.len() as u64));
    let mut found = HashSet::new();
    for number in 0..expected.len() as u64 {
        let configuration = feasible.configuration(number);
        let params = feasible.params(&configuration);
        assert_eq!(feasible.index(&configuration), number);
        assert_eq!(feasible.find(&params), Some(configuration));
        assert!(contains(feasible.space(), feasible.conditions(), &params), "{params}");
        found.insert(sorted(&params));
    }
    assert_eq!(found, expected);
}

#[test]
fn values_of_inactive_parameters_make_no_difference() {
    let feasible = feasible();
    let mut adam = Params::default();
    adam.insert("n_layers", 1_i64);
    adam.insert("optimizer", "adam");
    adam.insert("beta", 0.99);
    let mut more = adam.clone();
    more.insert("momentum", 0.9);
    assert_eq!(feasible.find(&more), feasible.find(&adam));
    assert!(feasible.find(&adam).is_some());
    assert!(!contains(feasible.space(), feasible.conditions(), &more));
    let mut less = adam.clone();
    less.insert("optimizer", "sgd");
    assert_eq!(feasible.find(&less), None, "momentum is missing");
}

#[test]
fn points_and_completions_have_the_active_parameters() {
    let feasible = feasible();
    for i in 0..200_u32 {
        let point: Vec<f64> = (1..=5).map(|k| (f64::from(i * k) * 0.618_033).fract()).collect();
        let params = feasible.params(&feasible.at(&point));
        assert!(contains(feasible.space(), feasible.conditions(), &params), "{params}");
        let fixed: Params = [("optimizer", "sgd")].into_iter().collect();
        let completed = feasible.complete(&fixed, &point).unwrap();
        assert!(contains(feasible.space(), feasible.conditions(), &completed), "{completed}");
        assert!(completed.get("momentum").is_some() && completed.get("beta").is_none());
    }
}

#[test]
fn invalid_conditions_are_errors() {
    let refused = |conditions: &[When]| {
        let error = Feasible::conditional(&optimizers(), &any(), &[], conditions, |p| {
            super::super::Measured { size: size(p), flops: None }
        })
        .unwrap_err();
        assert!(error.hint().is_some());
        error.to_string()
    };
    let said = refused(&[when("momentum", &[("schedule", &["cosine"])])]);
    assert_eq!(said, "`momentum` depends on `schedule`, which the space does not have");
    let said = refused(&[when("momentum", &[("optimizer", &["sdg"])])]);
    assert_eq!(said, "the condition of `momentum` requires the value 'sdg', which `optimizer` cannot have");
    let said = refused(&[when("n_layers", &[("optimizer", &["sgd"])])]);
    assert_eq!(said, "`n_layers` determines the architecture and cannot have a condition");
    let cycle = [
        when("optimizer", &[("nesterov", &["yes"])]),
        When {
            parameter: "nesterov".into(),
            requires: [("momentum".to_owned(), vec![0.5.into()])].into_iter().collect(),
        },
        when("momentum", &[("optimizer", &["sgd"])]),
    ];
    let said = refused(&cycle);
    assert_eq!(
        said,
        "conditions form a cycle: optimizer depends on nesterov depends on momentum depends on optimizer"
    );
    let contradiction = [
        when("momentum", &[("optimizer", &["sgd"])]),
        When {
            parameter: "nesterov".into(),
            requires: [
                ("momentum".to_owned(), vec![0.5.into()]),
                ("optimizer".to_owned(), vec!["adam".into()]),
            ]
            .into_iter()
            .collect(),
        },
    ];
    let said = refused(&contradiction);
    assert!(said.starts_with("`nesterov` never exists: no value of `optimizer` meets"), "{said}");
}
