//! Power laws of a positive loss with a floor, fitted robustly.

use std::collections::BTreeMap;

use rayon::prelude::*;

/// Range of the exponents that are searched.
pub const EXPONENTS: (f64, f64) = (0.01, 3.0);
/// Number of exponents of each axis in the first search.
const GRID: usize = 14;
/// Number of the best points of the first search from which the fit starts.
const STARTS: usize = 6;
/// Largest number of steps of one fit.
const MOST_STEPS: usize = 4_000;
/// Number of steps of a fit with fixed exponents in the first search.
const FIRST_STEPS: usize = 40;
/// Relative decrease of the objective over [`PATIENCE`] steps below which a fit has ended.
const SETTLED: f64 = 1e-12;
/// The same of a fit to resampled observations, whose law needs fewer digits than its interval has.
const NEARLY_SETTLED: f64 = 2.5e-6;
/// Number of steps after which a decrease is weighed.
const PATIENCE: usize = 5;
/// Grid of the logarithms of sizes: sizes at one point of it are one size.
const SAME_SIZE: f64 = 1e-3;
/// Largest number of axes.
const MOST_AXES: usize = 2;
/// Largest number of unknowns: the floor, and an amplitude and an exponent of each axis.
const MOST: usize = 1 + 2 * MOST_AXES;

/// A law `loss = floor + sum_k amplitude_k * x_k^-exponent_k`.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    /// Loss that infinite sizes approach, at least 0.
    pub floor: f64,
    /// Amplitude of each axis, in the units of the loss at size 1.
    pub amplitudes: Vec<f64>,
    /// Exponent of each axis.
    pub exponents: Vec<f64>,
    /// Sum of Huber losses of the residuals of `log loss`, weighted.
    pub objective: f64,
}

impl Law {
    /// Returns the loss at sizes, one per axis.
    pub fn at(&self, sizes: &[f64]) -> f64 {
        let terms = self.amplitudes.iter().zip(&self.exponents).zip(sizes);
        self.floor + terms.map(|((amplitude, exponent), size)| amplitude * size.powf(-exponent)).sum::<f64>()
    }
}

/// Observed losses at sizes of one or two axes, all positive.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Logarithms of the sizes of each axis, less their mean.
    logs: Vec<Vec<f64>>,
    /// Mean logarithm of each axis.
    centers: Vec<f64>,
    /// Logarithms of the losses.
    losses: Vec<f64>,
}

impl Sizes {
    /// Returns the observations; `None` for no axis, more than two, columns of different lengths, or numbers
    /// that are not positive and finite.
    pub fn new(axes: &[Vec<f64>], losses: &[f64]) -> Option<Self> {
        let is_sound =
            |column: &[f64]| column.len() == losses.len() && column.iter().all(|x| *x > 0.0 && x.is_finite());
        let all_sound = axes.iter().all(|axis| is_sound(axis)) && is_sound(losses);
        if axes.is_empty() || axes.len() > MOST_AXES || losses.is_empty() || !all_sound {
            return None;
        }
        let mut logs: Vec<Vec<f64>> = axes.iter().map(|axis| axis.iter().map(|x| x.ln()).collect()).collect();
        let count = losses.len() as f64;
        let centers: Vec<f64> = logs.iter().map(|axis| axis.iter().sum::<f64>() / count).collect();
        for (axis, center) in logs.iter_mut().zip(&centers) {
            for x in axis {
                *x -= center;
            }
        }
        Some(Self { logs, centers, losses: losses.iter().map(|loss| loss.ln()).collect() })
    }

    /// Number of observations.
    pub fn len(&self) -> usize {
        self.losses.len()
    }

    /// Whether there is no observation.
    pub fn is_empty(&self) -> bool {
        self.losses.is_empty()
    }

    /// Number of axes.
    pub fn axes(&self) -> usize {
        self.logs.len()
    }

    /// Number of unknowns of a law.
    pub fn unknowns(&self) -> usize {
        1 + 2 * self.axes()
    }

    /// Returns the logarithm of the law's loss less that of each observed loss.
    pub fn residuals(&self, law: &Law) -> Vec<f64> {
        (0..self.len()).map(|row| self.log_loss(law, row) - self.losses[row]).collect()
    }

