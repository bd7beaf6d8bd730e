//! Tests of settings that trials choose for themselves.

mod support;

use allometry_core::{Objective, ObjectiveError, ObjectiveOutcome, ParamValue, Params};
use allometry_ladder::{LossKind, ModelSpec, Normalize};
use allometry_trainer::data::Dataset;
use allometry_trainer::{Geometry, PatchTstObjective};
use support::{CONTEXT, Recorder, bits, params, series, spec, trial};

/// A parameter with its value, and the ladder that fixes the setting to it.
type Own = (&'static str, ParamValue, fn(ModelSpec) -> ModelSpec);

fn own() -> Vec<Own> {
    vec![
        ("batch_size", 16i64.into(), |spec| ModelSpec { batch_size: Some(16), ..spec }),
        ("epochs", 5i64.into(), |spec| ModelSpec { epochs: 5, ..spec }),
        ("warmup_epochs", 1.5.into(), |spec| ModelSpec { warmup_epochs: 1.5, ..spec }),
        ("loss", "focal".into(), |spec| ModelSpec { loss: LossKind::Focal, ..spec }),
        ("loss", "weighted".into(), |spec| ModelSpec { loss: LossKind::Weighted, ..spec }),
        ("normalize", "revin".into(), |spec| ModelSpec { normalize: Normalize::Revin, ..spec }),
        ("context", 8i64.into(), |spec| ModelSpec { context: 8, ..spec }),
        ("patch", 6i64.into(), |spec| ModelSpec { patch: 6, ..spec }),
        ("stride", 2i64.into(), |spec| ModelSpec { stride: 2, ..spec }),
    ]
}

fn with(name: &str, value: &ParamValue) -> Params {
    let mut all = params(&[]);
    all.insert(name, value.clone());
    all
}

fn run(dataset: &Dataset, spec: ModelSpec, params: Params) -> ObjectiveOutcome {
    let objective = PatchTstObjective::new(dataset, spec).unwrap();
    objective.evaluate(&trial(4, params), &Recorder::default()).unwrap()
}

#[test]
fn a_trial_with_its_own_setting_is_one_of_a_ladder_that_fixes_it() {
    let dataset = series(300);
    let usual = run(&dataset, spec(), params(&[]));
    for (name, value, fix) in own() {
        let searched = run(&dataset, spec(), with(name, &value));
        let fixed = run(&dataset, fix(spec()), params(&[]));
        assert_eq!(bits(&searched), bits(&fixed), "{name}");
        assert_ne!(bits(&searched), bits(&usual), "{name} changes the training");
        assert_eq!(
            (searched.metrics, searched.size, searched.cost),
            (fixed.metrics, fixed.size, fixed.cost),
            "{name}"
        );
    }
}

#[test]
fn costs_are_those_of_the_trials_own_settings() {
    let dataset = series(300);
    let searched = PatchTstObjective::new(&dataset, spec()).unwrap();
    for (name, value, fix) in own() {
        let fixed = PatchTstObjective::new(&dataset, fix(spec())).unwrap();
        let all = with(name, &value);
        assert_eq!(searched.cost(&all, None).unwrap(), fixed.cost(&params(&[]), None).unwrap(), "{name}");
        assert_eq!(searched.model_size(&all), fixed.model_size(&params(&[])), "{name}");
    }
    let memory = |size: f64| searched.cost(&params(&[("batch_size", size)]), None).unwrap().memory_bytes;
    assert!(memory(64.0) > memory(8.0));
}

/// With `standard` values are scaled when they are loaded, so that other trials need them as they were.
#[test]
fn each_trial_has_the_values_that_it_asks_for() {
    let unscaled = series(300);
    let mut scaled = unscaled.clone();
    for value in &mut scaled.values {
        *value = (*value - 0.01) / 0.5;
    }
    scaled.preparation.scaling = Some(vec![(0.01, 0.5); 2]);
    let objective = PatchTstObjective::new(&scaled, spec()).unwrap().with_unscaled(&unscaled);
    let folder = tempfile::tempdir().unwrap();
    for (word, dataset) in [("standard", &scaled), ("none", &unscaled), ("revin", &unscaled)] {
        let normalize = serde_json::from_value(word.into()).unwrap();
        let trial = trial(4, with("normalize", &word.into()));
        let path = folder.path().join(word);
        let own = objective.fit_with_checkpoint(&trial, &Recorder::default(), &path, false).unwrap();
        let alone = run(dataset, ModelSpec { normalize, ..spec() }, params(&[]));
        assert_eq!(bits(&own.outcome), bits(&alone), "{word}");
        let checkpoint = allometry_trainer::checkpoint::Checkpoint::load(&path).unwrap();
        assert_eq!(checkpoint.description.model.normalize, normalize);
        assert_eq!(checkpoint.description.data.preparation.scaling.is_some(), word == "standard");
    }
}

#[test]
fn values_that_no_setting_has_fail_the_trial_by_name() {
    let dataset = series(300);
    for (name, value, reason) in [
        (
            "batch_size",
            ParamValue::Int(0),
            "parameter `batch_size` is 0, but must be a whole number of at least 1",
        ),
        ("epochs", 2.5.into(), "parameter `epochs` is 2.5, but must be a whole number of at least 1"),
        (
            "warmup_epochs",
            (-1.0).into(),
            "parameter `warmup_epochs` is -1.0, but must be a number of at least 0",
        ),
        ("loss", "hinge".into(), "parameter `loss` is 'hinge', but must be bce, weighted, focal or soft_auc"),
        ("normalize", 1i64.into(), "parameter `normalize` is 1, but must be standard, revin or none"),
    ] {
        let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
        match objective.evaluate(&trial(4, with(name, &value)), &Recorder::default()) {
            Err(ObjectiveError::Failed(failure)) => assert_eq!(failure.reason, reason),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// A shorter context is the last rows of each window, so that the rows of a trial do not depend on it.
#[test]
fn trials_of_every_context_are_trained_and_scored_on_the_same_rows() {
    let dataset = series(300);
    let of = |context: i64| run(&dataset, spec(), with("context", &context.into()));
    let rows = |outcome: &ObjectiveOutcome| {
        let scores = outcome.predictions.as_ref().unwrap().scores().unwrap();
        (scores.rows.clone(), scores.labels.clone(), outcome.cost.train_rows)
    };
    let (longest, shorter) = (of(CONTEXT as i64), of(8));
    assert_eq!(rows(&longest), rows(&shorter));
    assert_ne!(bits(&longest), bits(&shorter));
    // The same windows' ends, cut for the shorter context alone.
    let cut = Dataset { context: 8, ..dataset.clone() };
    let alone = run(&cut, ModelSpec { context: 8, ..spec() }, params(&[]));
    assert_eq!(bits(&shorter), bits(&alone));
    assert!(shorter.size.unwrap().total < longest.size.unwrap().total, "it has a patch less");
}

/// An interrupted training goes on with the trial's own settings, to the bytes of an uninterrupted one.
#[test]
fn a_trial_with_its_own_settings_is_resumed() {
    let dataset = series(300);
    let mut all = with("context", &8i64.into());
    for (name, value) in [("batch_size", 16), ("epochs", 6), ("patch", 3), ("stride", 2)] {
        all.insert(name, value);
    }
    all.insert("loss", "weighted");
    all.insert("normalize", "revin");
    let trial = trial(4, all);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    objective.fit_with_checkpoint(&trial, &Recorder::default(), &whole, false).unwrap();
    let interrupting = Recorder { interrupt_after_polls: Some(25), ..Recorder::default() };
    objective.fit_with_checkpoint(&trial, &interrupting, &parts, false).unwrap_err();
    assert!(!interrupting.epochs.into_inner().unwrap().is_empty(), "in the middle of it");
    objective.fit_with_checkpoint(&trial, &Recorder::default(), &parts, false).unwrap();
    let [whole, parts] = [whole, parts].map(|path| std::fs::read(path).unwrap());
    assert!(whole == parts, "the same bytes");
}

#[test]
fn windows_that_the_rows_do_not_admit_fail_the_trial_by_name() {
    let dataset = series(300);
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap();
    for (name, value, reason) in [
        ("context", 13, "a window of 13 rows is longer than those of the ladder, which have 12"),
        ("context", 3, "patches of 4 rows every 4 do not fit into a window of 3 rows"),
        ("patch", 13, "patches of 13 rows every 4 do not fit into a window of 12 rows"),
        ("stride", 0, "parameter `stride` is 0, but must be a whole number of at least 1"),
    ] {
        match objective.evaluate(&trial(4, with(name, &ParamValue::Int(value))), &Recorder::default()) {
            Err(ObjectiveError::Failed(failure)) => assert_eq!(failure.reason, reason),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn rows_that_no_patch_contains_are_counted() {
    for (context, patch, stride, unseen) in [
        (80, 16, 8, [0, 0]),
        (80, 16, 9, [1, 0]),
        (12, 4, 5, [3, 1]),
        (12, 2, 5, [0, 6]),
        (12, 12, 7, [0, 0]),
    ] {
        let geometry = Geometry::new(1, 0, &ModelSpec::new(context, patch, stride)).unwrap();
        let mut seen = vec![false; context];
        for start in (0..geometry.patches()).map(|place| place * stride) {
            seen[start..start + patch].fill(true);
        }
        let newest = seen.iter().rev().take_while(|seen| !**seen).count();
        let between = seen.iter().filter(|seen| !**seen).count() - newest;
        assert_eq!([newest, between], unseen);
        assert_eq!(geometry.unseen(), unseen, "{context} {patch} {stride}");
    }
}
