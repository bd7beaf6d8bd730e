//! The best value of one parameter, with its uncertainty.

use allometry_core::cholesky::Cholesky;
use allometry_core::rng::{stream, uniform};
use allometry_core::{Direction, FrozenTrial, Params, SearchSpace, TrialRng, TrialState};

use super::can_model;
use super::expected::NOISE_PRIOR;
use crate::normal;
use crate::sampler::gp::carried::CarriedTrials;
use crate::sampler::gp::fit::kernel_of;
use crate::sampler::gp::kernel::OWN_SHARE;
use crate::sampler::gp::posterior::Posterior;
use crate::sampler::gp::slice::draws;
use crate::sampler::gp::{Fit, representative};
use crate::sampler::lattice::{Axis, Cell, Lattice, Scale};
use crate::sampler::outcome::{EndedTrial, Goal, Outcomes, Warp};

/// Number of draws of the kernel parameters, and of discarded ones before them.
const KERNELS: (usize, usize) = (16, 8);
/// Number of functions drawn for each kernel.
const FUNCTIONS: usize = 32;
/// Largest number of trials in the model, whose cost grows with the cube of this number.
const MOST_FITTED: usize = 80;
/// Number of values of a continuous range that are compared, and largest number of a list.
const VALUES: usize = 61;
/// Fewest trials for a model.
const FEWEST_TRIALS: usize = 10;

/// Draws of the value of a parameter at which the metric is best.
#[derive(Debug, Clone, PartialEq)]
pub struct BestValue {
    /// The best value in each function that was drawn from the posterior.
    pub draws: Vec<f64>,
    /// Smallest and largest value of the parameter's set.
    pub range: (f64, f64),
}

/// Draws the best value of an ordered parameter, with the other parameters as in `params`.
///
/// The Gaussian process of `gp` is fitted to the ended trials: complete ones with their values, failed ones
/// as worse than all others. Kernel parameters are drawn from their posterior, and for each the function over
/// the parameter's values; a draw is the value at the function's maximum. `None` for a parameter without an
/// order or with more than 61 listed values, for fewer than ten trials, and where [`can_model`] rejects the
/// space.
pub fn best_value<'a>(
    trials: impl IntoIterator<Item = &'a FrozenTrial>,
    space: &SearchSpace,
    direction: Direction,
    params: &Params,
    parameter: &str,
) -> Option<BestValue> {
    if !can_model(space) {
        return None;
    }
    let lattice = Lattice::of_space(space);
    let ended =
        trials.into_iter().filter(|trial| matches!(trial.state, TrialState::Complete | TrialState::Failed));
    let outcomes = Outcomes::of_ended(ended, &lattice, Goal::first(direction));
    if outcomes.ended.len() < FEWEST_TRIALS {
        return None;
    }
    let warp = Warp::new(&outcomes.values())?;
    let kept = representative(&warp.values, MOST_FITTED);
    let ended: Vec<EndedTrial<'_>> = kept.iter().map(|i| outcomes.ended[*i].clone()).collect();
    let values: Vec<f64> = kept.iter().map(|i| warp.values[*i]).collect();
    let place = lattice.axes.iter().position(|axis| axis.name() == parameter)?;
    let cells = cells(&lattice.axes[place], place, &lattice.cell(params)?)?;
    let numbers: Vec<f64> =
        cells.iter().map(|cell| lattice.params(cell).get(parameter)?.as_f64()).collect::<Option<_>>()?;
    let fit = Fit::new(&lattice, &ended, &values, &CarriedTrials::default());
    let likelihood = fit.likelihood();
    let mut rng = stream(0, parameter, ended.len() as u64);
    let energy = |theta: &[f64]| likelihood.energy(theta, NOISE_PRIOR, OWN_SHARE);
    let kernels = draws(energy, likelihood.fit(), KERNELS.1, KERNELS.0, &mut rng);
    let mut best = Vec::with_capacity(KERNELS.0 * FUNCTIONS);
    for theta in kernels {
        let posterior = fit.posterior(kernel_of(&theta))?;
        let functions = Functions::new(&posterior, &cells)?;
        best.extend((0..FUNCTIONS).map(|_| numbers[functions.best(&mut rng)]));
    }
    let ends = numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    Some(BestValue { draws: best, range: ends })
}

