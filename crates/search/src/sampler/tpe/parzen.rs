//! A density over configurations: a mixture of one product kernel per trial and a uniform prior.

use std::f64::consts::PI;

use allometry_core::TrialRng;
use allometry_core::rng::uniform;

use crate::normal::{cdf, quantile};

use crate::sampler::lattice::{ABSENT, Axis, Cell, Lattice, Scale};

/// Weight of the prior relative to one trial.
const PRIOR: f64 = 1.0;

/// A probability density over cells.
pub(super) struct Parzen<'a> {
    lattice: &'a Lattice,
    /// Weights of the kernels, which add up to 1; the last one is the prior's.
    weights: Vec<f64>,
    factors: Vec<Factor>,
}

/// The kernels along one axis.
enum Factor {
    /// A table of probabilities with that of level `l` in row `r` at `l rows + r`, and the row of each
    /// kernel.
    Levels { rows: usize, count: usize, probabilities: Vec<f64>, row_of: Vec<u16> },
    /// Truncated normal densities over `[0, 1]`.
    Range { kernels: Vec<Truncated> },
}

/// A normal density truncated to `[0, 1]`; with infinite deviation the uniform density.
#[derive(Debug, Clone, Copy)]
struct Truncated {
    mean: f64,
    deviation: f64,
    /// Density at the mean.
    height: f64,
    /// The factor `1 / (2 deviation^2)` of the exponent.
    fall: f64,
}

impl Truncated {
    const UNIFORM: Self = Self { mean: 0.5, deviation: f64::INFINITY, height: 1.0, fall: 0.0 };

    fn new(mean: f64, deviation: f64) -> Self {
        let mass = cdf((1.0 - mean) / deviation) - cdf(-mean / deviation);
        let height = 1.0 / (deviation * (2.0 * PI).sqrt() * mass);
        Self { mean, deviation, height, fall: 0.5 / (deviation * deviation) }
    }
}

impl<'a> Parzen<'a> {
    pub(super) fn new(lattice: &'a Lattice, cells: &[(&Cell, f64)]) -> Self {
        let mut weights: Vec<f64> = cells.iter().map(|(_, weight)| *weight).chain([PRIOR]).collect();
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        let factors = lattice.axes.iter().enumerate().map(|(d, axis)| {
            let coordinates = cells.iter().map(|(cell, _)| cell[d]);
            match (axis.level_count(), axis.scale) {
                (Some(count), Scale::Nominal) => nominal(count, coordinates),
                (Some(_), Scale::Ordered) => ordinal(axis, &coordinates.collect::<Vec<_>>()),
                (None, _) => range(axis, &coordinates.collect::<Vec<_>>()),
            }
        });
        let factors = factors.collect();
        Self { lattice, weights, factors }
    }

    /// Draws a cell from the density; it need not be feasible.
    pub(super) fn draw(&self, rng: &mut TrialRng) -> Cell {
        let mut u = uniform(rng);
        let pick = self.weights.iter().position(|w| {
            u -= w;
            u < 0.0
        });
        let kernel = pick.unwrap_or(self.weights.len() - 1);
        self.factors
            .iter()
            .zip(&self.lattice.axes)
            .map(|(factor, axis)| factor.draw(kernel, axis, uniform(rng)))
            .collect()
    }

    /// The logarithm of the density at a cell.
    pub(super) fn log_density(&self, cell: &Cell) -> f64 {
        let mut products = self.weights.clone();
        // The exponents of all ranges are added, so that each kernel needs one exponential.
        let mut exponents: Vec<f64> = Vec::new();
        for ((factor, axis), coordinate) in self.factors.iter().zip(&self.lattice.axes).zip(cell) {
            if *coordinate == ABSENT {
                continue;
            }
            match factor {
                Factor::Levels { rows, probabilities, row_of, .. } => {
                    let start = *coordinate as usize * rows;
                    let column = &probabilities[start..start + rows];
                    for (product, row) in products.iter_mut().zip(row_of) {
                        *product *= column[usize::from(*row)];
                    }
                }
                Factor::Range { kernels } => {
                    let x = axis.position(*coordinate);
                    exponents.resize(products.len(), 0.0);
                    for ((product, exponent), kernel) in products.iter_mut().zip(&mut exponents).zip(kernels)
                    {
                        *product *= kernel.height;
                        *exponent -= kernel.fall * (x - kernel.mean) * (x - kernel.mean);
                    }
                }
            }
        }
        for (product, exponent) in products.iter_mut().zip(&exponents) {
            // Smaller exponents underflow to 0 and are slow to evaluate.
            *product *= if *exponent > -700.0 { exponent.exp() } else { 0.0 };
        }
        products.iter().sum::<f64>().max(f64::MIN_POSITIVE).ln()
    }
}

