//! Noise that the runs of one size of weights share, such as the checkpoints of one training.

use allometry_core::rng::TrialRng;
use rayon::prelude::*;

use super::{DELTA, Fitted, ROUNDING};
use crate::stats::bootstrap::quantile;
use crate::stats::moments::mean;
use crate::stats::random::{below, gauss};

/// P-value of no shared noise below which it counts. Runs that diverged hide it, and where there is none it
/// widens intervals little.
const LIKELY: f64 = 0.5;
/// Unknowns that the sizes of weights determine: the floor, the amplitude and the exponent.
const UNKNOWNS: usize = 3;
/// Number of tables without shared noise that are drawn for the p-value.
const DRAWS: usize = 99;
/// Number of steps of the fit to a drawn table.
const STEPS: usize = 200;

/// The noise of the runs of a law over two axes, in parts of the loss.
#[derive(Debug)]
pub(super) struct SharedNoise {
    /// Position of each run's size of weights.
    pub(super) groups: Vec<usize>,
    /// Number of sizes of weights.
    pub(super) count: usize,
    /// P-value of no shared noise.
    pub(super) p: f64,
    /// Standard deviation of the noise that the runs of a size share.
    deviation: f64,
    /// Its degrees of freedom.
    freedom: usize,
    /// Noise of each run of a size with several beside it.
    within: Vec<f64>,
}

/// Spread of the noise of runs between and within sizes.
struct Spread {
    /// Mean square of the medians of sizes, each times its number of runs.
    between: f64,
    /// Variance within sizes, by the median absolute deviation.
    within: f64,
    /// Distance of each run of a size with several from the median of its size.
    deviations: Vec<f64>,
}

impl Spread {
    /// Returns the spread of the noise of runs, of which `sizes` has the positions by size.
    fn of(sizes: &[Vec<usize>], noise: &[f64]) -> Option<Self> {
        /// Standard deviation of a normal distribution over its median absolute deviation.
        const OF_MAD: f64 = 1.4826;
        let (mut between, mut deviations) = (0.0, Vec::new());
        for rows in sizes {
            let mut sorted: Vec<f64> = rows.iter().map(|row| noise[*row]).collect();
            sorted.sort_by(f64::total_cmp);
            let middle = quantile(&sorted, 0.5)?;
            between += rows.len() as f64 * middle * middle;
            if rows.len() > 1 {
                deviations.extend(rows.iter().map(|row| noise[*row] - middle));
            }
        }
        let mut distances: Vec<f64> = deviations.iter().map(|deviation| deviation.abs()).collect();
        distances.sort_by(f64::total_cmp);
        let within = (OF_MAD * quantile(&distances, 0.5)?).powi(2);
        let freedom = sizes.len().checked_sub(UNKNOWNS).filter(|freedom| *freedom > 0)?;
        Some(Self { between: between / freedom as f64, within, deviations })
    }

    fn ratio(&self) -> f64 {
        self.between / self.within.max(ROUNDING)
    }
}

impl SharedNoise {
    /// Estimates the noise from the medians of the sizes, so that runs that diverged hardly count. `None` for
    /// a law of one axis, too few sizes, and where no size has several runs.
    ///
    /// The p-value is the share of tables with at least this ratio of the spreads, in which the noise of runs
    /// is drawn for each run alone and the law is fitted again.
    pub(super) fn estimate(fitted: &Fitted, rng: &mut TrialRng) -> Option<Self> {
        if fitted.sizes.axes() == 1 {
            return None;
        }
        let sizes = fitted.sizes.groups_of(0);
        let noise: Vec<f64> = fitted.residuals.iter().map(|residual| -residual).collect();
        let found = Spread::of(&sizes, &noise)?;
        let mut groups = vec![0; noise.len()];
        for (group, rows) in sizes.iter().enumerate() {
            for row in rows {
                groups[*row] = group;
            }
        }
        let mut shared = Self {
            groups,
            count: sizes.len(),
            p: 1.0,
            deviation: 0.0,
            freedom: sizes.len() - UNKNOWNS,
            within: found.deviations.clone(),
        };
        if found.between.max(found.within) < ROUNDING {
            return Some(shared);
        }
        let drawn: Vec<Vec<f64>> =
            (0..DRAWS).map(|_| (0..noise.len()).map(|_| shared.of_run(rng)).collect()).collect();
        let weights = vec![1.0; noise.len()];
        let ratio = |noise: Vec<f64>| {
            let drawn = fitted.sizes.around(&fitted.law, &noise);
            let law = drawn.fit_from(&fitted.law, &weights, DELTA, STEPS);
            let noise: Vec<f64> = drawn.residuals(&law).into_iter().map(|residual| -residual).collect();
            Some(Spread::of(&sizes, &noise)?.ratio())
        };
        let ratios: Vec<f64> = drawn.into_par_iter().filter_map(ratio).collect();
        let above = ratios.iter().filter(|ratio| **ratio >= found.ratio()).count();
        shared.p = (above + 1) as f64 / (ratios.len() + 1) as f64;
        let of_runs = found.within * mean(ratios.iter().copied())?;
        let inverse: f64 = sizes.iter().map(|rows| 1.0 / rows.len() as f64).sum();
        let runs_of_a_size = sizes.len() as f64 / inverse;
        shared.deviation = ((found.between - of_runs) / runs_of_a_size).max(0.0).sqrt();
        Some(shared)
    }

    /// Whether the runs of a size probably share noise.
    pub(super) fn is_likely(&self) -> bool {
        self.p < LIKELY && self.deviation > 0.0
    }

    /// Draws the noise that each of `count` sizes has. Its deviation is drawn from its own distribution, so
    /// that few sizes give wide intervals.
    pub(super) fn draw(&self, count: usize, rng: &mut TrialRng) -> Vec<f64> {
        let chi_squared: f64 = (0..self.freedom).map(|_| gauss(rng).powi(2)).sum();
        let deviation = self.deviation * (self.freedom as f64 / chi_squared.max(f64::MIN_POSITIVE)).sqrt();
        (0..count).map(|_| deviation * gauss(rng)).collect()
    }

    /// Draws the noise of a run beside that of its size.
    pub(super) fn of_run(&self, rng: &mut TrialRng) -> f64 {
        self.within[below(rng, self.within.len())]
    }
}
