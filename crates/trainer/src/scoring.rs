//! Predictions of a model for a part of the data, and their metrics.

use std::collections::BTreeMap;

use allometry_core::{CollapsedTo, Predictions, ValidationOutputs, ValidationScores};
use allometry_ladder::Task;

use crate::calibration::softmax;
use crate::checkpoint::Description;
use crate::collapse::{self, Column};
use crate::data::{Dataset, Preparation, SplitPart};
use crate::device::{DeviceError, Plan};
use crate::metric;
use crate::model::probability;

/// Metric that is 1 if predictions are constant over all rows.
pub(crate) const CONSTANT: &str = "constant";
/// Metric of the mean loss over the rows that judge an epoch.
const VALIDATION_LOSS: &str = "validation_loss";

/// Predictions of a model for a part of the data.
#[derive(Debug)]
pub(crate) struct Scored {
    task: Task,
    rows: Vec<u64>,
    /// Targets in the units of the loss.
    targets: Vec<f32>,
    /// Probabilities (one per class if there are several) or predicted numbers in the units of the table.
    outputs: Vec<f32>,
    /// Mean loss.
    pub(crate) loss: f64,
    /// Mean and standard deviation by which numeric targets were scaled.
    scaling: (f64, f64),
}

/// Returns a target in the units of the loss.
pub(crate) fn scaled(target: f32, preparation: &Preparation) -> f32 {
    match preparation.target {
        Some((mean, deviation)) => ((f64::from(target) - mean) / deviation) as f32,
        None => target,
    }
}

/// Converts the logits of windows to probabilities, or to numbers in the units of the table.
pub(crate) fn outputs(logits: &[f32], task: Task, preparation: &Preparation, to: &mut Vec<f32>) {
    match task {
        Task::Binary => to.extend(logits.iter().map(|&z| probability(f64::from(z)) as f32)),
        Task::Classes => {
            for logits in logits.chunks_exact(preparation.classes) {
                softmax(logits, 1.0, to);
            }
        }
        Task::Regression => {
            let (mean, deviation) = preparation.target.unwrap_or((0.0, 1.0));
            to.extend(logits.iter().map(|&z| (f64::from(z) * deviation + mean) as f32));
        }
    }
}

/// Converts the logits of windows as [`outputs`] does, with the calibration of a checkpoint if it has one.
pub(crate) fn predicted(logits: &[f32], description: &Description, to: &mut Vec<f32>) {
    let preparation = &description.data.preparation;
    match &description.calibration {
        None => outputs(logits, description.model.task, preparation, to),
        Some(calibration) => calibration.apply(logits, preparation.classes, to),
    }
}

/// Returns predictions for the windows of a part in the form that is stored.
pub(crate) fn predictions(task: Task, part: &SplitPart, outputs: Vec<f32>) -> Predictions {
    let rows = part.windows.iter().map(|window| window.row).collect();
    match task {
        Task::Binary => {
            let labels = part.windows.iter().map(|window| window.is_positive()).collect();
            Predictions::Binary(ValidationScores { rows, labels, scores: outputs })
        }
        Task::Classes | Task::Regression => {
            let targets = part.windows.iter().map(|window| window.target).collect();
            Predictions::Other(ValidationOutputs { rows, targets, outputs })
        }
    }
}

