//! Experiments: studies that train again the best configurations of each budget's search.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use allometry_core::{Direction, FrozenTrial, Objective, Retraining};
use allometry_ladder::{BudgetSpec, ConfirmSpec, Ladder, ScoredPart};
use allometry_runner::{OpenStudy, open_experiment};
use allometry_search::{Feasible, Searched, confirm, transfer};
use allometry_store::Store;
use allometry_store::facts::Experiment;

use crate::{Evaluator, SessionError};

/// Chooses what each budget trains, by label. Its arguments are the searches, the direction, the number of
/// configurations, the number of seeds, and the ladder's seed.
pub type Choose = fn(&[Searched<'_>], Direction, usize, u64, u64) -> BTreeMap<String, Vec<Retraining>>;

/// A budget, its feasible configurations, and what it trains.
type Planned<'l> = (&'l BudgetSpec, Arc<Feasible>, Vec<Retraining>);

/// An experiment with the best configurations of a ladder's searches.
#[derive(Debug, Clone, Copy)]
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
}

impl ExperimentPlan {
    /// Configurations of each budget in a transfer, if not given.
    pub const TRANSFER_TOP: u64 = 3;

    /// Seeds of each configuration in a transfer, if not given.
    pub const TRANSFER_SEEDS: u64 = 2;

    /// Trains each budget's best configurations at every other budget, judged on the validation rows.
    pub fn transfer(top: u64, seeds: u64) -> Self {
        let (experiment, choose) = (Experiment::Transfer, transfer::plan);
        Self { experiment, choose, top, seeds, part: ScoredPart::Validation, fewest: 2 }
    }

    /// Trains each budget's best configurations again, judged on the test rows.
    pub fn confirm(ConfirmSpec { top, seeds }: ConfirmSpec) -> Self {
        let (experiment, choose) = (Experiment::Confirm, confirm::plan);
        Self { experiment, choose, top, seeds, part: ScoredPart::Test, fewest: 1 }
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
/// [`SessionError::NotFound`] where too few budgets have complete trials; else as [`open_experiment`].
pub fn open_experiments(
    store: &dyn Store,
    ladder: &Ladder,
    evaluator: &Evaluator<'_>,
    plan: &ExperimentPlan,
    objective: &dyn Objective,
) -> Result<Vec<OpenStudy>, SessionError> {
    let facts = evaluator.facts(plan.part);
    let mut studies = Vec::new();
    for (spec, feasible, trainings) in planned(store, ladder, evaluator, plan)? {
        let size = |params: &_| objective.model_size(params);
        let planned = (plan.experiment, trainings);
        studies.push(open_experiment(store, planned, ladder, spec, feasible, &facts.objective, size)?);
    }
    Ok(studies)
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
