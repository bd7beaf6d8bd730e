//! How much of the metric's variance goes with a parameter.

mod effect;
mod share;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use effect::{AdjustedEffect, ImportanceModel};

use crate::estimate::Estimate;
use crate::level::{Level, values_at};
use crate::model::Model;
use crate::options::Options;
use crate::stats::moments::{mean, sample_variance};
use crate::stats::one_way::OneWay;

/// One parameter's importance in one budget.
///
/// All figures but the naive ones count distinct evaluations: a repeat of a configuration with the very same
/// value tells nothing new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Importance {
    /// The parameter.
    pub parameter: String,
    /// The classic report's figure, see [`naive`]: no share of a whole.
    pub naive: f64,
    /// Distinct values of the parameter.
    pub values: u64,
    /// What the naive figure is expected to be where the parameter has no effect: `(values - 1) / trials`.
    pub naive_by_chance: f64,
    /// Share of the variance, corrected for chance (Kelley 1935), on bins of values where there are many;
    /// `None` where it cannot be computed. One parameter at a time: what others have to do with it is not
    /// taken out.
    pub epsilon_squared: Option<f64>,
    /// The same by Hays' correction.
    pub omega_squared: Option<f64>,
    /// P-value of the parameter on its own, by permutation; exact for few evaluations.
    pub p_permutation: Option<f64>,
    /// The same after Benjamini and Hochberg's adjustment over the parameters of the budget.
    pub p_permutation_adjusted: Option<f64>,
    /// Its effect beside all other parameters; `None` without a model that it is in.
    pub adjusted: Option<AdjustedEffect>,
    /// Its share of the model's R squared; these add up (Lindeman, Merenda & Gold 1980). The interval covers
    /// new noise at the same configurations.
    pub share: Option<Estimate>,
    /// What that share is expected to be, about, where the parameter has no effect: its degrees of freedom
    /// over those of all evaluations.
    pub share_by_chance: Option<f64>,
}

/// Importance of every parameter, the largest naive figure first, and what the model behind them can tell.
/// `parameters` are names with their exact and their binned levels; `values` those of all usable trials.
pub(crate) fn importance(
    parameters: &[(&str, &[Level], &[Level])],
    values: &[f64],
    model: &Model,
    repeat_sd: Option<f64>,
    seed_name: &str,
    options: &Options,
) -> (Vec<Importance>, ImportanceModel) {
    let effects = effect::Effects::new(model, repeat_sd, seed_name, options);
    let mut importance: Vec<Importance> = parameters
        .iter()
        .zip(&model.factors)
        .map(|((parameter, exact, _), factor)| {
            let one_way = OneWay::new(&model.values, &factor.codes, factor.groups());
            let effect = effects.of(parameter);
            Importance {
                parameter: (*parameter).to_owned(),
                naive: naive(values, exact),
                values: exact.len() as u64,
                naive_by_chance: exact.len().saturating_sub(1) as f64 / values.len().max(1) as f64,
                epsilon_squared: one_way.epsilon_squared(),
                omega_squared: one_way.omega_squared(),
                p_permutation: effects.permutation(parameter).map(|[p, _]| p),
                p_permutation_adjusted: effects.permutation(parameter).map(|[_, adjusted]| adjusted),
                adjusted: effect.map(|effect| effect.adjusted),
                share: effect.and_then(|effect| effect.share),
                share_by_chance: effect.map(|effect| {
                    effect.adjusted.freedom as f64 / model.values.len().saturating_sub(1).max(1) as f64
                }),
            }
        })
        .collect();
    importance.sort_by(|a, b| b.naive.total_cmp(&a.naive));
    (importance, effects.model)
}

/// The classic report's importance: `sum_g n_g (m_g - m)^2 / N` over the sample variance, levels `g` of one
/// parameter.
///
/// `N`, `m` and the variance are those of all `values`, also where some trials lack the parameter. No share
/// of a whole: the figures of several parameters do not add up to 1, and without any effect one of `k` levels
/// expects `(k - 1) / N`. 0 where nothing varies.
pub fn naive(values: &[f64], levels: &[Level]) -> f64 {
    let (Some(center), Some(variance)) =
        (mean(values.iter().copied()), sample_variance(values.iter().copied()))
    else {
        return 0.0;
    };
    if variance == 0.0 {
        return 0.0;
    }
    let mut between = 0.0;
    for level in levels {
        let distance = mean(values_at(values, level)).map_or(0.0, |m| m - center);
        between += level.members.len() as f64 * (distance * distance);
    }
    between / values.len() as f64 / variance
}
