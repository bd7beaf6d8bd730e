//! Opens a ladder's studies in a store: new ones are created, old ones must ask the same question.

use std::sync::Arc;

use allometry_core::ladder::{BudgetSpec, Ladder, Limit, MetricSpec, Share, StopRule};
use allometry_core::pruner::{self, Exemption, PrunedStudy};
use allometry_core::space::{self, Feasible};
use allometry_core::{ClassCounts, Direction, Pruner, Sampler, SearchSpace, SizeReach, StudyIdentity};
use allometry_store::facts::{BaselineFacts, Fact, LadderPlace, ObjectiveFacts, StoredLadder};
use allometry_store::{NewStudy, Store, StoreError, StudyId, StudyRecord, distribution};
use serde_json::Value;

use crate::error::RunError;
use crate::identity;

/// A study ready to run.
pub struct OpenStudy {
    /// Its place in the store.
    pub id: StudyId,
    /// What tells it from every other study.
    pub identity: StudyIdentity,
    /// Its size, space and number of trials.
    pub spec: BudgetSpec,
    /// Which values of the first objective are better.
    pub direction: Direction,
    /// The objectives after it.
    pub further: Vec<MetricSpec>,
    /// What each trial may report.
    pub limits: Vec<Limit>,
    /// What its budget admits.
    pub feasible: Arc<Feasible>,
    /// What picks its configurations.
    pub sampler: Box<dyn Sampler>,
    /// Whether that learns from the ladder's other budgets.
    pub share: Share,
    /// What stops its trials early.
    pub pruning: Option<Pruning>,
    /// When it ends before it has its trials.
    pub stop: StopRule,
}

/// What stops the trials of a study early, and which of them it leaves alone.
pub struct Pruning {
    /// Decides after each epoch.
    pub pruner: Box<dyn Pruner>,
    /// The trials that run to their end.
    pub exemption: Exemption,
}

impl Pruning {
    /// As the ladder has it, for its study `name`.
    fn new(ladder: &Ladder, name: &str) -> Option<Self> {
        let spec = ladder.pruner.as_ref()?;
        let study = PrunedStudy {
            name: name.into(),
            direction: ladder.direction,
            steps: ladder.objective.steps().unwrap_or(1),
        };
        Some(Self {
            pruner: pruner::build(spec, &study),
            exemption: Exemption::new(spec, ladder.sampler.kind, ladder.seed),
        })
    }
}

/// What the studies of a ladder say of themselves beside what the ladder file asks for.
#[derive(Debug, Clone)]
pub struct LadderFacts {
    /// What trials are evaluated by: a change of it makes trials incomparable.
    pub objective: ObjectiveFacts,
    /// Classes of the validation rows, where the label has two.
    pub validation: Option<ClassCounts>,
    /// Baselines on the validation rows.
    pub baselines: Vec<BaselineFacts>,
    /// The ladder file; `None` where another process wrote it.
    pub ladder_file: Option<StoredLadder>,
}

impl LadderFacts {
    /// Says what trials are evaluated by, and nothing else.
    pub fn new(objective: ObjectiveFacts) -> Self {
        Self { objective, validation: None, baselines: Vec::new(), ladder_file: None }
    }
}

/// What happens to a study whose search space is not the ladder's any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChangedSpace {
    /// It is refused, with the difference.
    #[default]
    Refuse,
    /// It goes on with the ladder's space; trials outside of that stay in the store but count no more.
    KeepFitting,
}

