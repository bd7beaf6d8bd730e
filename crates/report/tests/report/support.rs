//! Trials of tests, read from JSON.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use allometry_analysis::{Baseline, LadderTrials, RetrainedTrials, StudyPredictions, StudyTrials};
use allometry_core::Metrics;
use allometry_core::{
    ClassCounts, Direction, Distribution, FrozenTrial, ModelSize, ParamValue, Params, Retraining,
    SearchSpace, SizeReach, TrialState, WeightTarget,
};
use serde_json::{Value, json};

/// A ladder of the given studies, nothing else known.
pub(crate) fn ladder(tag: Option<&str>, metric: &str, studies: Vec<StudyTrials>) -> LadderTrials {
    LadderTrials {
        tag: tag.map(Into::into),
        metrics: Metrics::one(metric, Direction::Maximize),
        ..LadderTrials::new(studies)
    }
}

/// A study from an array of trials with the fields `number`, `state`, `value`, `params` and maybe `metrics`.
pub(crate) fn study(label: &str, trials: &Value, best_params: Option<Params>) -> StudyTrials {
    let trials = trials.as_array().unwrap().iter().map(trial).collect();
    StudyTrials { best_params, ..StudyTrials::new(label, &format!("{label}.json"), trials) }
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
pub(crate) fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The seed's three budgets as `test` needs them; `None`, with a visible skip, where they are absent.
pub(crate) fn seed(test: &str) -> Option<LadderTrials> {
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

/// Weights of the seed's `PatchTST`: 105 features, 9 patches of 16 steps.
pub(crate) fn seed_size(params: &Params) -> ModelSize {
    let number = |name: &str| params.get(name).and_then(ParamValue::as_i64).unwrap() as u64;
    let (d, layers, ratio) = (number("d_model"), number("n_layers"), number("d_ff_ratio"));
    let layer = 4 * d * d + 4 * d + 2 * ratio * d * d + ratio * d + d + 4 * d;
    let rest = layers * layer + 2 * d + 9 * d + 1;
    ModelSize { total: 105 * 16 * d + d + 9 * d + rest, non_embedding: rest }
}

/// Gives every trial its size, and every study the sizes that the values of its trials reach.
pub(crate) fn with_seed_sizes(mut ladder: LadderTrials) -> LadderTrials {
    for study in &mut ladder.studies {
        for trial in &mut study.trials {
            trial.record.size = Some(seed_size(&trial.params));
        }
        let reached = |extreme: fn(i64, i64) -> i64| {
            let names = ["d_model", "n_layers", "d_ff_ratio"];
            let params: Params = names
                .iter()
                .map(|name| {
                    let values = study.trials.iter().map(|t| t.params.get(name).unwrap().as_i64().unwrap());
                    (*name, values.reduce(extreme).unwrap())
                })
                .collect();
            seed_size(&params)
        };
        study.reach = Some(SizeReach { smallest: reached(i64::min), largest: reached(i64::max) });
    }
    ladder
}

/// A small ladder of three budgets with everything recorded: sizes, spaces, metrics, rows, baselines,
/// failures, repeats, continuous values.
pub(crate) fn synthetic() -> LadderTrials {
    let mut state = 1_u64;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    let budgets = [("100k", 100_000, 32), ("400k", 400_000, 96), ("1.6M", 1_600_000, 192)];
    let studies = budgets.into_iter().enumerate().map(|(rung, (label, weights, width))| {
        let mut trials = Vec::new();
        for number in 0..16 {
            let params = json!({
                "d_model": width + 16 * (draw() * 3.0) as i64,
                "n_layers": 1 + (draw() * 3.0) as i64,
                "d_ff_ratio": 2,
                "learning_rate": 1e-5 * 10_f64.powf(2.0 * draw()),
                "dropout": ([0.1, 0.3, 0.5][(draw() * 3.0) as usize]),
                "activation": (["gelu", "relu"][(draw() * 2.0) as usize]),
            });
            let failed = number == 7;
            let value = (!failed).then(|| 0.72 + 0.01 * rung as f64 + 0.03 * draw());
            let sd = if number == 3 { 0.001 } else { 0.05 + 0.05 * draw() };
            trials.push(json!({
                "number": number, "state": if failed { "FAIL" } else { "COMPLETE" }, "value": value,
                "params": params,
                "metrics": {
                    "pred_min": 0.2 - sd, "pred_max": 0.2 + 2.5 * sd, "pred_sd": sd, "pred_mean": 0.2,
                    "brier": 0.14, "recall_at_half": (0.5 * draw() - 0.1).max(0.0),
                },
            }));
        }
        let mut repeated = trials[2].clone();
        repeated["number"] = json!(16);
        repeated["value"] = json!(repeated["value"].as_f64().unwrap() + 0.004);
        trials.push(repeated);
        let best = trials
            .iter()
            .max_by(|a, b| a["value"].as_f64().unwrap_or(0.0).total_cmp(&b["value"].as_f64().unwrap_or(0.0)));
        let best = serde_json::from_value(best.unwrap()["params"].clone()).unwrap();
        let mut study = study(label, &Value::Array(trials), Some(best));
        study.budget.target = WeightTarget::Near { weights, tolerance: 0.25 };
        study.source = "sqlite:///ladder.db".into();
        study.space = Some(space(width));
        study
    });
    let mut ladder = with_seed_sizes(ladder(Some("v2"), "AUC", studies.collect()));
    ladder.name = Some("sp500".into());
    ladder.rows = Some(ClassCounts { positives: 123, negatives: 594 });
    ladder.baselines = vec![
        Baseline {
            name: "class prior".into(),
            description: "the share of positives in the training part".into(),
            value: 0.5,
            metrics: [("log_loss".to_owned(), 0.458)].into(),
        },
        Baseline {
            name: "logistic regression".into(),
            description: "on the last time step".into(),
            value: 0.7912,
            metrics: [("log_loss".to_owned(), 0.401)].into(),
        },
    ];
    ladder
}

fn space(width: i64) -> SearchSpace {
    let float = Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None };
    let sets = [
        ("d_model", Distribution::Int { low: width, high: width + 32, log: false, step: 16 }),
        ("n_layers", Distribution::Int { low: 1, high: 3, log: false, step: 1 }),
        ("d_ff_ratio", Distribution::list(vec![2.into()])),
        ("learning_rate", float),
        ("dropout", Distribution::list(vec![0.1.into(), 0.3.into(), 0.5.into()])),
        ("activation", Distribution::list(vec!["gelu".into(), "relu".into()])),
    ];
    SearchSpace(sets.into_iter().map(|(name, set)| (name.to_owned(), set)).collect())
}

/// A ladder of odd input: nothing, one trial, words and nothing as values, infinite and missing values, names
/// that mean something to Markdown.
pub(crate) fn odd() -> LadderTrials {
    let trials = |json: Value, best: bool| {
        let best = best.then(|| serde_json::from_value(json[0]["params"].clone()).unwrap());
        study("x", &json, best)
    };
    let mut studies = vec![
        trials(json!([]), false),
        trials(json!([{"number": 0, "state": "COMPLETE", "value": 1.0, "params": {"d_model": 8}}]), true),
        trials(
            json!([
                {"number": 0, "state": "COMPLETE", "value": 0.0,
                    "params": {"d_model": "wide|<b>", "a`b": null}},
                {"number": 1, "state": "COMPLETE", "value": 1e300, "params": {"d_model": 8}},
                {"number": 2, "state": "COMPLETE", "value": null, "params": {}},
                {"number": 3, "state": "FAIL", "value": null, "params": {"d_model": true}},
                {"number": 4, "state": "COMPLETE", "value": 0.0, "params": {"d_model": 1.5, "a`b": "x\ny"}},
            ]),
            true,
        ),
    ];
    studies[0].budget.label = "1 | 2".into();
    studies[1].budget.label = "<script>\n# x".into();
    studies[2].budget.label = "`2M`".into();
    let mut ladder = ladder(Some("*tag*"), "AUC", studies);
    ladder.rows = Some(ClassCounts { positives: 0, negatives: u64::MAX });
    ladder.baselines = vec![Baseline {
        name: "a|b".into(),
        description: String::new(),
        value: f64::NAN,
        metrics: [("loss".to_owned(), f64::INFINITY)].into(),
    }];
    ladder
}

/// Checks that the schema at `path` is the generated one; writes it anew where `ALLOMETRY_BLESS` is 1.
pub(crate) fn assert_committed(path: &str, schema: &schemars::Schema) {
    let generated = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var("ALLOMETRY_BLESS").as_deref() == Ok("1") {
        std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == generated, "{path} is stale: ALLOMETRY_BLESS=1 cargo test --workspace");
}

/// Checks documents against the schema at `path` with Python's jsonschema.
pub(crate) fn assert_valid(test: &str, path: &str, documents: &[String]) {
    let Some(python) = allometry_testkit::python_with(test, "jsonschema") else { return };
    let program = "import json, sys, jsonschema\n\
                   schema = json.load(open(sys.argv[1]))\n\
                   check = jsonschema.validators.validator_for(schema)\n\
                   check.check_schema(schema)\n\
                   check(schema).validate(json.load(sys.stdin))";
    for document in documents {
        let mut child = Command::new(&python)
            .args(["-c", program, path])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Trains trials 0 and 1 of a study again, of which trial 1 turns out to be better.
pub(crate) fn confirmed(study: &StudyTrials) -> RetrainedTrials {
    let budget = &study.budget.label;
    let plan = study.trials[..2].iter().zip(0..).map(|(trial, rank)| Retraining {
        from: budget.clone(),
        trial: trial.number,
        rank,
        params: trial.params.clone(),
        seed: 1,
    });
    let plan: Vec<Retraining> = plan.collect();
    let trials = plan.iter().map(|one| {
        let value = 0.6 + 0.05 * one.rank as f64;
        let mut trial = FrozenTrial::new(one.rank, TrialState::Complete, Some(value), one.params.clone());
        trial.record.seed = Some(1);
        trial.record.metrics.insert(Retraining::VALIDATION.to_owned(), value);
        trial
    });
    let trials = trials.collect();
    RetrainedTrials { budget: budget.clone(), plan, trials, predictions: StudyPredictions::default() }
}