    /// Returns observations at the same sizes whose log losses are those of the law plus `noise`.
    #[must_use]
    pub fn around(&self, law: &Law, noise: &[f64]) -> Self {
        let losses = noise.iter().enumerate().map(|(row, noise)| self.log_loss(law, row) + noise);
        Self { losses: losses.collect(), ..self.clone() }
    }

    /// Returns observations at the same sizes with `noise` added to their log losses.
    #[must_use]
    pub fn moved(&self, noise: &[f64]) -> Self {
        let losses = self.losses.iter().zip(noise).map(|(loss, noise)| loss + noise);
        Self { losses: losses.collect(), ..self.clone() }
    }

    /// Returns the positions of observations with equal sizes on all axes.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<Vec<i64>, Vec<usize>> = BTreeMap::new();
        for row in 0..self.len() {
            let key = self.logs.iter().map(|axis| (axis[row] / SAME_SIZE).round() as i64);
            groups.entry(key.collect()).or_default().push(row);
        }
        groups.into_values().collect()
    }

    /// Returns the positions of observations with equal sizes on one axis, by size.
    pub fn groups_of(&self, axis: usize) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for row in 0..self.len() {
            groups.entry((self.logs[axis][row] / SAME_SIZE).round() as i64).or_default().push(row);
        }
        groups.into_values().collect()
    }

    fn log_loss(&self, law: &Law, row: usize) -> f64 {
        let sizes: Vec<f64> =
            self.logs.iter().zip(&self.centers).map(|(axis, center)| (axis[row] + center).exp()).collect();
        law.at(&sizes).ln()
    }

    /// Fits the law that minimises the weighted sum of Huber losses, with threshold `delta`, of the residuals
    /// of `log loss` (Huber 1964; Hoffmann et al. 2022, approach 3).
    ///
    /// For each pair of exponents on a grid the floor and the amplitudes are fitted first (variable
    /// projection, Golub & Pereyra 1973); the fit of all unknowns starts at the best of these, so that no
    /// start has to be guessed. Each step is one of iteratively reweighted least squares with a damping that
    /// never lets the objective rise.
    pub fn fit(&self, weights: &[f64], delta: f64) -> Law {
        let axes = self.logs.len();
        let grid = |place: usize| {
            let (low, high) = (EXPONENTS.0.ln(), EXPONENTS.1.ln());
            (low + (high - low) * (place as f64 + 0.5) / GRID as f64).exp()
        };
        let mut starts: Vec<(f64, Unknowns)> = (0..GRID.pow(axes as u32))
            .into_par_iter()
            .map(|point| {
                let exponents = (0..axes).map(|axis| grid(point / GRID.pow(axis as u32) % GRID));
                let mut unknowns = self.start(exponents);
                let objective =
                    self.descend(&mut unknowns, weights, delta, Free::Linear, (FIRST_STEPS, NEARLY_SETTLED));
                (objective, unknowns)
            })
            .collect();
        starts.sort_by(|a, b| a.0.total_cmp(&b.0));
        starts.truncate(STARTS);
        let ends = starts.into_par_iter().map(|(_, mut unknowns)| {
            let steps = (MOST_STEPS, NEARLY_SETTLED);
            let objective = self.descend(&mut unknowns, weights, delta, Free::All, steps);
            (objective, unknowns)
        });
        let (_, mut unknowns) = ends.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there is a start");
        let objective = self.descend(&mut unknowns, weights, delta, Free::All, (MOST_STEPS, SETTLED));
        self.law(&unknowns, objective)
    }

    /// Fits the law from another one, which must be near: for resampled observations.
    pub fn fit_from(&self, law: &Law, weights: &[f64], delta: f64, steps: usize) -> Law {
        let mut unknowns = [0.0; MOST];
        unknowns[0] = law.floor.max(f64::MIN_POSITIVE).ln().max(LEAST_LOG);
        for axis in 0..self.logs.len() {
            let amplitude = law.amplitudes[axis].max(f64::MIN_POSITIVE).ln();
            unknowns[1 + 2 * axis] = (amplitude - law.exponents[axis] * self.centers[axis]).max(LEAST_LOG);
            unknowns[2 + 2 * axis] = law.exponents[axis];
        }
        let objective = self.descend(&mut unknowns, weights, delta, Free::All, (steps, NEARLY_SETTLED));
        self.law(&unknowns, objective)
    }

    fn law(&self, unknowns: &Unknowns, objective: f64) -> Law {
        let zero = |log: f64| if log <= LEAST_LOG + 1.0 { 0.0 } else { log.exp() };
        let axes = 0..self.logs.len();
        let exponents: Vec<f64> = axes.clone().map(|axis| unknowns[2 + 2 * axis]).collect();
        let amplitudes =
            axes.map(|axis| zero(unknowns[1 + 2 * axis]) * (exponents[axis] * self.centers[axis]).exp());
        Law { floor: zero(unknowns[0]), amplitudes: amplitudes.collect(), exponents, objective }
    }

    /// Returns unknowns at which each term has an equal part of the middle loss.
    fn start(&self, exponents: impl Iterator<Item = f64>) -> Unknowns {
        let middle = self.losses.iter().sum::<f64>() / self.losses.len() as f64;
        let part = middle - (1.0 + self.logs.len() as f64).ln();
        let mut unknowns = [part; MOST];
        for (axis, exponent) in exponents.enumerate() {
            unknowns[2 + 2 * axis] = exponent;
        }
        unknowns
    }

    /// Improves the unknowns by at most `steps` steps, or until their objective has `settled`; returns it.
    fn descend(
        &self,
        unknowns: &mut Unknowns,
        weights: &[f64],
        delta: f64,
        free: Free,
        (steps, settled): (usize, f64),
    ) -> f64 {
        let count = self.unknowns();
        let mut damping = 1e-3;
        let mut system = self.linearised(unknowns, weights, delta);
        let mut before = system.objective;
        for step in 1..=steps {
            let mut moved = false;
            while damping < 1e12 {
                let Some(change) = system.solve(count, damping, free) else {
                    damping *= 10.0;
                    continue;
                };
                let mut next = *unknowns;
                for (place, change) in change.iter().enumerate().take(count) {
                    next[place] += change.clamp(-2.0, 2.0);
                    let (low, high) = if is_exponent(place) { EXPONENTS } else { (LEAST_LOG, 700.0) };
                    next[place] = next[place].clamp(low, high);
                }
                let trial = self.linearised(&next, weights, delta);
                if trial.objective <= system.objective {
                    moved = trial.objective < system.objective;
                    (*unknowns, system) = (next, trial);
                    damping = (damping * 0.2).max(1e-12);
                    break;
                }
                damping *= 8.0;
            }
            if !moved {
                break;
            }
            if step % PATIENCE == 0 {
                if before - system.objective <= settled * before {
                    break;
                }
                before = system.objective;
            }
        }
        system.objective
    }

    /// Returns the objective and the normal equations of the reweighted least squares at some unknowns.
    fn linearised(&self, unknowns: &Unknowns, weights: &[f64], delta: f64) -> System {
        let axes = self.axes();
        let mut system = System::default();
        let floor = unknowns[0].exp();
        for (row, (log_loss, weight)) in self.losses.iter().zip(weights).enumerate() {
            if *weight == 0.0 {
                continue;
            }
            let mut terms = [0.0; MOST_AXES];
            let mut total = floor;
            for (axis, term) in terms.iter_mut().enumerate().take(axes) {
                *term = (unknowns[1 + 2 * axis] - unknowns[2 + 2 * axis] * self.logs[axis][row]).exp();
                total += *term;
            }
            let residual = total.ln() - log_loss;
            let size = residual.abs();
            system.objective +=
                weight * if size <= delta { 0.5 * residual * residual } else { delta * (size - 0.5 * delta) };
            let pull = weight * if size <= delta { 1.0 } else { delta / size };
            let mut slopes = [0.0; MOST];
            slopes[0] = floor / total;
            for axis in 0..axes {
                slopes[1 + 2 * axis] = terms[axis] / total;
                slopes[2 + 2 * axis] = -terms[axis] / total * self.logs[axis][row];
            }
            // Of a fixed length, so that the compiler unrolls the loops; unused slopes are 0.
            for (a, slope) in slopes.iter().enumerate() {
                let pulled = pull * slope;
                system.gradient[a] += pulled * residual;
                for (sum, other) in system.matrix[a].iter_mut().zip(&slopes) {
                    *sum += pulled * other;
                }
            }
        }
        system
    }
}

