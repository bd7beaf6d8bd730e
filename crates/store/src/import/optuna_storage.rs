//! Reader of studies in Optuna storages; it does not change them.

use std::path::Path;

use allometry_core::{ByName, Distributions, FrozenTrial, ModelSize, SearchSpace, TrialState};

use crate::as_optuna::AsOptuna;
use crate::json;
use crate::location::Location;
use crate::optuna::OptunaStorage;
use crate::sqlite::SqliteStore;
use crate::store::{Store, StudyRecord};

use super::error::Problem;
use super::inferred::{IMPORT_KEY, ImportAttribute};
use super::leading::lead_with;
use super::note::Note;
use super::{ImportError, ImportedStudy, Roles, infeasible};

/// Reads the study `name` of a file, or the only one.
pub(super) fn read(path: &Path, name: Option<&str>, roles: &Roles<'_>) -> Result<ImportedStudy, ImportError> {
    read_store(&SqliteStore::open_read_only_file(path)?, &path.into(), name, roles)
}

/// Opens both interfaces of a file.
pub(super) fn open_file(path: &Path) -> Result<(Box<dyn OptunaStorage>, SqliteStore), ImportError> {
    Ok((Box::new(AsOptuna(SqliteStore::open_read_only_file(path)?)), SqliteStore::open_read_only_file(path)?))
}

/// Returns the index of the study `wanted`, or of the only one.
pub(super) fn which(
    location: &Location,
    names: &[String],
    wanted: Option<&str>,
) -> Result<usize, ImportError> {
    let found = match wanted {
        Some(wanted) => names.iter().position(|name| name == wanted),
        None => (names.len() == 1).then_some(0),
    };
    found.ok_or_else(|| {
        let why = match (wanted, names.len()) {
            (Some(wanted), _) => format!("no study `{wanted}`"),
            (None, 0) => "no study".into(),
            (None, n) => format!("{n} studies"),
        };
        ImportError::WhichStudy { location: location.clone(), why, studies: names.to_vec() }
    })
}

/// Reads the study `name` of a store, or the only one.
pub(super) fn read_store(
    store: &dyn Store,
    location: &Location,
    name: Option<&str>,
    roles: &Roles<'_>,
) -> Result<ImportedStudy, ImportError> {
    roles.refuse_params(location, "its trials record their parameters")?;
    let studies = store.studies()?;
    let names: Vec<String> = studies.iter().map(|study| study.name.clone()).collect();
    let study = &studies[which(location, &names, name)?];
    study.check_readable(&location.to_string())?;
    let mut trials = store.trials(study.id)?;
    roles.take_sizes(&mut trials).map_err(|problem| problem.at(location))?;
    trials.iter_mut().for_each(take_metrics);
    if trials.is_empty() {
        return Err(ImportError::NoTrials { location: location.clone() });
    }
    let mut directions = study.directions.clone();
    let mut metric_names = study.metric_names().unwrap_or_default();
    let mut notes: Vec<Note> = infeasible::note(&trials).into_iter().collect();
    if let Some(metric) = roles.metric {
        if metric_names.is_empty() {
            refuse_attribute(metric, directions.len(), &trials).map_err(|problem| problem.at(location))?;
            notes.push(Note::ValueAsMetric { column: "value".into(), metric: metric.into() });
        }
        lead_with(metric, &mut metric_names, &mut directions, &mut trials)
            .map_err(|problem| problem.at(location))?;
    }
    if let Some(sets) = without_inferred(study, &trials) {
        for (trial, sets) in trials.iter_mut().zip(sets) {
            trial.distributions = sets;
        }
    }
    let space = study.space.clone().or_else(|| recorded_space(&trials));
    // Like a file of trials without its space, such a study may have parameters that its best configuration
    // does not contain.
    let direction = directions.first().copied().unwrap_or_default();
    let best = allometry_core::incumbent(&trials, direction).filter(|_| space.is_some());
    Ok(ImportedStudy {
        name: Some(study.name.clone()),
        objectives: directions.len(),
        directions,
        metric_names,
        best_params: best.map(|t| t.params.clone()),
        space,
        notes,
        trials,
    })
}

/// Refuses a metric that is an attribute of the trials, or one of several objectives without names.
fn refuse_attribute(metric: &str, objectives: usize, trials: &[FrozenTrial]) -> Result<(), Problem> {
    if objectives > 1 {
        return Err(Problem::new(
            "its objectives",
            format!("they have no names, so that none is `{metric}`"),
        )
        .hint("`study.set_metric_names` of Optuna names them"));
    }
    let is_attribute = trials.iter().any(|trial| trial.record.metrics.contains_key(metric));
    if is_attribute {
        let message = format!("`{metric}` is an attribute of its trials, and not its objective");
        return Err(Problem::new("its objective", message).hint(
            "export it as a table, which can have another objective: `allometry export SOURCE -o trials.csv`",
        ));
    }
    Ok(())
}

