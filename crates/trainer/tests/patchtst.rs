//! Comparison of the model with PyTorch on the same weights and batches (`oracle/patchtst.py`).

use std::collections::BTreeMap;

use allometry_ladder::{ModelSpec, Normalize};
use allometry_trainer::{Architecture, Form, Geometry, Hyperparameters, Learner};
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

const GEOMETRY: Geometry = Geometry { features: 3, context: 12, patch: 4, stride: 4, form: Form::PLAIN };

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
    let settings = ModelSpec { normalize, ..ModelSpec::new(12, 4, 4) };
    let mut learner = Learner::new(hyperparameters, GEOMETRY, &settings, oracle.labels[0].len(), 0);
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
        let targets: Vec<f32> = oracle.labels[step % 2].iter().map(|&l| f32::from(u8::from(l))).collect();
        let report = learner.step(windows, &targets, learning_rate, gradient_clip).unwrap();
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

#[derive(Deserialize)]
struct Case {
    name: String,
    settings: serde_json::Map<String, serde_json::Value>,
    windows: Vec<f32>,
    targets: Vec<f32>,
    tensors: BTreeMap<String, Vec<f32>>,
    logits: Vec<f64>,
    gradients: BTreeMap<String, Vec<f64>>,
    losses: Vec<f64>,
}

impl Case {
    fn settings(&self) -> ModelSpec {
        let mut document = serde_json::to_value(ModelSpec::new(12, 4, 4)).unwrap();
        document.as_object_mut().unwrap().extend(self.settings.clone());
        serde_json::from_value(document).unwrap()
    }
}

/// Compares every option of `[model]` that changes outputs or gradients with `oracle/options.py`.
#[test]
fn options_are_those_of_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("oracle/options.json")).unwrap();
    assert_eq!(cases.len(), 12);
    let mut first_losses = Vec::new();
    for case in &cases {
        let settings = case.settings();
        let geometry = Geometry::new(3, 3, &settings).unwrap();
        let hyperparameters = Hyperparameters {
            architecture: Architecture { d_model: 8, n_layers: 1, n_heads: 2, d_ff_ratio: 2 },
            learning_rate: 3e-3,
            dropout: 0.0,
            weight_decay: 0.01,
        };
        let mut learner = Learner::new(hyperparameters, geometry, &settings, case.targets.len(), 0);
        learner.set_tensors(&case.tensors);
        let windows = || case.windows.chunks(geometry.window_values());
        let logits = learner.logits(windows()).to_vec();
        assert_eq!(logits.len(), case.logits.len(), "{}", case.name);
        for (&ours, &theirs) in logits.iter().zip(&case.logits) {
            close(&format!("{}: logit", case.name), f64::from(ours), theirs, theirs.abs().max(0.1));
        }
        for (step, &loss) in case.losses.iter().enumerate() {
            let report = learner.step(windows(), &case.targets, 3e-3, 0.5).unwrap();
            close(&format!("{}: loss {step}", case.name), report.loss, loss, loss);
            if step > 0 {
                continue;
            }
            first_losses.push(report.loss);
            for (name, ours) in learner.gradient_tensors() {
                let theirs = &case.gradients[&name];
                let largest = theirs.iter().fold(1e-3f64, |a, g| a.max(g.abs()));
                assert_eq!(ours.len(), theirs.len(), "{}: {name}", case.name);
                for (&ours, &theirs) in ours.iter().zip(theirs) {
                    let name = format!("{}: gradient of {name}", case.name);
                    close(&name, f64::from(ours), theirs, largest.max(theirs.abs()));
                }
            }
        }
    }
    first_losses.sort_by(f64::total_cmp);
    assert!(first_losses.windows(2).all(|w| w[0] < w[1]), "every option changes the loss: {first_losses:?}");
}
