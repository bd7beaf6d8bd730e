//! Experiments: studies that train again the best configurations of each budget's search.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use allometry_analysis::plan::{Looks, Round};
use allometry_core::{Direction, FrozenTrial, Objective, Retraining};
use allometry_ladder::{BudgetSpec, ConfirmSpec, Ladder, ScoredPart};
use allometry_runner::{OpenStudy, open_experiment};
use allometry_search::{Feasible, Searched, confirm, transfer};
use allometry_store::facts::{Experiment, ExperimentStudy, Fact, PlannedLook};
use allometry_store::{Store, StudyId};

use crate::{Evaluator, SessionError};

/// Chooses what each budget trains, by label. Its arguments are the searches, the direction, the number of
/// configurations, the number of seeds, and the ladder's seed.
pub type Choose = fn(&[Searched<'_>], Direction, usize, u64, u64) -> BTreeMap<String, Vec<Retraining>>;

/// A budget, its feasible configurations, and what it trains.
type Planned<'l> = (&'l BudgetSpec, Arc<Feasible>, Vec<Retraining>);

/// An experiment with the best configurations of a ladder's searches.
#[derive(Debug, Clone)]
pub struct ExperimentPlan {
    /// Which experiment.
    pub experiment: Experiment,
    /// Chooses what each budget trains.
    pub choose: Choose,
    /// Configurations of each budget.
    pub top: u64,
    /// Seeds of each configuration.
    pub seeds: u64,
    /// The rows that trials are judged by.
    pub part: ScoredPart,
    /// Least number of budgets with complete trials.
    pub fewest: usize,
    /// The round of a plan for the verdict that the trainings belong to; it has other numbers of seeds.
    pub round: Option<Round>,
}

impl ExperimentPlan {
    /// Configurations of each budget in a transfer, if not given.
    pub const TRANSFER_TOP: u64 = 3;

    /// Seeds of each configuration in a transfer, if not given.
    pub const TRANSFER_SEEDS: u64 = 2;

    /// Trains each budget's best configurations at every other budget, judged on the validation rows.
    pub fn transfer(top: u64, seeds: u64) -> Self {
        let (experiment, choose) = (Experiment::Transfer, transfer::plan);
        Self { experiment, choose, top, seeds, part: ScoredPart::Validation, fewest: 2, round: None }
    }

    /// Trains each budget's best configurations again, judged on the test rows.
    pub fn confirm(ConfirmSpec { top, seeds }: ConfirmSpec) -> Self {
        let (experiment, choose) = (Experiment::Confirm, confirm::plan);
        Self { experiment, choose, top, seeds, part: ScoredPart::Test, fewest: 1, round: None }
    }

    /// Trains what a plan for the verdict asks for until its next look, judged on the test rows.
    pub fn round(round: Round) -> Self {
        let seeds = round.design.seeds.iter().map(|one| one.seeds).max().unwrap_or(0);
        let confirm = Self::confirm(ConfirmSpec { top: round.design.top, seeds });
        Self { fewest: 2, round: Some(round), ..confirm }
    }

    /// Returns the look that the trainings are for.
    fn look(&self) -> Option<PlannedLook> {
        let Looks { look, of, trainings, is_trained } = self.round.as_ref()?.looks;
        Some(PlannedLook { look, of, trainings, is_trained })
    }

    /// Returns the trainings of a budget that the round has: all seeds of its best configuration, and one of
    /// every other.
    fn of_round(&self, label: &str, all: Vec<Retraining>) -> Vec<Retraining> {
        let Some(round) = &self.round else { return all };
        let mut seeds: BTreeMap<u64, u64> = BTreeMap::new();
        let is_in = |one: &Retraining| {
            let most = if one.rank == 0 { round.design.seeds_of(label) } else { 1 };
            let number = seeds.entry(one.rank).or_default();
            *number += 1;
            *number <= most
        };
        all.into_iter().filter(is_in).collect()
    }

    /// Returns the objective that evaluates the trainings. The trials' files lie beside the ladder `file`.
    ///
    /// # Errors
    /// As [`Evaluator::objective`].
    pub fn objective<'e>(
        &self,
        evaluator: &'e Evaluator<'_>,
        file: &Path,
        devices: &[String],
    ) -> Result<Box<dyn Objective + 'e>, SessionError> {
        let files = file.with_extension(format!("{}.toml", self.experiment.key()));
        evaluator.objective(&files, devices, self.part)
    }
}

