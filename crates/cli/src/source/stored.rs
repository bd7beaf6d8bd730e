//! Ladders that Allometry ran, read back from their store.

use std::collections::BTreeSet;
use std::path::Path;

use allometry_analysis::{Baseline, LadderTrials, RetrainedTrials, RowOrder, SizeReach, StudyTrials};
use allometry_core::ladder::{Ladder, MetricSpec, SamplerSpec};
use allometry_core::sampler::CarriedOver;
use allometry_core::trial::incumbent;
use allometry_core::{ClassCounts, Direction, Secret, SizeBudget, StopReason};
use allometry_runner::{Experiment, ExperimentStudy};
use allometry_store::import::space_of;
use allometry_store::{Store, StoreError, StoredStudy, StudyRecord, open_read_only, url};
use serde::Deserialize;
use serde_json::Value;

use crate::command::read_ladder;
use crate::error::CliError;

/// The storage of a ladder: the command line's (or the environment's), the file's, `OPTUNA_STORAGE`, or `trials.db` beside the
/// file. Relative paths of the file are relative to its folder.
pub(crate) fn storage_url(ladder: &Ladder, given: Option<&Secret>, file: &Path) -> Secret {
    if let Some(url) = given {
        return url.clone();
    }
    let inherited = std::env::var("OPTUNA_STORAGE").ok();
    let folder = file.parent().unwrap_or(Path::new(""));
    match (&ladder.storage, inherited) {
        (Some(url), _) => match url.expose().strip_prefix("sqlite:///") {
            Some(path) => url::of_sqlite(&folder.join(path)).into(),
            None => url.clone(),
        },
        (None, Some(url)) => url.into(),
        (None, None) => url::of_sqlite(&folder.join("trials.db")).into(),
    }
}

/// The trials of a ladder file's storage.
///
/// # Errors
/// [`CliError`] where the file, the storage or the ladder's studies are not there.
pub(super) fn ladder_of_file(path: &Path) -> Result<LadderTrials, CliError> {
    let ladder = read_ladder(path, &[])?;
    let url = storage_url(&ladder, None, path);
    trials_of(&ladder, &*open_read_only(url.expose())?, &url)
}

/// The trials of a ladder in a store, with the smallest effect of its file; that of its last run where the file names none.
///
/// # Errors
/// As [`ladder_of_store`].
pub(crate) fn trials_of(ladder: &Ladder, store: &dyn Store, url: &Secret) -> Result<LadderTrials, CliError> {
    let trials = ladder_of_store(store, Some(&ladder.name), url)?;
    Ok(LadderTrials { smallest_effect: ladder.smallest_effect.or(trials.smallest_effect), ..trials })
}

/// The trials of the one ladder of a storage.
///
/// # Errors
/// [`CliError`] where the storage cannot be read or does not hold exactly one ladder.
pub(super) fn ladder_of_url(url: &Secret) -> Result<LadderTrials, CliError> {
    ladder_of_store(&*open_read_only(url.expose())?, None, url)
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
    url: &Secret,
) -> Result<LadderTrials, CliError> {
    let records = store.studies()?;
    let names: BTreeSet<String> = records
        .iter()
        .filter_map(|study| Some(attribute::<LadderAttribute>(study, "ladder")?.name))
        .filter(|found| name.is_none_or(|name| found == name))
        .collect();
    let mut names = names.into_iter();
    let only = match (names.next(), names.next()) {
        (Some(only), None) => only,
        (None, _) => {
            return Err(CliError::NotFound {
                message: format!(
                    "{} holds no trials of {}",
                    url.shown(),
                    name.map_or("a ladder".into(), |n| format!("ladder `{n}`"))
                ),
                hint: Some("run the ladder first; studies of Optuna are named as LABEL=FILE:STUDY".into()),
            });
        }
        (Some(first), Some(second)) => {
            let all: Vec<String> = [first, second].into_iter().chain(names).collect();
            return Err(CliError::NotFound {
                message: format!("{} holds several ladders: {}", url.shown(), all.join(", ")),
                hint: Some("give the ladder's file, or name each study as LABEL=FILE:STUDY".into()),
            });
        }
    };
    let of_ladder = |study: &StudyRecord| {
        attribute::<LadderAttribute>(study, "ladder").is_some_and(|ladder| ladder.name == only)
    };
    let of_experiment =
        |study: &StudyRecord| experiment_of(study).is_some_and(|(_, said)| said.ladder == only);
    let studies = records.into_iter().filter(|study| of_ladder(study) || of_experiment(study));
    let studies =
        studies.map(|study| StoredStudy::read(store, study)).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(ladder(studies, &url.shown()))
}

