//! Exact sizes of models compared with the nominal budget.

use allometry_core::{ModelSize, SizeBudget, SizeReach, WeightTarget};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::StudyTrials;
use crate::options::Options;
use crate::sample::Sample;

/// Sizes of a study's models.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudySizes {
    /// Number of weights that the budget names, if any.
    pub nominal: Option<f64>,
    /// Largest relative difference from the nominal size that still counts as that size.
    pub tolerance: f64,
    /// Number of usable trials with a known size.
    pub known: u64,
    /// Size of the best trial's model.
    pub best: Option<ModelSize>,
    /// Fewest weights tried.
    pub smallest_tried: Option<ModelSize>,
    /// Most weights tried.
    pub largest_tried: Option<ModelSize>,
    /// Range of sizes that the search space can reach.
    pub reach: Option<SizeReach>,
}

impl StudySizes {
    /// Collects the sizes of a study.
    pub fn new(study: &StudyTrials, sample: &Sample<'_>, options: &Options) -> Self {
        let sizes = || sample.trials.iter().filter_map(|trial| trial.record.size);
        Self {
            nominal: study.budget.nominal_weights().filter(|weights| weights.is_finite()),
            tolerance: tolerance(&study.budget, options),
            known: sizes().count() as u64,
            best: sample.best().and_then(|position| sample.trials[position].record.size),
            smallest_tried: sizes().min(),
            largest_tried: sizes().max(),
            reach: study.reach,
        }
    }

    /// Whether the best model's size differs from the nominal one by more than the tolerance; `false` if
    /// either is unknown.
    pub fn best_is_off_label(&self) -> bool {
        self.nominal
            .zip(self.best)
            .is_some_and(|(nominal, best)| (best.total as f64 - nominal).abs() > self.tolerance * nominal)
    }
}

/// Two neighbouring budgets whose best models are in reverse order of size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeReversal {
    /// Label of the smaller budget, which has the larger best model.
    pub before: String,
    /// Number of weights of its best model.
    pub before_weights: u64,
    /// Label of the next larger budget.
    pub budget: String,
    /// Number of weights of its best model, which is smaller.
    pub weights: u64,
}

impl SizeReversal {
    /// Returns the reversals among budgets given by their labels and sizes; a budget with a best model of
    /// unknown size is skipped.
    pub(crate) fn all<'a>(budgets: impl Iterator<Item = (&'a str, &'a StudySizes)>) -> Vec<Self> {
        let sized: Vec<(&str, u64)> =
            budgets.filter_map(|(label, sizes)| Some((label, sizes.best?.total))).collect();
        let pairs = sized.windows(2).map(|pair| (pair[0], pair[1]));
        pairs
            .filter(|(before, next)| next.1 < before.1)
            .map(|(before, next)| Self {
                before: before.0.to_owned(),
                before_weights: before.1,
                budget: next.0.to_owned(),
                weights: next.1,
            })
            .collect()
    }
}

fn tolerance(budget: &SizeBudget, options: &Options) -> f64 {
    match budget.target {
        WeightTarget::Near { tolerance, .. } => tolerance,
        WeightTarget::Any => options.size_tolerance,
    }
}
