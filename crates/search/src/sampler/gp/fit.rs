//! Maximum a posteriori estimation of length scales, signal and noise.

use std::cmp::Ordering;

use allometry_core::cholesky::{Cholesky, dot};

use super::kernel::{Kernel, MEAN_VARIANCE, OWN_SHARE, matern};
use super::lbfgs::minimize;
use super::observations::{Repeats, noise_factor};
use super::point::{Point, mean_covariance, squared_difference};
use crate::sampler::lattice::Scale;

/// Smallest noise variance: below it the Cholesky factor of the covariance loses its precision.
const NOISE_FLOOR: f64 = 1e-6;
/// Mean and standard deviation of the normal prior of the logarithm of the signal variance.
const SIGNAL_PRIOR: (f64, f64) = (0.0, 1.0);
/// Mean and standard deviation of the normal prior of the logarithm of the noise variance.
const NOISE_PRIOR: (f64, f64) = (-2.5, 1.5);

/// The likelihood of values at points, with precomputed distances.
pub(super) struct Likelihood<'a> {
    y: &'a [f64],
    dimension: usize,
    /// Squared differences of the pairs `(i, j)`, `j < i`, the axes of a pair being adjacent.
    differences: Vec<f64>,
    /// Covariances of the pairs through the means of their budgets, in the same order.
    means: Vec<f64>,
    /// Number of values of which each of `y` is the mean.
    counts: Vec<f64>,
    repeats: Repeats,
}

impl<'a> Likelihood<'a> {
    /// The likelihood of the values `y` at `points`, each the mean of as many values as `counts` says, whose
    /// deviations are `repeats`. Where the points belong to several budgets, the size is an additional axis.
    pub(super) fn new(
        scales: &[Scale],
        points: &[&Point],
        y: &'a [f64],
        counts: Vec<f64>,
        repeats: Repeats,
    ) -> Self {
        let n = points.len();
        let is_joint = points.iter().any(|point| point.budget > 0);
        let dimension = scales.len() + usize::from(is_joint);
        let pairs = n * n.saturating_sub(1) / 2;
        let mut differences = Vec::with_capacity(pairs * dimension);
        let mut means = Vec::with_capacity(pairs);
        for (i, a) in points.iter().enumerate() {
            for b in &points[..i] {
                for (d, scale) in scales.iter().enumerate() {
                    differences.push(squared_difference(*scale, a.positions[d], b.positions[d]));
                }
                if is_joint {
                    differences.push((a.decades - b.decades).powi(2));
                }
                means.push(mean_covariance(a.budget, b.budget));
            }
        }
        Self { y, dimension, differences, means, counts, repeats }
    }

    /// The negative logarithm of the posterior density of `theta` (logarithms of length scales, signal and
    /// noise) up to a constant, and its gradient (Rasmussen & Williams 2006, equations 5.8 and 5.9). Infinite
    /// where the covariance cannot be factored. All noise counts as that of the seeds, with which `gp`
    /// searches better than with a share that is specific to configurations (`docs/adr/0083`).
    ///
    /// Length scales have the prior of Hvarfner, Hellsten & Nardi (2024): log-normal with `mu = sqrt 2 +
    /// ln(D) / 2`, `sigma = sqrt 3`.
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
        pair = 0;
        for i in 0..n {
            for j in 0..i {
                total[i * n + j] += self.means[pair];
                pair += 1;
            }
            total[i * n + i] += MEAN_VARIANCE + kernel.noise / self.counts[i];
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
            by_noise += 0.5 * w / self.counts[i];
        }
        for (g, weight) in gradient.iter_mut().zip(&kernel.weights) {
            *g *= weight;
        }
        value += self.repeats.energy(kernel.noise);
        by_noise += 0.5 * (self.repeats.freedom - self.repeats.squares / kernel.noise) / kernel.noise;
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

