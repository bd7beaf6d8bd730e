//! Weights with the least loss at given compute, from the runs alone, beside those of the law.

use allometry_core::cholesky::Cholesky;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::optimum::{OPERATIONS, best};
use super::{LawEstimate, LawPoint};
use crate::stats::distribution::t_two_sided;
use crate::stats::robust_law::Law;

/// Width of a group of compute in decades.
const WIDTH: f64 = 0.25;
/// Sum of squares of the differences of compute, in decades, far below which they are taken for none.
const SAME_COMPUTE: f64 = 1e-6;
/// Fewest runs of a group.
const FEWEST_RUNS: usize = 6;
/// Smallest ratio of the weights of a group.
const LEAST_RATIO: f64 = 4.0;
/// Level of the test of a group's curvature.
const SIGNIFICANT: f64 = 0.05;

/// The runs of about equal compute, and the weights with the least loss among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IsoFlop {
    /// Geometric mean of the compute, `6 N D`.
    pub compute: f64,
    /// Positions of the runs among the given ones, from 0.
    pub runs: Vec<u64>,
    /// Weights at the minimum of the parabola of `log loss` over `log N`.
    pub weights: f64,
    /// Coefficients of the parabola of `log10 loss` over `log10 N`, from the constant up.
    pub parabola: [f64; 3],
    /// Weights of the law at the same compute.
    pub by_law: LawEstimate,
}

/// Returns the groups of runs with a minimum, in order of compute (Hoffmann et al. 2022, approach 2).
///
/// The parabola has a term for the differences of compute within its group, and curves upwards significantly.
/// Its minimum has no interval: the loss of a law is no parabola, so that the minimum is biased, most where
/// runs lie to one side of it.
pub(super) fn isoflops(points: &[LawPoint], law: &Law, laws: &[Law], level: f64) -> Vec<IsoFlop> {
    let compute = |point: &LawPoint| (OPERATIONS * point.sizes[0] * point.sizes[1]).log10();
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|a, b| compute(&points[*a]).total_cmp(&compute(&points[*b])));
    // A group begins with the first run that is too far from the first of the group before.
    let mut groups_of_runs: Vec<Vec<usize>> = Vec::new();
    for run in order {
        match groups_of_runs.last_mut() {
            Some(group) if compute(&points[run]) - compute(&points[group[0]]) < WIDTH => group.push(run),
            _ => groups_of_runs.push(vec![run]),
        }
    }
    let mut groups = Vec::new();
    for group in groups_of_runs {
        let center = group.iter().map(|run| compute(&points[*run])).sum::<f64>() / group.len() as f64;
        let rows: Vec<[f64; 3]> = group
            .iter()
            .map(|run| {
                let point = &points[*run];
                [point.sizes[0].log10(), compute(point) - center, point.loss.log10()]
            })
            .collect();
        let ends = rows
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| (row[0].min(low), row[0].max(high)));
        if rows.len() < FEWEST_RUNS || ends.1 - ends.0 < LEAST_RATIO.log10() {
            continue;
        }
        let Some(parabola) = Parabola::fit(&rows) else { continue };
        let Some(weights) = parabola.minimum(ends).filter(|_| parabola.curves(&rows)) else { continue };
        let product = 10.0_f64.powf(center) / OPERATIONS;
        let of_laws = laws.iter().map(|law| best(law, product)[0]).filter(|x| x.is_finite()).collect();
        groups.push(IsoFlop {
            compute: 10.0_f64.powf(center),
            runs: group.iter().map(|run| *run as u64).collect(),
            weights,
            parabola: parabola.coefficients(),
            by_law: LawEstimate::new(best(law, product)[0], of_laws, level),
        });
    }
    groups
}

/// A parabola of the log loss over the logarithms of the weights, with a slope over those of compute.
struct Parabola {
    /// Mean logarithm of the weights, from which the parabola counts.
    center: f64,
    /// Constant, slope and curvature over the weights, and slope over compute.
    terms: [f64; 4],
    /// Variance of the curvature for residuals with a variance of 1.
    curvature_variance: f64,
}

impl Parabola {
    /// Fits logarithms of weights, compute and loss by least squares.
    fn fit(rows: &[[f64; 3]]) -> Option<Self> {
        let center = rows.iter().map(|row| row[0]).sum::<f64>() / rows.len() as f64;
        let (mut products, mut sums) = (vec![0.0; 16], vec![0.0; 4]);
        for row in rows {
            let columns = columns(center, row);
            for (i, column) in columns.iter().enumerate() {
                sums[i] += column * row[2];
                for (j, other) in columns.iter().enumerate() {
                    products[i * 4 + j] += column * other;
                }
            }
        }
        // Where compute does not differ, its slope is 0.
        products[15] += SAME_COMPUTE;
        let factor = Cholesky::new(products, 4)?;
        let terms = factor.solve(&sums).try_into().ok()?;
        Some(Self { center, terms, curvature_variance: factor.inverse()[10] })
    }

    /// Returns the coefficients over the logarithm of the weights at the mean compute, from the constant up.
    fn coefficients(&self) -> [f64; 3] {
        let (center, [a, b, c, _]) = (self.center, self.terms);
        [a - b * center + c * center * center, b - 2.0 * c * center, c]
    }

    fn at(&self, row: &[f64; 3]) -> f64 {
        columns(self.center, row).iter().zip(&self.terms).map(|(column, term)| column * term).sum()
    }

    /// Returns the weights at the minimum, which must lie within the range of the runs or at most a factor of
    /// two beyond.
    fn minimum(&self, (low, high): (f64, f64)) -> Option<f64> {
        let beyond = 2.0_f64.log10();
        let [_, b, c] = self.coefficients();
        let at = -b / (2.0 * c);
        (c > 0.0 && at >= low - beyond && at <= high + beyond).then(|| 10.0_f64.powf(at))
    }

    /// Whether the parabola curves upwards significantly, so that its minimum is no chance.
    fn curves(&self, rows: &[[f64; 3]]) -> bool {
        let freedom = (rows.len() - self.terms.len()) as f64;
        let squares: f64 = rows.iter().map(|row| (row[2] - self.at(row)).powi(2)).sum();
        let error = (squares / freedom * self.curvature_variance).sqrt();
        t_two_sided(self.terms[2] / error, freedom).is_none_or(|p| p < SIGNIFICANT)
    }
}

/// Returns the columns of the regression for a run.
fn columns(center: f64, row: &[f64; 3]) -> [f64; 4] {
    let x = row[0] - center;
    [1.0, x, x * x, row[1]]
}
