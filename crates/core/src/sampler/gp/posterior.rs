//! What the told values say about the function elsewhere.

use super::kernel::{Kernel, MEAN_VARIANCE, matern, squared_difference};
use crate::cholesky::{Cholesky, dot};
use crate::sampler::lattice::{ABSENT, Cell, Lattice};

/// A Gaussian process given values at cells of a lattice.
pub(super) struct Posterior<'a> {
    lattice: &'a Lattice,
    pub(super) kernel: Kernel,
    cells: Vec<Cell>,
    /// For each axis with levels: the weighted squared differences of level `l` to all cells at `l n..(l + 1) n`.
    squares: Vec<Vec<f64>>,
    factor: Cholesky,
    /// Inverse covariance times values.
    alpha: Vec<f64>,
}

impl<'a> Posterior<'a> {
    /// `None` where the covariance cannot be factored.
    pub(super) fn new(lattice: &'a Lattice, kernel: Kernel, cells: Vec<Cell>, y: &[f64]) -> Option<Self> {
        let n = cells.len();
        let squares = lattice.axes.iter().enumerate().map(|(d, axis)| {
            let levels = 0..axis.level_count().unwrap_or(0) as u64;
            let coordinates = cells.iter().map(|cell| axis.position(cell[d]));
            let positions: Vec<f64> = coordinates.collect();
            let square = |level, other| {
                kernel.weights[d] * squared_difference(axis.scale, axis.position(level), other)
            };
            levels.flat_map(|level| positions.iter().map(move |other| square(level, *other))).collect()
        });
        let squares: Vec<Vec<f64>> = squares.collect();
        let mut posterior = Self {
            lattice,
            kernel,
            cells,
            squares,
            factor: Cholesky::new(Vec::new(), 0)?,
            alpha: Vec::new(),
        };
        let mut covariance = Vec::with_capacity(n * n);
        let mut row = Vec::with_capacity(n);
        for i in 0..n {
            posterior.covariances(&posterior.cells[i], &mut row);
            row[i] += posterior.kernel.noise;
            covariance.extend_from_slice(&row);
        }
        posterior.factor = Cholesky::new(covariance, n)?;
        posterior.alpha = posterior.factor.solve(y);
        Some(posterior)
    }

    /// Covariances of the function at `cell` with the function at the told cells.
    fn covariances(&self, cell: &[u64], row: &mut Vec<f64>) {
        let n = self.cells.len();
        row.clear();
        row.resize(n, 0.0);
        for (d, axis) in self.lattice.axes.iter().enumerate() {
            let start = cell[d] as usize;
            if !self.squares[d].is_empty() && cell[d] != ABSENT {
                let squares = &self.squares[d][start * n..(start + 1) * n];
                row.iter_mut().zip(squares).for_each(|(r2, square)| *r2 += square);
            } else {
                let position = axis.position(cell[d]);
                for (r2, other) in row.iter_mut().zip(&self.cells) {
                    let square = squared_difference(axis.scale, position, axis.position(other[d]));
                    *r2 += self.kernel.weights[d] * square;
                }
            }
        }
        for r2 in row.iter_mut() {
            *r2 = self.kernel.signal * matern(*r2).0 + MEAN_VARIANCE;
        }
    }

    /// Mean and variance of the function at a cell. `row` is scratch space.
    pub(super) fn at(&self, cell: &[u64], row: &mut Vec<f64>) -> (f64, f64) {
        self.covariances(cell, row);
        let mean = dot(row, &self.alpha);
        self.factor.solve_lower(row);
        let variance = self.kernel.signal + MEAN_VARIANCE - dot(row, row);
        (mean, variance.max(1e-12))
    }

    /// Mean of the function at a cell.
    pub(super) fn mean(&self, cell: &[u64]) -> f64 {
        let mut row = Vec::with_capacity(self.cells.len());
        self.covariances(cell, &mut row);
        dot(&row, &self.alpha)
    }

    /// The posterior with the means at `pending` taken for told values (kriging believer: Ginsbourger, Le Riche & Carraro 2010).
    pub(super) fn believing(self, pending: &[Cell], y: &[f64]) -> Option<Self> {
        if pending.is_empty() {
            return Some(self);
        }
        let mut y = y.to_vec();
        y.extend(pending.iter().map(|cell| self.mean(cell)));
        let Self { lattice, kernel, mut cells, .. } = self;
        cells.extend_from_slice(pending);
        Self::new(lattice, kernel, cells, &y)
    }
}
