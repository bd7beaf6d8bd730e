//! Bayesian optimisation with a Gaussian process on the structured space.

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

/// Trials that the model's parameters are fitted to; each step of the fit costs the cube of their number.
const MOST_FITTED: usize = 120;

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

/// The trials that length scales, signal and noise are fitted to: all, or the best half of [`MOST_FITTED`] and as many of the others, evenly
/// over their order.
fn fitted_trials(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    if order.len() > MOST_FITTED {
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
        let mut others = order.split_off(MOST_FITTED / 2);
        others.sort_unstable();
        let wanted = MOST_FITTED - order.len();
        order.extend((0..wanted).map(|k| others[(2 * k + 1) * others.len() / (2 * wanted)]));
        order.sort_unstable();
    }
    order
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
        let fitted = fitted_trials(&warp.values);
        let points: Vec<Vec<f64>> = fitted.iter().map(|i| lattice.positions(&outcomes.told[*i].1)).collect();
        let y: Vec<f64> = fitted.iter().map(|i| warp.values[*i]).collect();
        let kernel = Likelihood::new(lattice.scales(), &points, &y).fit();
        let cells = outcomes.told.iter().map(|(_, cell, _)| cell.clone()).collect();
        let posterior = Posterior::new(lattice, kernel, cells, &warp.values)?;
        Some(Self { posterior, warp })
    }
}