/// Returns the cells that differ from `cell` in one axis alone, over its values.
fn cells(axis: &Axis, place: usize, cell: &Cell) -> Option<Vec<Cell>> {
    if axis.scale != Scale::Ordered {
        return None;
    }
    let coordinates: Vec<u64> = match axis.level_count() {
        Some(count) if count > VALUES => return None,
        Some(count) => (0..count as u64).collect(),
        None => (0..VALUES).map(|step| axis.at(step as f64 / (VALUES - 1) as f64)).collect(),
    };
    let with = |coordinate: u64| {
        let mut cell = cell.clone();
        cell[place] = coordinate;
        cell
    };
    Some(coordinates.into_iter().map(with).collect())
}

/// The joint posterior of the function at several cells.
struct Functions {
    means: Vec<f64>,
    factor: Cholesky,
}

impl Functions {
    fn new(posterior: &Posterior<'_>, cells: &[Cell]) -> Option<Self> {
        let (means, covariance) = posterior.joint(cells);
        Some(Self { factor: Cholesky::new(covariance, means.len())?, means })
    }

    /// Returns the place of the maximum of a drawn function.
    fn best(&self, rng: &mut TrialRng) -> usize {
        let mut gauss = || normal::quantile(uniform(rng).clamp(1e-15, 1.0 - 1e-15));
        let independent: Vec<f64> = (0..self.means.len()).map(|_| gauss()).collect();
        let drawn = self.factor.times(&independent);
        let value = |place: &usize| self.means[*place] + drawn[*place];
        (0..self.means.len()).max_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::Distribution;

    use super::*;
    use crate::sampler::gp::observations::Observations;

    /// Trials over one rate, whose best value is 1e-3, and their space.
    fn searched(count: u64) -> (Vec<FrozenTrial>, SearchSpace) {
        let set = Distribution::Float { low: 1e-5, high: 1e-1, log: true, step: None };
        let space = SearchSpace([("rate".to_owned(), set)].into_iter().collect());
        let trials = (0..count).map(|number| {
            let log = -5.0 + 4.0 * (number as f64 + 0.5) / count as f64;
            let params: Params = [("rate", 10_f64.powf(log))].into_iter().collect();
            let value = 0.8 - 0.05 * (log + 3.0).powi(2);
            FrozenTrial::new(number, TrialState::Complete, Some(value), params)
        });
        (trials.collect(), space)
    }

    fn spread(draws: &[f64]) -> (f64, f64) {
        let logs: Vec<f64> = draws.iter().map(|draw| draw.log10()).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        (mean, (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / logs.len() as f64).sqrt())
    }

    #[test]
    fn draws_lie_at_the_maximum_and_closer_with_more_trials() {
        let draws = |count| {
            let (trials, space) = searched(count);
            let params = trials[0].params.clone();
            let found = best_value(&trials, &space, Direction::Maximize, &params, "rate").unwrap();
            assert!((found.range.0 / 1e-5 - 1.0).abs() < 1e-6 && (found.range.1 / 1e-1 - 1.0).abs() < 1e-6);
            spread(&found.draws)
        };
        let ((few, wide), (many, narrow)) = (draws(10), draws(60));
        assert!((few + 3.0).abs() < 0.3 && (many + 3.0).abs() < 0.1, "{few} {many}");
        assert!(narrow < wide, "{narrow} {wide}");
    }

    #[test]
    fn the_joint_posterior_is_that_of_each_cell() {
        let (trials, space) = searched(12);
        let lattice = Lattice::of_space(&space);
        let cells: Vec<Cell> = trials.iter().map(|trial| lattice.cell(&trial.params).unwrap()).collect();
        let told = cells.iter().zip(trials.iter().map(|trial| trial.value().unwrap()));
        let observations = Observations::new(&lattice, told);
        let posterior = Posterior::new(&lattice, kernel_of(&[0.0, 0.0, -4.0]), observations).unwrap();
        let cells: Vec<Cell> = [0.1, 0.5, 0.9].map(|place| vec![lattice.axes[0].at(place)]).into();
        let (means, covariance) = posterior.joint(&cells);
        for (place, cell) in cells.iter().enumerate() {
            let (mean, variance) = posterior.at(cell, &mut Vec::new());
            assert!((means[place] - mean).abs() < 1e-9);
            assert!((covariance[place * 4] - variance).abs() < 1e-5, "{covariance:?} {variance}");
        }
    }

    #[test]
    fn names_and_few_trials_have_no_best_value() {
        let (trials, space) = searched(9);
        let params = trials[0].params.clone();
        assert_eq!(best_value(&trials, &space, Direction::Maximize, &params, "rate"), None);
        let (trials, space) = searched(20);
        assert_eq!(best_value(&trials, &space, Direction::Maximize, &params, "width"), None);
    }
}
