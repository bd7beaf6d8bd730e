//! Tests of classification and regression: metrics against scikit-learn (`oracle/tasks.py`), whole trials
//! on small series.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use std::path::Path;

use allometry_core::{Objective as _, ObjectiveOutcome};
use allometry_ladder::{
    DataSpec, FeatureSpec, LabelSpec, LossKind, MissingPolicy, ModelSpec, Normalize, SplitSpec, Task,
};
use allometry_trainer::baseline::baselines;
use allometry_trainer::data::{Dataset, load};
use allometry_trainer::{PatchTstObjective, Predictor, metric};
use serde::Deserialize;
use support::{CONTEXT, Recorder, number, params, spec, trial};

#[derive(Deserialize)]
struct Oracle {
    classes: Vec<Classes>,
    numbers: Vec<Numbers>,
}

#[derive(Deserialize)]
struct Classes {
    labels: Vec<usize>,
    probabilities: Vec<f32>,
    expected: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Numbers {
    targets: Vec<f64>,
    predictions: Vec<f32>,
    expected: BTreeMap<String, f64>,
}

fn compare(ours: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>) {
    assert!(ours.keys().eq(expected.keys()), "{ours:?} {expected:?}");
    for (name, value) in ours {
        let theirs = expected[name];
        assert!(
            (value - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
            "{name}: {value}, scikit-learn {theirs}"
        );
    }
}

#[test]
fn metrics_are_those_of_scikit_learn() {
    let oracle: Oracle = serde_json::from_str(include_str!("oracle/tasks.json")).unwrap();
    assert_eq!((oracle.classes.len(), oracle.numbers.len()), (4, 3));
    for case in &oracle.classes {
        compare(&metric::evaluate_classes(&case.labels, &case.probabilities), &case.expected);
    }
    for case in &oracle.numbers {
        compare(&metric::evaluate_numbers(&case.targets, &case.predictions), &case.expected);
    }
    let absent = metric::evaluate_classes(&[0, 1], &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1]);
    assert!(!absent.contains_key("auc") && absent["accuracy"] == 1.0, "a class without rows: {absent:?}");
    assert!(!metric::evaluate_numbers(&[2.0, 2.0], &[1.0, 2.0]).contains_key("r2"));
    assert!(metric::evaluate_classes(&[], &[]).is_empty() && metric::evaluate_numbers(&[], &[]).is_empty());
}

/// A table of noise. The label is the sum of the last four rows of the first feature, or the third in which
/// the sum lies.
fn table(task: Task, folder: &std::path::Path) -> DataSpec {
    let mut text = "signal,noise,label\n".to_owned();
    for row in 0..700usize {
        let sum: f32 = (row.saturating_sub(3)..=row).map(|r| number(2 * r)).sum();
        let label = match task {
            Task::Regression => format!("{}", 50.0 + 0.01 * f64::from(sum)),
            _ => u8::from(sum > -0.5).to_string().replace('1', if sum > 0.5 { "2" } else { "1" }),
        };
        writeln!(text, "{},{},{label}", number(2 * row), number(2 * row + 1)).unwrap();
    }
    let path = folder.join("rows.csv");
    std::fs::write(&path, text).unwrap();
    DataSpec {
        path,
        time: None,
        label: LabelSpec::column("label"),
        features: FeatureSpec::default(),
        split: SplitSpec { train: 0.7, validation: 0.15 },
        folds: None,
        missing: MissingPolicy::Error,
        max_gap: None,
        series: None,
    }
}

fn learned(task: Task, folder: &std::path::Path) -> (Dataset, ModelSpec) {
    let dataset = load(&table(task, folder), CONTEXT, Normalize::None, task).unwrap().dataset;
    (dataset, ModelSpec { task, epochs: 15, patience: 15, ..spec() })
}

fn fitted(objective: &PatchTstObjective<'_>, checkpoint: &Path) -> ObjectiveOutcome {
    let trial = trial(1, params(&[]));
    objective.fit_with_checkpoint(&trial, &Recorder::default(), checkpoint, false).unwrap().outcome
}

#[test]
fn classes_are_learned_and_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, model) = learned(Task::Classes, folder.path());
    assert_eq!(dataset.preparation.classes, 3);
    let objective = PatchTstObjective::new(&dataset, model).unwrap();
    let path = folder.path().join("c.safetensors");
    let outcome = fitted(&objective, &path);
    assert!(outcome.value() > 0.9, "macro AUC {}", outcome.value());
    let kept = outcome.predictions.as_ref().unwrap().outputs().unwrap();
    let windows = &dataset.validation.windows;
    assert_eq!(kept.rows, windows.iter().map(|w| w.row).collect::<Vec<_>>());
    let classes: Vec<usize> = windows.iter().map(|w| w.target as usize).collect();
    assert_eq!(kept.targets, windows.iter().map(|w| w.target).collect::<Vec<_>>());
    let again = metric::evaluate_classes(&classes, &kept.outputs);
    assert_eq!((again["auc"], again["log_loss"]), (outcome.value(), outcome.metrics["log_loss"]));
    let baselines = baselines(&dataset, Task::Classes, 1);
    let names: Vec<&str> = baselines.iter().map(|baseline| baseline.name).collect();
    assert_eq!(names, ["class_prior", "logistic_regression", "boosted_trees"]);
    assert_eq!(baselines[0].metrics["auc"], 0.5);
    // The last of the four rows that a label sums up says something, but less than all four.
    for one in &baselines {
        assert!(outcome.metrics["log_loss"] < one.metrics["log_loss"], "{}: {:?}", one.name, one.metrics);
    }
    assert!(baselines[1..].iter().all(|one| one.metrics["auc"] > 0.6), "{baselines:?}");
    assert_eq!(outcome.size, objective.model_size(&params(&[])));
    let predictions =
        Predictor::load(&path).unwrap().predict(&folder.path().join("rows.csv")).unwrap().windows;
    assert_eq!(predictions[0].scores.len(), 3);
    assert!(predictions.iter().all(|p| (p.scores.iter().sum::<f32>() - 1.0).abs() < 1e-5));
}

