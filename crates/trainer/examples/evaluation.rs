//! Measures the cost of validation relative to training. `evaluation D_MODEL N_LAYERS N_HEADS BATCH EPOCHS`
//! trains on 3,186 windows and validates on 717, as with the table of trading days, and prints the CPU time
//! of both and their ratio for each epoch. Needs Linux.

use std::sync::Mutex;

use allometry_core::{EpochReport, Params, Reporter, Signal, SizeBudget, TrialNumber, TrialSpec};
use allometry_ladder::{ModelSpec, Normalize};
use allometry_trainer::PatchTstObjective;
use allometry_trainer::data::{Dataset, Preparation, SplitPart, Window};

const FEATURES: usize = 105;
const CONTEXT: usize = 80;

/// Returns the CPU time of this thread in seconds.
fn cpu() -> f64 {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the CPU time of a thread");
    let first = text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok());
    first.expect("it begins with a number") * 1e-9
}

/// Records when steps start and epochs end.
#[derive(Default)]
struct Clock(Mutex<Vec<f64>>);

impl Reporter for Clock {
    fn report(&self, epoch: &EpochReport) -> Signal {
        let now = cpu();
        let begun = std::mem::take(&mut *self.0.lock().expect("nothing panics while it is held"));
        let mut steps: Vec<f64> = begun.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        let (first, last) = (begun[0], begun[begun.len() - 1]);
        let training = last - first + steps[steps.len() / 2];
        let validation = now - first - training;
        println!(
            "epoch {}: training {training:.3} s, validation {validation:.3} s, {:.1}%",
            epoch.step,
            100.0 * validation / training
        );
        Signal::Continue
    }

    fn interrupted(&self) -> bool {
        self.0.lock().expect("nothing panics while it is held").push(cpu());
        false
    }
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let &[d_model, n_layers, n_heads, batch, epochs] = numbers.as_slice() else {
        eprintln!("usage: evaluation D_MODEL N_LAYERS N_HEADS BATCH EPOCHS");
        std::process::exit(2);
    };
    let part = |rows: std::ops::Range<usize>| SplitPart {
        windows: rows
            .map(|last| Window { last, row: last as u64, target: f32::from(u8::from(last % 5 == 0)) })
            .collect(),
    };
    let rows = 4_100;
    let dataset = Dataset {
        panel: None,
        feature_names: (0..FEATURES).map(|f| format!("f{f}")).collect(),
        values: (0..rows * FEATURES).map(|i| (i as f32 * 0.7).sin()).collect(),
        context: CONTEXT,
        targets: Vec::new(),
        train: part(79..3_265),
        validation: part(3_350..4_067),
        test: part(0..0),
        preparation: Preparation::default(),
    };
    let normalize =
        if std::env::args().any(|a| a == "revin") { Normalize::Revin } else { Normalize::Standard };
    let spec = ModelSpec {
        normalize,
        epochs,
        patience: epochs,
        batch_size: Some(batch),
        ..ModelSpec::new(CONTEXT, 16, 8)
    };
    let mut params: Params =
        [("d_model", d_model as i64), ("n_layers", n_layers as i64), ("n_heads", n_heads as i64)]
            .into_iter()
            .collect();
    params.insert("learning_rate", 1e-4);
    let budget = SizeBudget::nominal("evaluation");
    let number = TrialNumber(0);
    let trial = TrialSpec {
        study: allometry_core::StudyIdentity::default(),
        budget,
        number,
        first_attempt: number,
        params,
        seed: 1,
    };
    let objective = PatchTstObjective::new(&dataset, spec).expect("the shape is a model");
    objective.fit(&trial, &Clock::default()).expect("small weights and a small rate stay finite");
}
