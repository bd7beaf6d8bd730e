//! Opening of a ladder's studies in a store: new studies are created, existing ones must have the same
//! objective.

use std::sync::Arc;

use allometry_core::{ClassCounts, Metrics, SearchSpace, Share, SizeReach, StudyIdentity, space};
use allometry_ladder::{BudgetSpec, Ladder, Limit, StopRule};
use allometry_search::{Exemption, Feasible, PrunedStudy, Pruner, Sampler};
use allometry_store::facts::{
    BaselineFacts, Fact, FoldFacts, LadderPlace, ObjectiveFacts, PanelFacts, StoredLadder,
};
use allometry_store::{NewStudy, Store, StoreError, StudyId, StudyRecord, distribution};
use serde_json::Value;

use crate::error::RunError;
use crate::identity;
use crate::objective_changes::objective_changes;

/// A study ready to run.
pub struct OpenStudy {
    /// Id of the study in the store.
    pub id: StudyId,
    /// Identity of the study among all studies.
    pub identity: StudyIdentity,
    /// Size, search space and number of trials.
    pub spec: BudgetSpec,
    /// The objectives.
    pub metrics: Metrics,
    /// Limits of reported metrics.
    pub limits: Vec<Limit>,
    /// Feasible configurations of the budget.
    pub feasible: Arc<Feasible>,
    /// Sampler of the configurations.
    pub sampler: Box<dyn Sampler>,
    /// Other studies whose trials the sampler uses.
    pub share: Share,
    /// Pruning of the trials; `None` for no pruning.
    pub pruning: Option<Pruning>,
    /// Rule that ends the study before all its trials are done.
    pub stop: StopRule,
}

/// The pruner of a study, with the trials that are exempt from it.
pub struct Pruning {
    /// Pruner that decides after each epoch.
    pub pruner: Pruner,
    /// Trials that are exempt from pruning.
    pub exemption: Exemption,
}

impl Pruning {
    /// The pruning that the ladder configures, for its study `name`.
    fn new(ladder: &Ladder, name: &str) -> Option<Self> {
        let spec = ladder.pruner.as_ref()?;
        let study = PrunedStudy {
            name: name.into(),
            direction: ladder.direction(),
            steps: ladder.steps().unwrap_or(1),
            length: ladder.length_parameter(),
        };
        Some(Self {
            pruner: Pruner::new(spec, study),
            exemption: Exemption::new(spec, ladder.sampler.kind, ladder.seed),
        })
    }
}

/// Facts about the studies of a ladder that are not in the ladder file.
#[derive(Debug, Clone)]
pub struct LadderFacts {
    /// Objective of the trials; trials with different objectives cannot be compared.
    pub objective: ObjectiveFacts,
    /// Class counts of the validation rows, for a binary label.
    pub validation: Option<ClassCounts>,
    /// Baselines on the validation rows.
    pub baselines: Vec<BaselineFacts>,
    /// Series and time of each scored row; `None` for rows of one series.
    pub panel: Option<PanelFacts>,
    /// Eras of walk-forward folds; `None` for trials of one training each.
    pub folds: Option<FoldFacts>,
    /// The ladder file; `None` where another process wrote it.
    pub ladder_file: Option<StoredLadder>,
}

impl LadderFacts {
    /// Facts with the objective alone.
    pub fn new(objective: ObjectiveFacts) -> Self {
        Self {
            objective,
            validation: None,
            baselines: Vec::new(),
            panel: None,
            folds: None,
            ladder_file: None,
        }
    }
}

/// Handling of a study whose search space differs from the ladder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChangedSpace {
    /// Report an error with the differences.
    #[default]
    Refuse,
    /// Continue with the ladder's search space; trials outside of it stay in the store but are not counted.
    KeepFitting,
}

