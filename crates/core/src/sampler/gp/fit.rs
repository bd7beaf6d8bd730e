//! Length scales, signal and noise that are most probable given the told values.

use super::cholesky::{Cholesky, dot};
use super::kernel::{Kernel, MEAN_VARIANCE, matern, squared_difference};
use super::lbfgs::minimize;
use crate::sampler::lattice::Scale;

/// Smallest noise variance: below it the factors of the covariance lose their digits.
const NOISE_FLOOR: f64 = 1e-6;
/// Mean and deviation of the normal prior of the logarithm of the signal's variance.
const SIGNAL_PRIOR: (f64, f64) = (0.0, 1.0);
/// The same of the noise's variance.
const NOISE_PRIOR: (f64, f64) = (-4.0, 1.5);

/// Told values at points, with what of the points a likelihood needs.
pub(super) struct Likelihood<'a> {
    y: &'a [f64],
    dimension: usize,
    /// Squared differences of the pairs `(i, j)`, `j < i`, all axes of a pair side by side.
    differences: Vec<f64>,
}

impl<'a> Likelihood<'a> {
    pub(super) fn new(scales: &[Scale], points: &[Vec<f64>], y: &'a [f64]) -> Self {
        let n = points.len();
        let mut differences = Vec::with_capacity(n * n.saturating_sub(1) / 2 * scales.len());
        for i in 0..n {
            for j in 0..i {
                for (d, scale) in scales.iter().enumerate() {
                    differences.push(squared_difference(*scale, points[i][d], points[j][d]));
                }
            }
        }
        Self { y, dimension: scales.len(), differences }
    }

    /// Minus the logarithm of the posterior density of `theta` (logarithms of length scales, signal and noise) up to a constant, and its
    /// gradient (Rasmussen & Williams 2006, equations 5.8 and 5.9). Infinite where the covariance cannot be factored.
    ///
    /// Length scales have the prior of Hvarfner, Hellsten & Nardi (2024): log-normal with `mu = sqrt 2 + ln(D) / 2`,
    /// `sigma = sqrt 3`.
    pub(super) fn negative_log_posterior(&self, theta: &[f64]) -> (f64, Vec<f64>) {
        let (n, dimension) = (self.y.len(), self.dimension);
        let kernel = kernel_of(theta);
        let mut covariance = vec![0.0; n * n];
        let mut factors = Vec::with_capacity(n * n.saturating_sub(1) / 2);
        let mut pair = 0;
        for i in 0..n {
            for j in 0..i {
                let differences = &self.differences[pair * dimension..(pair + 1) * dimension];
                let (value, factor) = matern(dot(&kernel.weights, differences));
                covariance[i * n + j] = kernel.signal * value;
                factors.push(kernel.signal * factor);
                pair += 1;
            }
            covariance[i * n + i] = kernel.signal;
        }
        let mut total = covariance.clone();
        for i in 0..n {
            for j in 0..=i {
                total[i * n + j] += MEAN_VARIANCE + if i == j { kernel.noise } else { 0.0 };
            }
        }
        let Some(factor) = Cholesky::new(total, n) else {
            return (f64::INFINITY, vec![0.0; theta.len()]);
        };
        let alpha = factor.solve(self.y);
        let mut value = factor.half_log_determinant() + 0.5 * dot(self.y, &alpha);
        let inverse = factor.inverse();
        let mut gradient = vec![0.0; theta.len()];
        let (mut by_signal, mut by_noise) = (0.0, 0.0);
        pair = 0;
        for i in 0..n {
            for j in 0..i {
                let w = inverse[i * n + j] - alpha[i] * alpha[j];
                by_signal += w * covariance[i * n + j];
                let scaled = w * factors[pair];
                let differences = &self.differences[pair * dimension..(pair + 1) * dimension];
                for (g, difference) in gradient.iter_mut().zip(differences) {
                    *g += scaled * difference;
                }
                pair += 1;
            }
            let w = inverse[i * n + i] - alpha[i] * alpha[i];
            by_signal += 0.5 * w * covariance[i * n + i];
            by_noise += 0.5 * w;
        }
        for (g, weight) in gradient.iter_mut().zip(&kernel.weights) {
            *g *= weight;
        }
        gradient[dimension] = by_signal;
        gradient[dimension + 1] = by_noise * (kernel.noise - NOISE_FLOOR);
        for (k, x) in theta.iter().enumerate() {
            let (mean, deviation) = prior(k, dimension);
            let z = (x - mean) / deviation;
            value += 0.5 * z * z;
            gradient[k] += z / deviation;
        }
        (value, gradient)
    }

    /// The most probable parameters, from two starts: the priors' means, and short length scales with more noise.
    pub(super) fn fit(&self) -> Kernel {
        let dimension = self.dimension;
        let evaluations = match self.y.len() {
            0..=100 => 60,
            101..=200 => 30,
            _ => 15,
        };
        let mut start: Vec<f64> = (0..dimension + 2).map(|k| prior(k, dimension).0).collect();
        let f = |theta: &[f64]| self.negative_log_posterior(theta);
        let far = minimize(f, start.clone(), 0.02, evaluations);
        start[..dimension].fill((0.5 * (dimension as f64).sqrt()).ln());
        start[dimension + 1] = -2.5;
        let near = minimize(f, start, 0.02, evaluations);
        kernel_of(&if near.1 < far.1 { near.0 } else { far.0 })
    }
}

fn prior(k: usize, dimension: usize) -> (f64, f64) {
    if k < dimension {
        (2.0_f64.sqrt() + 0.5 * (dimension as f64).ln(), 3.0_f64.sqrt())
    } else if k == dimension {
        SIGNAL_PRIOR
    } else {
        NOISE_PRIOR
    }
}

fn kernel_of(theta: &[f64]) -> Kernel {
    let dimension = theta.len() - 2;
    Kernel {
        weights: theta[..dimension].iter().map(|x| (-2.0 * x).exp()).collect(),
        signal: theta[dimension].exp(),
        noise: theta[dimension + 1].exp() + NOISE_FLOOR,
    }
}
