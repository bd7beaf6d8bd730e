//! Comparison of the model on a device with that on the CPU, which is tested against PyTorch: logits, every
//! gradient and twenty steps for every option.

#![cfg(feature = "wgpu")]

mod support;

use allometry_ladder::{Channels, LossKind, ModelSpec, Normalize, Pooling, Task};
use allometry_trainer::device::{Device, Plan, StepError, Trainee};
use allometry_trainer::{Architecture, Geometry, Hyperparameters};
use support::{CONTEXT, assert_close, batch, logits, plan, series, wgpu};

/// Returns settings by name, with their dropout and their number of classes.
fn options() -> Vec<(&'static str, ModelSpec, f64, usize)> {
    let plain = || ModelSpec { normalize: Normalize::None, ..ModelSpec::new(CONTEXT, 4, 4) };
    let revin = || ModelSpec { normalize: Normalize::Revin, ..plain() };
    let independent = || ModelSpec { channels: Channels::Independent, ..plain() };
    let loss = |loss| ModelSpec { loss, ..plain() };
    vec![
        ("plain", plain(), 0.0, 2),
        ("overlapping patches", ModelSpec { stride: 2, ..plain() }, 0.0, 2),
        ("dropout", plain(), 0.3, 2),
        ("revin", revin(), 0.1, 2),
        ("affine", ModelSpec { revin_affine: true, ..revin() }, 0.0, 2),
        ("feature embedding", ModelSpec { feature_embedding: 5, ..plain() }, 0.0, 2),
        (
            "affine and feature embedding of overlapping patches",
            ModelSpec { revin_affine: true, feature_embedding: 2, stride: 3, ..revin() },
            0.1,
            2,
        ),
        ("independent channels", ModelSpec { stride: 2, ..independent() }, 0.2, 2),
        (
            "independent embedded channels",
            ModelSpec { feature_embedding: 2, stride: 2, ..independent() },
            0.0,
            2,
        ),
        ("mean of the patches", ModelSpec { head: Pooling::Mean, ..plain() }, 0.0, 2),
        (
            "mean of the patches of channels, head dropout",
            ModelSpec { head: Pooling::Mean, head_dropout: 0.4, ..independent() },
            0.2,
            2,
        ),
        ("head dropout", ModelSpec { head_dropout: 0.4, ..plain() }, 0.0, 2),
        ("weighted", loss(LossKind::Weighted), 0.0, 2),
        ("focal", loss(LossKind::Focal), 0.0, 2),
        ("soft AUC", loss(LossKind::SoftAuc), 0.0, 2),
        ("smoothing", ModelSpec { label_smoothing: 0.2, ..plain() }, 0.0, 2),
        ("classes", ModelSpec { task: Task::Classes, label_smoothing: 0.1, ..plain() }, 0.1, 3),
        ("regression", ModelSpec { task: Task::Regression, ..plain() }, 0.0, 5),
        ("accumulation", ModelSpec { accumulate: 3, ..plain() }, 0.1, 2),
    ]
}

/// Takes one step of as many batches as are accumulated, the last of which is smaller.
fn step(
    trainee: &mut dyn Trainee,
    settings: &ModelSpec,
    number: usize,
    classes: usize,
    clip: f64,
) -> [f64; 2] {
    let size = if settings.accumulate > 1 { 16 * (settings.accumulate - 1) + 9 } else { 16 };
    let (starts, targets) = batch(number, size, classes);
    let report = trainee.step(&starts, &targets, 3e-3, clip).unwrap();
    [report.loss, report.gradient_norm]
}

