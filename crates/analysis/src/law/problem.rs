//! Reasons why runs cannot bear a law.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FEWEST_DECADES, FEWEST_SIZES, LawAxis, LawPoint, distinct};
use crate::stats::kendall::kendall;

/// Largest correlation of the logarithms of two axes at which their laws can be told apart.
const MOST_CORRELATED: f64 = 0.99;

/// Losses that differ by less than this part are equal.
const SAME_LOSS: f64 = 1e-9;

/// Largest rank correlation of sizes and losses that a falling law may have by chance.
const MOST_RISING: f64 = 0.5;

/// Why no law is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum LawProblem {
    /// A size or a loss is not a positive number.
    NotPositive {
        /// Position of the run, from 0.
        row: u64,
    },
    /// An axis has too few distinct sizes.
    FewSizes {
        /// The axis.
        axis: LawAxis,
        /// Number of distinct sizes.
        found: u64,
        /// Number of distinct sizes needed.
        needed: u64,
    },
    /// The sizes of an axis span too small a range.
    NarrowRange {
        /// The axis.
        axis: LawAxis,
        /// Number of decades spanned.
        found: f64,
        /// Number of decades needed.
        needed: f64,
    },
    /// The losses of all runs are equal.
    Constant,
    /// The loss rises with the sizes of an axis, while a law falls.
    Rising {
        /// The axis.
        axis: LawAxis,
        /// Rank correlation of sizes and losses (Kendall's tau-b).
        correlation: f64,
    },
    /// Two axes vary together, so that their exponents cannot be told apart.
    Together {
        /// Correlation of their logarithms.
        correlation: f64,
    },
}

/// Checks whether runs can bear a law.
pub(crate) fn check(axes: &[LawAxis], points: &[LawPoint]) -> Result<(), LawProblem> {
    let is_positive = |x: f64| x > 0.0 && x.is_finite();
    let is_sound =
        |point: &LawPoint| is_positive(point.loss) && point.sizes.iter().all(|size| is_positive(*size));
    if let Some(row) = points.iter().position(|point| !is_sound(point)) {
        return Err(LawProblem::NotPositive { row: row as u64 });
    }
    let losses = || points.iter().map(|point| point.loss);
    let (least, most) = (losses().fold(f64::INFINITY, f64::min), losses().fold(0.0, f64::max));
    if most - least <= SAME_LOSS * most {
        return Err(LawProblem::Constant);
    }
    for (place, &axis) in axes.iter().enumerate() {
        let sizes = distinct(points, place);
        let found = sizes.len() as u64;
        if found < FEWEST_SIZES {
            return Err(LawProblem::FewSizes { axis, found, needed: FEWEST_SIZES });
        }
        let decades = (sizes[sizes.len() - 1] / sizes[0]).log10();
        // Nominal sizes such as 1M, 3M and 30M span 1.5 decades but for rounding.
        if decades < FEWEST_DECADES - 0.03 {
            return Err(LawProblem::NarrowRange { axis, found: decades, needed: FEWEST_DECADES });
        }
    }
    if let [axis] = axes {
        let sizes: Vec<f64> = points.iter().map(|point| point.sizes[0]).collect();
        let losses: Vec<f64> = points.iter().map(|point| point.loss).collect();
        let correlation = kendall(&sizes, &losses).map_or(0.0, |tau| tau.tau_b);
        if correlation > MOST_RISING {
            return Err(LawProblem::Rising { axis: *axis, correlation });
        }
    }
    if let [_, _] = axes {
        let correlation = correlation(points);
        if correlation.abs() > MOST_CORRELATED {
            return Err(LawProblem::Together { correlation });
        }
    }
    Ok(())
}

/// Returns the correlation of the logarithms of the first two axes.
fn correlation(points: &[LawPoint]) -> f64 {
    let count = points.len() as f64;
    let mean = |axis: usize| points.iter().map(|point| point.sizes[axis].ln()).sum::<f64>() / count;
    let means = [mean(0), mean(1)];
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for point in points {
        let [x, y] = [0, 1].map(|axis| point.sizes[axis].ln() - means[axis]);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    xy / (xx * yy).sqrt()
}
