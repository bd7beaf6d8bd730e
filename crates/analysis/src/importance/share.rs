//! Shares of parameters in R squared, with intervals.

use allometry_core::rng::stream;

use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use crate::stats::bootstrap;
use crate::stats::design::Design;
use crate::stats::least_squares::Fit;
use crate::stats::lmg::{self, MOST_EXACT};
use crate::stats::moments::sample_sd;
use crate::stats::random::below;

/// Number of pairs of random orders where there are too many terms for every subset.
const ORDERS: usize = 32;
/// Most multiplications over all replicates.
const BUDGET: f64 = 1e9;
/// Most multiplications of drawn values with columns of the design, within `BUDGET`: each waits for memory
/// and therefore takes longer.
const DRAWING_BUDGET: f64 = 6e7;
/// Fewest replicates of an interval.
const FEWEST: usize = 100;

/// Returns the share of each term in R squared and the number of replicates behind its interval.
///
/// The replicates resample residuals around the fitted values at these configurations; the fitted values are
/// shrunk to the adjusted R squared. The interval is the union of the percentile interval and the pivotal one
/// (Davison & Hinkley 1997, section 5.2), which subtracts from the estimate the differences between resampled
/// shares and their own true share. Small shares are biased upwards by chance, and resampled ones twice, so
/// that percentiles alone never reach 0; large shares are resampled too low. Resampling trials instead would
/// drop levels and fit the rest almost exactly.
pub(super) fn shares(
    fit: &Fit<'_>,
    design: &Design,
    seed_name: &str,
    options: &Options,
) -> (Vec<Estimate>, usize) {
    let point = points(fit, design, options);
    let replicates = affordable(design, fit.response().len()).min(options.bootstraps as usize);
    let mut points: Vec<Vec<f64>> = vec![Vec::with_capacity(replicates); point.len()];
    let mut resampled_truth = vec![0.0; point.len()];
    if replicates >= FEWEST.min(options.bootstraps as usize) {
        let shrink = (adjusted_r_squared(fit).max(0.0) / fit.r_squared().max(f64::MIN_POSITIVE)).sqrt();
        let fitted = fit.fitted();
        // Residuals have a smaller variance than errors, because of the model's coefficients.
        let scale = (fitted.len() as f64 / fit.residual_freedom as f64).sqrt();
        let errors: Vec<f64> =
            fit.response().iter().zip(&fitted).map(|(y, fitted)| (y - fitted) * scale).collect();
        let mut rng = stream(options.seed, seed_name, 1);
        let mut matrix = design.cross_products(&fitted, None);
        let signal = shrink * shrink * variance(&fitted);
        let explained = signal / (signal + variance(&errors)).max(f64::MIN_POSITIVE);
        for (truth, share) in resampled_truth.iter_mut().zip(lmg_shares(&matrix, design, options)) {
            *truth = explained * share;
        }
        for _ in 0..replicates {
            let drawn: Vec<f64> =
                fitted.iter().map(|fitted| shrink * fitted + errors[below(&mut rng, errors.len())]).collect();
            design.replace_response(&mut matrix, &drawn);
            for (points, share) in points.iter_mut().zip(lmg_shares(&matrix, design, options)) {
                points.push(share);
            }
        }
    }
    let estimates = point
        .iter()
        .zip(&mut points)
        .zip(resampled_truth)
        .map(|((&point, replicates), truth)| {
            let percentile = bootstrap::percentile(replicates, options.level);
            let interval = percentile.map(|(lower, upper)| Interval {
                lower: lower.min(point - (upper - truth)).clamp(0.0, 1.0),
                upper: upper.max(point - (lower - truth)).clamp(0.0, 1.0),
            });
            Estimate { interval, method: Method::ResidualBootstrap, ..Estimate::observed(point, options) }
        })
        .collect();
    (estimates, points.first().map_or(0, Vec::len))
}

/// Returns the share of each term in R squared, without an interval.
pub(super) fn points(fit: &Fit<'_>, design: &Design, options: &Options) -> Vec<f64> {
    lmg_shares(&design.cross_products(fit.response(), None), design, options)
}

fn variance(values: &[f64]) -> f64 {
    sample_sd(values.iter().copied()).map_or(0.0, |sd| sd * sd)
}

/// Returns R squared corrected for the number of coefficients.
pub(super) fn adjusted_r_squared(fit: &Fit<'_>) -> f64 {
    let freedom = fit.response().len().saturating_sub(1) as f64;
    1.0 - (1.0 - fit.r_squared()) * freedom / fit.residual_freedom as f64
}

fn lmg_shares(matrix: &[f64], design: &Design, options: &Options) -> Vec<f64> {
    if design.terms().len() <= MOST_EXACT {
        return lmg::exact(matrix, design.terms());
    }
    // All replicates share these orders, so that the choice of orders adds no variance.
    lmg::sampled(matrix, design.terms(), ORDERS, &mut stream(options.seed, "shares of R squared", 2))
}

/// Returns the number of replicates within the budget of multiplications.
fn affordable(design: &Design, rows: usize) -> usize {
    let columns = design.columns() as f64 + 1.0;
    let one = if design.terms().len() <= MOST_EXACT {
        2.0_f64.powi(design.terms().len() as i32) * columns * columns / 4.0
    } else {
        2.0 * ORDERS as f64 * columns.powi(3) / 3.0
    };
    let drawing = rows as f64 * columns;
    (BUDGET / one).min(DRAWING_BUDGET / drawing) as usize
}
