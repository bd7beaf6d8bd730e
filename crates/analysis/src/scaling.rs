//! Scaling: the gain of the metric from more weights.

mod contrast;
mod data;
mod effort;
mod grid_law;
mod judgement;
mod proposals;
mod quantity;
mod resampled;
mod search;
mod size_law;
mod trend;

use allometry_core::{Direction, ModelSize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use contrast::{BudgetPart, Budgets, Units, VariancePart};
pub use contrast::{EraGain, Share, Source};
pub(crate) use data::rows_of_studies;
pub use data::{DataCell, DataGain, DataJudgement, DataScaling, DoublingGain};
pub(crate) use effort::Excess;
pub use grid_law::GridLaw;
pub use judgement::{
    CountOf, FOR_LACK_OF_FIT, JudgedBudget, Judgement, LastStep, MOST_IN_PAIRS, Quantity, Withheld,
};
pub(crate) use judgement::{judge, slope_weights};
pub(crate) use quantity::{best_part, geometric_mean, in_order as in_order_of_size};
pub use resampled::{CorrectedBest, OrderProbability, RowResamples};
pub use search::SearchKind;
pub(crate) use search::{
    BEST_OF_ONE, Configuration, best_of_k, choose_k, configurations, kind, start_spread, top_spread,
};
pub use size_law::{DECADES_FOR_LAW, HeldOutBudget, SIZES_FOR_LAW, SizeForecast, SizeLaw};
pub use trend::{SizeTrend, TrendCenter};

use crate::estimate::{Estimate, Interval};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::study::StudyAnalysis;

/// The best observed value of one budget with its model size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingPoint {
    /// Label of the size budget.
    pub budget: String,
    /// Number of weights in the label.
    pub nominal: Option<f64>,
    /// Exact size of the best trial's model.
    pub size: Option<ModelSize>,
    /// Observed value of the best trial. The best of many trials is biased towards better values.
    pub best: Estimate,
}

/// Source of the order of the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SizeOrder {
    /// The exact size of each budget's best model.
    Exact,
    /// The order in which the budgets were given, because sizes are not known.
    Given,
}

/// Gain of one budget over a smaller one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Label of the larger budget.
    pub larger: String,
    /// Label of the smaller budget.
    pub smaller: String,
    /// Gain of the larger budget in the judged quantity: positive where it is better.
    pub gain: Estimate,
    /// Shares of the sources in the error of the gain.
    #[serde(default)]
    pub shares: Vec<Share>,
    /// Two-sided p-value for zero.
    pub p: Option<f64>,
    /// P-value after Holm's adjustment over all differences of the ladder.
    pub p_holm: Option<f64>,
}

/// Results on scaling for one ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scaling {
    /// The classic report's verdict, which only compares the order of three maxima.
    pub naive: Option<NaiveScaling>,
    /// Source of the order of the points.
    pub order: SizeOrder,
    /// The observed best of each budget with a usable trial, from the smallest model to the largest.
    pub points: Vec<ScalingPoint>,
    /// How each budget was searched, in the order given.
    #[serde(default)]
    pub searches: Vec<SearchKind>,
    /// Whether the origin of the trials of some budget is not recorded, in which case they are treated as
    /// independent draws.
    #[serde(default)]
    pub is_unrecorded: bool,
    /// The test of scaling; `null` where it is withheld.
    #[serde(default)]
    pub judgement: Option<Judgement>,
    /// Why the test is withheld; `null` where it is given.
    #[serde(default)]
    pub withheld: Option<Withheld>,
    /// Differences of every pair of budgets in the judged quantity.
    pub differences: Vec<Difference>,
    /// Gain over exact sizes, with sizes as independent units; `null` without sizes.
    pub trend: Option<SizeTrend>,
    /// Gain per tenfold weights among the configurations of one budget; `null` where their sizes do not
    /// differ. It includes the effects of everything that varies with the size.
    #[serde(default)]
    pub within_budgets: Option<Estimate>,
    /// Probabilities of the best values and their order over resampled validation rows; `null` without stored
    /// scores.
    #[serde(default)]
    pub resampled: Option<RowResamples>,
}

impl Scaling {
    /// Judges the searches of a ladder; see [`Judgement`].
    pub fn new(studies: &[StudyAnalysis], ladder: &LadderTrials, options: &Options) -> Self {
        let best: Option<Vec<f64>> =
            studies.iter().map(|study| Some(study.summary.incumbent()?.value.point)).collect();
        let mut points: Vec<ScalingPoint> = studies
            .iter()
            .filter_map(|study| {
                let incumbent = study.summary.incumbent()?;
                Some(ScalingPoint {
                    budget: study.budget.label.clone(),
                    nominal: study.sizes.nominal,
                    size: incumbent.size,
                    best: incumbent.value,
                })
            })
            .collect();
        let exact = !points.is_empty() && points.iter().all(|point| point.size.is_some());
        if exact {
            points.sort_by_key(|point| point.size);
        }
        let searches: Vec<SearchKind> =
            ladder.studies.iter().map(|study| search::kind(study, ladder)).collect();
        let judged = quantity::judge(ladder, &searches, options).map(|(mut judgement, differences)| {
            if ladder.measures_auc() {
                for value in &mut judgement.values {
                    value.value.interval = value.value.interval.map(Interval::of_auc);
                }
                let laws = judgement.law.iter_mut().chain(&mut judgement.law_of_compute);
                laws.for_each(SizeLaw::clamp_to_auc);
            }
            (judgement, differences)
        });
        let (judgement, differences, withheld) = match judged {
            Ok((judgement, differences)) => (Some(judgement), differences, None),
            Err(why) => (None, Vec::new(), Some(why)),
        };
        Self {
            naive: best.and_then(|best| naive(&best, ladder.direction())),
            order: if exact { SizeOrder::Exact } else { SizeOrder::Given },
            points,
            searches,
            is_unrecorded: ladder.studies.iter().any(|study| !search::is_recorded(study)),
            trend: SizeTrend::new(ladder, judgement.as_ref(), options),
            within_budgets: trend::within_budgets(ladder, options),
            judgement,
            withheld,
            differences,
            resampled: RowResamples::new(studies, ladder, options),
        }
    }
}

/// The classic report's scaling verdict on three budgets: a plain comparison of the maxima.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveScaling {
    /// The third is best and the first worst.
    Holds,
    /// The second is best and the third worst.
    Violated,
    /// Any other order.
    Partial,
}

/// Returns the classic verdict on the best values in the order given; `None` unless there are exactly three.
pub fn naive(best: &[f64], direction: Direction) -> Option<NaiveScaling> {
    let &[small, medium, large] = best else { return None };
    let better = |a, b| direction.better(a, b);
    Some(if better(large, medium) && better(medium, small) {
        NaiveScaling::Holds
    } else if better(medium, small) && better(small, large) {
        NaiveScaling::Violated
    } else {
        NaiveScaling::Partial
    })
}
