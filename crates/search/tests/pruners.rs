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

fn pruner_of(settings: &str, study: &PrunedStudy) -> Box<dyn Pruner> {
    let text = format!("{LADDER}{}\n", settings.replace('\'', "\""));
    let ladder = allometry_ladder::parse(&text, Path::new("ladder.toml"))
        .unwrap_or_else(|e| panic!("{:?}", e.problems()));
    allometry_search::build_pruner(&ladder.pruner.expect("the file has a pruner"), study)
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
    let study = PrunedStudy { name: scenario["study"].as_str().unwrap().into(), direction, steps };
    let pruner = pruner_of(settings, &study);
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
                let reporting =
                    ReportingTrial { number: trial, intermediate: &intermediate, metrics: &BTreeMap::new() };
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