impl Factor {
    fn draw(&self, kernel: usize, axis: &Axis, u: f64) -> u64 {
        match self {
            Self::Levels { rows, count, probabilities, row_of } => {
                let row = usize::from(row_of[kernel]);
                let mut left = u;
                let found = (0..*count).find(|level| {
                    left -= probabilities[level * rows + row];
                    left < 0.0
                });
                found.unwrap_or(count - 1) as u64
            }
            Self::Range { kernels } => {
                let Truncated { mean, deviation, .. } = kernels[kernel];
                if deviation.is_infinite() {
                    return axis.at(u);
                }
                let (low, high) = (cdf(-mean / deviation), cdf((1.0 - mean) / deviation));
                axis.at(mean + deviation * quantile(low + u * (high - low)))
            }
        }
    }
}

/// The kernels of a nominal parameter: unnormalized weight `1 + 1/n` for a trial's own level and `1/n` for
/// each other level, as in Optuna; the prior is uniform.
fn nominal(count: usize, coordinates: impl Iterator<Item = u64>) -> Factor {
    let prior_row = count as u16;
    let row_of: Vec<u16> =
        coordinates.map(|c| if c == ABSENT { prior_row } else { c as u16 }).chain([prior_row]).collect();
    let share = PRIOR / row_of.len() as f64;
    let rows = count + 1;
    let mut probabilities = vec![share / (1.0 + share * count as f64); rows * count];
    for level in 0..count {
        probabilities[level * rows + level] = (1.0 + share) / (1.0 + share * count as f64);
        probabilities[level * rows + count] = 1.0 / count as f64;
    }
    Factor::Levels { rows, count, probabilities, row_of }
}

/// The kernels of an ordinal parameter: normal densities integrated over intervals that reach half way to the
/// neighbouring levels. All kernels of one level except the first and the last have the smallest deviation,
/// so that a level needs at most three rows.
fn ordinal(axis: &Axis, coordinates: &[u64]) -> Factor {
    let positions = &axis.positions;
    let count = positions.len();
    let mut edges: Vec<f64> = positions.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect();
    edges.insert(0, positions[0] - (edges[0] - positions[0]));
    edges.push(2.0 * positions[count - 1] - edges[count - 1]);
    let mut by_level = vec![Vec::new(); count];
    let mut row_of = vec![0_u16; coordinates.len() + 1];
    for (kernel, coordinate) in coordinates.iter().enumerate() {
        if *coordinate != ABSENT {
            by_level[*coordinate as usize].push(kernel);
        }
    }
    let (low, high) = (edges[0], edges[count]);
    let order: Vec<(usize, f64)> =
        by_level.iter().enumerate().flat_map(|(l, ks)| ks.iter().map(move |k| (*k, positions[l]))).collect();
    let deviations = deviations(&order, low, high);
    // Row 0 is the prior, which is also used for a trial without the parameter.
    let mut kinds: Vec<(f64, f64)> = vec![(f64::midpoint(low, high), high - low)];
    for ((kernel, mean), deviation) in order.iter().zip(deviations) {
        let kind = (*mean, deviation);
        let last = kinds.iter().rev().take(3).position(|other| *other == kind);
        row_of[*kernel] = last.map_or(kinds.len(), |back| kinds.len() - 1 - back) as u16;
        if last.is_none() {
            kinds.push(kind);
        }
    }
    let rows = kinds.len();
    let mut probabilities = vec![0.0; rows * count];
    for (row, (mean, deviation)) in kinds.iter().enumerate() {
        let below: Vec<f64> = edges.iter().map(|edge| cdf((edge - mean) / deviation)).collect();
        let total = below[count] - below[0];
        for level in 0..count {
            probabilities[level * rows + row] = ((below[level + 1] - below[level]) / total).max(1e-300);
        }
    }
    Factor::Levels { rows, count, probabilities, row_of }
}

fn range(axis: &Axis, coordinates: &[u64]) -> Factor {
    let mut order: Vec<(usize, f64)> = coordinates
        .iter()
        .enumerate()
        .filter(|(_, coordinate)| **coordinate != ABSENT)
        .map(|(kernel, coordinate)| (kernel, axis.position(*coordinate)))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut kernels = vec![Truncated::UNIFORM; coordinates.len() + 1];
    kernels[coordinates.len()] = Truncated::new(0.5, 1.0);
    for ((kernel, mean), deviation) in order.iter().zip(deviations(&order, 0.0, 1.0)) {
        kernels[*kernel] = Truncated::new(*mean, deviation);
    }
    Factor::Range { kernels }
}

