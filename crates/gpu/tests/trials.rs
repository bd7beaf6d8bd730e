//! Tests of whole trials on a device: trained together as alone, and resumed from a checkpoint of the CPU or
//! the other way round.

#![cfg(feature = "wgpu")]

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use allometry_core::{
    EpochReport, ObjectiveError, Params, Reporter, Signal, SizeBudget, TrialNumber, TrialSpec,
};
use allometry_ladder::{ModelSpec, Normalize, Schedule};
use allometry_trainer::data::{Dataset, Preparation, SplitPart, Window};
use allometry_trainer::{PatchTstObjective, TrainError};
use support::{CONTEXT, FEATURES, number, wgpu};

/// Windows are positive if the sum of the first feature over the last four rows is positive.
fn dataset() -> Dataset {
    let rows = 160;
    let values: Vec<f32> = (0..FEATURES * rows).map(number).collect();
    let windows: Vec<Window> = (CONTEXT - 1..rows)
        .map(|last| {
            let sum: f32 = (last - 3..=last).map(|row| values[FEATURES * row]).sum();
            Window { last, row: last as u64, target: f32::from(u8::from(sum > 0.0)) }
        })
        .collect();
    let part = |windows: &[Window]| SplitPart { windows: windows.to_vec() };
    Dataset {
        panel: None,
        feature_names: vec!["signal".into(), "noise".into(), "more noise".into()],
        train: part(&windows[..80]),
        validation: part(&windows[92..130]),
        test: part(&windows[142..]),
        values,
        context: CONTEXT,
        targets: Vec::new(),
        preparation: Preparation::default(),
    }
}

fn spec() -> ModelSpec {
    ModelSpec {
        normalize: Normalize::None,
        epochs: 6,
        batch_size: Some(32),
        schedule: Schedule::Cosine,
        warmup_epochs: 0.5,
        average_epochs: 2,
        accumulate: 2,
        ..ModelSpec::new(CONTEXT, 4, 4)
    }
}

fn trial(seed: u64, learning_rate: f64, dropout: f64) -> TrialSpec {
    let mut params: Params = [("d_model", 16i64), ("n_layers", 1), ("n_heads", 2)].into_iter().collect();
    params.insert("learning_rate", learning_rate);
    params.insert("dropout", dropout);
    params.insert("weight_decay", 0.01);
    let budget = SizeBudget::nominal("tiny");
    TrialSpec {
        study: allometry_core::StudyIdentity::default(),
        budget,
        number: TrialNumber(0),
        first_attempt: TrialNumber(0),
        params,
        seed,
    }
}

#[derive(Default)]
struct Recorder {
    epochs: Mutex<Vec<EpochReport>>,
    polls: AtomicUsize,
    /// Number of polls after which it interrupts the trial.
    patience: Option<usize>,
    prune_at: Option<i64>,
}

impl Reporter for Recorder {
    fn report(&self, epoch: &EpochReport) -> Signal {
        self.epochs.lock().unwrap().push(epoch.clone());
        if self.prune_at == Some(epoch.step) { Signal::Prune } else { Signal::Continue }
    }

    fn interrupted(&self) -> bool {
        let polls = self.polls.fetch_add(1, Ordering::Relaxed);
        self.patience.is_some_and(|patience| polls >= patience)
    }
}

/// Training and validation losses by epoch.
type Losses = Vec<[f64; 2]>;

impl Recorder {
    fn losses(self) -> Losses {
        let loss = |epoch: &EpochReport| ["train_loss", "validation_loss"].map(|name| epoch.metrics[name]);
        self.epochs.into_inner().unwrap().iter().map(loss).collect()
    }
}

fn assert_alike(what: &str, ours: &Losses, theirs: &Losses) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (epoch, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-4 * theirs, "{what}, epoch {epoch}: {ours} and {theirs}");
        }
    }
}

#[test]
fn trials_trained_together_match_trials_trained_alone() {
    let Some(device) = wgpu("trials_trained_together_match_trials_trained_alone") else { return };
    let dataset = dataset();
    let trials: Vec<TrialSpec> =
        [(1, 3e-3, 0.0), (2, 1e-3, 0.2), (3, 5e-3, 0.4)].map(|(s, rate, drop)| trial(s, rate, drop)).into();
    let objective = PatchTstObjective::new(&dataset, spec()).unwrap().on(Arc::clone(&device));
    let cpu = PatchTstObjective::new(&dataset, spec()).unwrap();
    let run = |objective: &PatchTstObjective<'_>, place: usize| {
        // One trial ends before the others.
        let recorder = Recorder { prune_at: (place == 1).then_some(2), ..Recorder::default() };
        let ended = objective.fit(&trials[place], &recorder);
        assert_eq!(ended.is_err(), place == 1);
        recorder.losses()
    };
    let together: Vec<Losses> = std::thread::scope(|scope| {
        let (run, objective) = (&run, &objective);
        let threads: Vec<_> = (0..3).map(|place| scope.spawn(move || run(objective, place))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (place, together) in together.iter().enumerate() {
        assert_alike("together and alone", together, &run(&objective, place));
        assert_alike("on the device and on the CPU", together, &run(&cpu, place));
    }
}

#[test]
fn each_device_resumes_the_checkpoint_of_the_other() {
    let Some(device) = wgpu("each_device_resumes_the_checkpoint_of_the_other") else { return };
    let dataset = dataset();
    let cpu = PatchTstObjective::new(&dataset, spec()).unwrap();
    let ours = PatchTstObjective::new(&dataset, spec()).unwrap().on(device);
    let trial = trial(4, 3e-3, 0.2);
    let folder = tempfile::tempdir().unwrap();
    let fit = |objective: &PatchTstObjective<'_>, path: &Path, patience: Option<usize>| {
        let recorder = Recorder { patience, ..Recorder::default() };
        let ended = objective.fit_with_checkpoint(&trial, &recorder, path, false);
        match (&ended, patience) {
            (Ok(_), None) | (Err(TrainError::Objective(ObjectiveError::Interrupted)), Some(_)) => {}
            _ => panic!("{ended:?}"),
        }
        recorder.losses()
    };
    let whole = fit(&cpu, &folder.path().join("whole.safetensors"), None);
    for (name, first, second) in [("begun on the CPU", &cpu, &ours), ("begun on the device", &ours, &cpu)] {
        let path = folder.path().join(format!("{name}.safetensors"));
        // In the middle of the third epoch of two steps each.
        fit(first, &path, Some(5));
        assert_alike(name, &fit(second, &path, None), &whole);
        // Either can read the checkpoint of a trial that has ended.
        for objective in [&cpu, &ours] {
            let fitted = objective.fit_with_checkpoint(&trial, &Recorder::default(), &path, false).unwrap();
            assert_eq!(fitted.outcome.predictions.unwrap().scores().unwrap().rows.len(), 38);
        }
    }
}