#[test]
fn a_weighted_loss_gives_rare_classes_their_share() {
    let folder = tempfile::tempdir().unwrap();
    let spec = table(Task::Classes, folder.path());
    // The third class becomes rare, and nothing can be learned about it.
    let text = std::fs::read_to_string(&spec.path).unwrap();
    let lines = text.lines().enumerate().map(|(row, line)| match line.rsplit_once(',') {
        Some((features, "0" | "1" | "2")) => {
            format!("{features},{}\n", if row % 10 == 3 { 2 } else { row % 2 })
        }
        _ => format!("{line}\n"),
    });
    std::fs::write(&spec.path, lines.collect::<String>()).unwrap();
    let dataset = load(&spec, CONTEXT, Normalize::None, Task::Classes).unwrap().dataset;
    let share = |loss: LossKind| {
        let model = ModelSpec { task: Task::Classes, loss, epochs: 3, ..support::spec() };
        let objective = PatchTstObjective::new(&dataset, model).unwrap();
        let outcome = fitted(&objective, &folder.path().join(format!("{loss:?}.safetensors")));
        let kept = outcome.predictions.unwrap();
        let rare: Vec<f32> = kept.outputs().unwrap().outputs.chunks_exact(3).map(|row| row[2]).collect();
        rare.iter().sum::<f32>() / rare.len() as f32
    };
    let (plain, weighted) = (share(LossKind::Bce), share(LossKind::Weighted));
    assert!((plain - 0.1).abs() < 0.05, "the rate of the class: {plain}");
    assert!((weighted - 1.0 / 3.0).abs() < 0.08, "as if classes were equally frequent: {weighted}");
}

#[test]
fn numbers_are_learned_in_their_own_units() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, model) = learned(Task::Regression, folder.path());
    let objective = PatchTstObjective::new(&dataset, model).unwrap();
    let path = folder.path().join("c.safetensors");
    let outcome = fitted(&objective, &path);
    assert!(outcome.value() > 0.8, "R2 {}", outcome.value());
    assert!((outcome.metrics["pred_mean"] - 50.0).abs() < 0.01, "{:?}", outcome.metrics);
    let kept = outcome.predictions.as_ref().unwrap().outputs().unwrap();
    let targets: Vec<f64> = dataset.validation.windows.iter().map(|w| f64::from(w.target)).collect();
    for (kept, target) in kept.targets.iter().zip(&targets) {
        assert!((f64::from(*kept) - target).abs() < 1e-5, "{kept} and {target}");
    }
    assert!((metric::evaluate_numbers(&targets, &kept.outputs)["r2"] - outcome.value()).abs() < 1e-6);
    let baselines = baselines(&dataset, Task::Regression, 1);
    let names: Vec<&str> = baselines.iter().map(|baseline| baseline.name).collect();
    assert_eq!(names, ["mean", "ridge_regression", "boosted_trees", "last_value", "seasonal_last_value"]);
    assert!(outcome.metrics["mse"] < 0.3 * baselines[0].metrics["mse"] && baselines[0].metrics["r2"] <= 0.0);
    // The last row is a quarter of a label's variance, and three quarters of it are in the label before.
    for (place, share) in [(1, 0.25), (2, 0.25), (3, 0.5)] {
        let r2 = baselines[place].metrics["r2"];
        assert!((r2 - share).abs() < 0.15, "{}: {r2}", names[place]);
    }
    assert!(baselines[4].metrics["r2"] < 0.0, "there is no season: {:?}", baselines[4]);
    let predictions =
        Predictor::load(&path).unwrap().predict(&folder.path().join("rows.csv")).unwrap().windows;
    assert!(predictions.iter().all(|p| (49.9..50.1).contains(&p.scores[0])));
}

#[test]
fn labels_that_do_not_fit_the_task_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = table(Task::Regression, folder.path());
    let error = load(&numbers, CONTEXT, Normalize::None, Task::Classes).unwrap_err().to_string();
    assert!(error.contains("line 2: label `label` is `50.0"), "{error}");
    assert!(error.ends_with("it must be a whole number from 0 to 999"), "{error}");
    let rise = LabelSpec::Rise { rise: 0.1, of: "signal".into(), over: "noise".into(), horizon: 1 };
    let threshold = DataSpec { label: rise, ..numbers };
    let error = load(&threshold, CONTEXT, Normalize::None, Task::Regression).unwrap_err().to_string();
    assert!(error.contains("a threshold label is 0 or 1"), "{error}");
    std::fs::write(&threshold.path, "signal,noise,label\n".to_owned() + &"1,2,0\n2,1,2\n".repeat(60))
        .unwrap();
    let skipping = DataSpec { label: LabelSpec::column("label"), ..threshold };
    let error = load(&skipping, CONTEXT, Normalize::None, Task::Classes).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "class 1 of 3 of label `label` has no window in the training part; it occurs in no row"
        ),
        "{error}"
    );
}
