//! The model against PyTorch on the same weights and batches (`oracle/patchtst.py`).

use allometry_core::ladder::Normalize;
use allometry_trainer::{Architecture, Geometry, Hyperparameters, Learner};
use serde::Deserialize;

#[derive(Deserialize)]
struct Oracle {
    weights: Vec<f32>,
    windows: Vec<Vec<f32>>,
    labels: Vec<Vec<bool>>,
    settings: Settings,
    logits: Vec<f64>,
    revin_logits: Vec<f64>,
    gradient: Vec<f64>,
    losses: Vec<f64>,
    gradient_norms: Vec<f64>,
}

#[derive(Deserialize)]
struct Settings {
    learning_rate: f64,
    weight_decay: f64,
    gradient_clip: f64,
}

const GEOMETRY: Geometry = Geometry { features: 3, context: 12, patch: 4, stride: 4 };

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("oracle/patchtst.json")).unwrap()
}

fn learner(oracle: &Oracle, normalize: Normalize) -> Learner {
    let hyperparameters = Hyperparameters {
        architecture: Architecture { d_model: 8, n_layers: 2, n_heads: 2, d_ff_ratio: 2 },
        learning_rate: oracle.settings.learning_rate,
        dropout: 0.0,
        weight_decay: oracle.settings.weight_decay,
    };
    let mut learner = Learner::new(hyperparameters, GEOMETRY, normalize, oracle.labels[0].len(), 0);
    learner.set_weights(&oracle.weights);
    learner
}

fn close(name: &str, ours: f64, theirs: f64, scale: f64) {
    assert!((ours - theirs).abs() <= 1e-4 * scale, "{name}: {ours}, PyTorch {theirs}");
}

#[test]
fn logits_are_those_of_pytorch() {
    let oracle = oracle();
    for (normalize, expected) in [(Normalize::None, &oracle.logits), (Normalize::Revin, &oracle.revin_logits)]
    {
        let mut learner = learner(&oracle, normalize);
        let logits = learner.logits(oracle.windows[0].chunks(GEOMETRY.window_values()));
        assert_eq!(logits.len(), expected.len());
        for (&ours, &theirs) in logits.iter().zip(expected) {
            close("logit", f64::from(ours), theirs, theirs.abs());
        }
    }
}

#[test]
fn gradients_and_twenty_updates_are_those_of_pytorch() {
    let oracle = oracle();
    let mut learner = learner(&oracle, Normalize::None);
    for (step, (&loss, &norm)) in oracle.losses.iter().zip(&oracle.gradient_norms).enumerate() {
        let windows = oracle.windows[step % 2].chunks(GEOMETRY.window_values());
        let Settings { learning_rate, gradient_clip, .. } = oracle.settings;
        let report = learner.step(windows, &oracle.labels[step % 2], learning_rate, gradient_clip).unwrap();
        close("loss", report.loss, loss, loss);
        close("gradient norm", report.gradient_norm, norm, norm);
        if step == 0 {
            let largest = oracle.gradient.iter().fold(0.0f64, |a, g| a.max(g.abs()));
            assert_eq!(learner.gradient().len(), oracle.gradient.len());
            for (&ours, &theirs) in learner.gradient().iter().zip(&oracle.gradient) {
                close("gradient", f64::from(ours), theirs, theirs.abs().max(1e-2 * largest));
            }
        }
    }
}
