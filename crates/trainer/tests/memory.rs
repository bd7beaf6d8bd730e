//! Tests of the memory prediction. Each trial is measured in a process of its own, because the peak of a
//! process never falls.

mod support;

use allometry_core::{ObjectiveError, Params, Precision};
use allometry_ladder::{Channels, LossKind, ModelSpec, Normalize, Pooling, Task};
use allometry_trainer::checkpoint::Checkpoint;
use allometry_trainer::data::{Dataset, Preparation, SplitPart, Window};
use allometry_trainer::{PatchTstObjective, TrainError};
use support::{Recorder, number, params, spec, trial};

const CASE: &str = "ALLOMETRY_MEMORY_CASE";
/// A model whose best epoch's weights lie on the disk.
const LARGE: &str = "a large model with a checkpoint";
const FEATURES: usize = 24;
const CONTEXT: usize = 48;

/// Returns the peak resident memory of this process in bytes, or `None` if the system does not report it.
fn peak() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}

/// Two batches for training and one for validation, which is enough for the peak.
fn dataset(task: Task, batch: usize) -> Dataset {
    let rows = 1200;
    let target = |row: usize| match task {
        Task::Binary => (row % 2) as f32,
        Task::Classes => (row % 3) as f32,
        Task::Regression => number(row),
    };
    let part = |range: std::ops::Range<usize>| SplitPart {
        windows: range.map(|last| Window { last, row: last as u64, target: target(last) }).collect(),
    };
    Dataset {
        panel: None,
        feature_names: (0..FEATURES).map(|f| format!("f{f}")).collect(),
        values: (0..rows * FEATURES).map(number).collect(),
        context: CONTEXT,
        targets: Vec::new(),
        train: part(CONTEXT..CONTEXT + 2 * batch),
        validation: part(750..750 + batch),
        test: part(1150..rows),
        preparation: Preparation {
            class_names: Vec::new(),
            classes: if task == Task::Classes { 3 } else { 0 },
            target: (task == Task::Regression).then_some((0.0, 0.6)),
            ..Preparation::default()
        },
    }
}

fn base() -> ModelSpec {
    ModelSpec {
        epochs: 1,
        patience: 1,
        warmup_epochs: 0.0,
        ..ModelSpec { context: CONTEXT, patch: 8, stride: 4, ..spec() }
    }
}

fn shape(d_model: u32, n_layers: u32, n_heads: u32, d_ff_ratio: u32) -> Params {
    let all =
        [("d_model", d_model), ("n_layers", n_layers), ("n_heads", n_heads), ("d_ff_ratio", d_ff_ratio)];
    params(&all.map(|(name, value)| (name, f64::from(value))))
}

/// Models dominated by activations and models dominated by weights, with every option that has buffers of
/// its own.
fn cases() -> Vec<(&'static str, ModelSpec, Params)> {
    let batch = |windows| ModelSpec { batch_size: Some(windows), ..base() };
    vec![
        ("large batches", batch(300), shape(96, 3, 8, 4)),
        ("small batches of a large model", batch(8), shape(384, 4, 8, 4)),
        ("many narrow layers", batch(128), shape(64, 12, 4, 1)),
        ("one wide layer", batch(64), shape(512, 1, 16, 8)),
        ("batches by size", ModelSpec { batch_size: None, ..base() }, shape(256, 4, 4, 4)),
        (
            "accumulated and averaged",
            ModelSpec { accumulate: 2, average_epochs: 3, epochs: 4, patience: 4, ..batch(16) },
            shape(256, 3, 8, 4),
        ),
        (
            "whole windows as patches",
            ModelSpec { patch: CONTEXT, stride: CONTEXT, ..batch(256) },
            shape(256, 3, 4, 4),
        ),
        ("overlapping patches", ModelSpec { patch: 16, stride: 1, ..batch(64) }, shape(64, 3, 4, 4)),
        ("several classes", ModelSpec { task: Task::Classes, ..batch(256) }, shape(96, 3, 4, 4)),
        ("numbers", ModelSpec { task: Task::Regression, ..batch(256) }, shape(96, 3, 4, 4)),
        (
            "mean of patches with dropout",
            ModelSpec { head: Pooling::Mean, head_dropout: 0.2, ..batch(256) },
            shape(96, 3, 4, 4),
        ),
        (
            "affine RevIN and embedded features",
            ModelSpec {
                normalize: Normalize::Revin,
                revin_affine: true,
                feature_embedding: 48,
                ..batch(256)
            },
            shape(96, 2, 4, 4),
        ),
        (
            "independent channels",
            ModelSpec { channels: Channels::Independent, ..batch(24) },
            shape(64, 2, 4, 4),
        ),
        ("soft AUC", ModelSpec { loss: LossKind::SoftAuc, ..batch(300) }, shape(96, 3, 4, 4)),
        ("bf16", ModelSpec { precision: Precision::Bf16, ..batch(128) }, shape(96, 3, 8, 4)),
        ("small batches in bf16", ModelSpec { precision: Precision::Bf16, ..batch(8) }, shape(384, 4, 8, 4)),
        (LARGE, ModelSpec { epochs: 2, patience: 2, ..batch(2) }, shape(1024, 2, 16, 4)),
    ]
}

