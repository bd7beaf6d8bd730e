//! Bayesian optimisation with a Gaussian process on the structured space.

mod carried;
mod expected_improvement;
mod fit;
mod kernel;
mod lbfgs;
mod limits;
mod point;
mod posterior;
mod recommend;
mod search;
mod slice;
mod volume_improvement;

pub use recommend::{Expected, NoExpectation, Recommendation, can_model, recommend};

use std::collections::HashSet;
use std::sync::Arc;

use self::carried::{CarriedTrials, Evidence};
use self::expected_improvement::log_expected_improvement;
use self::fit::{Likelihood, kernel_of};
use self::kernel::Kernel;
use self::limits::Limits;
use self::point::Point;
use self::posterior::Posterior;
use self::search::Search;
use self::volume_improvement::VolumeImprovement;
use super::lattice::{Cell, Lattice};
use super::outcome::{Goal, Outcomes, Told, Warp};
use super::plain::Plain;
use super::tpe::Tpe;
use super::{CarriedOver, Guard, Handover, SampleError, Sampler, StudyView, Suggestion};
use crate::ladder::{SamplerKind, SamplerSpec};
use crate::pareto::leading;
use crate::rng::TrialRng;
use crate::space::Feasible;
use crate::trial::{Direction, Origin};

/// Ended trials up to which a Gaussian process is fitted; its cost grows with their cube.
pub const MOST_TRIALS: usize = 300;

/// Own trials that the model's parameters are fitted to; each step of the fit costs the cube of their number.
const MOST_FITTED: usize = 120;

/// Members of a front from which its growth is sought.
const FRONT_STARTS: usize = 6;

/// The sampler `gp`; beyond 300 ended trials it goes on as `tpe`.
pub(super) struct Gp {
    directions: Vec<Direction>,
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    lattice: Lattice,
    plain: Plain,
    /// Takes over where the model costs too much.
    tpe: Tpe,
    /// That it did: told by nobody yet, or told.
    handover: (Option<Handover>, bool),
    /// What the last suggestion is expected to add to the best value.
    expected_gain: Option<f64>,
    /// What the last suggestion owes to other budgets.
    carried_over: Option<CarriedOver>,
    /// The last guard; a shortcut alone.
    guarded: Option<(Evidence, Guard)>,
}

impl Gp {
    pub(super) fn new(
        directions: &[Direction],
        spec: SamplerSpec,
        feasible: Arc<Feasible>,
        plain: Plain,
        tpe: Tpe,
    ) -> Self {
        let lattice = Lattice::new(&feasible);
        let directions = directions.to_vec();
        Self {
            directions,
            spec,
            feasible,
            lattice,
            plain,
            tpe,
            handover: (None, false),
            expected_gain: None,
            carried_over: None,
            guarded: None,
        }
    }

    fn model(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        if self.directions.len() > 1 {
            // Either alone gets stuck: the one in the corners of the space, where it knows least, the other near what leads already.
            let grows = view.len() % 2 == 1;
            return if grows { self.improve_front(view, rng) } else { self.tpe.model(view, rng) };
        }
        let outcomes = Outcomes::new(view, &self.lattice, Goal::first(self.directions[0]));
        let carried = self.carry(view, &outcomes);
        let Model { posterior, warp, y } = Model::new(&self.lattice, &outcomes, &carried)?;
        let posterior = posterior.believing(&outcomes.pending, &y)?;
        let limits = Limits::new(&self.lattice, &outcomes.told, &outcomes.pending);
        let mut order: Vec<(f64, usize)> =
            outcomes.told.iter().enumerate().map(|(i, (_, cell, _))| (posterior.mean(cell), i)).collect();
        if !limits.is_empty() {
            order.retain(|(_, i)| outcomes.told[*i].0.is_feasible() && outcomes.told[*i].2.is_some());
        }
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        // Where no trial is feasible yet, one that is at all is sought (Gardner et al. 2014, section 3.3).
        let best = order.first().map(|(mean, _)| *mean);
        let starts: Vec<Cell> = order.iter().take(3).map(|(_, i)| outcomes.told[*i].1.clone()).collect();
        let tried = tried(&outcomes);
        let search = Search { lattice: &self.lattice, feasible: &self.feasible, tried: &tried };
        let mut row = Vec::new();
        let mut score = |cell: &Cell| {
            let gain = best.map_or(0.0, |best| {
                let (mean, variance) = posterior.at(cell, &mut row);
                log_expected_improvement(mean, variance, best)
            });
            gain + limits.log_probability(cell, &mut row)
        };
        let found = search.maximize(&mut score, &starts, rng)?;
        self.expected_gain = best.map(|_| score(&found).exp() * warp.unit);
        Some(found)
    }

