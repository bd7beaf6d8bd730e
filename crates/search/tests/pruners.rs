//! Compares the decisions of all pruners with Optuna's on equal curves (`oracle/pruners.py`).

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

use allometry_core::{Direction, FrozenTrial, Params, TrialNumber, TrialState};
use allometry_search::{Decision, PrunedStudy, Pruner, ReportingTrial, StudyView};

const LADDER: &str = r#"
name = "pruned"
[data]
path = "rows.csv"
label = "up"
[model]
context = 8
patch = 4
stride = 4
[space]
d_model = [4]
n_layers = [1]
n_heads = [1]
[[budget]]
label = "any"
weights = "any"
[pruner]
"#;

fn pruner_of(settings: &str, study: PrunedStudy) -> Pruner {
    let text = format!("{LADDER}{}\n", settings.replace('\'', "\""));
    let ladder = allometry_ladder::parse(&text, Path::new("ladder.toml"))
        .unwrap_or_else(|e| panic!("{:?}", e.problems()));
    Pruner::new(&ladder.pruner.expect("the file has a pruner"), study)
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str().map(|word| word.parse().expect("inf, -inf or nan")))
}

/// The decisions that differ from the recorded ones, and the number of stops.
fn replay(scenario: &Value, steps: u64) -> (Vec<String>, usize) {
    let direction = match scenario["direction"].as_str() {
        Some("maximize") => Direction::Maximize,
        _ => Direction::Minimize,
    };
    let settings = scenario["pruner"].as_str().unwrap();
    let study =
        PrunedStudy { name: scenario["study"].as_str().unwrap().into(), direction, steps, length: None };
    let pruner = pruner_of(settings, study);
    let (mut finished, mut running): (Vec<FrozenTrial>, Vec<FrozenTrial>) = (Vec::new(), Vec::new());
    let (mut differences, mut stops) = (Vec::new(), 0);
    for event in scenario["events"].as_array().unwrap() {
        let trial = TrialNumber(event[1].as_u64().unwrap());
        let place = running.iter().position(|t| t.number == trial);
        match event[0].as_str() {
            Some("start") => {
                running.push(FrozenTrial::new(trial.0, TrialState::Running, None, Params::default()));
            }
            Some("report") => {
                let step = event[2].as_i64().unwrap();
                let reporting = &mut running[place.unwrap()];
                reporting.intermediate.insert(step, number(&event[3]).unwrap());
                let intermediate = reporting.intermediate.clone();
                let view = StudyView { finished: &finished, running: &running, other_budgets: &[] };
                let (params, intermediate, metrics) = (&Params::default(), &intermediate, &BTreeMap::new());
                let reporting = ReportingTrial { number: trial, params, intermediate, metrics };
                let stop = pruner.decide(&view, &reporting) != Decision::Continue;
                stops += usize::from(stop);
                if stop != event[4].as_bool().unwrap() {
                    differences.push(format!("{settings}: trial {trial} at step {step}: we say {stop}"));
                }
            }
            _ => {
                let mut ended = running.remove(place.unwrap());
                ended.state = match event[2].as_str() {
                    Some("complete") => TrialState::Complete,
                    Some("pruned") => TrialState::Pruned,
                    _ => TrialState::Failed,
                };
                ended.values = number(&event[3]).into_iter().collect();
                let place = finished.partition_point(|t| t.number < ended.number);
                finished.insert(place, ended);
            }
        }
    }
    (differences, stops)
}

/// A trial of 4 epochs is compared with those of 4 epochs: it is better than all of them, though worse at
/// each epoch than all that train for longer.
#[test]
fn trials_of_other_lengths_are_no_peers() {
    let of = |number: u64, epochs: i64, value: f64, state: TrialState| {
        let params: Params = [("epochs", epochs)].into_iter().collect();
        let mut trial = FrozenTrial::new(number, state, [value], params);
        trial.intermediate = (1..=epochs.min(4)).map(|step| (step, value + step as f64)).collect();
        trial
    };
    let short = (0..6).map(|n| of(n, 4, 10.0 + n as f64, TrialState::Complete));
    let long = (6..12).map(|n| of(n, 8, 20.0 + n as f64, TrialState::Complete));
    let finished: Vec<FrozenTrial> = short.chain(long).collect();
    let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
    let decide = |settings: &str, length: Option<&'static str>, epochs: i64, value: f64| {
        let study = PrunedStudy { name: "s".into(), direction: Direction::Maximize, steps: 8, length };
        let trial = of(12, epochs, value, TrialState::Running);
        let (params, intermediate, metrics) = (&trial.params, &trial.intermediate, &BTreeMap::new());
        let reporting = ReportingTrial { number: trial.number, params, intermediate, metrics };
        pruner_of(settings, study).decide(&view, &reporting) == Decision::Continue
    };
    for settings in [
        "kind = 'median'\nn_warmup_steps = 4",
        "kind = 'successive_halving'\nmin_resource = 4\nreduction_factor = 2",
        "kind = 'wilcoxon'\np_threshold = 0.2",
    ] {
        assert!(!decide(settings, None, 4, 16.0), "{settings}: all trials are compared");
        assert!(decide(settings, Some("epochs"), 4, 16.0), "{settings}: the best of its length");
        assert!(!decide(settings, Some("epochs"), 8, 16.0), "{settings}: the worst of its length");
        assert!(decide(settings, Some("epochs"), 16, 16.0), "{settings}: the first of its length");
    }
}

/// Without `min_resource` the first rung is at a hundredth of the steps that the trial itself has.
#[test]
fn rungs_are_at_shares_of_the_trials_own_length() {
    let of = |number: u64, epochs: i64, value: f64| {
        let params: Params = [("epochs", epochs)].into_iter().collect();
        let mut trial = FrozenTrial::new(number, TrialState::Complete, [value], params);
        trial.intermediate = [(2, value)].into();
        trial
    };
    let finished: Vec<FrozenTrial> = [100, 1000].map(|epochs| of(epochs as u64, epochs, 9.0)).into();
    let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
    for (epochs, decision) in [(100, false), (1000, true)] {
        let study = PrunedStudy {
            name: "s".into(),
            direction: Direction::Maximize,
            steps: 1000,
            length: Some("epochs"),
        };
        let trial = of(7, epochs, 1.0);
        let (params, intermediate, metrics) = (&trial.params, &trial.intermediate, &BTreeMap::new());
        let reporting = ReportingTrial { number: trial.number, params, intermediate, metrics };
        let decided = pruner_of("kind = 'successive_halving'", study).decide(&view, &reporting);
        assert_eq!(decided == Decision::Continue, decision, "of {epochs} epochs, at epoch 2");
    }
}

#[test]
fn decisions_are_optunas() {
    let oracle: Value = serde_json::from_str(include_str!("oracle/pruners.json")).unwrap();
    let steps = oracle["steps"].as_u64().unwrap();
    let mut stops: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for scenario in oracle["scenarios"].as_array().unwrap() {
        let (different, stopped) = replay(scenario, steps);
        differences.extend(different);
        *stops.entry(scenario["pruner"].as_str().unwrap()).or_default() += stopped;
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(stops.len() == 12 && stops.values().all(|count| *count > 0), "{stops:?}");
}
