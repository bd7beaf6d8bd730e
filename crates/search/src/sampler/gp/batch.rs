//! Several configurations to try at once.

use std::sync::Arc;

use allometry_core::cholesky::{Cholesky, dot};
use allometry_core::rng::uniform;
use allometry_core::{Direction, Params, TrialRng};

use super::expected_improvement::log_expected_improvement;
use super::limits::Limits;
use super::point::Point;
use super::posterior::Posterior;
use super::search::Search;
use super::{CarriedTrials, MOST_TRIALS, Model, tried};
use crate::normal;
use crate::sampler::StudyView;
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome::{EndedTrial, Goal, Outcomes};
use crate::space::Feasible;

/// Number of joint draws of the function at pending and proposed configurations.
const DRAWS: usize = 64;
/// Number of tried configurations from which the search for a proposal starts.
const STARTS: usize = 3;

/// Returns up to `count` untried configurations that together have the largest expected gain over the best
/// tried one; fewer where all others were tried. `None` where a model is impossible: for several objectives,
/// or with fewer than two values.
///
/// The first configuration has the largest expected improvement, each further one the largest that is left
/// once the function is known at those before it, over joint draws of it (Wilson, Hutter & Deisenroth 2018).
/// A copy of an earlier proposal has nothing to gain then, however noisy the values are. The sampler `gp`
/// believes the mean at pending configurations instead, as values with noise, so that under noise the largest
/// expected improvement stays where it was. Of more than 300 ended trials the best 300 are modelled.
pub fn batch(
    view: &StudyView<'_>,
    feasible: &Arc<Feasible>,
    directions: &[Direction],
    count: usize,
    rng: &mut TrialRng,
) -> Option<Vec<Params>> {
    let [direction] = directions else { return None };
    let lattice = Lattice::new(feasible);
    let mut outcomes = Outcomes::new(view, &lattice, Goal::first(*direction));
    let mut tried = tried(&outcomes);
    outcomes.keep_best(MOST_TRIALS);
    let Model { posterior, .. } = Model::new(&lattice, &outcomes, &CarriedTrials::default())?;
    let limits = Limits::new(&lattice, &outcomes.ended, &outcomes.pending);
    let is_eligible = |(trial, _, value): &&EndedTrial<'_>| {
        value.is_some_and(f64::is_finite) && (limits.is_empty() || trial.is_feasible())
    };
    let eligible = outcomes.ended.iter().filter(is_eligible);
    let mut order: Vec<(f64, &Cell)> = eligible.map(|(_, cell, _)| (posterior.mean(cell), cell)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Where no trial is feasible yet, only feasibility is maximized.
    let best = order.first().map(|(mean, _)| *mean);
    let starts: Vec<Cell> = order.iter().take(STARTS).map(|(_, cell)| (*cell).clone()).collect();
    let mut cells = outcomes.pending.clone();
    // Every step continues the draws of the steps before it.
    let mut numbers = || (0..cells.len() + count).map(|_| normal::quantile(uniform(rng))).collect();
    let normals: Vec<Vec<f64>> = (0..DRAWS).map(|_| numbers()).collect();
    let mut proposals = Vec::new();
    while proposals.len() < count {
        let draws = best.map(|best| Draws::new(&posterior, &cells, &normals, best));
        let draws = draws.map_or(Some(None), |draws| draws.map(Some))?;
        let search = Search { lattice: &lattice, feasible, tried: &tried };
        let mut row = Vec::new();
        let score = |cell: &Cell| {
            let gain = draws.as_ref().map_or(0.0, |draws| draws.log_gain(cell));
            gain + limits.log_probability(cell, &mut row)
        };
        let Some(found) = search.maximize(score, &starts, rng) else { break };
        proposals.push(lattice.params(&found));
        tried.insert(found.clone());
        cells.push(found);
    }
    Some(proposals)
}

/// Joint draws of the function at cells.
struct Draws<'p> {
    posterior: &'p Posterior<'p>,
    points: Vec<Point>,
    /// For each point its covariances with the data, as [`Posterior::reduced`] returns them.
    rows: Vec<Vec<f64>>,
    factor: Cholesky,
    /// Standard normal numbers of each draw, at least one for each point.
    normals: &'p [Vec<f64>],
    /// The best value of each draw.
    best: Vec<f64>,
}

impl<'p> Draws<'p> {
    /// Draws the function at `cells`, where `best` is the best value otherwise; `None` where the covariance
    /// cannot be factored.
    fn new(posterior: &'p Posterior<'p>, cells: &[Cell], normals: &'p [Vec<f64>], best: f64) -> Option<Self> {
        let (means, covariance) = posterior.joint(cells);
        let factor = Cholesky::new(covariance, cells.len())?;
        let of_draw = |normals: &Vec<f64>| {
            let deviations = factor.times(&normals[..cells.len()]);
            means.iter().zip(deviations).map(|(mean, deviation)| mean + deviation).fold(best, f64::max)
        };
        let best = normals.iter().map(of_draw).collect();
        let rows = cells.iter().map(|cell| posterior.reduced(cell)).collect();
        let points = cells.iter().map(|cell| posterior.point(cell)).collect();
        Some(Self { posterior, points, rows, factor, normals, best })
    }

    /// Returns the logarithm of the mean over the draws of the expected improvement at a cell.
    fn log_gain(&self, cell: &Cell) -> f64 {
        let (mean, variance, mut covariances) = self.posterior.beside(cell, &self.points, &self.rows);
        self.factor.solve_lower(&mut covariances);
        let variance = (variance - dot(&covariances, &covariances)).max(1e-12);
        let gains = self.normals.iter().zip(&self.best).map(|(normals, best)| {
            log_expected_improvement(mean + dot(&covariances, &normals[..covariances.len()]), variance, *best)
        });
        let gains: Vec<f64> = gains.collect();
        let most = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + (gains.iter().map(|gain| (gain - most).exp()).sum::<f64>() / gains.len() as f64).ln()
    }
}