    /// The value of [`Self::negative_log_posterior`] without the gradient, at a fraction of its cost, where
    /// the share `own` of the noise is specific to a configuration. The logarithm of the noise variance has a
    /// normal prior with the given mean and standard deviation.
    pub(super) fn energy(&self, theta: &[f64], noise_prior: (f64, f64), own: f64) -> f64 {
        let (n, dimension) = (self.y.len(), self.dimension);
        let kernel = kernel_of(theta);
        let mut covariance = vec![0.0; n * n];
        let mut pairs = self.differences.chunks_exact(dimension.max(1));
        let mut means = self.means.iter();
        for i in 0..n {
            for j in 0..i {
                let r2 = pairs.next().map_or(0.0, |differences| dot(&kernel.weights, differences));
                covariance[i * n + j] = kernel.signal * matern(r2).0 + means.next().copied().unwrap_or(0.0);
            }
            let noise = kernel.noise * noise_factor(own, self.counts[i]);
            covariance[i * n + i] = kernel.signal + MEAN_VARIANCE + noise;
        }
        let Some(root) = Cholesky::new(covariance, n) else { return f64::INFINITY };
        let mut whitened = self.y.to_vec();
        root.solve_lower(&mut whitened);
        let likelihood = root.half_log_determinant() + 0.5 * dot(&whitened, &whitened);
        let squares = theta.iter().enumerate().map(|(k, x)| {
            let (mean, deviation) = if k > dimension { noise_prior } else { prior(k, dimension) };
            ((x - mean) / deviation).powi(2)
        });
        likelihood + self.repeats.energy((1.0 - own) * kernel.noise) + 0.5 * squares.sum::<f64>()
    }

    /// The maximum a posteriori parameters, by optimization from two starts: the priors' means, and short
    /// length scales with more noise.
    pub(super) fn fit(&self) -> Vec<f64> {
        let dimension = self.dimension;
        let evaluations = if self.y.len() <= 60 { 60 } else { 30 };
        let mut start: Vec<f64> = (0..dimension + 2).map(|k| prior(k, dimension).0).collect();
        let f = |theta: &[f64]| self.negative_log_posterior(theta);
        let far = minimize(f, start.clone(), 0.02, evaluations);
        start[..dimension].fill((0.5 * (dimension as f64).sqrt()).ln());
        start[dimension + 1] = -2.5;
        let near = minimize(f, start, 0.02, evaluations);
        if near.1 < far.1 { near.0 } else { far.0 }
    }
}

fn prior(k: usize, dimension: usize) -> (f64, f64) {
    match k.cmp(&dimension) {
        Ordering::Less => (2.0_f64.sqrt() + 0.5 * (dimension as f64).ln(), 3.0_f64.sqrt()),
        Ordering::Equal => SIGNAL_PRIOR,
        Ordering::Greater => NOISE_PRIOR,
    }
}

