//! Tests of trials whose predictions become constant.

mod support;

use allometry_core::{CollapsedTo, Objective as _, ObjectiveError};
use allometry_ladder::{ModelSpec, Task};
use allometry_trainer::PatchTstObjective;
use allometry_trainer::data::Dataset;
use support::{Recorder, params, series, spec, trial};

/// Settings with which weights decay to nothing, so that all predictions become equal, soon about one half.
fn decaying(collapse_epochs: usize) -> ModelSpec {
    ModelSpec { collapse_epochs, epochs: 12, patience: 12, ..spec() }
}

fn train(dataset: &Dataset, model: ModelSpec, recorder: &Recorder) -> Result<f64, ObjectiveError> {
    let params = params(&[("weight_decay", 300.0), ("learning_rate", 3e-3)]);
    let outcome = PatchTstObjective::new(dataset, model).unwrap().evaluate(&trial(1, params), recorder);
    outcome.map(|outcome| outcome.value())
}

fn constant(recorder: Recorder) -> Vec<bool> {
    recorder.epochs.into_inner().unwrap().iter().map(|e| e.metrics["constant"] == 1.0).collect()
}

#[test]
fn a_trial_ends_after_so_many_constant_epochs_in_a_row() {
    let dataset = series(400);
    let free = Recorder::default();
    train(&dataset, decaying(0), &free).unwrap();
    let free = constant(free);
    assert_eq!(free.len(), 12, "0 is never");
    let first = free.iter().position(|c| *c).expect("its weights decay");
    assert!(free[first..].iter().all(|c| *c) && first + 3 < 12, "{free:?}");

    let stopped = Recorder::default();
    let ended = train(&dataset, decaying(3), &stopped).unwrap_err();
    assert!(matches!(ended, ObjectiveError::Collapsed(CollapsedTo::Prior)), "{ended}");
    assert_eq!(ended.to_string(), "predictions were constant at the prior");
    assert_eq!(constant(stopped), free[..first + 3]);

    let pruned = Recorder { prune_at: Some(first as i64 + 3), ..Recorder::default() };
    assert!(
        matches!(train(&dataset, decaying(3), &pruned), Err(ObjectiveError::Pruned(_))),
        "the pruner is first"
    );
}

#[test]
fn a_collapse_away_from_the_prior_is_distinguished() {
    let mut dataset = series(400);
    for window in &mut dataset.train.windows {
        // The validation part keeps its classes; the model forgets what little it learns of these.
        window.target = f32::from(u8::from(window.last % 20 == 0));
    }
    let ended = train(&dataset, decaying(3), &Recorder::default()).unwrap_err();
    assert!(matches!(ended, ObjectiveError::Collapsed(CollapsedTo::Elsewhere)), "{ended}");
}

#[test]
fn other_tasks_collapse_too() {
    let mut dataset = series(400);
    for part in [&mut dataset.train, &mut dataset.validation] {
        for window in &mut part.windows {
            window.target = (window.last % 3) as f32;
        }
    }
    dataset.preparation.classes = 3;
    let classes = ModelSpec { task: Task::Classes, ..decaying(2) };
    let ended = train(&dataset, classes, &Recorder::default()).unwrap_err();
    assert!(matches!(ended, ObjectiveError::Collapsed(CollapsedTo::Prior)), "{ended}");

    dataset.preparation.classes = 0;
    dataset.preparation.target = Some((1.0, 0.8));
    let numbers = ModelSpec { task: Task::Regression, ..decaying(2) };
    let ended = train(&dataset, numbers, &Recorder::default()).unwrap_err();
    assert!(matches!(ended, ObjectiveError::Collapsed(CollapsedTo::Prior)), "{ended}");
}

#[test]
fn a_learning_model_is_not_stopped() {
    let dataset = series(400);
    let objective = PatchTstObjective::new(&dataset, decaying(2)).unwrap();
    let recorder = Recorder::default();
    objective.evaluate(&trial(1, params(&[])), &recorder).unwrap();
    assert!(constant(recorder).iter().all(|c| !c));
}
