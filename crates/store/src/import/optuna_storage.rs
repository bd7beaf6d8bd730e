//! A study of an Optuna storage, which is only read.

use std::path::Path;

use allometry_core::{FrozenTrial, SearchSpace};

use crate::json;
use crate::location::Location;
use crate::sqlite::SqliteStore;
use crate::store::Store;

use super::{ImportError, ImportedStudy};

/// Reads the study `name`, or the only one.
pub(super) fn read(path: &Path, name: Option<&str>) -> Result<ImportedStudy, ImportError> {
    read_store(&SqliteStore::open_read_only_file(path)?, &path.into(), name)
}

/// Reads the study `name` of a store, or the only one.
pub(super) fn read_store(
    store: &dyn Store,
    location: &Location,
    name: Option<&str>,
) -> Result<ImportedStudy, ImportError> {
    let location = location.clone();
    let studies = store.studies()?;
    let found = match name {
        Some(name) => studies.iter().find(|s| s.name == name),
        None if studies.len() == 1 => studies.first(),
        None => None,
    };
    let Some(study) = found else {
        let why = match (name, studies.len()) {
            (Some(name), _) => format!("no study `{name}`"),
            (None, 0) => "no study".into(),
            (None, n) => format!("{n} studies"),
        };
        let studies = studies.into_iter().map(|s| s.name).collect();
        return Err(ImportError::WhichStudy { location, why, studies });
    };
    let mut trials = store.trials(study.id)?;
    trials.iter_mut().for_each(take_metrics);
    if trials.is_empty() {
        return Err(ImportError::NoTrials { location });
    }
    let space = study.space.clone().or_else(|| recorded_space(&trials));
    let best = allometry_core::trial::incumbent(&trials, study.direction);
    Ok(ImportedStudy {
        name: Some(study.name.clone()),
        direction: study.direction,
        objectives: 1 + study.further.len(),
        further: study.further.clone(),
        metric_names: study.metric_names(),
        best_params: best.map(|t| t.params.clone()),
        space,
        trials,
    })
}

/// Numbers among the user attributes are metrics, unless the trial has one of that name.
fn take_metrics(trial: &mut FrozenTrial) {
    for (name, text) in &trial.user_attributes {
        if let Some(x) = json::parse(text).ok().as_ref().and_then(json::number) {
            trial.record.metrics.entry(name.clone()).or_insert(x);
        }
    }
}

/// The sets that the trials' values were drawn from; a parameter whose set changed has its latest.
fn recorded_space(trials: &[FrozenTrial]) -> Option<SearchSpace> {
    let mut space = SearchSpace::default();
    for (name, set) in trials.iter().flat_map(|t| &t.distributions) {
        space.0.insert(name.clone(), set.clone());
    }
    (!space.0.is_empty()).then_some(space)
}
