//! The imputation of final values of trials that were stopped early.

use std::collections::{BTreeSet, HashMap};

use allometry_core::rng::{stream, uniform};
use allometry_core::{Direction, FrozenTrial, TrialNumber, TrialRng, TrialState};

use crate::normal;
use crate::sampler::outcome::{self, EndedTrial};

/// Smallest number of pairs that a regression is fitted to.
const FEWEST_PAIRS: usize = 5;

/// Number of imputations.
const IMPUTATIONS: usize = 8;

/// The final values predicted from the learning curves of trials that were stopped early; larger is better.
///
/// A pruner decides by the observed part of a curve, so that final values are missing at random given the
/// curves. Stopped trials have a monotone pattern of missing values. For it, the maximum likelihood estimate
/// is each step's regression on the earlier steps over all trials that reached it, regardless of how these
/// were selected (Little & Rubin 2002, section 7.4). Complete trials alone are a biased, lucky sample.
#[derive(Debug, Default)]
pub(super) struct Stopped {
    /// Expected final values, except of trials from whose last step too few others continued.
    pub(super) means: HashMap<TrialNumber, f64>,
    /// Draws of the final values, each with other draws of the regression parameters (multiple imputation:
    /// Rubin 1987).
    pub(super) draws: Vec<HashMap<TrialNumber, f64>>,
}

/// Predictors of a value: the value at the previous step, and the mean of those at all earlier steps.
type Predictors = [f64; 2];

/// A linear regression of values on their [`Predictors`].
struct Plane {
    centers: Predictors,
    level: f64,
    slopes: Predictors,
    /// Lower Cholesky factor of the slopes' covariance divided by the residual variance, `[a, b, c]` for
    /// `[[a, 0], [b, c]]`.
    root: [f64; 3],
    count: f64,
    freedom: usize,
    /// Sum of squared residuals.
    residuals: f64,
}