/// Opens or creates the study of each budget in `budgets`, with its sampler.
///
/// # Errors
/// [`RunError::SpaceChanged`] and [`RunError::ObjectiveChanged`] where the stored trials have another search
/// space or objective, or [`RunError::Store`].
pub fn open_studies(
    store: &dyn Store,
    ladder: &Ladder,
    budgets: Vec<(BudgetSpec, Arc<Feasible>, Box<dyn Sampler>)>,
    facts: &LadderFacts,
    changed: ChangedSpace,
) -> Result<Vec<OpenStudy>, RunError> {
    budgets
        .into_iter()
        .map(|(spec, feasible, sampler)| {
            let name = format!("{}/{}", ladder.name, spec.budget.label);
            let pruning = Pruning::new(ladder, &name);
            let new =
                || new_study(name.clone(), ladder, &spec, initial_facts(ladder, &spec, &facts.objective));
            let mut run_facts = facts_of_run(ladder, &spec, &feasible, facts);
            let id = match find_or_make(store, &name, new)? {
                Found::There(existing) => {
                    let changes = changes(&existing, &spec, &ladder.limits);
                    if !changes.is_empty() {
                        if changed == ChangedSpace::Refuse {
                            return Err(RunError::SpaceChanged { study: name, changes });
                        }
                        check_compatible(&name, existing.space.as_ref(), &spec.space)?;
                        run_facts.push(Fact::Space(spec.space.clone()));
                    }
                    check_same_directions(&existing, ladder)?;
                    check_same_objective(&name, existing.facts.objective.as_ref(), &facts.objective)?;
                    existing.id
                }
                Found::Made(id) => id,
            };
            store.set_facts(id, &run_facts)?;
            Ok(OpenStudy {
                id,
                identity: identity::of_study(store, id, &name)?,
                spec,
                metrics: ladder.metrics.clone(),
                limits: ladder.limits.clone(),
                feasible,
                sampler,
                share: ladder.sampler.share,
                pruning,
                stop: ladder.stop,
            })
        })
        .collect()
}

/// The result of [`find_or_make`].
pub(crate) enum Found {
    /// An existing study.
    There(Box<StudyRecord>),
    /// A newly created study.
    Made(StudyId),
}

/// Finds the study with this name, or creates it. Of several processes that create it at the same time one
/// succeeds, and the others find its study.
///
/// # Errors
/// [`StoreError`] where the store cannot be read or written.
pub(crate) fn find_or_make(
    store: &dyn Store,
    name: &str,
    new: impl Fn() -> NewStudy,
) -> Result<Found, StoreError> {
    loop {
        if let Some(existing) = store.study(name)? {
            existing.check_readable(&store.place()?)?;
            return Ok(Found::There(Box::new(existing)));
        }
        match store.create_study(&new()) {
            // Another process was faster.
            Err(StoreError::NameTaken { .. }) => {}
            made => return made.map(Found::Made),
        }
    }
}

/// A study over the search space of `spec` with the objectives of the ladder.
pub(crate) fn new_study(name: String, ladder: &Ladder, spec: &BudgetSpec, mut facts: Vec<Fact>) -> NewStudy {
    facts.push(identity::draw());
    NewStudy {
        name,
        directions: ladder.metrics.directions(),
        metric_names: ladder.metrics.names(),
        space: spec.space.clone(),
        facts,
    }
}

/// The facts of a study from its creation, which define its objective and search space. A process that finds
/// the study immediately after its creation needs them to compare.
fn initial_facts(ladder: &Ladder, spec: &BudgetSpec, objective: &ObjectiveFacts) -> Vec<Fact> {
    let place = ladder.budgets.iter().position(|budget| budget.budget.label == spec.budget.label);
    let place = LadderPlace {
        name: ladder.name.clone(),
        tag: ladder.tag.clone(),
        seed: ladder.seed,
        position: place.unwrap_or_default(),
    };
    vec![
        Fact::Ladder(place),
        Fact::Budget(spec.budget.clone()),
        Fact::Objective(objective.clone()),
        Fact::Constraints(texts(&spec.constraints)),
        Fact::Limits(texts(&ladder.limits)),
        Fact::Conditions(spec.conditions.clone()),
    ]
}

/// The facts of a study about its current run.
fn facts_of_run(ladder: &Ladder, spec: &BudgetSpec, feasible: &Feasible, facts: &LadderFacts) -> Vec<Fact> {
    let reach = feasible.census().reach.map(|(smallest, largest)| SizeReach { smallest, largest });
    let mut run_facts = vec![
        Fact::Constraints(texts(&spec.constraints)),
        Fact::Limits(texts(&ladder.limits)),
        Fact::Conditions(spec.conditions.clone()),
        Fact::TargetTrials(spec.trials),
        Fact::Sampler(ladder.sampler),
        // The smallest effect changes analyses of the trials, not the trials themselves.
        Fact::SmallestEffect(ladder.smallest_effect),
        Fact::Reach(reach),
        Fact::Baselines(facts.baselines.clone()),
    ];
    run_facts.extend(facts.validation.map(Fact::Validation));
    run_facts.extend(facts.panel.clone().map(Fact::Panel));
    run_facts.extend(facts.folds.clone().map(Fact::Folds));
    run_facts.extend(facts.ladder_file.clone().map(Fact::LadderFile));
    run_facts
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("the types of core have text keys and finite fields")
}

