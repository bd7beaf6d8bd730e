//! The sizes with the least loss for given compute.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AxisLaw, LawAxis, LawEstimate, LawOptions, LawPoint};
use crate::stats::robust_law::Law;

/// Operations per weight and row of one training pass, forward and backward (Kaplan et al. 2020).
pub const OPERATIONS: f64 = 6.0;
/// Multiples of the largest compute of a run for which the sizes are computed.
pub(crate) const MULTIPLES: [f64; 3] = [1.0, 10.0, 100.0];

/// The weights and the data with the least loss for given compute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Optimum {
    /// Compute.
    pub compute: f64,
    /// Weights.
    pub weights: LawEstimate,
    /// Rows or tokens.
    pub data: LawEstimate,
    /// Loss there.
    pub loss: LawEstimate,
}

/// Returns the optima of a law over weights and data, in this order; none for other laws.
///
/// `N = G (C / 6)^(beta / (alpha + beta))` with `G = (alpha A / (beta B))^(1 / (alpha + beta))` (Hoffmann et
/// al. 2022, equation 4).
pub(super) fn optima(
    axes: &[LawAxis],
    axis_laws: &[AxisLaw],
    points: &[LawPoint],
    law: &Law,
    laws: &[Law],
    options: &LawOptions,
) -> Vec<Optimum> {
    if axes != [LawAxis::Weights, LawAxis::Data] || axis_laws.iter().any(|axis| axis.is_open) {
        return Vec::new();
    }
    let pairs = |point: &LawPoint| point.sizes.iter().product::<f64>();
    let largest = OPERATIONS * points.iter().map(pairs).fold(0.0, f64::max);
    let compute = options
        .compute
        .map_or_else(|| MULTIPLES.map(|multiple| multiple * largest).to_vec(), |compute| vec![compute]);
    optima_of(law, laws, &compute, OPERATIONS, options.level)
}

/// Returns the optima of a law over weights and data for each of `compute`, with `operations` per weight and
/// row.
pub(crate) fn optima_of(
    law: &Law,
    laws: &[Law],
    compute: &[f64],
    operations: f64,
    level: f64,
) -> Vec<Optimum> {
    let of = |&compute: &f64| {
        let estimate = |of: &dyn Fn(&Law) -> f64| {
            let drawn = laws.iter().map(of).filter(|x| x.is_finite()).collect();
            LawEstimate::new(of(law), drawn, level)
        };
        Optimum {
            compute,
            weights: estimate(&|law| best(law, compute / operations)[0]),
            data: estimate(&|law| best(law, compute / operations)[1]),
            loss: estimate(&|law| law.at(&best(law, compute / operations))),
        }
    };
    compute.iter().map(of).collect()
}

/// Returns the weights and the data with the least loss for a product of both.
pub(super) fn best(law: &Law, pairs: f64) -> [f64; 2] {
    let ([alpha, beta], [a, b]) =
        ([law.exponents[0], law.exponents[1]], [law.amplitudes[0], law.amplitudes[1]]);
    let scale = (alpha * a / (beta * b)).powf(1.0 / (alpha + beta));
    let weights = scale * pairs.powf(beta / (alpha + beta));
    [weights, pairs / weights]
}