/// Opens or creates the study of each budget that trains something, and enqueues what its study does not
/// have yet.
///
/// # Errors
/// [`SessionError::NotFound`] where too few budgets have complete trials; [`SessionError::Usage`] for a
/// confirmation beside a plan, and for a plan after a confirmation; else as [`open_experiment`].
pub fn open_experiments(
    store: &dyn Store,
    ladder: &Ladder,
    evaluator: &Evaluator<'_>,
    plan: &ExperimentPlan,
    objective: &dyn Objective,
) -> Result<Vec<OpenStudy>, SessionError> {
    let facts = evaluator.facts(plan.part);
    let mut studies = Vec::new();
    check_looks(store, ladder, plan)?;
    for (spec, feasible, trainings) in planned(store, ladder, evaluator, plan)? {
        let size = |params: &_| objective.model_size(params);
        let planned = (plan.experiment, plan.of_round(&spec.budget.label, trainings), plan.look());
        studies.push(open_experiment(store, planned, ladder, spec, feasible, &facts.objective, size)?);
    }
    Ok(studies)
}

/// Records that all trainings for the look of a round have ended.
///
/// # Errors
/// [`SessionError::Store`].
pub fn end_round(store: &dyn Store, ladder: &Ladder) -> Result<(), SessionError> {
    for spec in &ladder.budgets {
        let Some((study, mut part)) = confirmed(store, ladder, spec)? else { continue };
        let Some(look) = &mut part.looks else { continue };
        look.is_trained = true;
        store.set_facts(study, &[Fact::Experiment(Experiment::Confirm, part)])?;
    }
    Ok(())
}

/// Returns the confirmation of a budget, if it has begun.
fn confirmed(
    store: &dyn Store,
    ladder: &Ladder,
    spec: &BudgetSpec,
) -> Result<Option<(StudyId, ExperimentStudy)>, SessionError> {
    let name = format!("{}/{}/{}", ladder.name, spec.budget.label, Experiment::Confirm.key());
    let study = store.study(&name)?;
    Ok(study.and_then(|study| Some((study.id, study.facts.experiment?.1))))
}

/// Refuses a confirmation beside a plan, which would be one more look at the test rows, and a plan after a
/// confirmation, which was one.
fn check_looks(store: &dyn Store, ladder: &Ladder, plan: &ExperimentPlan) -> Result<(), SessionError> {
    if plan.experiment != Experiment::Confirm {
        return Ok(());
    }
    for spec in &ladder.budgets {
        let Some((_, part)) = confirmed(store, ladder, spec)? else { continue };
        let (message, hint) = match (part.looks, &plan.round) {
            (Some(look), None) => (
                format!(
                    "the confirmation of ladder `{}` follows a plan, which is at look {} of {}",
                    ladder.name, look.look, look.of
                ),
                "`allometry run --plan verdict` continues it",
            ),
            (None, Some(_)) if !part.plan.is_empty() => (
                format!(
                    "ladder `{}` was confirmed without a plan, so that its test rows have been looked at",
                    ladder.name
                ),
                "a plan fixes its looks before the first one; `allometry confirm --seeds N` adds seeds",
            ),
            _ => continue,
        };
        return Err(SessionError::Usage { message, hint: Some(hint.into()) });
    }
    Ok(())
}

/// Returns what each budget with complete trials trains, in the ladder's order.
fn planned<'l>(
    store: &dyn Store,
    ladder: &'l Ladder,
    evaluator: &Evaluator<'_>,
    plan: &ExperimentPlan,
) -> Result<Vec<Planned<'l>>, SessionError> {
    let mut budgets: Vec<(&BudgetSpec, Arc<Feasible>, Vec<FrozenTrial>)> = Vec::new();
    for spec in ladder.budgets_on_all_rows() {
        let study = store.study(&format!("{}/{}", ladder.name, spec.budget.label))?;
        let trials = study.map(|study| store.trials(study.id)).transpose()?.unwrap_or_default();
        budgets.push((spec, Arc::new(evaluator.feasible(spec)?), trials));
    }
    let searched: Vec<Searched<'_>> =
        budgets.iter().map(|(_, feasible, trials)| Searched { feasible, trials }).collect();
    let top = plan.top as usize;
    let mut chosen = (plan.choose)(&searched, ladder.direction(), top, plan.seeds, ladder.seed);
    if chosen.len() < plan.fewest {
        let (found, fewest) = (chosen.len(), plan.fewest);
        return Err(SessionError::NotFound {
            message: format!("{found} of the ladder's budgets have complete trials; {fewest} must"),
            hint: Some("`allometry run` searches them".into()),
        });
    }
    let planned = budgets
        .into_iter()
        .filter_map(|(spec, feasible, _)| Some((spec, feasible, chosen.remove(&spec.budget.label)?)));
    Ok(planned.collect())
}
