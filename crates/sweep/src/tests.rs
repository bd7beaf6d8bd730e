//! Tests with sweeps of W&B's documentation and of its package, and with invalid ones.

use std::path::Path;
use std::sync::LazyLock;

use allometry_core::{Direction, Distribution, Metrics, ParamValue, SamplerKind};
use allometry_ladder::{Invocation, Ladder, ObjectiveSpec};
use allometry_testkit::Limits;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn ladder_of(converted: &Converted) -> Ladder {
    allometry_ladder::parse(&converted.ladder, Path::new("ladder.toml")).unwrap()
}

fn set_of(converted: &Converted, name: &str) -> Distribution {
    ladder_of(converted).budgets[0].space.get(name).unwrap().clone()
}

/// Returns a sweep of one parameter `x` as JSON, of which YAML is a superset.
fn with_parameter(config: &Value) -> String {
    serde_json::json!({"method": "random", "program": "t.py", "parameters": {"x": config}}).to_string()
}

/// A value as a sweep's argument.
fn word(value: &ParamValue) -> ParamValue {
    ParamValue::Text(value.to_string())
}

#[test]
fn sets_hold_what_the_sweeps_package_draws() {
    let oracle: Value = serde_json::from_str(include_str!("../tests/oracle/distributions.json")).unwrap();
    for entry in oracle["parameters"].as_array().unwrap() {
        let config = &entry["config"];
        let converted = convert(&with_parameter(config), "s").unwrap();
        let set = set_of(&converted, "x");
        let drawn: Vec<ParamValue> = entry["drawn"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| serde_json::from_value(value.clone()).unwrap())
            .collect();
        for value in &drawn {
            let inside = match &set {
                Distribution::Float { low, high, step, .. } => {
                    let x = value.as_f64().unwrap();
                    let slack = 1e-7 * (high - low);
                    let on_grid = step.is_none_or(|q| ((x - low) / q - ((x - low) / q).round()).abs() < 1e-6);
                    x >= low - slack && x <= high + slack && on_grid
                }
                set => set.contains(value) || set.contains(&word(value)),
            };
            assert!(inside, "{config}: {value} is not in {set}");
        }
        let ends = match &set {
            Distribution::Float { low, high, .. } => Some((*low, *high)),
            Distribution::Int { low, high, .. } => Some((*low as f64, *high as f64)),
            Distribution::Categorical { choices, .. } => {
                assert!(
                    choices
                        .iter()
                        .all(|choice| drawn.iter().any(|value| value == choice || word(value) == *choice)),
                    "{config}: {set}"
                );
                None
            }
        };
        // The ends of a beta are 0 and 1, which are hardly ever drawn.
        if let Some((low, high)) = ends.filter(|_| config["distribution"] != "beta") {
            let close = |a: f64, b: &ParamValue| (a - b.as_f64().unwrap()).abs() <= 1e-6 * (high - low);
            assert!(close(low, &drawn[0]) && close(high, &drawn[drawn.len() - 1]), "{config}: {set}");
        }
    }
    for entry in oracle["hyperband"].as_array().unwrap() {
        let config = &entry["config"];
        let mut notes = Vec::new();
        let lines = settings::pruner(Some(config), &mut notes).unwrap().unwrap();
        let numbers: Vec<f64> =
            lines.lines().filter_map(|line| line.split(" = ").nth(1)?.parse().ok()).collect();
        let [first, eta] = numbers[..] else { panic!("{lines}") };
        let bands: Vec<f64> = serde_json::from_value(entry["bands"].clone()).unwrap();
        let rungs: Vec<f64> = (0..bands.len() as i32).map(|k| first * eta.powi(k)).collect();
        assert!(rungs == bands || notes.iter().any(|note| note.contains("instead of")), "{config}: {lines}");
    }
}

