//! Trials of tests, read from JSON.

#![expect(unreachable_pub, reason = "shared by test binaries, each of which is its own crate root")]

use std::path::Path;

use allometry_analysis::input::{LadderTrials, StudyTrials};
use allometry_core::{Direction, FrozenTrial, Params, SizeBudget, TrialState, WeightTarget};
use serde_json::Value;

/// A ladder of the given studies, nothing else known.
pub fn ladder(tag: Option<&str>, metric: &str, studies: Vec<StudyTrials>) -> LadderTrials {
    LadderTrials {
        name: None,
        tag: tag.map(Into::into),
        metric: metric.into(),
        direction: Direction::Maximize,
        studies,
        rows: None,
        baselines: Vec::new(),
    }
}

/// A study from an array of trials with the fields `number`, `state`, `value`, `params` and maybe `metrics`.
pub fn study(label: &str, trials: &Value, best_params: Option<Params>) -> StudyTrials {
    StudyTrials {
        budget: SizeBudget { label: label.into(), target: WeightTarget::Any },
        source: format!("{label}.json"),
        trials: trials.as_array().unwrap().iter().map(trial).collect(),
        best_params,
        space: None,
        reach: None,
    }
}

fn trial(json: &Value) -> FrozenTrial {
    let state = match json["state"].as_str().unwrap().trim_start_matches("TrialState.") {
        "COMPLETE" => TrialState::Complete,
        "PRUNED" => TrialState::Pruned,
        "FAIL" => TrialState::Failed,
        "RUNNING" => TrialState::Running,
        other => panic!("state {other}"),
    };
    let params = serde_json::from_value(json["params"].clone()).unwrap();
    let mut trial = FrozenTrial::new(json["number"].as_u64().unwrap(), state, json["value"].as_f64(), params);
    if let Some(metrics) = json.get("metrics") {
        trial.record.metrics = serde_json::from_value(metrics.clone()).unwrap();
    }
    trial
}

/// Reads a file of JSON.
pub fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The seed's three budgets as `test` needs them; `None`, with a visible skip, where they are absent.
pub fn seed(test: &str) -> Option<LadderTrials> {
    let studies = ["2M", "20M", "200M"].into_iter().map(|label| {
        let file = |name: &str| {
            let relative = format!("seed/trials/{}/{name}", label.to_lowercase());
            allometry_testkit::reference_file(test, &relative)
        };
        let trials = read(&file("all_trials.json")?);
        let best = read(&file("best_params.json")?);
        Some(study(label, &trials, Some(serde_json::from_value(best["best_params"].clone()).unwrap())))
    });
    Some(ladder(Some("a100"), "AUC", studies.collect::<Option<_>>()?))
}