/// Computes the predictions for a part. `logits` appends the logits of windows that start at the given
/// rows, at most as many as the plan's capacity.
pub(crate) fn score(
    plan: &Plan<'_>,
    dataset: &Dataset,
    part: &SplitPart,
    mut logits: impl FnMut(&[usize], &mut Vec<f32>) -> Result<(), DeviceError>,
) -> Result<Scored, DeviceError> {
    let (capacity, width, task) = (plan.capacity, plan.geometry.form.outputs, plan.settings.task);
    let preparation = &dataset.preparation;
    let mut found = Vec::with_capacity(part.windows.len() * width);
    let mut raw = Vec::with_capacity(capacity * width);
    let mut unused = vec![0.0; capacity * width];
    let targets: Vec<f32> = part.windows.iter().map(|w| scaled(w.target, preparation)).collect();
    let mut total = 0.0;
    let starts: Vec<usize> = part.windows.iter().map(|w| w.last + 1 - plan.geometry.context).collect();
    for (starts, targets) in starts.chunks(capacity).zip(targets.chunks(capacity)) {
        raw.clear();
        logits(starts, &mut raw)?;
        total += plan.loss(&raw, targets, &mut unused) * targets.len() as f64;
        outputs(&raw, task, preparation, &mut found);
    }
    Ok(Scored {
        task,
        rows: part.windows.iter().map(|w| w.row).collect(),
        loss: total / targets.len() as f64,
        scaling: preparation.target.unwrap_or((0.0, 1.0)),
        targets,
        outputs: found,
    })
}

impl Scored {
    /// Returns every metric by name. `prior` is the share of positive windows in the training part.
    pub(crate) fn metrics(&self, prior: f64) -> BTreeMap<String, f64> {
        match self.task {
            Task::Binary => metric::evaluate(&self.labels(), &self.outputs, prior),
            Task::Classes => {
                let classes: Vec<usize> = self.targets.iter().map(|&t| t as usize).collect();
                metric::evaluate_classes(&classes, &self.outputs)
            }
            Task::Regression => {
                let (mean, deviation) = self.scaling;
                let targets: Vec<f64> =
                    self.targets.iter().map(|&t| f64::from(t) * deviation + mean).collect();
                metric::evaluate_numbers(&targets, &self.outputs)
            }
        }
    }

    /// Returns the metrics that an epoch has beside those of [`Scored::metrics`]: the loss, and 1 for
    /// predictions that are the same for all rows. `trained` is the training part.
    pub(crate) fn of_epoch(&self, trained: &SplitPart) -> [(String, f64); 2] {
        let constant = f64::from(u8::from(self.collapsed_to(trained).is_some()));
        [(VALIDATION_LOSS.to_owned(), self.loss), (CONSTANT.to_owned(), constant)]
    }

    /// Returns what the predictions have collapsed to, if they are the same for all rows. `trained` is the
    /// training part.
    pub(crate) fn collapsed_to(&self, trained: &SplitPart) -> Option<CollapsedTo> {
        let (mean, deviation) = self.scaling;
        let width = self.outputs.len() / self.targets.len().max(1);
        let truth = |class: usize, target: f32| match self.task {
            Task::Classes => f64::from(u8::from(target as usize == class)),
            Task::Binary | Task::Regression => f64::from(target),
        };
        let column = |class: usize| {
            let prior: f64 = trained.windows.iter().map(|w| truth(class, w.target)).sum();
            let predicted = self.outputs.iter().skip(class).step_by(width).map(|p| f64::from(*p)).collect();
            let truths = self.targets.iter().map(|t| truth(class, *t) * deviation + mean).collect();
            Column { predicted, truth: truths, prior: prior / trained.windows.len() as f64 }
        };
        collapse::collapsed_to(&(0..width).map(column).collect::<Vec<_>>())
    }

    /// Converts the predictions to the form that is stored.
    pub(crate) fn into_predictions(self) -> Predictions {
        match self.task {
            Task::Binary => {
                let labels = self.labels();
                Predictions::Binary(ValidationScores { rows: self.rows, labels, scores: self.outputs })
            }
            Task::Classes | Task::Regression => {
                let (mean, deviation) = self.scaling;
                let target = |t: &f32| (f64::from(*t) * deviation + mean) as f32;
                let targets = self.targets.iter().map(target).collect();
                Predictions::Other(ValidationOutputs { rows: self.rows, targets, outputs: self.outputs })
            }
        }
    }

    fn labels(&self) -> Vec<bool> {
        self.targets.iter().map(|&t| t > 0.5).collect()
    }
}
