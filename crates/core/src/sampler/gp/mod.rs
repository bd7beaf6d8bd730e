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
use super::tpe::Tpe;
use super::{SampleError, Sampler, StudyView, Suggestion, wants_random};
use crate::ladder::SamplerSpec;
use crate::rng::TrialRng;
use crate::space::Feasible;
use crate::trial::{Direction, Origin};

/// Ended trials up to which a Gaussian process is fitted; its cost grows with their cube.
pub const MOST_TRIALS: usize = 300;

/// The sampler `gp`; beyond 300 ended trials it goes on as `tpe`.
pub(super) struct Gp {
    direction: Direction,
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    lattice: Lattice,
    plain: Plain,
    /// Takes over where the model costs too much.
    tpe: Tpe,
}

impl Gp {
    pub(super) fn new(
        direction: Direction,
        spec: SamplerSpec,
        feasible: Arc<Feasible>,
        plain: Plain,
        tpe: Tpe,
    ) -> Self {
        let lattice = Lattice::new(&feasible);
        Self { direction, spec, feasible, lattice, plain, tpe }
    }

    fn model(&self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let outcomes = Outcomes::new(view, &self.lattice, self.direction);
        let model = Model::new(&self.lattice, &outcomes)?;
        let mut tried: HashSet<Cell> = outcomes.told.iter().map(|(_, cell, _)| cell.clone()).collect();
        tried.extend(outcomes.pending.iter().cloned());
        let Model { posterior, warp } = model;
        let posterior = posterior.believing(&outcomes.pending, &warp.values)?;
        let mut order: Vec<(f64, usize)> =
            outcomes.told.iter().enumerate().map(|(i, (_, cell, _))| (posterior.mean(cell), i)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = order[0].0;
        let starts: Vec<Cell> = order.iter().take(3).map(|(_, i)| outcomes.told[*i].1.clone()).collect();
        let search = Search { lattice: &self.lattice, feasible: &self.feasible, tried: &tried };
        let mut row = Vec::new();
        search.maximize(
            |cell| {
                let (mean, variance) = posterior.at(cell, &mut row);
                log_expected_improvement(mean, variance, best)
            },
            &starts,
            rng,
        )
    }
}

impl Sampler for Gp {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        let plain = self.plain.suggest(view, rng)?;
        if plain.origin == Origin::Probe || wants_random(view, &self.spec, self.lattice.dimension()) {
            return Ok(plain);
        }
        let cell =
            if view.finished.len() > MOST_TRIALS { self.tpe.model(view, rng) } else { self.model(view, rng) };
        let Some(cell) = cell else { return Ok(plain) };
        Ok(Suggestion { params: self.lattice.params(&cell), origin: Origin::Model })
    }
}

/// A Gaussian process fitted to a study's ended trials.
struct Model<'a> {
    posterior: Posterior<'a>,
    warp: Warp,
}

impl<'a> Model<'a> {
    /// `None` where there are fewer than two values.
    fn new(lattice: &'a Lattice, outcomes: &Outcomes<'_>) -> Option<Self> {
        let values: Vec<Option<f64>> = outcomes.told.iter().map(|(_, _, value)| *value).collect();
        let warp = Warp::new(&values)?;
        let points: Vec<Vec<f64>> =
            outcomes.told.iter().map(|(_, cell, _)| lattice.positions(cell)).collect();
        let kernel = Likelihood::new(lattice.scales(), &points, &warp.values).fit();
        let cells = outcomes.told.iter().map(|(_, cell, _)| cell.clone()).collect();
        let posterior = Posterior::new(lattice, kernel, cells, &warp.values)?;
        Some(Self { posterior, warp })
    }
}
