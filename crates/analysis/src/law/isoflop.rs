//! Weights with the least loss at given compute, from the runs alone, beside those of the law.

use allometry_core::cholesky::Cholesky;
use allometry_core::rng::TrialRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::optimum::{OPERATIONS, best};
use super::{LawEstimate, LawPoint};
use crate::stats::random::below;
use crate::stats::robust_law::Law;

/// Width of a group of compute in decades.
const WIDTH: f64 = 0.25;
/// Sum of squares of the differences of compute, in decades, far below which they are taken for none.
const SAME_COMPUTE: f64 = 1e-6;
/// Fewest runs of a group.
const FEWEST_RUNS: usize = 6;
/// Smallest ratio of the weights of a group.
const LEAST_RATIO: f64 = 4.0;
/// Number of resamples of a group.
const RESAMPLES: usize = 200;
/// Share of the resamples that must have a minimum.
const SHARE: f64 = 0.95;

/// The runs of about equal compute, and the weights with the least loss among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IsoFlop {
    /// Geometric mean of the compute, `6 N D`.
    pub compute: f64,
    /// Positions of the runs among the given ones, from 0.
    pub runs: Vec<u64>,
    /// Weights at the minimum of the parabola of `log loss` over `log N`.
    pub weights: LawEstimate,
    /// Coefficients of the parabola of `log10 loss` over `log10 N`, from the constant up.
    pub parabola: [f64; 3],
    /// Weights of the law at the same compute.
    pub by_law: LawEstimate,
}

/// Returns the groups of runs with a minimum, in order of compute (Hoffmann et al. 2022, approach 2).
///
/// The parabola has a term for the differences of compute within its group. Its interval is that of runs
/// drawn with replacement. The minimum of a parabola is biased where runs lie to one side of it.
pub(super) fn isoflops(
    points: &[LawPoint],
    law: &Law,
    laws: &[Law],
    level: f64,
    rng: &mut TrialRng,
) -> Vec<IsoFlop> {
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
        let Some(parabola) = parabola(&rows) else { continue };
        let drawn: Vec<f64> = (0..RESAMPLES)
            .filter_map(|_| {
                let drawn: Vec<[f64; 3]> = rows.iter().map(|_| rows[below(rng, rows.len())]).collect();
                minimum(self::parabola(&drawn)?, ends)
            })
            .collect();
        let Some(least) = minimum(parabola, ends) else { continue };
        if (drawn.len() as f64) < SHARE * RESAMPLES as f64 {
            continue;
        }
        let product = 10.0_f64.powf(center) / OPERATIONS;
        let of_laws = laws.iter().map(|law| best(law, product)[0]).filter(|x| x.is_finite()).collect();
        groups.push(IsoFlop {
            compute: 10.0_f64.powf(center),
            runs: group.iter().map(|run| *run as u64).collect(),
            weights: LawEstimate::new(least, drawn, level),
            parabola,
            by_law: LawEstimate::new(best(law, product)[0], of_laws, level),
        });
    }
    groups
}

/// Returns the parabola of the log loss over the logarithms of the weights at the mean compute.
fn parabola(rows: &[[f64; 3]]) -> Option<[f64; 3]> {
    let center = rows.iter().map(|row| row[0]).sum::<f64>() / rows.len() as f64;
    let terms = |row: &[f64; 3]| {
        let x = row[0] - center;
        [1.0, x, x * x, row[1]]
    };
    let (mut products, mut sums) = (vec![0.0; 16], vec![0.0; 4]);
    for row in rows {
        let terms = terms(row);
        for (i, term) in terms.iter().enumerate() {
            sums[i] += term * row[2];
            for (j, other) in terms.iter().enumerate() {
                products[i * 4 + j] += term * other;
            }
        }
    }
    // Where compute does not differ, its term is 0.
    products[15] += SAME_COMPUTE;
    let [a, b, c, _] = Cholesky::new(products, 4)?.solve(&sums).try_into().ok()?;
    Some([a - b * center + c * center * center, b - 2.0 * c * center, c])
}

/// Returns the weights at the minimum of a parabola, which must lie within the range of the runs or at most a
/// factor of two beyond.
fn minimum([_, b, c]: [f64; 3], (low, high): (f64, f64)) -> Option<f64> {
    let beyond = 2.0_f64.log10();
    let at = -b / (2.0 * c);
    (c > 0.0 && at >= low - beyond && at <= high + beyond).then(|| 10.0_f64.powf(at))
}
