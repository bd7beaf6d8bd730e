//! The studies in which budgets train what the searches found anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use allometry_core::ladder::{BudgetSpec, Ladder, Share, StopRule};
use allometry_core::space::Feasible;
use allometry_core::{
    ModelSize, Origin, Params, Retraining, SampleError, Sampler, StudyView, Suggestion, TrialNumber,
    TrialRecord, TrialRng,
};
use allometry_store::{NewTrial, Start, Store};
use serde::{Deserialize, Serialize};

use crate::error::RunError;
use crate::identity;
use crate::open::{
    Facts, Found, OpenStudy, check_compatible, check_same_directions, check_same_objective, find_or_make,
    new_study, to_json,
};

/// Why configurations are trained anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Experiment {
    /// To see whether settings carry over between budgets.
    Transfer,
    /// To score the best on rows that nothing was chosen by.
    Confirm,
}

impl Experiment {
    /// Attribute of its studies with an [`ExperimentStudy`], and the last part of their names.
    pub fn key(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Confirm => "confirm",
        }
    }
}

/// What a study says that belongs to an experiment, so that it is no budget of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentStudy {
    /// Name of the ladder.
    pub ladder: String,
    /// Label of the budget that trains.
    pub budget: String,
    /// What it trains. Trials of earlier plans stay in the study.
    pub plan: Vec<Retraining>,
}

/// Opens or creates the study in which a budget trains what an experiment planned for it, `NAME/LABEL/transfer` or
/// `NAME/LABEL/confirm`, and puts into its queue what it does not have yet.
///
/// # Errors
/// As [`crate::open_studies`].
pub fn open_experiment(
    store: &dyn Store,
    (experiment, plan): (Experiment, Vec<Retraining>),
    ladder: &Ladder,
    spec: &BudgetSpec,
    feasible: Arc<Feasible>,
    facts: &Facts,
    size: impl Fn(&Params) -> Option<ModelSize>,
) -> Result<OpenStudy, RunError> {
    let name = format!("{}/{}/{}", ladder.name, spec.budget.label, experiment.key());
    let attributes = || BTreeMap::from([("objective".into(), facts.objective.clone())]);
    let id = match find_or_make(store, &name, || new_study(name.clone(), ladder, spec, attributes()))? {
        Found::There(existing) => {
            check_compatible(&name, existing.space.as_ref(), &spec.space)?;
            check_same_directions(&existing, ladder)?;
            check_same_objective(&name, existing.attributes.get("objective"), &facts.objective)?;
            store.set_study_attribute(existing.id, "search_space", &to_json(&spec.space))?;
            existing.id
        }
        Found::Made(id) => id,
    };
    let trials = enqueue(store, id, spec, &plan, size)?;
    let said = ExperimentStudy { ladder: ladder.name.clone(), budget: spec.budget.label.clone(), plan };
    store.set_study_attribute(id, experiment.key(), &to_json(&said))?;
    store.set_study_attribute(id, "target_trials", &to_json(&trials))?;
    Ok(OpenStudy {
        id,
        identity: identity::of_study(store, id, &name)?,
        spec: BudgetSpec { trials, ..spec.clone() },
        direction: ladder.direction,
        further: ladder.further.clone(),
        limits: Vec::new(),
        feasible,
        sampler: Box::new(NothingElse),
        share: Share::None,
        pruning: None,
        stop: StopRule::default(),
    })
}

/// Makes a waiting trial of each planned configuration and seed that no trial has; gives the number of trials then.
fn enqueue(
    store: &dyn Store,
    study: allometry_store::StudyId,
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
        // Another process may plan the same: what it made is seen the next time round.
        store.create_trial_at(study, &new, TrialNumber(trials.len() as u64))?;
    }
}

/// Proposes nothing: such a study has its queue alone.
struct NothingElse;

impl Sampler for NothingElse {
    fn suggest(&mut self, view: &StudyView<'_>, _: &mut TrialRng) -> Result<Suggestion, SampleError> {
        Err(SampleError::Exhausted { configurations: view.len() as u64 })
    }
}
