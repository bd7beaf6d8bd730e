//! A regression forest (Breiman 2001) over the domain of a search space.

pub mod axis;
mod boxes;
pub mod domain;
mod grow;
pub mod space;
mod split;
#[cfg(test)]
mod tests;
pub mod tree;
pub mod variance;

use allometry_core::rng;
use rayon::prelude::*;

use crate::forest::domain::{Domain, Rows};
use crate::forest::grow::{Ground, grow};
use crate::forest::tree::Tree;
use crate::stats::moments::mean;

/// Most leaves of a tree: the fewest draws in a leaf rise with the number of rows to keep this limit.
const MOST_LEAVES: usize = 4096;

/// Settings of a forest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForestOptions {
    /// Number of trees.
    pub trees: u32,
    /// Fewest draws of the bootstrap sample in a leaf.
    pub min_leaf: u32,
    /// Most splits above a leaf.
    pub max_depth: u32,
    /// Share of the parameters that are tried at each split, rounded up.
    pub tried: f64,
    /// Seed of the trees' random streams.
    pub seed: u64,
}

impl Default for ForestOptions {
    /// Returns 64 trees with five in six parameters tried at each split, as in Hutter, Hoos & Leyton-Brown
    /// (2014), and at least three draws in each leaf.
    fn default() -> Self {
        Self { trees: 64, min_leaf: 3, max_depth: 64, tried: 5.0 / 6.0, seed: 0 }
    }
}

/// A forest of trees. Each has its own bootstrap sample from its own random stream, so that the forest does
/// not depend on the number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// The trees.
    pub trees: Vec<Tree>,
    /// Coefficient of determination of the out-of-bag predictions: the trees that did not draw a row predict
    /// it. 1 is perfect, 0 no better than the mean, below 0 worse. `None` where the values of the predicted
    /// rows are all equal.
    pub oob_r_squared: Option<f64>,
}

impl Forest {
    /// Fits a forest; `None` without an axis, a row or a tree.
    pub fn fit(domain: &Domain, rows: &Rows, options: ForestOptions) -> Option<Self> {
        let n = rows.values.len();
        let center = mean(rows.values.iter().copied()).filter(|_| !domain.axes.is_empty())?;
        let ground = Ground {
            axes: &domain.axes,
            rows,
            orders: rows.columns.par_iter().map(|column| ascending(column)).collect(),
            center,
            min_leaf: f64::from(options.min_leaf.max(1)).max(n.div_ceil(MOST_LEAVES) as f64),
            max_depth: options.max_depth,
            tried: (domain.axes.len() as f64 * options.tried).ceil() as usize,
        };
        let grown: Vec<(Tree, Vec<(u32, f64)>)> = (0..options.trees)
            .into_par_iter()
            .map(|index| {
                let (tree, counts) = grow(&ground, &mut rng::stream(options.seed, "tree", u64::from(index)));
                let out_of_bag = (0..n).filter(|row| counts[*row] == 0);
                let predicted =
                    out_of_bag.map(|row| (row as u32, tree.predict(|axis| rows.columns[axis][row])));
                let predicted = predicted.collect();
                (tree, predicted)
            })
            .collect();
        let (trees, predicted): (Vec<Tree>, Vec<_>) = grown.into_iter().unzip();
        (!trees.is_empty()).then(|| Self { trees, oob_r_squared: r_squared(&rows.values, &predicted) })
    }
}

fn ascending(column: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..column.len() as u32).collect();
    order.sort_by(|a, b| column[*a as usize].total_cmp(&column[*b as usize]));
    order
}

/// Returns `1 - sum (y - prediction)^2 / sum (y - mean)^2`, where the prediction of a row is the mean over
/// the trees that predict it; `None` where the values do not vary.
fn r_squared(values: &[f64], predicted: &[Vec<(u32, f64)>]) -> Option<f64> {
    let mut sums = vec![(0.0, 0_u32); values.len()];
    for (row, prediction) in predicted.iter().flatten() {
        let (sum, count) = &mut sums[*row as usize];
        *sum += prediction;
        *count += 1;
    }
    let pairs = || {
        values
            .iter()
            .zip(&sums)
            .filter(|(_, (_, count))| *count > 0)
            .map(|(y, (sum, n))| (*y, sum / f64::from(*n)))
    };
    let center = mean(pairs().map(|(y, _)| y))?;
    let total: f64 = pairs().map(|(y, _)| (y - center) * (y - center)).sum();
    let residual: f64 = pairs().map(|(y, prediction)| (y - prediction) * (y - prediction)).sum();
    // The squares of very small or very large values may underflow or overflow.
    Some(1.0 - residual / total).filter(|r_squared| r_squared.is_finite())
}
