//! Noise that the runs of one size of weights share, such as the checkpoints of one training.

use allometry_core::rng::TrialRng;

use super::{Fitted, ROUNDING};
use crate::stats::bootstrap::quantile;
use crate::stats::distribution::f_upper_tail;
use crate::stats::random::{below, gauss};

/// P-value of no shared noise below which it counts. Runs that diverged hide it, and where there is none it
/// widens intervals little.
const LIKELY: f64 = 0.5;
/// Unknowns that the sizes of weights determine: the floor, the amplitude and the exponent.
const UNKNOWNS: usize = 3;
/// Variance of a median of normal values over that of their mean, for many values.
const OF_MEDIAN: f64 = std::f64::consts::FRAC_PI_2;
/// Standard deviation of a normal distribution over its median absolute deviation.
const OF_MAD: f64 = 1.4826;

/// The noise of the runs of a law over two axes, in parts of the loss.
#[derive(Debug)]
pub(super) struct SharedNoise {
    /// Position of each run's size of weights.
    pub(super) groups: Vec<usize>,
    /// Number of sizes of weights.
    pub(super) count: usize,
    /// Standard deviation of the noise that the runs of a size share.
    deviation: f64,
    /// Its degrees of freedom.
    freedom: usize,
    /// Noise of each run beside it.
    within: Vec<f64>,
}

impl SharedNoise {
    /// Estimates the noise; `None` where the sizes differ no more than those of independent runs.
    pub(super) fn of(fitted: &Fitted) -> Option<Self> {
        let (noise, p) = Self::estimate(fitted)?;
        (p < LIKELY && noise.deviation > 0.0).then_some(noise)
    }

    /// Estimates the noise from the medians of the sizes, so that runs that diverged hardly count. Returns
    /// the p-value of no such noise beside it; `None` where no size has several runs.
    pub(super) fn estimate(fitted: &Fitted) -> Option<(Self, f64)> {
        let places = fitted.sizes.groups_of(0);
        let count = places.len();
        let freedom = count.checked_sub(UNKNOWNS).filter(|freedom| *freedom > 0)?;
        let runs = fitted.residuals.len();
        let free_within = runs.checked_sub(count).filter(|free| *free > 0)?;
        let mut groups = vec![0; runs];
        let mut within = vec![0.0; runs];
        let (mut between, mut inverse) = (0.0, 0.0);
        for (group, rows) in places.iter().enumerate() {
            let mut residuals: Vec<f64> = rows.iter().map(|row| -fitted.residuals[*row]).collect();
            residuals.sort_by(f64::total_cmp);
            let middle = quantile(&residuals, 0.5)?;
            for row in rows {
                (groups[*row], within[*row]) = (group, -fitted.residuals[*row] - middle);
            }
            between += rows.len() as f64 * middle * middle;
            inverse += 1.0 / rows.len() as f64;
        }
        let mut sizes: Vec<f64> =
            places.iter().filter(|rows| rows.len() > 1).flatten().map(|row| within[*row].abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let of_runs = (OF_MAD * quantile(&sizes, 0.5)?).powi(2) * OF_MEDIAN;
        let between = between / freedom as f64;
        let p = f_upper_tail(between / of_runs.max(ROUNDING), freedom as f64, free_within as f64)?;
        let runs_of_a_size = count as f64 / inverse;
        let deviation = ((between - of_runs) / runs_of_a_size).max(0.0).sqrt();
        Some((Self { groups, count, deviation, freedom, within }, p))
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
