//! Shares of R squared with intervals.

use allometry_core::rng::stream;

use crate::estimate::{Estimate, Interval, Method};
use crate::options::Options;
use crate::stats::bootstrap;
use crate::stats::design::Design;
use crate::stats::least_squares::Fit;
use crate::stats::lmg::{self, MOST_EXACT};
use crate::stats::moments::sample_sd;
use crate::stats::random::below;

/// Pairs of random orders where there are too many terms for every subset.
const ORDERS: usize = 32;
/// Multiplications that the replicates may take in all.
const BUDGET: f64 = 1e9;
/// Of these, those of drawn values with columns of the design: they wait for memory, which makes them dearer.
const DRAWING_BUDGET: f64 = 6e7;
/// Replicates below which there is no interval.
const FEWEST: usize = 100;

/// Share of R squared of each term and the replicates behind its interval.
///
/// The interval resamples residuals around the fit, shrunk to what is left of R squared after its correction,
/// at the same configurations, and joins the percentile interval to the pivotal one (Davison & Hinkley 1997,
/// section 5.2), the estimate less what resampled shares differ by from their own true share: small shares
/// are biased upwards by chance, and resampled ones once more, so that percentiles never reach down to 0;
/// large ones are resampled too low. Resampling the trials themselves would leave levels out and fit the rest
/// all but exactly.
pub(super) fn shares(
    fit: &Fit<'_>,
    design: &Design,
    seed_name: &str,
    options: &Options,
) -> (Vec<Estimate>, usize) {
    let point = lmg_shares(&design.cross_products(fit.response(), None), design, options);
    let replicates = affordable(design, fit.response().len()).min(options.bootstraps as usize);
    let mut points: Vec<Vec<f64>> = vec![Vec::with_capacity(replicates); point.len()];
    let mut resampled_truth = vec![0.0; point.len()];
    if replicates >= FEWEST.min(options.bootstraps as usize) {
        let shrink = (adjusted_r_squared(fit).max(0.0) / fit.r_squared().max(f64::MIN_POSITIVE)).sqrt();
        let fitted = fit.fitted();
        // Residuals are smaller than errors by what the model's coefficients take up.
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

fn variance(values: &[f64]) -> f64 {
    sample_sd(values.iter().copied()).map_or(0.0, |sd| sd * sd)
}

/// R squared corrected for the number of coefficients.
pub(super) fn adjusted_r_squared(fit: &Fit<'_>) -> f64 {
    let freedom = fit.response().len().saturating_sub(1) as f64;
    1.0 - (1.0 - fit.r_squared()) * freedom / fit.residual_freedom as f64
}

fn lmg_shares(matrix: &[f64], design: &Design, options: &Options) -> Vec<f64> {
    if design.terms().len() <= MOST_EXACT {
        return lmg::exact(matrix, design.terms());
    }
    // The same orders for every replicate, so that their choice adds no spread.
    lmg::sampled(matrix, design.terms(), ORDERS, &mut stream(options.seed, "shares of R squared", 2))
}

/// Replicates that stay within the budget.
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
