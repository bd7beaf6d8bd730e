//! The knowledge gradient acquisition function.

use allometry_core::cholesky::dot;

use super::expected_improvement::log_expected_improvement;
use super::point::Point;
use super::posterior::Posterior;
use crate::sampler::lattice::Cell;

/// Largest number of tried configurations that compete for the best mean.
const MOST_LEADERS: usize = 40;

/// The expected gain of one more trial: how far the largest mean over seeds, by the model, is expected to
/// rise with its value (Frazier, Powell & Dayanik 2009).
///
/// The trial may be of an untried configuration or repeat a tried one: under noise, the tried configuration
/// with the largest mean is not surely the best, and its repeat can tell.
pub(super) struct KnowledgeGradient<'p> {
    posterior: &'p Posterior<'p>,
    /// Tried configurations with the largest means, in descending order.
    leaders: Vec<Cell>,
    means: Vec<f64>,
    points: Vec<Point>,
    /// Covariances of each leader's mean with the data, multiplied by the inverse of their factor.
    rows: Vec<Vec<f64>>,
}

impl<'p> KnowledgeGradient<'p> {
    /// The gradient where one of the tried `cells` will be recommended. The cells are distinct.
    pub(super) fn new<'c>(posterior: &'p Posterior<'p>, cells: impl IntoIterator<Item = &'c Cell>) -> Self {
        let mut order: Vec<(f64, &Cell)> =
            cells.into_iter().map(|cell| (posterior.mean_over_seeds(cell), cell)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        order.truncate(MOST_LEADERS);
        let leaders: Vec<Cell> = order.iter().map(|(_, cell)| (*cell).clone()).collect();
        Self {
            means: order.into_iter().map(|(mean, _)| mean).collect(),
            points: leaders.iter().map(|cell| posterior.point(cell)).collect(),
            rows: leaders.iter().map(|cell| posterior.reduced_mean(cell)).collect(),
            posterior,
            leaders,
        }
    }

    /// The logarithm of the expected gain of a trial of an untried configuration.
    pub(super) fn log_gain(&self, cell: &Cell) -> f64 {
        let (mean, variance, covariances) = self.posterior.beside(cell, &self.points, &self.rows);
        let kernel = &self.posterior.kernel;
        let deviation = (variance + kernel.noise).sqrt();
        let slopes = covariances.iter().map(|covariance| covariance / deviation);
        let own = (mean, (variance + kernel.own_noise()) / deviation);
        log_gain_of(self.means.iter().copied().zip(slopes).chain([own]).collect())
    }

    /// The leader whose repeat has the largest expected gain, with the gain's logarithm.
    pub(super) fn best_repeat(&self) -> Option<(f64, &Cell)> {
        let gains = self.leaders.iter().enumerate().map(|(i, cell)| (self.log_gain_of_repeat(i), cell));
        gains.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn log_gain_of_repeat(&self, i: usize) -> f64 {
        let (kernel, points) = (&self.posterior.kernel, &self.points);
        let among = |j: usize| {
            let prior = self.posterior.prior(&points[i], &points[j]);
            let own = if i == j { kernel.own_noise() } else { 0.0 };
            prior + own - dot(&self.rows[i], &self.rows[j])
        };
        let deviation = (among(i).max(0.0) + kernel.noise - kernel.own_noise()).sqrt();
        let slopes = (0..points.len()).map(|j| among(j) / deviation);
        log_gain_of(self.means.iter().copied().zip(slopes).collect())
    }
}

/// The logarithm of `E max(a + b Z) - max a` over `lines` `(a, b)`, where `Z` is standard normal: the sum
/// over the corners of their upper envelope of `(b' - b) h(-|c|)`. The corner lies at `Z = c`, the slope
/// changes from `b` to `b'` there, and `h(z) = phi(z) + z Phi(z)` (Frazier, Powell & Dayanik 2009, equation
/// 14).
fn log_gain_of(mut lines: Vec<(f64, f64)>) -> f64 {
    lines.sort_by(|x, y| x.1.total_cmp(&y.1).then(x.0.total_cmp(&y.0)));
    // Each line of the envelope with the corner at which it begins.
    let mut envelope: Vec<(f64, f64, f64)> = Vec::with_capacity(lines.len());
    for (a, b) in lines {
        let mut corner = f64::NEG_INFINITY;
        while let Some((above, slope, begin)) = envelope.last().copied() {
            corner = if b > slope { (above - a) / (b - slope) } else { f64::NEG_INFINITY };
            if corner > begin {
                break;
            }
            envelope.pop();
            corner = f64::NEG_INFINITY;
        }
        envelope.push((a, b, corner));
    }
    let gains = envelope
        .windows(2)
        .map(|pair| (pair[1].1 - pair[0].1).ln() + log_expected_improvement(-pair[1].2.abs(), 1.0, 0.0));
    let gains: Vec<f64> = gains.collect();
    let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + gains.iter().map(|gain| (gain - most).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::gp::kernel::Kernel;
    use crate::sampler::gp::observations::Observations;
    use crate::sampler::lattice::Lattice;
    use crate::sampler::tests::ordinals;

    /// Compares with a numerical integral over `Z`.
    #[test]
    fn it_is_the_integral() {
        let cases: [&[(f64, f64)]; 6] = [
            &[(0.0, 0.3), (0.2, -0.4), (-0.5, 1.0), (-2.0, 0.1)],
            &[(1.0, 0.2), (0.0, 0.2), (0.99, 0.3)],
            &[(0.5, 0.0), (0.5, 0.0), (-0.1, 0.4)],
            &[(0.0, -1.0), (0.0, 1.0)],
            &[(3.0, 0.1), (0.0, 0.9)],
            &[(0.0, 0.1), (-0.3, 0.5), (-0.9, 0.9), (-1.9, 1.3), (-0.2, -0.8)],
        ];
        for lines in cases {
            let best = lines.iter().map(|(a, _)| *a).fold(f64::NEG_INFINITY, f64::max);
            let step = 1e-4;
            let integral: f64 = (-90_000..90_000)
                .map(|i| (f64::from(i) + 0.5) * step)
                .map(|z| {
                    let most = lines.iter().map(|(a, b)| a + b * z).fold(f64::NEG_INFINITY, f64::max);
                    (most - best) * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * step
                })
                .sum();
            let found = log_gain_of(lines.to_vec()).exp();
            assert!((found / integral - 1.0).abs() < 1e-3, "{lines:?}: {found} {integral}");
        }
        assert_eq!(log_gain_of(vec![(0.3, 0.5)]), f64::NEG_INFINITY, "a single candidate stays the best");
        assert_eq!(log_gain_of(Vec::new()), f64::NEG_INFINITY);
    }

    /// The gains of a trial, with the means over seeds given by their joint normal distribution, which is
    /// conditioned here by a general formula.
    #[test]
    fn gains_are_those_of_the_joint_distribution() {
        let lattice = Lattice::new(&ordinals(&[5, 4]));
        let cells: [Cell; 4] = [vec![0, 0], vec![2, 1], vec![4, 3], vec![1, 2]];
        let told = [(0, 0.4), (1, 0.9), (2, -0.6), (1, 0.5), (3, 0.8)];
        let kernel = Kernel { weights: vec![2.0, 0.7], signal: 0.8, noise: 0.3, own: 0.4 };
        let observations =
            Observations::new(&lattice, told.map(|(i, value): (usize, f64)| (&cells[i], value)));
        let posterior = Posterior::new(&lattice, kernel.clone(), observations).unwrap();
        let gradient = KnowledgeGradient::new(&posterior, &cells);
        // Means over seeds of the four configurations and of a fifth one.
        let new = vec![3, 0];
        let all: Vec<Cell> = cells.iter().chain([&new]).cloned().collect();
        let prior = |i: usize, j: usize| {
            let smooth = posterior.prior(&posterior.point(&all[i]), &posterior.point(&all[j]));
            smooth + if i == j { 0.4 * 0.3 } else { 0.0 }
        };
        let mut covariance: Vec<Vec<f64>> = (0..5).map(|i| (0..5).map(|j| prior(i, j)).collect()).collect();
        let mut means = [0.0; 5];
        // One value after the other: Kalman's update.
        for (i, value) in told {
            let column: Vec<f64> = covariance.iter().map(|row| row[i]).collect();
            let total = column[i] + 0.6 * 0.3;
            let surprise = value - means[i];
            for j in 0..5 {
                means[j] += column[j] / total * surprise;
                for k in 0..5 {
                    covariance[j][k] -= column[j] * column[k] / total;
                }
            }
        }
        let expected = |trial: usize, candidates: &[usize]| {
            let deviation = (covariance[trial][trial] + 0.6 * 0.3).sqrt();
            let lines = candidates.iter().map(|j| (means[*j], covariance[trial][*j] / deviation));
            log_gain_of(lines.collect())
        };
        let found = gradient.log_gain(&new);
        assert!((found - expected(4, &[0, 1, 2, 3, 4])).abs() < 1e-9, "{found}");
        let repeats: Vec<f64> = (0..4).map(|i| expected(i, &[0, 1, 2, 3])).collect();
        let best = (0..4).max_by(|a, b| repeats[*a].total_cmp(&repeats[*b])).unwrap();
        let (gain, cell) = gradient.best_repeat().unwrap();
        assert_eq!(cell, &cells[best], "{repeats:?}");
        assert!((gain - repeats[best]).abs() < 1e-9, "{gain} {repeats:?}");
        let order = (0..4).max_by(|a, b| means[*a].total_cmp(&means[*b])).unwrap();
        assert_eq!(gradient.leaders[0], cells[order]);
    }
}