/// Names under which programs record the number of weights, the most likely first.
pub(super) const SIZES: [&str; 7] =
    ["weights", "n_params", "num_params", "num_parameters", "n_parameters", "parameters", "params"];

/// Returns the space of a stored study: the recorded one, or the distributions of its trials if all are
/// recorded.
pub fn space_of(study: &StudyRecord, trials: &[FrozenTrial]) -> Option<SearchSpace> {
    study.space.clone().or_else(|| match without_inferred(study, trials) {
        Some(sets) => space_of_sets(trials.iter().zip(&sets)),
        None => recorded_space(trials),
    })
}

/// Copies numbers among the user attributes to the metrics, unless the trial has a metric with this name; one
/// of them may be the model's size.
pub fn take_metrics(trial: &mut FrozenTrial) {
    for (name, text) in &trial.user_attributes {
        if let Some(x) = json::parse(text).ok().as_ref().and_then(json::number) {
            trial.record.metrics.entry(name.clone()).or_insert(x);
        }
    }
    if trial.record.size.is_none() {
        let metrics = &trial.record.metrics;
        let any_case = |size: &&str| metrics.iter().find(|(name, _)| name.eq_ignore_ascii_case(size));
        let recorded = SIZES.iter().find_map(|size| metrics.get(*size).or(any_case(size).map(|(_, x)| x)));
        let total = recorded.and_then(|x| size(*x));
        trial.record.size = total.map(|total| ModelSize { total, non_embedding: total });
    }
}

/// Converts a number to a number of weights.
pub(super) fn size(x: f64) -> Option<u64> {
    (x >= 1.0 && x.fract() == 0.0 && x < 9e15).then_some(x as u64)
}

/// Returns the distributions of each trial without those that an import inferred; `None` if no import
/// inferred any. Trials that shared their distributions share the result.
fn without_inferred(study: &StudyRecord, trials: &[FrozenTrial]) -> Option<Vec<Distributions>> {
    let import = study.attributes.get(IMPORT_KEY)?;
    let import: ImportAttribute = serde_json::from_value(import.clone()).unwrap_or_default();
    let mut latest: Option<(&Distributions, Vec<bool>, Distributions)> = None;
    let mut left = Vec::with_capacity(trials.len());
    for trial in trials {
        let (sets, number) = (&trial.distributions, trial.number.0);
        let kept: Vec<bool> = sets.keys().map(|name| !import.is_inferred(number, name)).collect();
        let alike = latest.as_ref().filter(|(all, of, _)| all.is_shared_with(sets) && *of == kept);
        let of_trial = alike.map_or_else(
            || {
                let kept = sets.iter().zip(&kept).filter(|(_, kept)| **kept);
                kept.map(|((name, set), _)| (name.clone(), set.clone())).collect::<ByName<_>>().into()
            },
            |(.., left)| left.clone(),
        );
        left.push(Distributions::clone(&of_trial));
        latest = Some((sets, kept, of_trial));
    }
    Some(left)
}

/// Returns the distributions of the trials if all of them are recorded; for a parameter whose distribution
/// changed, the latest one.
pub(super) fn recorded_space(trials: &[FrozenTrial]) -> Option<SearchSpace> {
    space_of_sets(trials.iter().map(|trial| (trial, &trial.distributions)))
}

/// Returns the space of trials with the given distributions.
fn space_of_sets<'a>(
    trials: impl Iterator<Item = (&'a FrozenTrial, &'a Distributions)>,
) -> Option<SearchSpace> {
    let mut space = SearchSpace::default();
    let mut latest: Option<&Distributions> = None;
    for (trial, sets) in trials {
        let is_recorded = || trial.params.iter().all(|(name, _)| sets.contains_key(name));
        // A waiting or claimed trial may have values whose distributions the client has not requested yet.
        if !matches!(trial.state, TrialState::Waiting | TrialState::Running) && !is_recorded() {
            return None;
        }
        if latest.is_none_or(|latest| !latest.is_shared_with(sets)) {
            space.0.extend(sets.iter().map(|(name, set)| (name.clone(), set.clone())));
        }
        latest = Some(sets);
    }
    (!space.0.is_empty()).then_some(space)
}