impl Plane {
    /// Fits the regression; `None` where there are fewer than [`FEWEST_PAIRS`] values, or the first predictor
    /// is constant. With one earlier step, or nearly collinear predictors, only the first predictor is used.
    fn new(pairs: &[(Predictors, f64)]) -> Option<Self> {
        let count = pairs.len() as f64;
        if pairs.len() < FEWEST_PAIRS {
            return None;
        }
        let mean = |of: &dyn Fn(&(Predictors, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
        let centers = [mean(&|(x, _)| x[0]), mean(&|(x, _)| x[1])];
        let level = mean(&|(_, y)| *y);
        let product = |a: &dyn Fn(&(Predictors, f64)) -> f64, b: &dyn Fn(&(Predictors, f64)) -> f64| {
            pairs.iter().map(|one| a(one) * b(one)).sum::<f64>()
        };
        let (first, second) = (
            |one: &(Predictors, f64)| one.0[0] - centers[0],
            |one: &(Predictors, f64)| one.0[1] - centers[1],
        );
        let value = |one: &(Predictors, f64)| one.1 - level;
        let [xx, xz, zz] = [product(&first, &first), product(&first, &second), product(&second, &second)];
        let [xy, zy] = [product(&first, &value), product(&second, &value)];
        if !(xx > 0.0 && xx.is_finite()) {
            return None;
        }
        let determinant = xx * zz - xz * xz;
        let (slopes, root, slope_count) = if determinant > 1e-9 * xx * zz {
            let slopes = [(zz * xy - xz * zy) / determinant, (xx * zy - xz * xy) / determinant];
            let a = (zz / determinant).sqrt();
            (slopes, [a, -xz / determinant / a, (1.0 / zz).sqrt()], 2)
        } else {
            ([xy / xx, 0.0], [(1.0 / xx).sqrt(), 0.0, 0.0], 1)
        };
        let fitted =
            |x: &Predictors| level + slopes[0] * (x[0] - centers[0]) + slopes[1] * (x[1] - centers[1]);
        let residuals: f64 = pairs.iter().map(|(x, y)| (y - fitted(x)).powi(2)).sum();
        let freedom = pairs.len() - 1 - slope_count;
        residuals.is_finite().then_some(Self { centers, level, slopes, root, count, freedom, residuals })
    }

    fn at(&self, x: &Predictors) -> f64 {
        self.level + self.slopes[0] * (x[0] - self.centers[0]) + self.slopes[1] * (x[1] - self.centers[1])
    }

    /// A draw of the regression from its posterior under a flat prior, with the standard deviation of the
    /// residuals.
    fn draw(&self, rng: &mut TrialRng) -> (Self, f64) {
        let chi2: f64 = (0..self.freedom).map(|_| standard_normal(rng).powi(2)).sum();
        let deviation = (self.residuals / chi2.max(f64::MIN_POSITIVE)).sqrt();
        let [u, v, w] = [0; 3].map(|_| deviation * standard_normal(rng));
        let [a, b, c] = self.root;
        let slopes = [self.slopes[0] + a * u, self.slopes[1] + b * u + c * v];
        (Self { level: self.level + w / self.count.sqrt(), slopes, ..*self }, deviation)
    }
}

fn standard_normal(rng: &mut TrialRng) -> f64 {
    normal::quantile(uniform(rng).clamp(1e-12, 1.0 - 1e-12))
}

fn last_step(trial: &FrozenTrial) -> Option<i64> {
    trial.intermediate.last_key_value().map(|(step, _)| *step)
}

/// Learning curves at the steps at which trials were stopped.
struct Curves<'a> {
    direction: Direction,
    steps: Vec<i64>,
    stopped: Vec<&'a FrozenTrial>,
}

impl<'a> Curves<'a> {
    fn new(ended: &[EndedTrial<'a>], direction: Direction) -> Self {
        let stopped =
            ended.iter().map(|(trial, ..)| *trial).filter(|trial| trial.state == TrialState::Pruned);
        let stopped: Vec<&FrozenTrial> = stopped.collect();
        let steps: BTreeSet<i64> = stopped.iter().filter_map(|trial| last_step(trial)).collect();
        Self { direction, steps: steps.into_iter().collect(), stopped }
    }

    /// Values at the first `count` steps; `None` where one is missing or not finite.
    fn values(&self, trial: &FrozenTrial, count: usize) -> Option<Vec<f64>> {
        let value = |step| trial.intermediate.get(step).filter(|value| value.is_finite());
        self.steps[..count].iter().map(|step| Some(self.direction.sign() * value(step)?)).collect()
    }

    /// The regression for the value after step number `place`: the value at the next step, or the final
    /// value.
    fn plane(&self, ended: &[EndedTrial<'_>], place: usize) -> Option<Plane> {
        let pair = |trial: &FrozenTrial| {
            if place + 1 < self.steps.len() {
                let mut values = self.values(trial, place + 2)?;
                let next = values.pop()?;
                return Some((predictors(&values), next));
            }
            let complete = Some(trial).filter(|trial| trial.state == TrialState::Complete)?;
            let value = outcome::value(complete, self.direction).filter(|value| value.is_finite())?;
            Some((predictors(&self.values(trial, place + 1)?), value))
        };
        Plane::new(&ended.iter().filter_map(|(trial, ..)| pair(trial)).collect::<Vec<_>>())
    }

    /// The final values of the stopped trials predicted by `planes`, with `noise` of the plane's index added
    /// to each value.
    fn ends(
        &self,
        planes: &[Option<Plane>],
        mut noise: impl FnMut(usize) -> f64,
    ) -> HashMap<TrialNumber, f64> {
        let mut end = |trial: &&FrozenTrial| {
            let first = self.steps.binary_search(&last_step(trial)?).ok()?;
            let mut values = self.values(trial, first + 1)?;
            for (place, plane) in planes.iter().enumerate().skip(first) {
                values.push(plane.as_ref()?.at(&predictors(&values)) + noise(place));
            }
            let end = values.pop()?;
            end.is_finite().then_some((trial.number, end))
        };
        self.stopped.iter().filter_map(&mut end).collect()
    }
}

/// The predictors from the values so far, of which there must be at least one.
fn predictors(values: &[f64]) -> Predictors {
    let (last, earlier) = values.split_last().expect("a trial that was stopped has a value");
    [*last, earlier.iter().sum::<f64>() / earlier.len().max(1) as f64]
}

impl Stopped {
    pub(super) fn new(ended: &[EndedTrial<'_>], direction: Direction) -> Self {
        let curves = Curves::new(ended, direction);
        let planes: Vec<Option<Plane>> =
            (0..curves.steps.len()).map(|place| curves.plane(ended, place)).collect();
        let means = curves.ends(&planes, |_| 0.0);
        if means.is_empty() {
            return Self::default();
        }
        let mut rng = stream(0, "imputation", ended.len() as u64);
        let mut draw = || {
            let (planes, deviations): (Vec<Option<Plane>>, Vec<f64>) = planes
                .iter()
                .map(|plane| {
                    let drawn = plane.as_ref().map(|plane| plane.draw(&mut rng));
                    drawn.map_or((None, 0.0), |(plane, deviation)| (Some(plane), deviation))
                })
                .unzip();
            curves.ends(&planes, |place| deviations[place] * standard_normal(&mut rng))
        };
        let draws = (0..IMPUTATIONS).map(|_| draw()).collect();
        Self { means, draws }
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::Params;

    use super::*;

    fn trial(number: u64, state: TrialState, curve: &[f64]) -> FrozenTrial {
        let mut trial = FrozenTrial::new(number, state, curve.last().copied(), Params::default());
        trial.intermediate = (1..).zip(curve.iter().copied()).collect();
        trial
    }

    fn of(trials: &[FrozenTrial], direction: Direction) -> Stopped {
        let ended: Vec<EndedTrial<'_>> =
            trials.iter().map(|trial| (trial, Vec::new(), trial.value())).collect();
        Stopped::new(&ended, direction)
    }

    /// Curves that grow from `x` to `2 x + 1` at each step, so that a trial stopped at the first step needs
    /// both planes.
    #[test]
    fn curves_are_followed_to_the_end() {
        let mut trials: Vec<FrozenTrial> = (0..8)
            .map(|i| {
                let x = f64::from(i);
                trial(i as u64, TrialState::Complete, &[x, 2.0 * x + 1.0, 4.0 * x + 3.0])
            })
            .collect();
        trials.push(trial(8, TrialState::Pruned, &[-3.0]));
        trials.push(trial(9, TrialState::Pruned, &[1.0, 3.0]));
        trials.push(trial(10, TrialState::Pruned, &[f64::NAN]));
        trials.push(FrozenTrial::new(11, TrialState::Failed, None, Params::default()));
        let found = of(&trials, Direction::Maximize);
        assert_eq!(found.means.len(), 2, "{found:?}");
        for ends in found.draws.iter().chain([&found.means]) {
            assert!((ends[&TrialNumber(8)] + 9.0).abs() < 1e-6, "{ends:?}");
            assert!((ends[&TrialNumber(9)] - 7.0).abs() < 1e-6, "{ends:?}");
        }
        let few = of(&trials[4..], Direction::Maximize);
        assert!(few.means.is_empty(), "four complete trials determine no plane: {few:?}");
        for trial in &mut trials {
            trial.values.iter_mut().for_each(|value| *value = -*value);
            trial.intermediate.values_mut().for_each(|value| *value = -*value);
        }
        assert_eq!(of(&trials, Direction::Minimize).means, found.means);
    }

    /// Curves whose three values have a common part and independent noise; trials below 0 at the first or the
    /// second step are stopped. The draws have the mean and standard deviation of the final values, which are
    /// known here.
    #[test]
    fn draws_have_the_mean_and_spread_of_the_missing_values() {
        let mut rng = stream(1, "test", 0);
        let mut finals = Vec::new();
        let trials: Vec<FrozenTrial> = (0..3000)
            .map(|number| {
                let common = standard_normal(&mut rng);
                let curve = [0; 3].map(|_| common + 0.7 * standard_normal(&mut rng));
                finals.push(curve[2]);
                match curve.iter().take(2).position(|value| *value < 0.0) {
                    Some(place) => trial(number, TrialState::Pruned, &curve[..=place]),
                    None => trial(number, TrialState::Complete, &curve),
                }
            })
            .collect();
        let stopped = of(&trials, Direction::Maximize);
        let count = stopped.means.len() as f64;
        assert!(count > 1000.0);
        let moments = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
            (mean, square.sqrt())
        };
        let truth = moments(stopped.means.keys().map(|number| finals[number.0 as usize]).collect());
        let drawn = moments(stopped.draws.iter().flat_map(|ends| ends.values().copied()).collect());
        assert!((truth.0 - drawn.0).abs() < 0.15, "{truth:?} {drawn:?}");
        assert!((truth.1 / drawn.1).ln().abs() < 0.1, "{truth:?} {drawn:?}");
        let complete = trials.iter().filter_map(FrozenTrial::eligible_value).collect();
        assert!(moments(complete).0 > truth.0 + 1.0, "complete trials are a lucky sample");
    }
}
