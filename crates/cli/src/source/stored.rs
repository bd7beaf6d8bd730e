//! Ladders that Allometry ran, read back from their store.

use std::path::Path;

use allometry_analysis::{Baseline, LadderTrials, SizeReach, StudyScores, StudyTrials};
use allometry_core::ladder::Ladder;
use allometry_core::trial::incumbent;
use allometry_core::{ClassCounts, SizeBudget};
use allometry_store::{SqliteStore, Store, StudyRecord};
use serde::Deserialize;
use serde_json::Value;

use crate::command::read_ladder;
use crate::error::CliError;

/// The storage of a ladder: the command line's (or the environment's), the file's, `OPTUNA_STORAGE`, or `trials.db` beside the
/// file. Relative paths of the file are relative to its folder.
pub(crate) fn storage_url(ladder: &Ladder, given: Option<&str>, file: &Path) -> String {
    if let Some(url) = given {
        return url.into();
    }
    let inherited = std::env::var("OPTUNA_STORAGE").ok();
    let folder = file.parent().unwrap_or(Path::new(""));
    match (&ladder.storage, inherited) {
        (Some(url), _) => match url.strip_prefix("sqlite:///") {
            Some(path) => format!("sqlite:///{}", folder.join(path).display()),
            None => url.clone(),
        },
        (None, Some(url)) => url,
        (None, None) => format!("sqlite:///{}", folder.join("trials.db").display()),
    }
}

/// The trials of a ladder file's storage.
///
/// # Errors
/// [`CliError`] where the file, the storage or the ladder's studies are not there.
pub(super) fn ladder_of_file(path: &Path) -> Result<LadderTrials, CliError> {
    let ladder = read_ladder(path, &[])?;
    let url = storage_url(&ladder, None, path);
    ladder_of_store(&SqliteStore::open_read_only(&url)?, Some(&ladder.name), &url)
}

/// The trials of the one ladder of a storage.
///
/// # Errors
/// [`CliError`] where the storage cannot be read or does not hold exactly one ladder.
pub(super) fn ladder_of_url(url: &str) -> Result<LadderTrials, CliError> {
    ladder_of_store(&SqliteStore::open_read_only(url)?, None, url)
}

/// What a study says of its ladder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct LadderAttribute {
    name: String,
    tag: Option<String>,
    position: usize,
}

#[derive(Deserialize)]
struct BaselineAttribute {
    name: String,
    description: String,
    value: f64,
    metrics: std::collections::BTreeMap<String, f64>,
}

/// The trials of the ladder `name`, or of the only one, in the order of its file.
///
/// # Errors
/// [`CliError::NotFound`] where there is no such ladder or several; [`CliError::Store`].
pub(crate) fn ladder_of_store(
    store: &dyn Store,
    name: Option<&str>,
    url: &str,
) -> Result<LadderTrials, CliError> {
    let mut studies: Vec<(LadderAttribute, StudyRecord)> = store
        .studies()?
        .into_iter()
        .filter_map(|study| Some((attribute::<LadderAttribute>(&study, "ladder")?, study)))
        .filter(|(ladder, _)| name.is_none_or(|name| ladder.name == name))
        .collect();
    studies.sort_by_key(|(ladder, _)| ladder.position);
    let mut names: Vec<&str> = studies.iter().map(|(ladder, _)| ladder.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let (first, _) = match names.as_slice() {
        [_] => studies[0].clone(),
        [] => {
            return Err(CliError::NotFound {
                message: format!(
                    "{url} holds no trials of {}",
                    name.map_or("a ladder".into(), |n| format!("ladder `{n}`"))
                ),
                hint: Some("run the ladder first; studies of Optuna are named as LABEL=FILE:STUDY".into()),
            });
        }
        several => {
            return Err(CliError::NotFound {
                message: format!("{url} holds several ladders: {}", several.join(", ")),
                hint: Some("give the ladder's file, or name each study as LABEL=FILE:STUDY".into()),
            });
        }
    };
    let any = &studies[0].1;
    let rows: Option<ClassCounts> = attribute(any, "validation");
    let baselines: Vec<BaselineAttribute> = attribute(any, "baselines").unwrap_or_default();
    let direction = any.direction;
    let studies = studies
        .into_iter()
        .map(|(_, study)| read_study(store, study, url))
        .collect::<Result<Vec<StudyTrials>, CliError>>()?;
    Ok(LadderTrials {
        name: Some(first.name),
        tag: first.tag,
        metric: "AUC".into(),
        direction,
        rows: rows.filter(|c| c.positives > 0 && c.negatives > 0),
        baselines: baselines
            .into_iter()
            .map(|b| Baseline {
                name: b.name,
                description: b.description,
                value: b.value,
                metrics: b.metrics,
            })
            .collect(),
        studies,
    })
}

fn read_study(store: &dyn Store, study: StudyRecord, url: &str) -> Result<StudyTrials, CliError> {
    let trials = store.trials(study.id)?;
    let mut scores = StudyScores::default();
    for trial in trials.iter().filter(|trial| trial.complete_value().is_some()) {
        if let Some(stored) = store.scores(study.id, trial.number)? {
            scores.insert(trial.number, stored);
        }
    }
    Ok(StudyTrials {
        budget: attribute::<SizeBudget>(&study, "budget").unwrap_or_else(|| SizeBudget::nominal(&study.name)),
        source: format!("{url}:{}", study.name),
        best_params: incumbent(&trials, study.direction).map(|t| t.params.clone()),
        trials,
        reach: attribute::<SizeReach>(&study, "reach"),
        scores,
        space: study.space,
    })
}

fn attribute<T: serde::de::DeserializeOwned>(study: &StudyRecord, key: &str) -> Option<T> {
    study.attributes.get(key).cloned().and_then(|value: Value| serde_json::from_value(value).ok())
}
