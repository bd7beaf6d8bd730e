//! Devices, series and plans shared by the tests.

#![allow(dead_code, reason = "every test binary uses its own part of this module")]

use std::sync::Arc;

use allometry_ladder::{DeviceKind, ModelSpec};
use allometry_trainer::device::{Device, Plan, Trainee};
use allometry_trainer::{Architecture, Geometry, Hyperparameters};

pub(crate) const CONTEXT: usize = 12;
pub(crate) const FEATURES: usize = 3;

/// Returns the wgpu device.
///
/// If there is none, the result is `None` and `test` is reported as skipped.
pub(crate) fn wgpu(test: &str) -> Option<Arc<dyn Device>> {
    match allometry_gpu::open(DeviceKind::Wgpu) {
        Ok(device) => device,
        Err(error) => {
            allometry_testkit::skip_absent(test, &error.to_string());
            None
        }
    }
}

/// A small deterministic pseudo-random number in (-1, 1).
pub(crate) fn number(index: usize) -> f32 {
    let x = ((index as f64 + 1.0) * 12.989_8).sin() * 43_758.545;
    (2.0 * (x - x.floor()) - 1.0) as f32
}

pub(crate) fn series(rows: usize) -> Vec<f32> {
    (0..rows * FEATURES).map(number).collect()
}

pub(crate) fn hyperparameters(dropout: f64) -> Hyperparameters {
    Hyperparameters {
        architecture: Architecture { d_model: 12, n_layers: 2, n_heads: 3, d_ff_ratio: 2 },
        learning_rate: 3e-3,
        dropout,
        weight_decay: 0.01,
    }
}

pub(crate) fn plan<'a>(settings: &'a ModelSpec, series: &'a [f32], dropout: f64, seed: u64) -> Plan<'a> {
    Plan {
        hyperparameters: hyperparameters(dropout),
        geometry: Geometry::new(FEATURES, 3, settings).unwrap(),
        settings: settings.clone(),
        capacity: 16,
        seed,
        series,
        class_weights: vec![1.0, 2.5, 0.5],
    }
}

/// Returns the rows at which the windows of a batch begin, and their targets.
pub(crate) fn batch(number: usize, size: usize, classes: usize) -> (Vec<usize>, Vec<f32>) {
    let starts: Vec<usize> = (0..size).map(|i| (number * 7 + i * 5) % 48).collect();
    let targets = starts.iter().map(|start| (start * 2_654_435_761 % 1009 % classes) as f32).collect();
    (starts, targets)
}

/// Asserts that numbers equal those of the CPU to 1e-4, relative to each number or, if that is small, to a
/// hundredth of the largest.
pub(crate) fn assert_close(what: &str, ours: &[f32], cpu: &[f32]) {
    assert_eq!(ours.len(), cpu.len(), "{what}");
    let largest = cpu.iter().fold(0.0f32, |a, x| a.max(x.abs()));
    for (place, (&ours, &cpu)) in ours.iter().zip(cpu).enumerate() {
        let scale = cpu.abs().max(1e-2 * largest);
        assert!((ours - cpu).abs() <= 1e-4 * scale, "{what}, number {place}: {ours}, on the CPU {cpu}");
    }
}

pub(crate) fn logits(trainee: &mut dyn Trainee, starts: &[usize]) -> Vec<f32> {
    let mut logits = Vec::new();
    trainee.logits(starts, &mut logits).unwrap();
    logits
}
