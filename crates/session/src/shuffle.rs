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
/// [`SessionError::Usage`] where the label is a number, or the validation part lacks a class;
/// [`SessionError::TrialsFailed`] where a training fails; [`SessionError::LabelsKnown`] where the AUC is not
/// chance.
pub fn shuffle_control(
    prepared: &Prepared<'_>,
    spec: &BudgetSpec,
    params: &Params,
) -> Result<String, SessionError> {
    let (dataset, model, seed) = (prepared.dataset(), prepared.model(), prepared.seed());
    let one = error_by_chance(prepared)?;
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
    let error = one / (TRAININGS as f64).sqrt();
    let message = format!(
        "{} with labels in random order: AUC {mean:.3} on average over {TRAININGS} trainings of {params}; \
         chance is 0.500 +-{:.3} (95%)",
        spec.budget.label,
        1.96 * error
    );
    if (mean - 0.5).abs() > LIMIT * error { Err(SessionError::LabelsKnown { message }) } else { Ok(message) }
}

/// Returns the standard error of the AUC of one training whose labels say nothing; for several classes an
/// upper bound on that of the mean of their AUCs.
fn error_by_chance(prepared: &Prepared<'_>) -> Result<f64, SessionError> {
    let (dataset, validation) = (prepared.dataset(), &prepared.dataset().validation);
    match prepared.model().task {
        Task::Binary => Ok(stats::auc::hanley_mcneil(0.5, validation.counts()).unwrap_or(0.5)),
        Task::Classes => {
            let counts = validation.class_counts(dataset.preparation.classes);
            stats::auc::macro_error_bound(0.5, &counts).ok_or_else(|| {
                let absent = counts.iter().position(|count| *count == 0).unwrap_or(0);
                let name = dataset.preparation.class_name(absent);
                SessionError::Usage {
                    message: format!("--shuffle needs every class in the validation part; it lacks `{name}`"),
                    hint: Some("a larger share for validation in [data.split]".into()),
                }
            })
        }
        Task::Regression => Err(SessionError::Usage {
            message: "--shuffle judges the AUC of classes, but the label is a number".into(),
            hint: Some(
                "leave it out: without it, `allometry check` refuses features that are copies of the label \
                 or shifts of it"
                    .into(),
            ),
        }),
    }
}

/// Keeps the last epoch's AUC.
#[derive(Default)]
struct Last(Mutex<f64>);

impl Reporter for Last {
    fn report(&self, epoch: &EpochReport) -> Signal {
        if let Ok(mut value) = self.0.lock() {
            *value = epoch.metrics.get("auc").copied().unwrap_or(f64::NAN);
        }
        Signal::Continue
    }

    fn interrupted(&self) -> bool {
        false
    }
}
