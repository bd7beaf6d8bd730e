//! What a trial takes is known before it starts. Alone in its file: the peak is that of the process.

mod support;

use allometry_core::ladder::ModelSpec;
use allometry_trainer::PatchTstObjective;
use support::{Recorder, params, series, spec, trial};

/// Peak resident memory of this process in bytes; `None` where the system does not say.
fn peak() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?)
}

#[test]
fn memory_is_predicted_within_a_tenth() {
    let Some(_) = peak() else {
        allometry_testkit::skip("memory_is_predicted_within_a_tenth", "there is no /proc/self/status");
        return;
    };
    let dataset = series(400);
    // Code and the products' own buffers are there before they are measured.
    let small = PatchTstObjective::new(&dataset, ModelSpec { epochs: 1, ..spec() }).unwrap();
    small.fit(&trial(1, params(&[("d_model", 96.0)])), &Recorder::default()).unwrap();
    let before = peak().unwrap();
    // Each takes more than the one before, so that the peak is its own. Activations weigh most in the first, weights in the
    // second, copies of the weights in the third.
    for (d_model, n_layers, batch, average_epochs) in
        [(160.0, 2.0, 240, 1), (256.0, 3.0, 16, 1), (256.0, 4.0, 16, 4)]
    {
        let model = ModelSpec {
            batch_size: Some(batch),
            average_epochs,
            accumulate: 2,
            epochs: average_epochs,
            ..spec()
        };
        let objective = PatchTstObjective::new(&dataset, model).unwrap();
        let params = params(&[("d_model", d_model), ("n_layers", n_layers)]);
        let predicted = objective.cost(&params).unwrap().memory_bytes as f64;
        objective.fit(&trial(1, params), &Recorder::default()).unwrap();
        let taken = (peak().unwrap() - before) as f64;
        assert!((taken / predicted - 1.0).abs() < 0.1, "predicted {predicted:.3e}, taken {taken:.3e}");
    }
}
