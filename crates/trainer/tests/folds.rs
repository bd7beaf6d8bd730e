//! Tests of trials over walk-forward folds.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use allometry_core::rng::stream_seed;
use allometry_core::{Objective as _, ObjectiveError, ObjectiveOutcome, TrialSpec};
use allometry_ladder::ModelSpec;
use allometry_trainer::data::{Dataset, SplitPart};
use allometry_trainer::{FoldsObjective, PatchTstObjective};
use support::{Recorder, bits, params, series, spec, trial};

/// Three folds of one table, each with a longer training part and a later era.
fn folds() -> Vec<Dataset> {
    let table = series(420);
    let all: Vec<_> = [&table.train, &table.validation, &table.test]
        .into_iter()
        .flat_map(|part| &part.windows)
        .copied()
        .collect();
    let part = |rows: std::ops::Range<usize>| SplitPart {
        windows: all.iter().filter(|window| rows.contains(&window.last)).copied().collect(),
    };
    let fold = |era: usize| Dataset {
        train: part(0..era - 80),
        validation: part(era - 65..era - 15),
        test: part(era..era + 35),
        ..table.clone()
    };
    [200, 220, 235].into_iter().map(fold).collect()
}

fn objective<'d>(folds: &'d [Dataset], spec: &ModelSpec) -> FoldsObjective<'d> {
    FoldsObjective::new(folds.iter().map(|fold| PatchTstObjective::new(fold, spec.clone()).unwrap()))
}

fn evaluate(folds: &[Dataset], trial: &TrialSpec, reporter: &Recorder) -> ObjectiveOutcome {
    objective(folds, &spec()).evaluate(trial, reporter).unwrap()
}

#[test]
fn the_value_is_the_mean_over_the_folds_of_trainings_of_their_own() {
    let (folds, whole, recorder) = (folds(), trial(4, params(&[])), Recorder::default());
    let outcome = evaluate(&folds, &whole, &recorder);
    let reported = recorder.epochs.into_inner().unwrap();
    assert_eq!(reported.iter().map(|report| report.step).collect::<Vec<_>>(), [1, 2, 3], "folds are steps");

    let (mut values, mut scores, mut rows, mut tokens) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (number, fold) in folds.iter().enumerate() {
        let own = TrialSpec { seed: stream_seed(whole.seed, "fold", number as u64), ..whole.clone() };
        let recorder = Recorder::default();
        let fitted = PatchTstObjective::new(fold, spec()).unwrap().fit(&own, &recorder).unwrap();
        let era = fitted.score(fold, &fold.test).unwrap();
        // The epoch is the best one of the slice, whatever the era says.
        let epochs = recorder.epochs.into_inner().unwrap();
        let best = epochs.iter().map(|epoch| epoch.value).fold(0.0, f64::max);
        assert_eq!(fitted.outcome.value(), best);
        let positive = |place: &usize| era.labels[*place];
        let (above, below): (Vec<usize>, Vec<usize>) = (0..era.labels.len()).partition(positive);
        let wins: f64 = above
            .iter()
            .flat_map(|a| below.iter().map(move |b| (*a, *b)))
            .map(|(a, b)| match era.scores[a].total_cmp(&era.scores[b]) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })
            .sum();
        let auc = wins / (above.len() * below.len()) as f64;
        assert!((reported[number].value - auc).abs() < 1e-12);
        assert_eq!(reported[number].metrics["auc"], reported[number].value);
        values.push(reported[number].value);
        rows.extend(era.rows);
        scores.extend(era.scores.into_iter().map(f32::to_bits));
        tokens += fitted.outcome.cost.tokens.unwrap();
    }
    assert_eq!(outcome.value(), values.iter().sum::<f64>() / 3.0);
    assert_eq!(bits(&outcome), scores, "predictions of all eras, in their order");
    assert_eq!(outcome.predictions.as_ref().unwrap().scores().unwrap().rows, rows);
    assert!((outcome.metrics["auc"] - outcome.value()).abs() < 1e-12);
    let losses = reported.iter().map(|report| report.metrics["log_loss"]).sum::<f64>() / 3.0;
    assert!((outcome.metrics["log_loss"] - losses).abs() < 1e-12);
    assert_eq!((outcome.cost.tokens, outcome.best_step), (Some(tokens), None));
}

