//! The expected hypervolume improvement acquisition function.

use super::expected_improvement::log_expected_improvement;
use crate::pareto_boxes::Boxes;

/// Distance of the reference point beyond the worse end of the front, as a share of the front's range in an
/// objective.
const MARGIN: f64 = 0.1;

/// The undominated region of a front, in losses.
pub(super) struct VolumeImprovement {
    boxes: Boxes,
    /// For each objective the expected improvement over each level; scratch space.
    falls: Vec<Vec<f64>>,
}

impl VolumeImprovement {
    /// The improvement over the front of `points`. The reference point is the worst value of the front in
    /// each objective plus a tenth of its range, or plus a tenth of a unit where the range is 0.
    pub(super) fn new(points: &[Vec<f64>]) -> Self {
        let front = allometry_core::pareto::leading_front(points);
        let dimension = points.first().map_or(0, Vec::len);
        let reference: Vec<f64> = (0..dimension)
            .map(|d| {
                let own = || front.iter().map(|i| points[*i][d]);
                let (low, high) =
                    (own().fold(f64::INFINITY, f64::min), own().fold(f64::NEG_INFINITY, f64::max));
                let range = if high > low { high - low } else { 1.0 };
                high + MARGIN * range
            })
            .collect();
        let front: Vec<Vec<f64>> = front.into_iter().map(|i| points[i].clone()).collect();
        let boxes = Boxes::new(&front, &reference);
        let falls = boxes.levels.iter().map(|levels| vec![0.0; levels.len()]).collect();
        Self { boxes, falls }
    }

    /// Logarithm of the expected improvement of the hypervolume by a point with independent normal losses,
    /// given as means and variances: the sum over the boxes of the expected covered volume, which is the
    /// product over the objectives of the expected length (Emmerich, Giannakoglou & Naujoks 2006; in boxes
    /// Yang et al. 2019, equation 11).
    pub(super) fn log_expected(&mut self, losses: &[(f64, f64)]) -> f64 {
        for ((falls, levels), (mean, variance)) in self.falls.iter_mut().zip(&self.boxes.levels).zip(losses) {
            for (fall, level) in falls.iter_mut().zip(levels) {
                *fall = if *level == f64::NEG_INFINITY {
                    0.0
                } else {
                    log_expected_improvement(-mean, *variance, -level).exp()
                };
            }
        }
        let falls = &self.falls;
        let part = |sides: &Vec<(usize, usize)>| -> f64 {
            sides.iter().zip(falls).map(|((better, worse), falls)| falls[*worse] - falls[*better]).product()
        };
        self.boxes.boxes.iter().map(part).sum::<f64>().max(f64::MIN_POSITIVE).ln()
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::pareto::hypervolume;

    use super::*;
    use crate::normal::quantile;

    /// Compares with the mean improvement of the hypervolume over a fine grid of quantiles.
    #[test]
    fn it_is_the_mean_gain() {
        let points = vec![vec![0.0, 3.0], vec![1.0, 1.0], vec![2.5, 0.5], vec![2.0, 2.0]];
        let mut improvement = VolumeImprovement::new(&points);
        let reference: Vec<f64> =
            improvement.boxes.levels.iter().map(|levels| levels[levels.len() - 1]).collect();
        assert_eq!(reference, [2.75, 3.25]);
        let before = hypervolume(&points, &reference);
        for losses in [[(1.0, 1.0), (1.0, 0.25)], [(3.0, 0.5), (2.5, 2.0)], [(-0.5, 0.01), (2.0, 0.04)]] {
            let steps = 400;
            let at = |(mean, variance): (f64, f64), k: usize| {
                mean + f64::sqrt(variance) * quantile((k as f64 + 0.5) / steps as f64)
            };
            let mut sum = 0.0;
            for i in 0..steps {
                for j in 0..steps {
                    let mut with = points.clone();
                    with.push(vec![at(losses[0], i), at(losses[1], j)]);
                    sum += hypervolume(&with, &reference) - before;
                }
            }
            let mean = sum / (steps * steps) as f64;
            let log = improvement.log_expected(&losses);
            assert!((log.exp() - mean).abs() < 0.02 * mean, "{losses:?}: {} {mean}", log.exp());
        }
    }

    #[test]
    fn improbable_improvements_stay_finite() {
        let mut improvement = VolumeImprovement::new(&[vec![0.0, 0.0, 0.0]]);
        assert!(improvement.log_expected(&[(50.0, 1e-6); 3]).is_finite());
    }
}
