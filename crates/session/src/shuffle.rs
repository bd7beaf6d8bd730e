//! The label-shuffle control of `allometry check --shuffle`.

use std::sync::Mutex;

use allometry_analysis::stats;
use allometry_core::rng::stream_seed;
use allometry_core::{EpochReport, Params, Reporter, Signal, StudyIdentity, TrialNumber, TrialSpec};
use allometry_ladder::{BudgetSpec, ModelSpec, Task};

use crate::SessionError;
use crate::prepare::{self, Prepared};

/// Trainings that are averaged.
const TRAININGS: u64 = 5;

/// Epochs of each training. The last epoch counts, so that no epoch is selected.
const EPOCHS: usize = 3;

/// Distance of the mean AUC from 0.5, in standard errors, beyond which labels leak.
const LIMIT: f64 = 3.5;

/// Trains a configuration on labels that are shuffled within each part, and returns the resulting AUC in
/// words. Nothing can be learned, so an AUC other than chance means that features leak the label.
///
/// # Errors
/// [`SessionError::Usage`] where the label is not binary; [`SessionError::TrialsFailed`] where a training
/// fails; [`SessionError::LabelsKnown`] where the AUC is not chance.
pub fn shuffle_control(
    prepared: &Prepared<'_>,
    spec: &BudgetSpec,
    params: &Params,
) -> Result<String, SessionError> {
    let (dataset, model, seed) = (prepared.dataset(), prepared.model(), prepared.seed());
    if model.task != Task::Binary {
        return Err(SessionError::Usage {
            message: "--shuffle judges an AUC of binary labels".into(),
            hint: None,
        });
    }
    let model = ModelSpec {
        epochs: EPOCHS,
        patience: EPOCHS,
        warmup_epochs: 0.0,
        collapse_epochs: 0,
        ..model.clone()
    };
    let mut params = params.clone();
    params.0.retain(|name, _| !["epochs", "warmup_epochs"].contains(&name.as_str()));
    let mut sum = 0.0;
    for training in 0..TRAININGS {
        let seed = stream_seed(seed, "shuffle", training);
        let shuffled = dataset.shuffled(seed);
        let unscaled = prepared.unscaled().map(|dataset| dataset.shuffled(seed));
        let objective = prepare::objective(&shuffled, unscaled.as_ref(), model.clone())?;
        let trial = TrialSpec {
            study: StudyIdentity::default(),
            budget: spec.budget.clone(),
            number: TrialNumber(training),
            first_attempt: TrialNumber(training),
            params: params.clone(),
            seed,
        };
        let last = Last::default();
        objective
            .fit(&trial, &last)
            .map_err(|error| SessionError::TrialsFailed { message: error.to_string() })?;
        sum += last.0.into_inner().unwrap_or(f64::NAN);
    }
    let mean = sum / TRAININGS as f64;
    // Each training shuffles anew, so that their values are independent.
    let error = stats::auc::hanley_mcneil(0.5, dataset.validation.counts())
        .map_or(0.5, |one| one / (TRAININGS as f64).sqrt());
    let message = format!(
        "{} with labels in random order: AUC {mean:.3} on average over {TRAININGS} trainings of {params}; \
         chance is 0.500 +-{:.3} (95%)",
        spec.budget.label,
        1.96 * error
    );
    if (mean - 0.5).abs() > LIMIT * error { Err(SessionError::LabelsKnown { message }) } else { Ok(message) }
}

/// Keeps the last epoch's value.
#[derive(Default)]
struct Last(Mutex<f64>);

impl Reporter for Last {
    fn report(&self, epoch: &EpochReport) -> Signal {
        if let Ok(mut value) = self.0.lock() {
            *value = epoch.value;
        }
        Signal::Continue
    }

    fn interrupted(&self) -> bool {
        false
    }
}