fn texts<T: ToString>(constraints: &[T]) -> Vec<String> {
    constraints.iter().map(ToString::to_string).collect()
}

/// Descriptions of the differences between a stored study's search space and constraints and the ladder's.
fn changes(stored: &StudyRecord, now: &BudgetSpec, limits: &[Limit]) -> Vec<String> {
    let Some(space) = &stored.space else { return Vec::new() };
    let mut changes: Vec<String> = space::diff(space, &now.space).iter().map(ToString::to_string).collect();
    let before = &stored.facts.constraints;
    changes.extend(changed_limits(stored, limits));
    let (now, conditions) = (texts(&now.constraints), &now.conditions);
    let new = now.iter().filter(|text| !before.contains(text));
    changes.extend(new.map(|text| format!("constraint `{text}`: new")));
    let removed = before.iter().filter(|text| !now.contains(text));
    changes.extend(removed.map(|text| format!("constraint `{text}`: removed")));
    let before = &stored.facts.conditions;
    let new = conditions.iter().filter(|when| !before.contains(when));
    changes.extend(new.map(|when| format!("condition of `{}`: new, {when}", when.parameter)));
    let removed = before.iter().filter(|when| !conditions.contains(when));
    changes.extend(removed.map(|when| format!("condition of `{}`: removed, was {when}", when.parameter)));
    changes
}

/// A description of the difference between the limits of the stored trials and the current ones.
fn changed_limits(stored: &StudyRecord, now: &[Limit]) -> Option<String> {
    let (before, now) = (&stored.facts.limits, texts(now));
    let shown = |limits: &[String]| if limits.is_empty() { "none".into() } else { limits.join(", ") };
    (*before != now).then(|| format!("limits: were {}, are {}", shown(before), shown(&now)))
}

/// Checks that all parameters have the same kind and list of values as in the stored trials, as Optuna's
/// schema requires.
///
/// # Errors
/// [`RunError::KindChanged`] for the first parameter that differs.
pub(crate) fn check_compatible(
    study: &str,
    stored: Option<&SearchSpace>,
    now: &SearchSpace,
) -> Result<(), RunError> {
    for (name, set) in now.iter() {
        let before = stored.and_then(|space| space.get(name));
        if let Some(before) = before.filter(|before| !distribution::compatible(before, set)) {
            return Err(RunError::KindChanged {
                study: study.into(),
                parameter: name.into(),
                old: before.to_string(),
                new: set.to_string(),
            });
        }
    }
    Ok(())
}

/// Checks that a study has the objectives of the ladder.
///
/// # Errors
/// [`RunError::ObjectiveChanged`] where the study has other objectives or other directions.
pub(crate) fn check_same_directions(study: &StudyRecord, ladder: &Ladder) -> Result<(), RunError> {
    let mut changes = Vec::new();
    let (stored, now) = (&study.directions, ladder.metrics.directions());
    if *stored != now {
        changes.push(format!("direction: was {}, is {}", to_json(stored), to_json(&now)));
    }
    let names = ladder.metrics.names();
    let is_other = |stored: &Vec<String>| *stored != names && ladder.metrics.are_several();
    if let Some(stored) = study.metric_names().filter(is_other) {
        changes.push(format!("metric: was {}, is {}", to_json(&stored), to_json(&names)));
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(RunError::ObjectiveChanged { study: study.name.clone(), changes })
}

/// Checks that the stored trials were evaluated by the same objective.
///
/// # Errors
/// [`RunError::ObjectiveChanged`] with the differences.
pub(crate) fn check_same_objective(
    study: &str,
    stored: Option<&ObjectiveFacts>,
    now: &ObjectiveFacts,
) -> Result<(), RunError> {
    let changes = objective_changes(stored, now);
    if changes.is_empty() { Ok(()) } else { Err(RunError::ObjectiveChanged { study: study.into(), changes }) }
}
