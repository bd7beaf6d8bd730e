//! The posterior distribution of a Gaussian process.

use allometry_core::cholesky::{Cholesky, dot};

use super::kernel::{Kernel, MEAN_VARIANCE, matern};
use super::observations::{Observations, noise_factor};
use super::point::{Point, mean_covariance, squared_difference};
use crate::sampler::lattice::{ABSENT, Cell, Lattice};

/// A Gaussian process conditioned on values at points of a lattice, possibly of several budgets.
pub(super) struct Posterior<'a> {
    lattice: &'a Lattice,
    pub(super) kernel: Kernel,
    observations: Observations,
    /// For each axis with levels, the weighted squared differences of level `l` to all `n` points, from index
    /// `l * n` on.
    squares: Vec<Vec<f64>>,
    /// For each point, the weighted squared difference between its budget's size and the study's own.
    size_squares: Vec<f64>,
    factor: Cholesky,
    /// Product of the inverse covariance and the values.
    alpha: Vec<f64>,
}

impl<'a> Posterior<'a> {
    /// The posterior given observations; `None` where the covariance cannot be factored.
    pub(super) fn new(lattice: &'a Lattice, kernel: Kernel, observations: Observations) -> Option<Self> {
        let points = &observations.points;
        let n = points.len();
        let squares = lattice.axes.iter().enumerate().map(|(d, axis)| {
            let levels = 0..axis.level_count().unwrap_or(0) as u64;
            let square = |level, other: &Point| {
                kernel.weights[d] * squared_difference(axis.scale, axis.position(level), other.positions[d])
            };
            levels.flat_map(|level| points.iter().map(move |other| square(level, other))).collect()
        });
        let squares: Vec<Vec<f64>> = squares.collect();
        let by_size = kernel.weights.get(lattice.dimension()).copied().unwrap_or(0.0);
        let size_squares = points.iter().map(|point| by_size * point.decades.powi(2)).collect();
        let mut covariance = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let (a, b) = (&points[i], &points[j]);
                let r2 = squared_distance(lattice, &kernel, a, b) + by_size * (a.decades - b.decades).powi(2);
                covariance[i * n + j] = kernel.signal * matern(r2).0 + mean_covariance(a.budget, b.budget);
            }
            covariance[i * n + i] += kernel.noise * noise_factor(kernel.own, observations.counts[i]);
        }
        let factor = Cholesky::new(covariance, n)?;
        let alpha = factor.solve(&observations.means);
        Some(Self { lattice, kernel, observations, squares, size_squares, factor, alpha })
    }

    /// The covariances between the function at `cell` in the study's own budget and the function at the
    /// points.
    fn covariances(&self, cell: &[u64], row: &mut Vec<f64>) {
        let n = self.observations.points.len();
        row.clear();
        row.extend_from_slice(&self.size_squares);
        for (d, axis) in self.lattice.axes.iter().enumerate() {
            let start = cell[d] as usize;
            if !self.squares[d].is_empty() && cell[d] != ABSENT {
                let squares = &self.squares[d][start * n..(start + 1) * n];
                row.iter_mut().zip(squares).for_each(|(r2, square)| *r2 += square);
            } else {
                let position = axis.position(cell[d]);
                for (r2, other) in row.iter_mut().zip(&self.observations.points) {
                    let square = squared_difference(axis.scale, position, other.positions[d]);
                    *r2 += self.kernel.weights[d] * square;
                }
            }
        }
        for (r2, other) in row.iter_mut().zip(&self.observations.points) {
            *r2 = self.kernel.signal * matern(*r2).0 + mean_covariance(0, other.budget);
        }
    }

    /// The mean and variance of the function at a cell. `row` is scratch space.
    pub(super) fn at(&self, cell: &[u64], row: &mut Vec<f64>) -> (f64, f64) {
        self.covariances(cell, row);
        let mean = dot(row, &self.alpha);
        self.factor.solve_lower(row);
        let variance = self.kernel.signal + MEAN_VARIANCE - dot(row, row);
        (mean, variance.max(1e-12))
    }

    /// The means of the function at cells, and its covariances by rows, with a little noise for their factor.
    pub(super) fn joint(&self, cells: &[Cell]) -> (Vec<f64>, Vec<f64>) {
        let mut means = Vec::with_capacity(cells.len());
        let rows: Vec<Vec<f64>> = cells
            .iter()
            .map(|cell| {
                let mut row = Vec::new();
                self.covariances(cell, &mut row);
                means.push(dot(&row, &self.alpha));
                self.factor.solve_lower(&mut row);
                row
            })
            .collect();
        let points: Vec<Point> = cells.iter().map(|cell| Point::own(self.lattice, cell)).collect();
        let mut covariance = vec![0.0; cells.len() * cells.len()];
        for (i, a) in points.iter().enumerate() {
            for (j, b) in points.iter().enumerate().take(i + 1) {
                covariance[i * cells.len() + j] = self.prior(a, b) - dot(&rows[i], &rows[j]);
            }
            covariance[i * cells.len() + i] += 1e-6 * self.kernel.signal + 1e-9;
        }
        (means, covariance)
    }

    /// The point of a cell in the study's own budget.
    pub(super) fn point(&self, cell: &Cell) -> Point {
        Point::own(self.lattice, cell)
    }

    /// The covariances of the function at a cell with the data, multiplied by the inverse of their factor.
    pub(super) fn reduced(&self, cell: &[u64]) -> Vec<f64> {
        let mut row = Vec::new();
        self.covariances(cell, &mut row);
        self.factor.solve_lower(&mut row);
        row
    }

    /// The mean and the variance of the function at a cell, and its covariances with the function at points
    /// of the study's own budget, whose [`Posterior::reduced`] covariances are `rows`.
    pub(super) fn beside(&self, cell: &Cell, points: &[Point], rows: &[Vec<f64>]) -> (f64, f64, Vec<f64>) {
        let mut own = Vec::new();
        self.covariances(cell, &mut own);
        let mean = dot(&own, &self.alpha);
        self.factor.solve_lower(&mut own);
        let point = self.point(cell);
        let covariance = |(other, row): (&Point, &Vec<f64>)| self.prior(&point, other) - dot(&own, row);
        let covariances = points.iter().zip(rows).map(covariance).collect();
        let variance = self.kernel.signal + MEAN_VARIANCE - dot(&own, &own);
        (mean, variance.max(1e-12), covariances)
    }

    /// The mean of the function at a cell.
    pub(super) fn mean(&self, cell: &[u64]) -> f64 {
        let mut row = Vec::with_capacity(self.observations.points.len());
        self.covariances(cell, &mut row);
        dot(&row, &self.alpha)
    }

    /// The mean over seeds of the configuration of a cell: that of the smooth function, and for a tried
    /// configuration its own effect.
    ///
    /// The mean of `k` values has the noise `n_k = n (s + (1 - s) / k)` around the smooth function, `s` being
    /// the share of the noise `n` that is specific to the configuration. The estimate is the smooth mean plus
    /// the share `s n / n_k` of the residual (Rasmussen & Williams 2006, section 2.2).
    pub(super) fn mean_over_seeds(&self, cell: &[u64]) -> f64 {
        let own = self.observations.place(cell).map_or(0.0, |i| self.kernel.own_noise() * self.alpha[i]);
        self.mean(cell) + own
    }

    /// The covariances of the mean over seeds of a tried configuration with the data, multiplied by the
    /// inverse of their factor.
    pub(super) fn reduced_mean(&self, cell: &[u64]) -> Vec<f64> {
        let mut row = Vec::new();
        self.covariances(cell, &mut row);
        if let Some(i) = self.observations.place(cell) {
            row[i] += self.kernel.own_noise();
        }
        self.factor.solve_lower(&mut row);
        row
    }

    /// The covariance of the function at two points of the study's own budget, without data.
    pub(super) fn prior(&self, a: &Point, b: &Point) -> f64 {
        self.kernel.signal * matern(squared_distance(self.lattice, &self.kernel, a, b)).0 + MEAN_VARIANCE
    }

    /// The posterior given additionally the means over seeds of `pending` as values (kriging believer:
    /// Ginsbourger, Le Riche & Carraro 2010).
    pub(super) fn believing(self, pending: &[Cell]) -> Option<Self> {
        if pending.is_empty() {
            return Some(self);
        }
        let believed: Vec<f64> = pending.iter().map(|cell| self.mean_over_seeds(cell)).collect();
        let Self { lattice, kernel, mut observations, .. } = self;
        for (cell, value) in pending.iter().zip(believed) {
            observations.add(lattice, cell, value);
        }
        Self::new(lattice, kernel, observations)
    }
}

/// The squared distance of two points over the axes of the lattice, in length scales.
fn squared_distance(lattice: &Lattice, kernel: &Kernel, a: &Point, b: &Point) -> f64 {
    let scales = lattice.scales().iter().zip(&kernel.weights);
    let axes = scales.zip(a.positions.iter().zip(&b.positions));
    axes.map(|((scale, w), (a, b))| w * squared_difference(*scale, *a, *b)).sum()
}