/// Child process of `memory_is_predicted_within_a_tenth`.
#[test]
fn measured_alone() {
    let Some(case) = std::env::var(CASE).ok().and_then(|case| case.parse::<usize>().ok()) else { return };
    let (name, model, params) = cases().swap_remove(case);
    let dataset = dataset(model.task, model.batch_size.unwrap_or(64));
    // Load the code and the buffers of matrix products before measuring.
    let small =
        PatchTstObjective::new(&dataset, ModelSpec { epochs: 1, batch_size: Some(16), ..base() }).unwrap();
    match small.fit(&trial(1, shape(32, 1, 2, 4)), &Recorder::default()) {
        Ok(_) | Err(ObjectiveError::Failed(_)) => {}
        Err(error) => panic!("{error}"),
    }
    let before = peak().unwrap();
    let objective = PatchTstObjective::new(&dataset, model).unwrap();
    let predicted = objective.cost(&params, None).unwrap().memory_bytes;
    if name == LARGE {
        // It is interrupted after an epoch, saved, read and trained to its end.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.safetensors");
        let run = |reporter: &Recorder| {
            objective.fit_with_checkpoint(&trial(1, params.clone()), reporter, &path, false)
        };
        let interrupted = run(&Recorder { interrupt_after_polls: Some(3), ..Recorder::default() });
        assert!(matches!(interrupted, Err(TrainError::Objective(ObjectiveError::Interrupted))));
        assert!(Checkpoint::load(&path).unwrap().description.best.is_some());
        run(&Recorder::default()).unwrap();
    } else {
        objective.fit(&trial(1, params), &Recorder::default()).unwrap();
    }
    println!("measured {predicted} {}", peak().unwrap() - before);
}

#[test]
fn memory_is_predicted_within_a_tenth() {
    if peak().is_none() {
        allometry_testkit::skip("memory_is_predicted_within_a_tenth", "there is no /proc/self/status");
        return;
    }
    let mut wrong = Vec::new();
    for (number, (name, ..)) in cases().into_iter().enumerate() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "measured_alone", "--nocapture"])
            .env(CASE, number.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let figures = text.lines().find_map(|line| line.split_once("measured ")).map(|(_, figures)| figures);
        let figures =
            figures.unwrap_or_else(|| panic!("{name}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        let (predicted, taken) = figures.split_once(' ').unwrap();
        let (predicted, taken): (f64, f64) = (predicted.parse().unwrap(), taken.parse().unwrap());
        let line =
            format!("{name}: predicted {:.1} MiB, taken {:.1}", predicted / 1_048_576.0, taken / 1_048_576.0);
        println!("{line}, {:+.1}%", 100.0 * (predicted / taken - 1.0));
        if (taken / predicted - 1.0).abs() > 0.1 {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