fn hold_to_the_cpu(device: &dyn Device) {
    let series = series(60);
    for (name, settings, dropout, classes) in options() {
        let plan = plan(&settings, &series, dropout, 5);
        let (mut cpu, mut ours) = (plan.on_cpu(), device.open(&plan).unwrap());
        let (starts, _) = batch(1, 11, classes);
        assert_close(&format!("{name}: logits"), &logits(&mut *ours, &starts), &logits(&mut *cpu, &starts));

        // Without clipping, the first moment after one step is a tenth of the gradient.
        step(&mut *cpu, &settings, 0, classes, f64::INFINITY);
        step(&mut *ours, &settings, 0, classes, f64::INFINITY);
        let gradient = |trainee: &mut dyn Trainee| trainee.state().unwrap()[1].to_vec();
        assert_close(&format!("{name}: gradient"), &gradient(&mut *ours), &gradient(&mut *cpu));

        for number in 1..20 {
            let expected = step(&mut *cpu, &settings, number, classes, 1.0);
            let found = step(&mut *ours, &settings, number, classes, 1.0);
            for ((found, expected), what) in found.into_iter().zip(expected).zip(["loss", "gradient norm"]) {
                let error = (found - expected).abs() / expected;
                assert!(error < 1e-4, "{name}: {what} of step {number} is {found}, on the CPU {expected}");
            }
        }
        assert_eq!(ours.count(), cpu.count(), "{name}");
    }
}

#[test]
fn every_option_matches_the_cpu() {
    let Some(device) = wgpu("every_option_matches_the_cpu") else { return };
    hold_to_the_cpu(&*device);
}

/// The size S of the benchmarks, whose tensors are longer than an alignment and of other lengths than its
/// multiples.
#[test]
fn a_model_of_the_benchmarks_matches_the_cpu() {
    let Some(device) = wgpu("a_model_of_the_benchmarks_matches_the_cpu") else { return };
    let (rows, features, windows) = (400, 105, 128);
    let series: Vec<f32> = (0..rows * features).map(support::number).collect();
    let settings = ModelSpec::new(80, 16, 8);
    let plan = Plan {
        hyperparameters: Hyperparameters {
            architecture: Architecture { d_model: 96, n_layers: 2, n_heads: 8, d_ff_ratio: 4 },
            learning_rate: 1e-3,
            dropout: 0.1,
            weight_decay: 0.01,
        },
        geometry: Geometry::new(features, 0, &settings).unwrap(),
        settings,
        capacity: windows,
        seed: 7,
        series: &series,
        class_weights: Vec::new(),
    };
    let (mut cpu, mut ours) = (plan.on_cpu(), device.open(&plan).unwrap());
    for number in 0..3 {
        let starts: Vec<usize> = (0..windows).map(|i| (number * 37 + i * 11) % (rows - 80)).collect();
        let targets: Vec<f32> = starts.iter().map(|start| (start % 3 / 2) as f32).collect();
        let [expected, found] =
            [&mut cpu, &mut ours].map(|trainee| trainee.step(&starts, &targets, 1e-3, 1.0).unwrap());
        assert_close(
            &format!("loss and norm of step {number}"),
            &[found.loss as f32, found.gradient_norm as f32],
            &[expected.loss as f32, expected.gradient_norm as f32],
        );
    }
    let starts: Vec<usize> = (0..windows).collect();
    let [found, expected] = [&mut ours, &mut cpu].map(|trainee| logits(&mut **trainee, &starts));
    // The first updates divide each gradient by its own size, so that the rounding of small ones counts.
    let largest = expected.iter().fold(0.0f32, |largest, logit| largest.max(logit.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-4 * largest, "{found}, on the CPU {expected} of {largest}");
    }
}

#[test]
fn a_step_that_is_not_finite_fails_and_changes_nothing() {
    let Some(device) = wgpu("a_step_that_is_not_finite_fails_and_changes_nothing") else { return };
    let mut series = series(60);
    series[30] = f32::NAN;
    let settings = ModelSpec { normalize: Normalize::None, ..ModelSpec::new(CONTEXT, 4, 4) };
    let plan = plan(&settings, &series, 0.0, 5);
    let mut ours = device.open(&plan).unwrap();
    let before = ours.weights().unwrap().to_vec();
    let Err(StepError::Diverged(told)) = ours.step(&[20, 5], &[0.0, 1.0], 1e-3, 1.0) else {
        panic!("the loss is not finite")
    };
    let mut cpu = plan.on_cpu();
    let Err(StepError::Diverged(expected)) = cpu.step(&[20, 5], &[0.0, 1.0], 1e-3, 1.0) else {
        panic!("the loss is not finite")
    };
    assert_eq!((told.step, told.not_finite), (expected.step, expected.not_finite));
    assert!(
        (told.largest_activation - expected.largest_activation).abs() < 1e-4 * expected.largest_activation
    );
    assert_eq!(ours.weights().unwrap(), before);
}
