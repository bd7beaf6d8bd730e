//! What the told values say about the function elsewhere.

use super::cholesky::{Cholesky, dot};
use super::kernel::{Kernel, MEAN_VARIANCE};
use crate::sampler::lattice::Scale;

/// A Gaussian process given values at points.
pub(super) struct Posterior<'a> {
    scales: &'a [Scale],
    pub(super) kernel: Kernel,
    points: Vec<Vec<f64>>,
    factor: Cholesky,
    /// Inverse covariance times values.
    alpha: Vec<f64>,
}

impl<'a> Posterior<'a> {
    /// `None` where the covariance cannot be factored.
    pub(super) fn new(scales: &'a [Scale], kernel: Kernel, points: Vec<Vec<f64>>, y: &[f64]) -> Option<Self> {
        let n = points.len();
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..i {
                covariance[i * n + j] = kernel.covariance(scales, &points[i], &points[j]);
            }
            covariance[i * n + i] = kernel.signal + MEAN_VARIANCE + kernel.noise;
        }
        let factor = Cholesky::new(covariance, n)?;
        let alpha = factor.solve(y);
        Some(Self { scales, kernel, points, factor, alpha })
    }

    /// Mean and variance of the function at a point. `row` is scratch space.
    pub(super) fn at(&self, point: &[f64], row: &mut Vec<f64>) -> (f64, f64) {
        row.clear();
        row.extend(self.points.iter().map(|other| self.kernel.covariance(self.scales, point, other)));
        let mean = dot(row, &self.alpha);
        self.factor.solve_lower(row);
        let variance = self.kernel.signal + MEAN_VARIANCE - dot(row, row);
        (mean, variance.max(1e-12))
    }

    /// Mean of the function at a point.
    pub(super) fn mean(&self, point: &[f64]) -> f64 {
        let covariance = |other: &Vec<f64>| self.kernel.covariance(self.scales, point, other);
        self.points.iter().zip(&self.alpha).map(|(other, alpha)| covariance(other) * alpha).sum()
    }

    /// The posterior with the means at `pending` taken for told values (kriging believer: Ginsbourger, Le Riche & Carraro 2010).
    pub(super) fn believing(self, pending: Vec<Vec<f64>>, y: &[f64]) -> Option<Self> {
        if pending.is_empty() {
            return Some(self);
        }
        let mut y = y.to_vec();
        y.extend(pending.iter().map(|point| self.mean(point)));
        let Self { scales, kernel, mut points, .. } = self;
        points.extend(pending);
        Self::new(scales, kernel, points, &y)
    }
}