/// Whether a study belongs to a ladder.
pub(super) fn is_of_ladder(study: &StudyRecord) -> bool {
    attribute::<LadderAttribute>(study, "ladder").is_some() || experiment_of(study).is_some()
}

/// What a study says that belongs to no budget, but trains anew what budgets found.
fn experiment_of(study: &StudyRecord) -> Option<(Experiment, ExperimentStudy)> {
    [Experiment::Transfer, Experiment::Confirm]
        .into_iter()
        .find_map(|experiment| Some((experiment, attribute(study, experiment.key())?)))
}

/// One ladder of its studies, which lie in the storage that is shown as `url`, in the order of its file, with what its budgets trained anew; a study that belongs to
/// none is a ladder by itself.
///
/// # Panics
/// Without a study.
pub(crate) fn ladder(studies: Vec<StoredStudy>, url: &str) -> LadderTrials {
    let (experiments, studies): (Vec<_>, Vec<_>) =
        studies.into_iter().partition(|study| experiment_of(&study.record).is_some());
    if studies.is_empty() {
        return ladder_of_budgets(experiments, url);
    }
    let mut ladder = ladder_of_budgets(studies, url);
    for study in experiments {
        let Some((experiment, ExperimentStudy { budget, plan, .. })) = experiment_of(&study.record) else {
            continue;
        };
        let retrained = RetrainedTrials {
            budget,
            plan,
            trials: study.trials.into_inner(),
            scores: study.scores.into_iter().collect(),
            outputs: study.outputs.into_iter().collect(),
        };
        match experiment {
            Experiment::Transfer => ladder.transfers.push(retrained),
            Experiment::Confirm => ladder.confirmations.push(retrained),
        }
    }
    ladder
}

fn ladder_of_budgets(mut studies: Vec<StoredStudy>, url: &str) -> LadderTrials {
    let place = |study: &StoredStudy| attribute::<LadderAttribute>(&study.record, "ladder");
    studies.sort_by_key(|study| place(study).map_or(0, |ladder| ladder.position));
    let first = studies.first().expect("a ladder has studies");
    let ladder = place(first);
    let rows: Option<ClassCounts> = attribute(&first.record, "validation");
    let baselines: Vec<BaselineAttribute> = attribute(&first.record, "baselines").unwrap_or_default();
    LadderTrials {
        name: ladder.is_some().then(|| ladder_name(&first.record)),
        can_confirm: ladder.is_some(),
        metric: metric(&first.record),
        tag: ladder.and_then(|ladder| ladder.tag),
        direction: first.record.direction,
        further: further(&first.record),
        rows: rows.filter(|c| c.positives > 0 && c.negatives > 0),
        horizon: horizon(&first.record),
        row_order: row_order(&first.record),
        smallest_effect: attribute(&first.record, "smallest_effect"),
        baselines: baselines
            .into_iter()
            .map(|b| Baseline {
                name: b.name,
                description: b.description,
                value: b.value,
                metrics: b.metrics,
            })
            .collect(),
        ..LadderTrials::new(studies.into_iter().map(|study| of_stored(study, url)).collect())
    }
}

