//! Bayesian optimization with a Gaussian process over the search space.

mod batch;
mod carried;
mod expected_improvement;
mod fit;
mod kernel;
mod knowledge_gradient;
mod lbfgs;
mod limits;
mod observations;
mod point;
mod posterior;
mod recommend;
mod search;
mod slice;
mod volume_improvement;

pub use batch::batch;
pub use recommend::{BestValue, Expected, NoExpectation, Recommendation, best_value, can_model, recommend};

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use allometry_core::pareto::leading;
use allometry_core::{CarriedOver, Direction, Guard, Handover, Origin, SamplerKind, SamplerSpec, TrialRng};

use self::carried::{CarriedTrials, Evidence, STEP_LAW};
use self::expected_improvement::log_expected_improvement;
use self::fit::{Likelihood, kernel_of};
use self::kernel::Kernel;
use self::knowledge_gradient::KnowledgeGradient;
use self::limits::Limits;
use self::observations::Observations;
use self::point::Point;
use self::posterior::Posterior;
use self::search::Search;
use self::volume_improvement::VolumeImprovement;
use super::lattice::{Cell, Lattice};
use super::model_free::ModelFree;
use super::outcome::{EndedTrial, Goal, Outcomes, Warp};
use super::tpe::Tpe;
use super::{SampleError, Sampler, StudyView, Suggestion, handover};
use crate::space::Feasible;

/// Largest number of ended trials that a Gaussian process is fitted to; its cost grows with the cube of that
/// number.
pub const MOST_TRIALS: usize = 300;

/// Largest number of own trials in the fit of the kernel parameters; each step of the fit costs the cube of
/// that number.
const MOST_FITTED: usize = 120;

/// How many times the expected gain of an untried configuration a repeat must promise: what an untried one
/// shows also guides later trials. `docs/adr/0083` has the measurements.
const REPEAT_FACTOR: f64 = 2.0;

/// Number of members of the front from which the search for its improvement starts.
const FRONT_STARTS: usize = 6;

/// The sampler `gp`. It suggests the untried configuration with the largest expected improvement; with
/// [`SamplerSpec::repeats`] the configuration, tried or not, whose trial is expected to improve the
/// recommendation most. After 300 ended trials it continues as `tpe`.
pub(super) struct Gp {
    directions: Vec<Direction>,
    spec: SamplerSpec,
    feasible: Arc<Feasible>,
    lattice: Lattice,
    model_free: ModelFree,
    /// Sampler that replaces the model where it costs too much.
    tpe: Tpe,
    /// The handover that is not yet reported, and whether it was reported.
    handover: (Option<Handover>, bool),
    /// Expected improvement of the best value by the last suggestion.
    expected_gain: Option<f64>,
    /// Trials of other budgets that the last suggestion is based on.
    carried_over: Option<CarriedOver>,
    /// The last guard with its evidence; a cache.
    guarded: Option<(Evidence, Guard)>,
}

impl Gp {
    pub(super) fn new(
        directions: &[Direction],
        spec: SamplerSpec,
        feasible: Arc<Feasible>,
        model_free: ModelFree,
        tpe: Tpe,
    ) -> Self {
        let lattice = Lattice::new(&feasible);
        let directions = directions.to_vec();
        Self {
            directions,
            spec,
            feasible,
            lattice,
            model_free,
            tpe,
            handover: (None, false),
            expected_gain: None,
            carried_over: None,
            guarded: None,
        }
    }