    /// Trials of other budgets, unless the own ones speak against them.
    fn carry(&mut self, view: &StudyView<'_>, outcomes: &Outcomes<'_>) -> CarriedTrials {
        let carried = CarriedTrials::new(view.others, &self.lattice, self.directions[0]);
        if carried.is_empty() {
            return carried;
        }
        let over = carried.over(&self.lattice, outcomes, &mut self.guarded);
        let holds = over.guard.is_none_or(|guard| guard.holds());
        self.carried_over = Some(over);
        if holds { carried } else { CarriedTrials::default() }
    }

    /// The configuration that is best by the other budgets' trials alone.
    fn guess(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let outcomes = Outcomes::new(view, &self.lattice, Goal::first(self.directions[0]));
        let carried = self.carry(view, &outcomes);
        let posterior = Some(carried).filter(|carried| !carried.is_empty())?.alone(&self.lattice)?;
        let tried = tried(&outcomes);
        let search = Search { lattice: &self.lattice, feasible: &self.feasible, tried: &tried };
        search.maximize(|cell| posterior.mean(cell), &[], rng)
    }

    /// Where the hypervolume is expected to grow most: one process for each objective, over the front of their means at the tried
    /// configurations that break no constraint and at those that are being tried; times the probability that all constraints are met.
    fn improve_front(&self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let goals = self.directions.iter().enumerate();
        let goals = goals.map(|(objective, direction)| Goal { objective, direction: *direction });
        let outcomes: Vec<Outcomes<'_>> =
            goals.map(|goal| Outcomes::new(view, &self.lattice, goal)).collect();
        let posteriors = outcomes.iter().map(|outcomes| {
            let Model { posterior, y, .. } = Model::new(&self.lattice, outcomes, &CarriedTrials::default())?;
            posterior.believing(&outcomes.pending, &y)
        });
        let posteriors: Vec<Posterior<'_>> = posteriors.collect::<Option<_>>()?;
        let first = &outcomes[0];
        let limits = Limits::new(&self.lattice, &first.told, &first.pending);
        let has_values =
            |i: &usize| outcomes.iter().all(|outcomes| outcomes.told[*i].2.is_some_and(f64::is_finite));
        let is_eligible = |i: &usize| has_values(i) && (limits.is_empty() || first.told[*i].0.is_feasible());
        let told = (0..first.told.len()).filter(is_eligible).map(|i| &first.told[i].1);
        let cells: Vec<&Cell> = told.chain(&first.pending).collect();
        let means =
            |cell: &&Cell| -> Vec<f64> { posteriors.iter().map(|posterior| -posterior.mean(cell)).collect() };
        let points: Vec<Vec<f64>> = cells.iter().map(means).collect();
        let mut improvement = VolumeImprovement::new(&points);
        let starts: Vec<Cell> =
            leading(&points, FRONT_STARTS).into_iter().map(|i| cells[i].clone()).collect();
        let tried = tried(first);
        let search = Search { lattice: &self.lattice, feasible: &self.feasible, tried: &tried };
        let mut row = Vec::new();
        let mut losses = Vec::with_capacity(posteriors.len());
        let score = |cell: &Cell| {
            let probability = limits.log_probability(cell, &mut row);
            if cells.is_empty() {
                return probability;
            }
            losses.clear();
            losses.extend(posteriors.iter().map(|posterior| {
                let (mean, variance) = posterior.at(cell, &mut row);
                (-mean, variance)
            }));
            probability + improvement.log_expected(&losses)
        };
        search.maximize(score, &starts, rng)
    }
}

/// The cells that may not be proposed again.
fn tried(outcomes: &Outcomes<'_>) -> HashSet<Cell> {
    outcomes.told.iter().map(|(_, cell, _)| cell).chain(&outcomes.pending).cloned().collect()
}