/// The logarithms of the floor and of each amplitude at the mean size, each amplitude followed by its
/// exponent.
type Unknowns = [f64; MOST];

/// Logarithm of a floor or an amplitude that counts as 0.
const LEAST_LOG: f64 = -40.0;

fn is_exponent(place: usize) -> bool {
    place > 0 && place.is_multiple_of(2)
}

/// The unknowns that a fit changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Free {
    All,
    /// The floor and the amplitudes.
    Linear,
}

#[derive(Debug, Clone, Copy, Default)]
struct System {
    objective: f64,
    gradient: Unknowns,
    matrix: [Unknowns; MOST],
}

impl System {
    /// Returns the damped step (Levenberg 1944, Marquardt 1963); `None` where the system is singular.
    fn solve(&self, count: usize, damping: f64, free: Free) -> Option<Unknowns> {
        let is_fixed = |place: usize| free == Free::Linear && is_exponent(place);
        let mut lower = [[0.0; MOST]; MOST];
        for a in 0..count {
            for b in 0..=a {
                let mut sum = match (a == b, is_fixed(a) || is_fixed(b)) {
                    (true, true) => 1.0,
                    (false, true) => 0.0,
                    (true, false) => self.matrix[a][a] * (1.0 + damping) + f64::MIN_POSITIVE,
                    (false, false) => self.matrix[a][b],
                };
                sum -= (0..b).map(|place| lower[a][place] * lower[b][place]).sum::<f64>();
                if a == b {
                    if sum <= 0.0 || !sum.is_finite() {
                        return None;
                    }
                    lower[a][a] = sum.sqrt();
                } else {
                    lower[a][b] = sum / lower[b][b];
                }
            }
        }
        let mut step = [0.0; MOST];
        for a in 0..count {
            let mut sum = if is_fixed(a) { 0.0 } else { -self.gradient[a] };
            for b in 0..a {
                sum -= lower[a][b] * step[b];
            }
            step[a] = sum / lower[a][a];
        }
        for a in (0..count).rev() {
            let mut sum = step[a];
            for b in a + 1..count {
                sum -= lower[b][a] * step[b];
            }
            step[a] = sum / lower[a][a];
        }
        step.iter().all(|x| x.is_finite()).then_some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_law_is_found() {
        let sizes: Vec<f64> = (0..9).map(|place| 1e6 * 3.0_f64.powi(place)).collect();
        let rows: Vec<f64> = (0..9).map(|place| 1e8 * 2.0_f64.powi(place * 7 % 9)).collect();
        let losses: Vec<f64> = sizes
            .iter()
            .zip(&rows)
            .map(|(n, d)| 1.69 + 406.4 * n.powf(-0.34) + 410.7 * d.powf(-0.28))
            .collect();
        let law = Sizes::new(&[sizes, rows], &losses).unwrap().fit(&[1.0; 9], 1e-3);
        for (found, expected) in [
            (law.floor, 1.69),
            (law.amplitudes[0], 406.4),
            (law.amplitudes[1], 410.7),
            (law.exponents[0], 0.34),
            (law.exponents[1], 0.28),
        ] {
            assert!((found / expected - 1.0).abs() < 1e-4, "{law:?}");
        }
    }

    #[test]
    fn a_law_without_a_floor_has_none() {
        let sizes: Vec<f64> = (0..7).map(|place| 10.0_f64.powi(place)).collect();
        let losses: Vec<f64> = sizes.iter().map(|n| 5.0 * n.powf(-0.2)).collect();
        let law = Sizes::new(&[sizes], &losses).unwrap().fit(&[1.0; 7], 1e-3);
        assert!(law.floor < 1e-3 && (law.exponents[0] - 0.2).abs() < 1e-3, "{law:?}");
    }

    #[test]
    fn an_outlier_does_not_matter() {
        let sizes: Vec<f64> = (0..12).map(|place| 1e5 * 2.0_f64.powi(place)).collect();
        let mut losses: Vec<f64> = sizes.iter().map(|n| 2.0 + 300.0 * n.powf(-0.4)).collect();
        losses[5] *= 3.0;
        let law = Sizes::new(&[sizes], &losses).unwrap().fit(&[1.0; 12], 1e-3);
        assert!((law.exponents[0] - 0.4).abs() < 0.004, "{law:?}");
    }

    #[test]
    fn numbers_that_are_not_positive_are_refused() {
        assert!(Sizes::new(&[vec![1.0, 0.0]], &[1.0, 1.0]).is_none());
        assert!(Sizes::new(&[vec![1.0]], &[1.0, 1.0]).is_none());
        assert!(Sizes::new(&[], &[1.0]).is_none());
        assert!(Sizes::new(&[vec![1.0]], &[f64::NAN]).is_none());
    }
}
