//! Importance of parameters: the share of the metric's variance associated with each.

mod effect;
mod share;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use effect::shares_of;
pub use effect::{AdjustedEffect, ImportanceModel};

use crate::estimate::Estimate;
use crate::level::{Level, values_at};
use crate::model::Model;
use crate::options::Options;
use crate::stats::moments::{mean, sample_variance};
use crate::stats::one_way::OneWay;

/// The importance of one parameter in one budget.
///
/// All figures except the naive ones use distinct evaluations: a repeat of a configuration with exactly equal
/// value adds no information.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Importance {
    /// The parameter.
    pub parameter: String,
    /// The classic report's figure, see [`naive`]. The figures of several parameters do not add up to 1.
    pub naive: f64,
    /// Number of distinct values of the parameter.
    pub values: u64,
    /// Expected naive figure without an effect of the parameter: `(values - 1) / trials`.
    pub naive_by_chance: f64,
    /// Epsilon squared: share of the variance, corrected for chance (Kelley 1935), with values binned where
    /// there are many; `None` where it cannot be computed. It is not adjusted for other parameters.
    pub epsilon_squared: Option<f64>,
    /// Omega squared: share of the variance by Hays' correction.
    pub omega_squared: Option<f64>,
    /// P-value of the parameter alone, by permutation; exact for few evaluations.
    pub p_permutation: Option<f64>,
    /// P-value after Benjamini and Hochberg's adjustment over the parameters of the budget.
    pub p_permutation_adjusted: Option<f64>,
    /// Effect of the parameter given all others; `None` without a model that contains it.
    pub adjusted: Option<AdjustedEffect>,
    /// Share of the parameter in the model's R squared; these shares add up to R squared (Lindeman, Merenda &
    /// Gold 1980). The interval covers new noise at these configurations.
    pub share: Option<Estimate>,
    /// Approximate expected share without an effect of the parameter: its degrees of freedom over those of
    /// all evaluations.
    pub share_by_chance: Option<f64>,
}

/// Computes the importance of every parameter, the largest naive figure first, and describes the model behind
/// them. `parameters` are names with their exact and their binned levels; `values` are those of all usable
/// trials.
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

/// Returns the classic report's importance: `sum_g n_g (m_g - m)^2 / N` over the sample variance, for the
/// levels `g` of one parameter.
///
/// `N`, `m` and the variance are those of all `values`, even where some trials lack the parameter. The
/// figures of several parameters do not add up to 1, and without any effect a parameter with `k` levels has
/// the expected figure `(k - 1) / N`. 0 where the values do not vary.
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