/// The kernel with the given logarithms of length scales, signal and noise.
pub(super) fn kernel_of(theta: &[f64]) -> Kernel {
    let dimension = theta.len() - 2;
    Kernel {
        weights: theta[..dimension].iter().map(|x| (-2.0 * x).exp()).collect(),
        signal: theta[dimension].exp(),
        noise: theta[dimension + 1].exp() + NOISE_FLOOR,
        own: OWN_SHARE,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::sampler::gp::observations::Observations;
    use crate::sampler::gp::posterior::Posterior;
    use crate::sampler::lattice::{Cell, Lattice};
    use crate::sampler::tests::ordinals;

    #[derive(Deserialize)]
    struct Oracle {
        levels: Vec<i64>,
        cells: Vec<Cell>,
        y: Vec<f64>,
        length_scales: Vec<f64>,
        signal: f64,
        noise: f64,
        queries: Vec<Cell>,
        mean: Vec<f64>,
        variance: Vec<f64>,
        log_marginal_likelihood: f64,
        joint: Joint,
    }

    /// Expected results for the values as data of two budgets, the later ones in a smaller budget.
    #[derive(Deserialize)]
    struct Joint {
        decades: Vec<f64>,
        size_scale: f64,
        mean: Vec<f64>,
        variance: Vec<f64>,
        log_marginal_likelihood: f64,
    }

    fn oracle() -> (Oracle, Lattice) {
        let oracle: Oracle = serde_json::from_str(include_str!("../../../tests/oracle/gp.json")).unwrap();
        let lattice = Lattice::new(&ordinals(&oracle.levels));
        (oracle, lattice)
    }

    fn points(oracle: &Oracle, lattice: &Lattice) -> Vec<Point> {
        oracle.cells.iter().map(|cell| Point::own(lattice, cell)).collect()
    }

    fn joint_points(oracle: &Oracle, lattice: &Lattice) -> Vec<Point> {
        let own = points(oracle, lattice).into_iter().zip(&oracle.joint.decades);
        own.map(|(point, decades)| Point { budget: usize::from(*decades != 0.0), decades: *decades, ..point })
            .collect()
    }

    /// The likelihood of one value a point.
    fn single<'a>(lattice: &Lattice, points: &[Point], y: &'a [f64]) -> Likelihood<'a> {
        let counts = vec![1.0; y.len()];
        Likelihood::new(lattice.scales(), &points.iter().collect::<Vec<_>>(), y, counts, Repeats::default())
    }

    fn posterior_of<'a>(lattice: &'a Lattice, theta: &[f64], points: Vec<Point>, y: &[f64]) -> Posterior<'a> {
        let mut observations = Observations::default();
        observations.extend(points, y);
        Posterior::new(lattice, kernel_of(theta), observations).unwrap()
    }

    /// The negative logarithms of the priors plus the constant of the likelihood.
    fn rest(theta: &[f64], values: usize) -> f64 {
        let dimension = theta.len() - 2;
        let squares = theta.iter().enumerate().map(|(k, x)| {
            let (mean, deviation) = prior(k, dimension);
            0.5 * ((x - mean) / deviation).powi(2)
        });
        squares.sum::<f64>() - 0.5 * values as f64 * (2.0 * std::f64::consts::PI).ln()
    }

    fn likelihood<'a>(oracle: &'a Oracle, lattice: &Lattice) -> Likelihood<'a> {
        let points = points(oracle, lattice);
        single(lattice, &points, &oracle.y)
    }

    #[test]
    fn posterior_and_likelihood_are_scikit_learns() {
        let (oracle, lattice) = oracle();
        let mut theta: Vec<f64> = oracle.length_scales.iter().map(|l| l.ln()).collect();
        theta.extend([oracle.signal.ln(), (oracle.noise - NOISE_FLOOR).ln()]);
        let posterior = posterior_of(&lattice, &theta, points(&oracle, &lattice), &oracle.y);
        let mut row = Vec::new();
        for (k, query) in oracle.queries.iter().enumerate() {
            let (mean, variance) = posterior.at(query, &mut row);
            assert!((mean - oracle.mean[k]).abs() < 1e-8, "{mean} {}", oracle.mean[k]);
            assert!((variance - oracle.variance[k]).abs() < 1e-8, "{variance} {}", oracle.variance[k]);
        }
        let (value, _) = likelihood(&oracle, &lattice).negative_log_posterior(&theta);
        let rest = rest(&theta, oracle.y.len());
        assert!((rest - value - oracle.log_marginal_likelihood).abs() < 1e-8);
    }

    #[test]
    fn two_budgets_share_all_but_their_means() {
        let (oracle, lattice) = oracle();
        let (points, joint) = (joint_points(&oracle, &lattice), &oracle.joint);
        let scales = oracle.length_scales.iter().chain([&joint.size_scale]);
        let mut theta: Vec<f64> = scales.map(|scale| scale.ln()).collect();
        theta.extend([oracle.signal.ln(), (oracle.noise - NOISE_FLOOR).ln()]);
        let likelihood = single(&lattice, &points, &oracle.y);
        let (value, gradient) = likelihood.negative_log_posterior(&theta);
        let rest = rest(&theta, oracle.y.len());
        assert!((rest - value - joint.log_marginal_likelihood).abs() < 1e-8);
        assert!((likelihood.energy(&theta, NOISE_PRIOR, 0.0) - value).abs() < 1e-9);
        for (k, slope) in gradient.iter().enumerate() {
            let [below, above] = [-1e-5, 1e-5].map(|step| {
                let mut moved = theta.clone();
                moved[k] += step;
                likelihood.negative_log_posterior(&moved).0
            });
            assert!(((above - below) / 2e-5 - slope).abs() < 1e-5 * slope.abs().max(1.0), "{k}");
        }
        let posterior = posterior_of(&lattice, &theta, points, &oracle.y);
        let mut row = Vec::new();
        for (k, query) in oracle.queries.iter().enumerate() {
            let (mean, variance) = posterior.at(query, &mut row);
            assert!((mean - joint.mean[k]).abs() < 1e-8, "{mean} {}", joint.mean[k]);
            assert!((variance - joint.variance[k]).abs() < 1e-8, "{variance} {}", joint.variance[k]);
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let (oracle, lattice) = oracle();
        let likelihood = likelihood(&oracle, &lattice);
        for theta in [[0.1, 0.5, 2.0, 0.3, -3.0], [-1.0, 1.5, 0.0, -0.5, -1.0]] {
            let (_, gradient) = likelihood.negative_log_posterior(&theta);
            for k in 0..theta.len() {
                let mut moved = [theta, theta];
                moved[0][k] -= 1e-5;
                moved[1][k] += 1e-5;
                let [below, above] = moved.map(|theta| likelihood.negative_log_posterior(&theta).0);
                let slope = (above - below) / 2e-5;
                assert!(
                    (slope - gradient[k]).abs() < 1e-5 * slope.abs().max(1.0),
                    "{k}: {slope} {}",
                    gradient[k]
                );
            }
        }
    }

    /// Values of repeats are jointly normal: those of one configuration share its own effect. The density of
    /// all values is that of the means and of the deviations from them.
    #[test]
    fn repeats_count_as_in_the_joint_density_of_all_values() {
        let (oracle, lattice) = oracle();
        let told: Vec<(usize, f64)> = vec![(0, 0.3), (1, -0.5), (0, 0.1), (2, 1.1), (0, 0.6), (2, 0.7)];
        let observations =
            Observations::new(&lattice, told.iter().map(|(i, value)| (&oracle.cells[*i], *value)));
        let points: Vec<&Point> = observations.points.iter().collect();
        let counts = observations.counts.clone();
        let of_means =
            Likelihood::new(lattice.scales(), &points, &observations.means, counts, observations.repeats);
        let joint = |theta: &[f64], own: f64| {
            let kernel = Kernel { own, ..kernel_of(theta) };
            let n = told.len();
            let mut covariance = vec![0.0; n * n];
            for (a, (i, _)) in told.iter().enumerate() {
                for (b, (j, _)) in told.iter().enumerate() {
                    let (x, y) = (&oracle.cells[*i], &oracle.cells[*j]);
                    let (x, y) = (Point::own(&lattice, x), Point::own(&lattice, y));
                    let axes = x.positions.iter().zip(&y.positions).zip(&kernel.weights);
                    let r2: f64 = axes.map(|((a, b), w)| w * (a - b).powi(2)).sum();
                    let own = if i == j { kernel.own_noise() } else { 0.0 };
                    let seed = if a == b { kernel.noise - kernel.own_noise() } else { 0.0 };
                    covariance[a * n + b] = kernel.signal * matern(r2).0 + MEAN_VARIANCE + own + seed;
                }
            }
            let factor = Cholesky::new(covariance, n).unwrap();
            let y: Vec<f64> = told.iter().map(|(_, value)| *value).collect();
            factor.half_log_determinant() + 0.5 * dot(&y, &factor.solve(&y))
        };
        let prior = |theta: &[f64]| {
            let terms = theta.iter().enumerate().map(|(k, x)| {
                let (mean, deviation) = prior(k, theta.len() - 2);
                0.5 * ((x - mean) / deviation).powi(2)
            });
            terms.sum::<f64>()
        };
        let (first, second) = ([0.1, 0.5, 2.0, 0.3, -3.0], [-1.0, 1.5, 0.0, -0.5, -1.0]);
        for own in [0.0, 0.4] {
            let found =
                [first, second].map(|theta| of_means.energy(&theta, NOISE_PRIOR, own) - prior(&theta));
            let expected = [first, second].map(|theta| joint(&theta, own));
            assert!((found[0] - found[1] - expected[0] + expected[1]).abs() < 1e-8, "{found:?} {expected:?}");
        }
        for theta in [first, second] {
            let (value, gradient) = of_means.negative_log_posterior(&theta);
            assert!((of_means.energy(&theta, NOISE_PRIOR, 0.0) - value).abs() < 1e-9);
            let moved = |step: f64| {
                let mut moved = theta;
                moved[4] += step;
                of_means.negative_log_posterior(&moved).0
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - gradient[4]).abs() < 1e-5 * slope.abs().max(1.0), "{slope} {}", gradient[4]);
        }
    }

    #[test]
    fn the_energy_is_the_value() {
        let (oracle, lattice) = oracle();
        let likelihood = likelihood(&oracle, &lattice);
        for theta in [[0.1, 0.5, 2.0, 0.3, -3.0], [-1.0, 1.5, 0.0, -0.5, -1.0]] {
            let (value, _) = likelihood.negative_log_posterior(&theta);
            assert!((likelihood.energy(&theta, NOISE_PRIOR, 0.0) - value).abs() < 1e-9);
        }
    }

    #[test]
    fn the_fit_is_no_worse_than_many_others() {
        let (oracle, lattice) = oracle();
        let likelihood = likelihood(&oracle, &lattice);
        let (fitted, _) = likelihood.negative_log_posterior(&likelihood.fit());
        for number in 0..3_u32.pow(5) {
            let digit = |k: u32| f64::from(number / 3_u32.pow(k) % 3);
            let other = [0, 1, 2].map(|k| 1.5 * digit(k) - 1.0);
            let other = [other[0], other[1], other[2], digit(3) - 1.0, 2.0 * digit(4) - 5.0];
            assert!(fitted <= likelihood.negative_log_posterior(&other).0 + 1e-3);
        }
    }
}
