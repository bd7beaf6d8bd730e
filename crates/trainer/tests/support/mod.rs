//! Series, trials and reporters shared by the tests.

#![allow(dead_code, reason = "every test binary uses its own part of this module")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use allometry_core::{
    EpochReport, ObjectiveOutcome, Params, Reporter, Signal, SizeBudget, TrialNumber, TrialSpec,
};
use allometry_ladder::{ModelSpec, Normalize, Schedule};
use allometry_trainer::data::{Dataset, Preparation, SplitPart, Window};

pub(crate) const CONTEXT: usize = 12;

/// A small deterministic pseudo-random number in (-1, 1).
pub(crate) fn number(index: usize) -> f32 {
    let x = ((index as f64 + 1.0) * 12.989_8).sin() * 43_758.545;
    (2.0 * (x - x.floor()) - 1.0) as f32
}

/// Two noise features. A window is positive if the sum of the first feature over its last four rows is
/// positive.
pub(crate) fn series(rows: usize) -> Dataset {
    let values: Vec<f32> = (0..2 * rows).map(number).collect();
    let windows: Vec<Window> = (CONTEXT - 1..rows)
        .map(|last| {
            let sum: f32 = (last - 3..=last).map(|row| values[2 * row]).sum();
            Window { last, row: last as u64, target: f32::from(u8::from(sum > 0.0)) }
        })
        .collect();
    let cut = |share: f64| (windows.len() as f64 * share) as usize;
    let part = |windows: &[Window]| SplitPart { windows: windows.to_vec() };
    Dataset {
        panel: None,
        feature_names: vec!["signal".into(), "noise".into()],
        train: part(&windows[..cut(0.6)]),
        validation: part(&windows[cut(0.65)..cut(0.8)]),
        test: part(&windows[cut(0.85)..]),
        values,
        context: CONTEXT,
        targets: Vec::new(),
        preparation: Preparation::default(),
    }
}

pub(crate) fn spec() -> ModelSpec {
    ModelSpec {
        normalize: Normalize::None,
        epochs: 12,
        patience: 4,
        minimum_gain: 1e-4,
        batch_size: Some(32),
        schedule: Schedule::Cosine,
        warmup_epochs: 0.5,
        ..ModelSpec::new(CONTEXT, 4, 4)
    }
}

pub(crate) fn params(extra: &[(&str, f64)]) -> Params {
    let mut params: Params = [("d_model", 16i64), ("n_layers", 1), ("n_heads", 2)].into_iter().collect();
    params.insert("learning_rate", 3e-3);
    for (name, value) in extra {
        params.insert(*name, *value);
    }
    params
}

pub(crate) fn trial(seed: u64, params: Params) -> TrialSpec {
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
pub(crate) struct Recorder {
    pub(crate) epochs: Mutex<Vec<EpochReport>>,
    pub(crate) prune_at: Option<i64>,
    pub(crate) interrupt_after_polls: Option<usize>,
    pub(crate) polls: AtomicUsize,
}

impl Reporter for Recorder {
    fn report(&self, epoch: &EpochReport) -> Signal {
        self.epochs.lock().unwrap().push(epoch.clone());
        if self.prune_at == Some(epoch.step) { Signal::Prune } else { Signal::Continue }
    }

    fn interrupted(&self) -> bool {
        let polls = self.polls.fetch_add(1, Ordering::Relaxed);
        self.interrupt_after_polls.is_some_and(|limit| polls >= limit)
    }
}

pub(crate) fn bits(outcome: &ObjectiveOutcome) -> Vec<u32> {
    outcome.predictions.as_ref().unwrap().scores().unwrap().scores.iter().map(|s| s.to_bits()).collect()
}