/// The deviation of each kernel, in ascending order of means: the larger distance to its neighbours, at least
/// the range over `min(100, n + 2)` and at most the range (as in Optuna). The ends of the range count as
/// neighbours only of a single kernel.
fn deviations(order: &[(usize, f64)], low: f64, high: f64) -> Vec<f64> {
    let n = order.len();
    let least = (high - low) / (n as f64 + 2.0).min(100.0);
    let gap = |i: usize| order[i + 1].1 - order[i].1;
    (0..n)
        .map(|i| {
            let before = if i > 0 {
                gap(i - 1)
            } else if n == 1 {
                order[i].1 - low
            } else {
                0.0
            };
            let after = if i + 1 < n {
                gap(i)
            } else if n == 1 {
                high - order[i].1
            } else {
                0.0
            };
            before.max(after).clamp(least, high - low)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use allometry_core::rng::stream;
    use allometry_core::{ChoiceOrder, Distribution, ParamValue, Params};
    use serde::Deserialize;

    use super::*;
    use crate::sampler::tests::unbound;
    use crate::space::tests::space_of;

    #[derive(Deserialize)]
    struct Case {
        observed: Vec<(i64, usize, f64, f64)>,
        queries: Vec<(i64, usize, f64, f64)>,
        log_density: Vec<f64>,
    }

    fn lattice() -> Lattice {
        let float = |low, high, log| Distribution::Float { low, high, log, step: None };
        let ranks = (0..6_i64).map(ParamValue::Int).collect();
        Lattice::new(&unbound(&space_of(&[
            ("ordinal", Distribution::Categorical { choices: ranks, order: ChoiceOrder::Ordinal }),
            ("nominal", Distribution::list(vec!["a".into(), "b".into(), "c".into()])),
            ("linear", float(-1.0, 3.0, false)),
            ("log", float(1e-4, 1e-1, true)),
        ])))
    }

    /// Optuna's `default_weights`: 1 for fewer than 25 trials; otherwise a ramp before the latest 25.
    fn weights(n: usize) -> Vec<f64> {
        let ramp = |i: usize| 1.0 / n as f64 + (1.0 - 1.0 / n as f64) * i as f64 / (n as f64 - 26.0);
        (0..n).map(|i| if n < 25 || i >= n - 25 { 1.0 } else { ramp(i) }).collect()
    }

    #[test]
    fn densities_are_optunas() {
        let lattice = lattice();
        let cases: Vec<Case> = serde_json::from_str(include_str!("../../../tests/oracle/tpe.json")).unwrap();
        let cells = |rows: &[(i64, usize, f64, f64)]| -> Vec<Cell> {
            let cell = |(ordinal, nominal, linear, log): &(i64, usize, f64, f64)| {
                let values: [(&str, ParamValue); 4] = [
                    ("ordinal", (*ordinal).into()),
                    ("nominal", ["a", "b", "c"][*nominal].into()),
                    ("linear", (*linear).into()),
                    ("log", (*log).into()),
                ];
                lattice.cell(&Params::from_iter(values)).unwrap()
            };
            rows.iter().map(cell).collect()
        };
        for case in cases {
            let observed = cells(&case.observed);
            let weighted: Vec<(&Cell, f64)> = observed.iter().zip(weights(observed.len())).collect();
            let density = Parzen::new(&lattice, &weighted);
            for (query, expected) in cells(&case.queries).iter().zip(&case.log_density) {
                let found = density.log_density(query);
                assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} {expected}");
            }
        }
    }

    /// The mean of `1 / density` over draws is the volume of the space: 6 levels, 3 words, two unit ranges.
    #[test]
    fn draws_follow_the_density() {
        let lattice = lattice();
        let cell = |a, b, x: f64, y: f64| vec![a, b, x.to_bits(), y.to_bits()];
        let cells = [cell(1, 0, 0.0, 1e-3), cell(1, 2, 0.4, 2e-3), cell(4, 2, 2.5, 5e-2)];
        let weighted: Vec<(&Cell, f64)> = cells.iter().map(|cell| (cell, 1.0)).collect();
        let density = Parzen::new(&lattice, &weighted);
        let mut rng = stream(3, "test", 0);
        let n = 20_000;
        let volume: f64 =
            (0..n).map(|_| (-density.log_density(&density.draw(&mut rng))).exp()).sum::<f64>() / f64::from(n);
        assert!((volume / 18.0 - 1.0).abs() < 0.05, "{volume}");
    }
}
