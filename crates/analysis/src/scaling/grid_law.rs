//! A law over weights and training rows, from one value for each budget and part of the rows.

use allometry_core::Direction;
use allometry_core::rng::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contrast::Budgets;
use super::size_law::{Noise, with_draws};
use crate::estimate::Estimate;
use crate::input::LadderTrials;
use crate::law::{LawAxis, LawPoint, MULTIPLES, Optimum, check, optima_of, reaches_end};
use crate::options::Options;
use crate::stats::robust_law::{Law, Sizes};

/// Number of steps of a drawn fit, which starts at the law of the values.
const STEPS: usize = 200;

/// The law `loss = floor + A / weights^alpha + B / rows^beta`, where the loss of an AUC is its distance from
/// 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GridLaw {
    /// Exponent of the weights.
    pub alpha: Estimate,
    /// Exponent of the rows.
    pub beta: Estimate,
    /// Amplitude of the weights, `A`.
    pub a: Estimate,
    /// Amplitude of the rows, `B`.
    pub b: Estimate,
    /// Loss of very large models on very many rows.
    pub floor: Estimate,
    /// Half the sum of the squared residuals of the logarithms of the loss.
    #[serde(default)]
    pub objective: f64,
    /// Whether the interval of an exponent reaches an end of the searched range, so that the law is not
    /// identified.
    pub is_open: bool,
    /// Weights and rows with the least loss for given compute; none where the law is not identified, or where
    /// the trials do not record their operations.
    pub optima: Vec<Optimum>,
}

/// Fits the law to the value of each budget at its weights and rows; `None` where the metric is no loss, and
/// where there are too few sizes. `freedom` is that of the errors. `operations` is the number of operations
/// per weight and row, over all passes over the rows.
pub(super) fn grid_law(
    budgets: &Budgets<'_>,
    values: &[([f64; 2], f64)],
    [freedom, operations]: [Option<f64>; 2],
    ladder: &LadderTrials,
    options: &Options,
) -> Option<GridLaw> {
    let loss = |value: f64| match ladder.direction() {
        _ if ladder.measures_auc() => Some(1.0 - value),
        Direction::Minimize => Some(value),
        Direction::Maximize => None,
    };
    let axes = [LawAxis::Weights, LawAxis::Data];
    let points: Option<Vec<LawPoint>> = values
        .iter()
        .map(|(sizes, value)| Some(LawPoint { sizes: sizes.to_vec(), loss: loss(*value)? }))
        .collect();
    let points = points?;
    check(&axes, &points).ok()?;
    let column = |axis: usize| points.iter().map(|point| point.sizes[axis]).collect::<Vec<f64>>();
    let losses: Vec<f64> = points.iter().map(|point| point.loss).collect();
    let sizes = Sizes::new(&[column(0), column(1)], &losses)?;
    let equal = vec![1.0; points.len()];
    let law = sizes.fit(&equal, f64::INFINITY);
    let noise = Noise::new(budgets, freedom?, options)?;
    let mut rng = stream(options.seed, "grid law", 0);
    let laws: Vec<Law> = noise
        .draws(&mut rng)
        .iter()
        .filter_map(|drawn| {
            let log_noise: Option<Vec<f64>> = points
                .iter()
                .zip(drawn)
                .map(|(point, noise)| {
                    let expected = law.at(&point.sizes);
                    // Gains are decreases of the loss.
                    let drawn = (expected - noise).max(expected * 1e-3);
                    (expected > 0.0).then(|| (drawn / expected).ln())
                })
                .collect();
            Some(sizes.around(&law, &log_noise?).fit_from(&law, &equal, f64::INFINITY, STEPS))
        })
        .collect();
    let estimate =
        |of: &dyn Fn(&Law) -> f64| with_draws(of(&law), laws.iter().map(of).collect(), 1.0, options);
    let (alpha, beta) = (estimate(&|law| law.exponents[0])?, estimate(&|law| law.exponents[1])?);
    let is_open = reaches_end(alpha.interval) || reaches_end(beta.interval);
    let pairs = [0, 1].map(|axis| column(axis).into_iter().fold(0.0, f64::max)).iter().product::<f64>();
    let optima = operations.filter(|_| !is_open).map_or_else(Vec::new, |operations| {
        optima_of(
            &law,
            &laws,
            &MULTIPLES.map(|multiple| multiple * operations * pairs),
            operations,
            options.level,
        )
    });
    let (a, b) = (estimate(&|law| law.amplitudes[0])?, estimate(&|law| law.amplitudes[1])?);
    let floor = estimate(&|law| law.floor)?;
    Some(GridLaw { alpha, beta, a, b, floor, objective: law.objective, is_open, optima })
}
