//! Results of the best trials on each era of walk-forward folds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::input::LadderTrials;
use crate::options::Options;
use crate::per_series::{BestOfBudget, best_of_budgets, value};
use crate::study::StudyAnalysis;

/// Values of the budgets' best trials on the rows of each era. A trial's own value is the mean of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerEra {
    /// The best trials, one for each budget whose predictions are stored.
    pub trials: Vec<BestOfBudget>,
    /// The eras in their order.
    pub eras: Vec<EraValues>,
}

/// Values on the rows of one era.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EraValues {
    /// Time of the first row; absent for a table without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Time of the last row; absent for a table without times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Number of rows.
    pub rows: u64,
    /// Value of each trial, in the order of the trials, with its error over the rows of the era; `None` where
    /// the metric is undefined.
    pub values: Vec<Option<Estimate>>,
}

impl PerEra {
    /// Computes the values; `None` without folds and without stored predictions.
    pub(crate) fn new(ladder: &LadderTrials, studies: &[StudyAnalysis], options: &Options) -> Option<Self> {
        let eras = ladder.eras.as_ref()?;
        let (trials, scores) = best_of_budgets(ladder, studies);
        let places = scores.first()?.era_places()?;
        let of_era = |(era, places): (usize, Vec<usize>)| {
            let (first, last) = eras.times()[era].clone();
            let values = scores.iter().map(|scores| value(scores, &places, scores.series.panel, options));
            EraValues { first, last, rows: places.len() as u64, values: values.collect() }
        };
        Some(Self { trials, eras: places.rows_of_each().into_iter().map(of_era).collect() })
    }
}
