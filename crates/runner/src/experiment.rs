//! The studies of experiments, in which budgets retrain configurations from their searches.

use std::sync::Arc;

use allometry_core::{ModelSize, Origin, Params, Retraining, Share, TrialNumber, TrialRecord, TrialRng};
use allometry_ladder::{BudgetSpec, Ladder, StopRule};
use allometry_search::{Feasible, SampleError, Sampler, StudyView, Suggestion};
use allometry_store::facts::{Experiment, ExperimentStudy, Fact, ObjectiveFacts, PlannedLook};
use allometry_store::{NewTrial, Start, Store, StudyId};

use crate::error::RunError;
use crate::identity;
use crate::open::{
    Found, OpenStudy, check_compatible, check_same_directions, check_same_objective, find_or_make, new_study,
};

/// Opens or creates the study in which a budget trains the runs that an experiment planned for it,
/// `NAME/LABEL/transfer` or `NAME/LABEL/confirm`, and enqueues missing runs. A plan for the verdict names the
/// look that the runs are for.
///
/// # Errors
/// The errors of [`crate::open_studies`].
pub fn open_experiment(
    store: &dyn Store,
    (experiment, plan, looks): (Experiment, Vec<Retraining>, Option<PlannedLook>),
    ladder: &Ladder,
    spec: &BudgetSpec,
    feasible: Arc<Feasible>,
    objective: &ObjectiveFacts,
    size: impl Fn(&Params) -> Option<ModelSize>,
) -> Result<OpenStudy, RunError> {
    let name = format!("{}/{}/{}", ladder.name, spec.budget.label, experiment.key());
    let asked = || vec![Fact::Objective(objective.clone())];
    let mut said = Vec::new();
    let id = match find_or_make(store, &name, || new_study(name.clone(), ladder, spec, asked()))? {
        Found::There(existing) => {
            check_compatible(&name, existing.space.as_ref(), &spec.space)?;
            check_same_directions(&existing, ladder)?;
            check_same_objective(&name, existing.facts.objective.as_ref(), objective)?;
            said.push(Fact::Space(spec.space.clone()));
            existing.id
        }
        Found::Made(id) => id,
    };
    let trials = enqueue(store, id, spec, &plan, size)?;
    let (ladder_name, budget) = (ladder.name.clone(), spec.budget.label.clone());
    let part = ExperimentStudy { ladder: ladder_name, budget, plan, looks };
    said.extend([Fact::Experiment(experiment, part), Fact::TargetTrials(trials)]);
    store.set_facts(id, &said)?;
    Ok(OpenStudy {
        id,
        identity: identity::of_study(store, id, &name)?,
        spec: BudgetSpec { trials, ..spec.clone() },
        metrics: ladder.metrics.clone(),
        limits: Vec::new(),
        feasible,
        sampler: Box::new(QueueOnly),
        share: Share::None,
        pruning: None,
        stop: StopRule::default(),
    })
}

/// Creates a waiting trial for each planned configuration and seed without a trial, and returns the number of
/// trials.
fn enqueue(
    store: &dyn Store,
    study: StudyId,
    spec: &BudgetSpec,
    plan: &[Retraining],
    size: impl Fn(&Params) -> Option<ModelSize>,
) -> Result<u64, RunError> {
    loop {
        let trials = store.trials(study)?;
        let is_there = |one: &&Retraining| {
            trials.iter().any(|trial| trial.record.seed == Some(one.seed) && trial.params == one.params)
        };
        let Some(missing) = plan.iter().find(|one| !is_there(one)) else {
            let first_attempts = trials.iter().filter(|trial| trial.record.retry_of.is_none());
            return Ok(first_attempts.count() as u64);
        };
        let record = TrialRecord {
            origin: Some(Origin::Enqueued),
            seed: Some(missing.seed),
            size: size(&missing.params),
            exempt: true,
            ..TrialRecord::default()
        };
        let new =
            NewTrial { start: Start::Waiting, params: &missing.params, space: &spec.space, record: &record };
        // Another process may enqueue the same plan; its trials are seen in the next iteration.
        store.create_trial_at(study, &new, TrialNumber(trials.len() as u64))?;
    }
}

/// A sampler without suggestions, for studies that evaluate only their queue.
struct QueueOnly;

impl Sampler for QueueOnly {
    fn suggest(&mut self, view: &StudyView<'_>, _: &mut TrialRng) -> Result<Suggestion, SampleError> {
        Err(SampleError::Exhausted { configurations: view.len() as u64 })
    }
}