/// The metric of a study as reports write it.
pub(crate) fn metric(study: &StudyRecord) -> String {
    let of_ladder = attribute::<LadderAttribute>(study, "ladder").is_some();
    let objective = study.attributes.get("objective");
    let named = objective.filter(|objective| objective.get("command").is_some());
    if let Some(metric) = named.and_then(|objective| objective.get("metric")).and_then(Value::as_str) {
        return if metric.eq_ignore_ascii_case("auc") { "AUC".into() } else { metric.into() };
    }
    let task = objective.and_then(|objective| objective.pointer("/model/task"));
    match (of_ladder, task.and_then(Value::as_str)) {
        (false, _) => {
            study.metric_names().and_then(|names| names.into_iter().next()).unwrap_or_else(|| "value".into())
        }
        (true, Some("regression")) => "R2".into(),
        (true, _) => "AUC".into(),
    }
}

/// Rows ahead that the labels of a study look; 1 where nothing says it.
fn horizon(study: &StudyRecord) -> u64 {
    let objective = study.attributes.get("objective");
    let said = ["/data/horizon", "/data/label/horizon", "/horizon"]
        .into_iter()
        .find_map(|place| objective?.pointer(place)?.as_u64());
    said.unwrap_or(1).max(1)
}

/// What orders the predictions of a study in time. The built-in model's windows are stored in time order: that of the time column, or
/// of the file where there is none. Their row numbers are those of the file, whose lines may be in any order.
fn row_order(study: &StudyRecord) -> RowOrder {
    let is_built_in =
        study.attributes.get("objective").is_some_and(|objective| objective.get("model").is_some());
    if is_built_in { RowOrder::Stored } else { RowOrder::RowNumbers }
}

/// The objectives of a study after the first.
fn further(study: &StudyRecord) -> Vec<MetricSpec> {
    let names = study.metric_names();
    let named = |(place, direction): (usize, &Direction)| {
        let name = names.as_ref().map_or_else(|| format!("value {place}"), |names| names[place].clone());
        MetricSpec { name, direction: *direction }
    };
    (1..).zip(&study.further).map(named).collect()
}

/// Name of the ladder that a study is of; its own where it belongs to none.
pub(crate) fn ladder_name(study: &StudyRecord) -> String {
    let ladder = attribute::<LadderAttribute>(study, "ladder").map(|ladder| ladder.name);
    let ladder = ladder.or_else(|| experiment_of(study).map(|(_, said)| said.ladder));
    ladder.unwrap_or_else(|| study.name.clone())
}

fn of_stored(study: StoredStudy, url: &str) -> StudyTrials {
    let StoredStudy { record, trials, scores, outputs, .. } = study;
    let space = space_of(&record, &trials);
    StudyTrials {
        budget: attribute::<SizeBudget>(&record, "budget")
            .unwrap_or_else(|| SizeBudget::nominal(&record.name)),
        source: format!("{url}:{}", record.name),
        best_params: incumbent(&trials, record.direction).map(|t| t.params.clone()),
        trials,
        reach: attribute::<SizeReach>(&record, "reach"),
        ended: attribute::<StopReason>(&record, "ended"),
        sampler: attribute::<SamplerSpec>(&record, "sampler").map(|spec| spec.kind),
        carried_over: attribute::<CarriedOver>(&record, "carried_over"),
        limits: attribute::<Vec<String>>(&record, "limits").unwrap_or_default(),
        scores: scores.into_iter().collect(),
        outputs: outputs.into_iter().collect(),
        space,
    }
}

/// An attribute of our own, where it is there and reads as a `T`.
pub(crate) fn attribute<T: serde::de::DeserializeOwned>(study: &StudyRecord, key: &str) -> Option<T> {
    study.attributes.get(key).cloned().and_then(|value: Value| serde_json::from_value(value).ok())
}

#[cfg(test)]
mod tests;