impl Sampler for Gp {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        self.expected_gain = None;
        self.carried_over = None;
        let plain = self.plain.suggest(view, rng)?;
        if plain.origin == Origin::Probe {
            return Ok(plain);
        }
        let is_joint = !view.others.is_empty() && self.directions.len() == 1;
        if is_joint && view.all().all(|trial| trial.record.origin != Some(Origin::Model)) {
            let guess = self.guess(view, rng);
            if let Some(cell) = guess {
                return Ok(Suggestion { params: self.lattice.params(&cell), origin: Origin::Model });
            }
        }
        if self.plain.wants_random(view, &self.spec, self.lattice.dimension()) {
            return Ok(plain);
        }
        let handover = Handover::of(SamplerKind::Gp, view.finished.len());
        if !self.handover.1 {
            self.handover.0 = handover;
        }
        let cell = if handover.is_some() { self.tpe.model(view, rng) } else { self.model(view, rng) };
        let Some(cell) = cell else { return Ok(plain) };
        Ok(Suggestion { params: self.lattice.params(&cell), origin: Origin::Model })
    }

    fn expected_gain(&self) -> Option<f64> {
        self.expected_gain
    }

    fn carried_over(&self) -> Option<&CarriedOver> {
        self.carried_over.as_ref()
    }

    fn take_handover(&mut self) -> Option<Handover> {
        let taken = self.handover.0.take();
        self.handover.1 |= taken.is_some();
        taken
    }
}

/// Numbers of at most `most` of `values`: of all, or of the best half of `most` and of as many of the others, evenly over their order.
fn representative(values: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    if order.len() > most {
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
        let mut others = order.split_off(most / 2);
        others.sort_unstable();
        let wanted = most - order.len();
        order.extend((0..wanted).map(|k| others[(2 * k + 1) * others.len() / (2 * wanted)]));
        order.sort_unstable();
    }
    order
}

/// A Gaussian process fitted to a study's ended trials, and to those carried over.
struct Model<'a> {
    posterior: Posterior<'a>,
    warp: Warp,
    /// The values that it was given.
    y: Vec<f64>,
}

impl<'a> Model<'a> {
    /// `None` where there are fewer than two own values.
    fn new(lattice: &'a Lattice, outcomes: &Outcomes<'_>, carried: &CarriedTrials) -> Option<Self> {
        let warp = Warp::new(&outcomes.values())?;
        let fit = Fit::new(lattice, &outcomes.told, &warp.values, carried);
        let posterior = fit.most_probable()?;
        Some(Self { posterior, warp, y: fit.values })
    }
}

/// Ended trials as a Gaussian process is fitted to them.
struct Fit<'a> {
    lattice: &'a Lattice,
    /// The own trials first.
    points: Vec<Point>,
    /// On a scale that the process can follow.
    values: Vec<f64>,
    /// Those that the likelihood takes: each of its evaluations costs the cube of their number.
    fitted: Vec<usize>,
    y: Vec<f64>,
}

impl<'a> Fit<'a> {
    fn new(lattice: &'a Lattice, told: &[Told<'_>], values: &[f64], carried: &CarriedTrials) -> Self {
        let own = told.iter().map(|(_, cell, _)| Point::own(lattice, cell));
        let points: Vec<Point> = own.chain(carried.points.iter().cloned()).collect();
        let mut fitted = representative(values, MOST_FITTED);
        fitted.extend(values.len()..points.len());
        let values = [values, &carried.values].concat();
        let y = fitted.iter().map(|i| values[*i]).collect();
        Self { lattice, points, values, fitted, y }
    }

    fn likelihood(&self) -> Likelihood<'_> {
        let points: Vec<&Point> = self.fitted.iter().map(|i| &self.points[*i]).collect();
        Likelihood::new(self.lattice.scales(), &points, &self.y)
    }

    fn posterior(&self, kernel: Kernel) -> Option<Posterior<'a>> {
        Posterior::new(self.lattice, kernel, self.points.clone(), &self.values)
    }

    /// With the most probable parameters.
    fn most_probable(&self) -> Option<Posterior<'a>> {
        self.posterior(kernel_of(&self.likelihood().fit()))
    }
}