    fn model(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        if self.directions.len() > 1 {
            // Either method alone gets stuck: expected improvement in the corners of the space, where the
            // model is uncertain, and TPE near the current front.
            let grows = view.len() % 2 == 1;
            return if grows { self.improve_front(view, rng) } else { self.tpe.model(view, rng) };
        }
        let outcomes = Outcomes::new(view, &self.lattice, Goal::first(self.directions[0]));
        let carried = self.other_budgets(view, &outcomes);
        let Model { posterior, warp, repeats_tell } = Model::new(&self.lattice, &outcomes, &carried)?;
        let posterior = posterior.believing(&outcomes.pending)?;
        let limits = Limits::new(&self.lattice, &outcomes.ended, &outcomes.pending);
        let mut order: Vec<(f64, usize)> =
            outcomes.ended.iter().enumerate().map(|(i, (_, cell, _))| (posterior.mean(cell), i)).collect();
        if !limits.is_empty() {
            order.retain(|(_, i)| outcomes.ended[*i].0.is_feasible() && outcomes.ended[*i].2.is_some());
        }
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        // Where no trial is feasible yet, only feasibility is maximized (Gardner et al. 2014, section 3.3).
        let best = order.first().map(|(mean, _)| *mean);
        let starts: Vec<Cell> = order.iter().take(3).map(|(_, i)| outcomes.ended[*i].1.clone()).collect();
        let is_finite = self.lattice.axes.iter().all(|axis| axis.level_count().is_some());
        let gradient = (self.spec.repeats && is_finite && limits.is_empty()).then(|| {
            let values = order.iter().map(|(_, i)| &outcomes.ended[*i]);
            let values = values.filter(|(.., value)| value.is_some_and(f64::is_finite));
            KnowledgeGradient::new(&posterior, values.map(|(_, cell, _)| cell).collect::<BTreeSet<_>>())
        });
        let tried = tried(&outcomes);
        let search = Search { lattice: &self.lattice, feasible: &self.feasible, tried: &tried };
        let mut row = Vec::new();
        let mut score = |cell: &Cell| {
            let gain = best.map_or(0.0, |best| {
                gradient.as_ref().map_or_else(
                    || {
                        let (mean, variance) = posterior.at(cell, &mut row);
                        log_expected_improvement(mean, variance, best)
                    },
                    |gradient| gradient.log_gain(cell),
                )
            });
            gain + limits.log_probability(cell, &mut row)
        };
        let untried = search.maximize(&mut score, &starts, rng)?;
        let gain = score(&untried);
        let repeat = gradient.as_ref().filter(|_| repeats_tell).and_then(KnowledgeGradient::best_repeat);
        let (gain_of_repeat, repeat) = repeat.map_or((f64::NEG_INFINITY, &untried), |(log_gain, cell)| {
            (log_gain + limits.log_probability(cell, &mut Vec::new()), cell)
        });
        self.expected_gain = best.map(|_| gain.max(gain_of_repeat).exp() * warp.unit);
        Some(if gain_of_repeat > gain + REPEAT_FACTOR.ln() { repeat.clone() } else { untried })
    }

    /// The trials of other budgets, unless the study's own trials contradict them.
    fn other_budgets(&mut self, view: &StudyView<'_>, outcomes: &Outcomes<'_>) -> CarriedTrials {
        let carried = CarriedTrials::new(
            view.other_budgets,
            &self.lattice,
            self.directions[0],
            self.spec.rate_exponent.unwrap_or(STEP_LAW),
        );
        if carried.is_empty() {
            return carried;
        }
        let over = carried.over(&self.lattice, outcomes, &mut self.guarded);
        let holds = over.guard.is_none_or(|guard| guard.holds());
        self.carried_over = Some(over);
        if holds { carried } else { CarriedTrials::default() }
    }

    /// The best configuration of a model of the other budgets' trials alone.
    fn guess(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let outcomes = Outcomes::new(view, &self.lattice, Goal::first(self.directions[0]));
        let carried = self.other_budgets(view, &outcomes);
        let posterior = Some(carried).filter(|carried| !carried.is_empty())?.alone(&self.lattice)?;
        let tried = tried(&outcomes);
        let search = Search { lattice: &self.lattice, feasible: &self.feasible, tried: &tried };
        search.maximize(|cell| posterior.mean(cell), &[], rng)
    }