/// Returns all files in a folder and the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What a trial leaves behind when it is interrupted anywhere, in any number of attempts, does not change it.
#[test]
fn an_interrupted_trial_goes_on_to_the_same_bytes() {
    let (folds, whole) = (folds(), trial(7, params(&[("dropout", 0.2)])));
    let recorder = Recorder::default();
    let expected = evaluate(&folds, &whole, &recorder);
    let curve = |recorder: Recorder| -> Vec<(i64, u64)> {
        let reports = recorder.epochs.into_inner().unwrap();
        reports.into_iter().map(|report| (report.step, report.value.to_bits())).collect()
    };
    let expected_curve = curve(recorder);
    for polls in [4, 23, 61] {
        let folder = tempfile::tempdir().unwrap();
        let kept = objective(&folds, &spec()).with_checkpoints(folder.path());
        let mut attempts = 0;
        let (resumed, last) = loop {
            attempts += 1;
            assert!(attempts < 200, "each attempt goes on");
            let reporter = Recorder { interrupt_after_polls: Some(polls), ..Recorder::default() };
            match kept.evaluate(&whole, &reporter) {
                Err(ObjectiveError::Interrupted) => {}
                ended => break (ended.unwrap(), reporter),
            }
        };
        assert!(attempts > 1, "it was interrupted");
        assert_eq!(bits(&resumed), bits(&expected));
        assert_eq!(resumed.value().to_bits(), expected.value().to_bits());
        assert_eq!(resumed.metrics, expected.metrics);
        assert_eq!(resumed.cost, expected.cost);
        assert_eq!(curve(last), expected_curve, "the folds before the interruption are told again");
        assert_eq!(files(folder.path()), Vec::<PathBuf>::new(), "no file is left");
    }
}

#[test]
fn finished_folds_of_another_trial_or_a_damaged_file_are_not_taken() {
    let (folds, folder) = (folds(), tempfile::tempdir().unwrap());
    let kept = objective(&folds, &spec()).with_checkpoints(folder.path());
    let interrupt = || Recorder { interrupt_after_polls: Some(60), ..Recorder::default() };
    let whole = trial(7, params(&[]));
    assert!(matches!(kept.evaluate(&whole, &interrupt()), Err(ObjectiveError::Interrupted)));
    let is_of_folds = |path: &PathBuf| path.to_string_lossy().ends_with(".folds.json");
    let file = files(folder.path()).into_iter().find(is_of_folds).expect("a fold is finished");
    let written = fs::read(&file).unwrap();
    let other = trial(7, params(&[("learning_rate", 1e-3)]));
    let expected = evaluate(&folds, &other, &Recorder::default());
    assert_eq!(bits(&kept.evaluate(&other, &Recorder::default()).unwrap()), bits(&expected));
    let expected = evaluate(&folds, &whole, &Recorder::default());
    for damaged in [&written[..written.len() / 2], b"[{}]", b""] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, damaged).unwrap();
        assert_eq!(bits(&kept.evaluate(&whole, &Recorder::default()).unwrap()), bits(&expected));
    }
}

#[test]
fn a_pruned_trial_has_the_folds_so_far_and_a_failed_one_names_its_fold() {
    let folds = folds();
    let pruner = Recorder { prune_at: Some(2), ..Recorder::default() };
    let Err(ObjectiveError::Pruned(pruned)) =
        objective(&folds, &spec()).evaluate(&trial(4, params(&[])), &pruner)
    else {
        panic!("it is pruned");
    };
    let reported = pruner.epochs.into_inner().unwrap();
    assert_eq!(reported.len(), 2);
    let mean = f64::midpoint(reported[0].metrics["log_loss"], reported[1].metrics["log_loss"]);
    assert!((pruned.metrics["log_loss"] - mean).abs() < 1e-12);
    let diverges = trial(4, params(&[("learning_rate", 1e30)]));
    let Err(ObjectiveError::Failed(failure)) =
        objective(&folds, &spec()).evaluate(&diverges, &Recorder::default())
    else {
        panic!("it fails");
    };
    assert!(failure.reason.starts_with("fold 1: diverged"), "{}", failure.reason);
}

#[test]
fn the_cost_of_a_trial_is_that_of_all_folds() {
    let folds = folds();
    let one = |fold: &Dataset| {
        PatchTstObjective::new(fold, spec()).unwrap().cost(&params(&[]), None).unwrap().flops_per_epoch
    };
    let all = objective(&folds, &spec()).cost(&params(&[]), None).unwrap();
    assert_eq!(all.flops_per_epoch, folds.iter().map(one).sum::<u64>());
}