/// Batch sizes in whole steps become integers, and a note tells that ends are exponents.
#[test]
fn logarithmic_ranges_are_converted_with_notes() {
    let whole = serde_json::json!({"distribution": "q_log_uniform_values", "q": 8, "min": 16, "max": 256});
    let converted = convert(&with_parameter(&whole), "s").unwrap();
    assert_eq!(set_of(&converted, "x"), Distribution::Int { low: 16, high: 256, log: true, step: 1 });
    let exponents = serde_json::json!({"distribution": "log_uniform", "min": 1e-6, "max": 0.01});
    let converted = convert(&with_parameter(&exponents), "s").unwrap();
    assert!(converted.notes.iter().any(|note| note.contains("log_uniform_values")), "{:?}", converted.notes);
}

/// Ends that were meant as values and have no power of e.
#[test]
fn logarithms_of_what_is_too_large_are_refused_with_the_distribution_to_take() {
    for (kind, min, max, told) in [
        (
            "log_uniform",
            1.0,
            1000.0,
            "`parameters.x.max`: expected a natural logarithm, and e^1000 is too large",
        ),
        (
            "log_uniform",
            -2000.0,
            1.0,
            "`parameters.x.min`: expected a natural logarithm, and e^-2000 is too small",
        ),
        (
            "q_log_uniform",
            16.0,
            256.0,
            "`parameters.x.max`: expected a natural logarithm, and e^256 is too large",
        ),
        (
            "inv_log_uniform",
            1.0,
            1000.0,
            "`parameters.x.max`: expected a natural logarithm, and e^-1000 is too small",
        ),
    ] {
        let config = serde_json::json!({"distribution": kind, "min": min, "max": max});
        let refused = convert(&with_parameter(&config), "s").unwrap_err().to_string();
        assert!(refused.starts_with(told) && refused.ends_with(&format!("say {kind}_values")), "{refused}");
    }
    let config = serde_json::json!({"distribution": "log_uniform", "min": 1, "max": 30});
    let notes = convert(&with_parameter(&config), "s").unwrap().notes.join("\n");
    assert!(
        notes.contains("the range goes from 2.7183e0 to 1.0686e13; for a range from 1 to 30 use"),
        "{notes}"
    );
}

/// A sweep's arguments are what Python writes; its JSON has truth values.
#[test]
fn truth_values_are_the_words_of_sweeps() {
    let sets = |command: &str| {
        let text = format!(
            "program: m.py\nmethod: grid\n{command}parameters: {{a: {{values: [true, false]}}, \
             b: {{value: true}}, c: {{values: [false, False, 1]}}}}\n"
        );
        let converted = convert(&text, "s").unwrap();
        ["a", "b", "c"].map(|name| set_of(&converted, name).to_string())
    };
    let words = ["['True', 'False']", "['True']", "['False', 1]"];
    assert_eq!(sets(""), words);
    assert_eq!(sets("command: [python, m.py, \"${args_no_hyphens}\"]\n"), words);
    let values = ["[True, False]", "[True]", "[False, 1]"];
    assert_eq!(sets("command: [python, m.py, \"--config=${args_json}\"]\n"), values);
}