    /// The configuration with the largest expected improvement of the hypervolume times the probability that
    /// all constraints are met. It uses one process for each objective. The front consists of the posterior
    /// means at pending configurations and at tried ones that meet all constraints.
    fn improve_front(&self, view: &StudyView<'_>, rng: &mut TrialRng) -> Option<Cell> {
        let goals = self.directions.iter().enumerate();
        let goals = goals.map(|(objective, direction)| Goal { objective, direction: *direction });
        let outcomes: Vec<Outcomes<'_>> =
            goals.map(|goal| Outcomes::new(view, &self.lattice, goal)).collect();
        let posteriors = outcomes.iter().map(|outcomes| {
            let Model { posterior, .. } = Model::new(&self.lattice, outcomes, &CarriedTrials::default())?;
            posterior.believing(&outcomes.pending)
        });
        let posteriors: Vec<Posterior<'_>> = posteriors.collect::<Option<_>>()?;
        let first = &outcomes[0];
        let limits = Limits::new(&self.lattice, &first.ended, &first.pending);
        let has_values =
            |i: &usize| outcomes.iter().all(|outcomes| outcomes.ended[*i].2.is_some_and(f64::is_finite));
        let is_eligible = |i: &usize| has_values(i) && (limits.is_empty() || first.ended[*i].0.is_feasible());
        let ended = (0..first.ended.len()).filter(is_eligible).map(|i| &first.ended[i].1);
        let cells: Vec<&Cell> = ended.chain(&first.pending).collect();
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

/// The cells that must not be suggested again.
fn tried(outcomes: &Outcomes<'_>) -> HashSet<Cell> {
    outcomes.ended.iter().map(|(_, cell, _)| cell).chain(&outcomes.pending).cloned().collect()
}

impl Sampler for Gp {
    fn suggest(&mut self, view: &StudyView<'_>, rng: &mut TrialRng) -> Result<Suggestion, SampleError> {
        self.expected_gain = None;
        self.carried_over = None;
        let model_free = self.model_free.suggest(view, rng)?;
        if model_free.origin == Origin::Probe {
            return Ok(model_free);
        }
        let is_joint = !view.other_budgets.is_empty() && self.directions.len() == 1;
        if is_joint && view.all().all(|trial| trial.record.origin != Some(Origin::Model)) {
            let guess = self.guess(view, rng);
            if let Some(cell) = guess {
                return Ok(Suggestion { params: self.lattice.params(&cell), origin: Origin::Model });
            }
        }
        if self.model_free.wants_random(view, &self.spec, self.lattice.dimension()) {
            return Ok(model_free);
        }
        let handover = handover(SamplerKind::Gp, view.finished.len());
        if !self.handover.1 {
            self.handover.0 = handover;
        }
        let cell = if handover.is_some() { self.tpe.model(view, rng) } else { self.model(view, rng) };
        let Some(cell) = cell else { return Ok(model_free) };
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

/// The indices of at most `most` of `values`: all, or the best `most / 2` and an even selection of the others
/// in their order.
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

/// A Gaussian process fitted to a study's ended trials and to those of other budgets.
struct Model<'a> {
    posterior: Posterior<'a>,
    warp: Warp,
    /// Whether another trial of a configuration may have another value.
    repeats_tell: bool,
}

impl<'a> Model<'a> {
    /// Fits the model; `None` where the study has fewer than two values.
    fn new(lattice: &'a Lattice, outcomes: &Outcomes<'_>, carried: &CarriedTrials) -> Option<Self> {
        let warp = Warp::new(&outcomes.values())?;
        let fit = Fit::new(lattice, &outcomes.ended, &warp.values, carried);
        let repeats_tell = !fit.observations.repeats.are_identical();
        Some(Self { posterior: fit.most_probable()?, warp, repeats_tell })
    }
}

/// The data of a Gaussian process.
struct Fit<'a> {
    lattice: &'a Lattice,
    observations: Observations,
    /// Indices of the observations in the likelihood, of which each evaluation costs the cube of their
    /// number.
    fitted: Vec<usize>,
    /// Their means.
    y: Vec<f64>,
}

impl<'a> Fit<'a> {
    fn new(lattice: &'a Lattice, ended: &[EndedTrial<'_>], values: &[f64], carried: &CarriedTrials) -> Self {
        let told = ended.iter().map(|(_, cell, _)| cell).zip(values.iter().copied());
        let mut observations = Observations::new(lattice, told);
        let mut fitted = representative(&observations.means, MOST_FITTED);
        let own = observations.points.len();
        observations.extend(carried.points.iter().cloned(), &carried.values);
        fitted.extend(own..observations.points.len());
        let y = fitted.iter().map(|i| observations.means[*i]).collect();
        Self { lattice, observations, fitted, y }
    }

    fn likelihood(&self) -> Likelihood<'_> {
        let points: Vec<&Point> = self.fitted.iter().map(|i| &self.observations.points[*i]).collect();
        let counts = self.fitted.iter().map(|i| self.observations.counts[*i]).collect();
        Likelihood::new(self.lattice.scales(), &points, &self.y, counts, self.observations.repeats)
    }

    fn posterior(&self, kernel: Kernel) -> Option<Posterior<'a>> {
        Posterior::new(self.lattice, kernel, self.observations.clone())
    }

    /// The posterior with the maximum a posteriori parameters.
    fn most_probable(&self) -> Option<Posterior<'a>> {
        self.posterior(kernel_of(&self.likelihood().fit()))
    }
}
