//! Bayesian optimisation with a Gaussian process on the structured space.

mod cholesky;
mod expected_improvement;
mod fit;
mod kernel;
mod lbfgs;
mod posterior;
mod recommend;
mod search;

pub use recommend::{Recommendation, recommend};

use std::collections::HashSet;
use std::sync::Arc;

use self::expected_improvement::log_expected_improvement;
use self::fit::Likelihood;
use self::posterior::Posterior;
use self::search::Search;
use super::lattice::{Cell, Lattice};
use super::outcome::{Outcomes, Warp};
use super::plain::Plain;
use super::{SampleError, Sampler, StudyView, Suggestion};
use crate::ladder::SamplerSpec;
use crate::rng::TrialRng;
use crate::space::Feasible;
use crate::trial::{Direction, Origin};

/// The sampler `gp`.
pub(super) struct Gp {
    direction: Direction,
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    lattice: Lattice,
    plain: Plain,
}

impl Gp {
    pub(super) fn new(direction: Direction, spec: SamplerSpec, feasible: Arc<Feasible>, plain: Plain) -> Self {
        let lattice = Lattice::new(&feasible);
        Self { direction, spec, feasible, lattice, plain }
    }

    fn model(&self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let outcomes = Outcomes::new(view, &self.lattice, self.direction);
        let model = Model::new(&self.lattice, &outcomes)?;
        let mut tried: HashSet<Cell> = outcomes.told.iter().map(|(_, cell, _)| cell.clone()).collect();
        tried.extend(outcomes.pending.iter().cloned());
        let pending = outcomes.pending.iter().map(|cell| self.lattice.positions(cell)).collect();
        let Model { posterior, y, points, .. } = model;
        let posterior = posterior.believing(pending, &y)?;
        let mut order: Vec<(f64, usize)> =
            points.iter().enumerate().map(|(i, point)| (posterior.mean(point), i)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = order[0].0;
        let starts: Vec<Cell> = order.iter().take(3).map(|(_, i)| outcomes.told[*i].1.clone()).collect();
        let search = Search { lattice: &self.lattice, feasible: &self.feasible, tried: &tried };
        let mut row = Vec::new();
        search.maximize(
            |point| {
                let (mean, variance) = posterior.at(point, &mut row);
                log_expected_improvement(mean, variance, best)
            },
            &starts,
            rng,
        )
    }

    /// Whether the next trial belongs to the initial design or to the share that is kept random.
    fn wants_random(&self, view: &StudyView<'_>) -> bool {
        let initial = (self.lattice.dimension() + 1).max(8);
        let random = view.all().filter(|t| matches!(t.record.origin, Some(Origin::Random))).count();
        let due = (self.spec.random_share * (view.len() + 1) as f64).floor() as usize;
        view.len() < initial || random < due
    }
}

impl Sampler for Gp {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        let plain = self.plain.suggest(view, rng)?;
        if plain.origin == Origin::Probe || self.wants_random(view) {
            return Ok(plain);
        }
        let Some(cell) = self.model(view, rng) else { return Ok(plain) };
        Ok(Suggestion { params: self.lattice.params(&cell), origin: Origin::Model })
    }
}

/// A Gaussian process fitted to a study's ended trials.
struct Model<'a> {
    posterior: Posterior<'a>,
    /// Positions of the told trials.
    points: Vec<Vec<f64>>,
    /// Their warped values.
    y: Vec<f64>,
    warp: Warp,
}

impl<'a> Model<'a> {
    /// `None` where there are fewer than two values.
    fn new(lattice: &'a Lattice, outcomes: &Outcomes<'_>) -> Option<Self> {
        let values: Vec<Option<f64>> = outcomes.told.iter().map(|(_, _, value)| *value).collect();
        let warp = Warp::new(&values)?;
        let points: Vec<Vec<f64>> = outcomes.told.iter().map(|(_, cell, _)| lattice.positions(cell)).collect();
        let y = warp.values.clone();
        let scales = lattice.scales();
        let kernel = Likelihood::new(scales, &points, &y).fit();
        let posterior = Posterior::new(scales, kernel, points.clone(), &y)?;
        Some(Self { posterior, points, y, warp })
    }
}