#[test]
fn a_command_without_parameters_gets_a_note() {
    let sweep = |command: &str| {
        let text = format!(
            "program: m.py\nmethod: grid\ncommand: [{command}]\nparameters: {{epoch: {{values: [10, 50]}}}}\n"
        );
        convert(&text, "s").unwrap().notes.join("\n")
    };
    let without = sweep(r#""${env}", python3, "${program}", "14""#);
    assert!(without.contains("cannot reach the program"), "{without}");
    assert!(!sweep(r#"python3, "${program}", "${args}""#).contains("cannot reach"));
    assert!(!sweep(r#"python3, "${program}", "${args_no_hyphens}""#).contains("cannot reach"));
}

#[test]
fn a_whole_sweep_becomes_a_ladder() {
    let yaml = r#"
program: train.py
name: "café / sweep"
method: bayes
project: p
metric:
  goal: maximize
  name: val/auc
  target: 0.9
early_terminate: {type: hyperband, min_iter: 3, eta: 2, strict: true}
run_cap: 30
parameters:
  lr: {distribution: log_uniform_values, min: 1e-5, max: "1e-1"}
  epochs: {value: 12}
  act: {values: [relu, gelu, null, [1, 2]], probabilities: [0.1, 0.2, 0.3, 0.4]}
  optimizer:
    parameters:
      name: {values: [sgd, adam]}
  seed: {values: [1, 2]}
  "a b": {values: [1]}
command: ["${env}", "${interpreter}", "-X", "{dev}", "${program}", "${args_no_hyphens}",
          "--json=${args_json}", "${envvar:HOME}"]
unheard: 1
"#;
    let converted = convert(yaml, "s").unwrap();
    let ladder = ladder_of(&converted);
    assert_eq!((ladder.name.as_str(), ladder.budgets[0].trials), ("café - sweep", 30));
    assert_eq!(ladder.metrics, Metrics::one("val/auc", Direction::Maximize));
    assert_eq!(ladder.sampler.kind, SamplerKind::Gp);
    let names: Vec<&str> = ladder.budgets[0].space.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["lr", "epochs", "act", "optimizer.name"]);
    assert_eq!(set_of(&converted, "lr"), Distribution::Float { low: 1e-5, high: 0.1, log: true, step: None });
    let ObjectiveSpec::Command(command) = &ladder.objective else { panic!("a sweep has a program") };
    let run = [
        "python",
        "-X",
        "{{dev}}",
        "train.py",
        "lr={lr}",
        "epochs={epochs}",
        "act={act}",
        "optimizer.name={optimizer.name}",
        "--json={params_json}",
        "${{envvar:HOME}}",
    ];
    assert_eq!(command.run, Invocation::Program(run.map(String::from).into()));
    for note in [
        "`project` is left out",
        "`metric.target` is left out",
        "these are the rungs of successive_halving",
        "`early_terminate.strict` is left out",
        "`parameters.act`: `probabilities` are left out",
        "`parameters.act`: the value null is left out",
        "`parameters.act`: the program receives [1,2] as a string",
        "`optimizer` has nested parameters",
        "parameter `seed` is left out",
        "parameter `a b` is left out",
        "${envvar:HOME} has no counterpart",
        "`unheard` is left out",
        "the program reports to wandb",
    ] {
        assert!(converted.notes.iter().any(|found| found.contains(note)), "{note}: {:#?}", converted.notes);
    }
    assert_eq!(converted.notes.len(), 13, "{:#?}", converted.notes);
}

#[test]
fn texts_are_those_of_pyyaml_but_for_numbers() {
    let yaml = "parameters: {lr: {values: [1e-5, 0.001, 2E3]}, on: {values: [yes, off, \"no\", 1e3x]}}\n";
    let converted = convert(yaml, "s").unwrap();
    let choices = |name| match set_of(&converted, name) {
        Distribution::Categorical { choices, .. } => choices,
        other => panic!("{other:?}"),
    };
    assert_eq!(choices("lr"), [1e-5, 0.001, 2000.0].map(ParamValue::Float));
    // The program receives truth values as Python writes them.
    let texts = ["True", "False", "no", "1e3x"].map(|text| ParamValue::Text(text.to_owned()));
    assert_eq!(choices("on"), texts);
}

#[test]
fn a_grid_has_as_many_trials_as_cells() {
    let yaml = "method: grid\nparameters:\n  a: {values: [1, 2, 3]}\n  b: {min: 1, max: 4}\n";
    let ladder = ladder_of(&convert(yaml, "s").unwrap());
    assert_eq!((ladder.budgets[0].trials, ladder.sampler.kind), (12, SamplerKind::Grid));
    let continuous = convert("method: grid\nparameters: {a: {min: 0.0, max: 1}}\n", "s").unwrap();
    assert_eq!(ladder_of(&continuous).sampler.kind, SamplerKind::Random);
    assert!(continuous.notes.iter().any(|note| note.contains("`a` has infinitely many values")));
}

#[test]
fn invalid_sweeps_name_the_key() {
    let bomb: String = std::iter::once("a0: &a0 [x, x]\n".to_owned())
        .chain((1..40).map(|i| format!("a{i}: &a{i} [*a{0}, *a{0}, *a{0}, *a{0}]\n", i - 1)))
        .chain(["parameters: {x: {values: *a39}}\n".to_owned()])
        .collect();
    for (yaml, message) in [
        ("", "`parameters`: expected a sweep"),
        ("- 1\n", "`parameters`: expected a sweep"),
        ("method: grid\n", "`parameters`: expected the parameters of a sweep"),
        ("parameters: {}\n", "no parameter of the sweep"),
        ("parameters: {seed: {values: [1]}}\n", "parameter `seed` is left out"),
        ("parameters: {x: 1}\n", "`parameters.x`: expected a mapping"),
        ("parameters: {x: {min: 1}}\n", "`parameters.x.max`: expected a number"),
        ("parameters: {x: {min: 2, max: 1}}\n", "`parameters.x.min`"),
        ("parameters: {x: {min: -1, max: 1, distribution: log_uniform_values}}\n", "above 0, min no greater"),
        ("parameters: {x: {min: 0, max: .inf}}\n", "`parameters.x.max`: expected a finite number"),
        ("parameters: {x: {values: [1, 36893488147419103232]}}\n", "found 36893488147419103232"),
        ("parameters: {x: {values: [1]}, x: {values: [2]}}\n", "line 1, column 47: a key that occurs twice"),
        ("parameters: {x: {values: []}}\n", "`parameters.x.values`: expected a list"),
        ("parameters: {x: {distribution: cauchy}}\n", "`parameters.x.distribution`"),
        ("parameters: {x: {values: [1]}}\nmethod: walk\n", "`method`: expected grid, random or bayes"),
        ("parameters: {x: {values: [1]}}\nrun_cap: 0\n", "`run_cap`"),
        ("parameters: {x: {values: [1]}}\ncommand: []\n", "`command`"),
        ("parameters: {x: {values: [1]}}\nmetric: auc\n", "`metric`"),
        ("parameters: {x: {values: [1]}}\nearly_terminate: {type: envelope}\n", "`early_terminate.type`"),
        ("parameters: {x: [1\n", "line"),
        (&bomb, "its aliases repeat more than 64 MiB"),
        (&format!("parameters: {}", "[".repeat(100_000)), "nested more than 127 deep"),
    ] {
        let shown = &yaml[..yaml.len().min(80)];
        let error = convert(yaml, "s").expect_err(shown).to_string();
        assert!(error.contains(message), "{shown}: {error}");
    }
}

const SWEEP: &str = r#"program: train.py
method: bayes
metric: {name: auc, goal: maximize}
parameters:
  lr: {distribution: log_uniform_values, min: 1.0e-5, max: 0.1}
  n: {min: 1, max: 9}
  q: {distribution: q_uniform, min: 0, max: 1, q: 0.25}
  act: {values: [relu, "ge\"lu", true, 3]}
early_terminate: {type: hyperband, max_iter: 27, s: 2}
command: ["${interpreter}", "${program}", "${args}"]
"#;

/// Limits on the cost of converting a damaged sweep.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits::of(|| drop(convert(SWEEP, "s").unwrap())));

proptest! {
    #[test]
    fn damaged_sweeps_make_a_valid_ladder_or_an_error(
        bytes in allometry_testkit::damaged(SWEEP.as_bytes().to_vec()),
    ) {
        if let Ok(converted) = LIMITS.hold(|| convert(&String::from_utf8_lossy(&bytes), "s")) {
            prop_assert!(allometry_ladder::parse(&converted.ladder, Path::new("l.toml")).is_ok());
        }
    }
}
