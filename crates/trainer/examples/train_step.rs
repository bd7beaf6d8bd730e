//! Runs training steps on demand, for timing from outside: `train_step D_MODEL N_LAYERS N_HEADS BATCH STEPS
//! [bf16]` prints `ready` after a warm-up, then takes STEPS steps for each line on standard input and prints
//! `done`.
//!
//! `benches/peers/train_step.py` runs it in turn with the same steps in `PyTorch`.

use std::io::BufRead as _;

use allometry_core::Precision;
use allometry_ladder::ModelSpec;
use allometry_trainer::{Architecture, Form, Geometry, Hyperparameters, Learner};

const GEOMETRY: Geometry = Geometry { features: 105, context: 80, patch: 16, stride: 8, form: Form::PLAIN };
const WARM_UP: usize = 3;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let &[d_model, n_layers, n_heads, batch, steps] = numbers.as_slice() else {
        eprintln!("usage: train_step D_MODEL N_LAYERS N_HEADS BATCH STEPS");
        std::process::exit(2);
    };
    let hyperparameters = Hyperparameters {
        architecture: Architecture { d_model, n_layers, n_heads, d_ff_ratio: 4 },
        learning_rate: 1e-4,
        dropout: 0.1,
        weight_decay: 0.01,
    };
    let precision = if std::env::args().any(|a| a == "bf16") { Precision::Bf16 } else { Precision::F32 };
    let settings = ModelSpec { precision, ..ModelSpec::new(80, 16, 8) };
    let mut learner = Learner::new(hyperparameters, GEOMETRY, &settings, batch, 1);
    let size = GEOMETRY.window_values();
    let windows: Vec<f32> = (0..batch * size).map(|i| (i as f32 * 0.7).sin()).collect();
    let labels: Vec<f32> = (0..batch).map(|i| if i % 5 == 0 { 1.0 } else { 0.0 }).collect();
    let mut run = |steps: usize| {
        for _ in 0..steps {
            learner
                .step(windows.chunks(size), &labels, 1e-4, 1.0)
                .expect("small weights and a small rate stay finite");
        }
    };
    run(WARM_UP);
    println!("ready");
    for _ in std::io::stdin().lock().lines() {
        run(steps);
        println!("done");
    }
}