/// Opens or creates the study of each budget in `budgets`, with its sampler.
///
/// # Errors
/// [`RunError::SpaceChanged`] and [`RunError::ObjectiveChanged`] where the stored trials answer another question;
/// [`RunError::Store`].
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
            let new = || new_study(name.clone(), ladder, &spec, question(ladder, &spec, &facts.objective));
            let mut said = said_by_run(ladder, &spec, &feasible, facts);
            let id = match find_or_make(store, &name, new)? {
                Found::There(existing) => {
                    let changes = changes(&existing, &spec, &ladder.limits);
                    if !changes.is_empty() {
                        if changed == ChangedSpace::Refuse {
                            return Err(RunError::SpaceChanged { study: name, changes });
                        }
                        check_compatible(&name, existing.space.as_ref(), &spec.space)?;
                        said.push(Fact::Space(spec.space.clone()));
                    }
                    check_same_directions(&existing, ladder)?;
                    check_same_objective(&name, existing.facts.objective.as_ref(), &facts.objective)?;
                    existing.id
                }
                Found::Made(id) => id,
            };
            store.set_facts(id, &said)?;
            Ok(OpenStudy {
                id,
                identity: identity::of_study(store, id, &name)?,
                spec,
                direction: ladder.direction,
                further: ladder.further.clone(),
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

/// A study that was looked for.
pub(crate) enum Found {
    /// It is in the store.
    There(Box<StudyRecord>),
    /// It was not, and has been made.
    Made(StudyId),
}

/// Finds the study of that name, or makes it. Of several processes that make it at the same time one does,
/// and the others find it.
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

/// A study over the space of `spec` that asks for what the ladder does.
pub(crate) fn new_study(name: String, ladder: &Ladder, spec: &BudgetSpec, mut facts: Vec<Fact>) -> NewStudy {
    facts.push(identity::draw());
    NewStudy {
        name,
        direction: ladder.direction,
        further: ladder.further.iter().map(|metric| metric.direction).collect(),
        metric_names: ladder.metric_names(),
        space: spec.space.clone(),
        facts,
    }
}

/// What a study says from its beginning: the question that its trials answer. A process that finds the study
/// just made must not take it for one of another question.
fn question(ladder: &Ladder, spec: &BudgetSpec, objective: &ObjectiveFacts) -> Vec<Fact> {
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

/// What a study says of its present run.
fn said_by_run(ladder: &Ladder, spec: &BudgetSpec, feasible: &Feasible, facts: &LadderFacts) -> Vec<Fact> {
    let reach = feasible.census().reach.map(|(smallest, largest)| SizeReach { smallest, largest });
    let mut said = vec![
        Fact::Constraints(texts(&spec.constraints)),
        Fact::Limits(texts(&ladder.limits)),
        Fact::Conditions(spec.conditions.clone()),
        Fact::TargetTrials(spec.trials),
        Fact::Sampler(ladder.sampler),
        // No part of the question that trials answer, but of what is made of the answers.
        Fact::SmallestEffect(ladder.smallest_effect),
        Fact::Reach(reach),
        Fact::Baselines(facts.baselines.clone()),
    ];
    said.extend(facts.validation.map(Fact::Validation));
    said.extend(facts.ladder_file.clone().map(Fact::LadderFile));
    said
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("the vocabulary's types have text keys and finite fields")
}

fn texts<T: ToString>(constraints: &[T]) -> Vec<String> {
    constraints.iter().map(ToString::to_string).collect()
}

/// How a stored study's space and constraints differ from the ladder's, in words.
fn changes(stored: &StudyRecord, now: &BudgetSpec, limits: &[Limit]) -> Vec<String> {
    let Some(space) = &stored.space else { return Vec::new() };
    let mut changes: Vec<String> = space::diff(space, &now.space).iter().map(ToString::to_string).collect();
    let before = &stored.facts.constraints;
    changes.extend(changed_limits(stored, limits));
    let (now, conditions) = (texts(&now.constraints), &now.conditions);
    let new = now.iter().filter(|text| !before.contains(text));
    changes.extend(new.map(|text| format!("constraint `{text}`: new")));
    let gone = before.iter().filter(|text| !now.contains(text));
    changes.extend(gone.map(|text| format!("constraint `{text}`: gone")));
    let before = &stored.facts.conditions;
    let new = conditions.iter().filter(|when| !before.contains(when));
    changes.extend(new.map(|when| format!("condition of `{}`: new, {when}", when.parameter)));
    let gone = before.iter().filter(|when| !conditions.contains(when));
    changes.extend(gone.map(|when| format!("condition of `{}`: gone, was {when}", when.parameter)));
    changes
}

/// How the limits differ from those that the stored trials were held to.
fn changed_limits(stored: &StudyRecord, now: &[Limit]) -> Option<String> {
    let (before, now) = (&stored.facts.limits, texts(now));
    let shown = |limits: &[String]| if limits.is_empty() { "none".into() } else { limits.join(", ") };
    (*before != now).then(|| format!("limits: were {}, are {}", shown(before), shown(&now)))
}

/// # Errors
/// [`RunError::KindChanged`] where a parameter is of another kind or has another list, which no study of Optuna's schema
/// may.
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

/// # Errors
/// [`RunError::ObjectiveChanged`] where the study has other objectives, or the same with other directions.
pub(crate) fn check_same_directions(study: &StudyRecord, ladder: &Ladder) -> Result<(), RunError> {
    let mut changes = Vec::new();
    let (stored, now) = (study.directions(), ladder.directions());
    if stored != now {
        changes.push(format!("direction: was {}, is {}", to_json(&stored), to_json(&now)));
    }
    let names = ladder.metric_names();
    if let Some(stored) = study.metric_names().filter(|stored| *stored != names && !ladder.further.is_empty())
    {
        changes.push(format!("metric: was {}, is {}", to_json(&stored), to_json(&names)));
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(RunError::ObjectiveChanged { study: study.name.clone(), changes })
}

/// # Errors
/// [`RunError::ObjectiveChanged`] where trials were evaluated by something else.
pub(crate) fn check_same_objective(
    study: &str,
    stored: Option<&ObjectiveFacts>,
    now: &ObjectiveFacts,
) -> Result<(), RunError> {
    let mut changes = Vec::new();
    if let Some(stored) = stored {
        compare("", &stored.to_json(), &now.to_json(), &mut changes);
    }
    if changes.is_empty() { Ok(()) } else { Err(RunError::ObjectiveChanged { study: study.into(), changes }) }
}

/// Lists the leaves in which two documents differ, by dotted path.
fn compare(path: &str, old: &Value, new: &Value, changes: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(
                    &inner,
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                    changes,
                );
            }
        }
        _ if old == new => {}
        _ => changes.push(format!("{path}: was {old}, is {new}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changed_leaves_are_named() {
        let old = json!({"model": {"context": 80, "patch": 16}, "rows": 10});
        let new = json!({"model": {"context": 96, "patch": 16}, "label": "up"});
        let mut changes = Vec::new();
        compare("", &old, &new, &mut changes);
        assert_eq!(
            changes,
            ["label: was null, is \"up\"", "model.context: was 80, is 96", "rows: was 10, is null"]
        );
    }
}
