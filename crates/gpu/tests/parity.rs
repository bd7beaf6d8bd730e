//! Comparison of the model on a device with that on the CPU, which is tested against PyTorch: logits, every
//! gradient and twenty steps for every option.

#![cfg(feature = "wgpu")]

mod support;

use allometry_ladder::{Channels, DeviceKind, LossKind, ModelSpec, Normalize, Pooling, Task};
use allometry_trainer::device::{Device, StepError, Trainee};
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

/// Takes one step with as many batches as are accumulated, the last of which is smaller.
fn step(
    trainee: &mut dyn Trainee,
    settings: &ModelSpec,
    number: usize,
    classes: usize,
    clip: f64,
) -> [f64; 2] {
    let sizes: Vec<usize> = (0..settings.accumulate).map(|i| if i == 2 { 9 } else { 16 }).collect();
    let all: usize = sizes.iter().sum();
    let mut loss = 0.0;
    for (place, &size) in sizes.iter().enumerate() {
        let (starts, targets) = batch(number * 3 + place, size, classes);
        let share = size as f64 / all as f64;
        loss += share * trainee.add(&starts, &targets, share, place == 0).unwrap();
    }
    let report = trainee.update(loss, 3e-3, clip).unwrap();
    [loss, report.gradient_norm]
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

#[test]
fn a_step_that_is_not_finite_fails_and_changes_nothing() {
    let Some(device) = wgpu("a_step_that_is_not_finite_fails_and_changes_nothing") else { return };
    let mut series = series(60);
    series[30] = f32::NAN;
    let settings = ModelSpec { normalize: Normalize::None, ..ModelSpec::new(CONTEXT, 4, 4) };
    let plan = plan(&settings, &series, 0.0, 5);
    let mut ours = device.open(&plan).unwrap();
    let before = ours.weights().unwrap().to_vec();
    let Err(StepError::Diverged(told)) = ours.add(&[20, 5], &[0.0, 1.0], 1.0, true) else {
        panic!("the loss is not finite")
    };
    let mut cpu = plan.on_cpu();
    let Err(StepError::Diverged(expected)) = cpu.add(&[20, 5], &[0.0, 1.0], 1.0, true) else {
        panic!("the loss is not finite")
    };
    assert_eq!((told.step, told.not_finite), (expected.step, expected.not_finite));
    assert!(
        (told.largest_activation - expected.largest_activation).abs() < 1e-4 * expected.largest_activation
    );
    assert_eq!(ours.weights().unwrap(), before);
}
