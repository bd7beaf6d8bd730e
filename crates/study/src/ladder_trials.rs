//! Reads ladders back from their store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use allometry_analysis::plan::Looks;
use allometry_analysis::{
    Baseline, Eras, LadderTrials, Panel, RetrainedTrials, RowOrder, StudyTrials, Training,
};
use allometry_core::{
    Direction, FrozenTrial, MetricSpec, Metrics, Secret, Shared, SizeBudget, TrialState, incumbent,
};
use allometry_ladder::{Ladder, ObjectiveSpec, Task};
use allometry_store::facts::{
    BaselineFacts, Experiment, ExperimentStudy, ObjectiveFacts, PlannedLook, StudyFacts,
};
use allometry_store::import::space_of;
use allometry_store::{Store, StoreError, StoredStudy, StudyRecord, open_read_only, url};

use crate::StudyError;
use crate::ladder_file::read as read_ladder;

/// Returns the storage of a ladder: that of the command line or the environment, else of the file, else of
/// `OPTUNA_STORAGE`, else `trials.db` beside the file. Relative paths in the file are relative to its
/// folder.
pub fn storage_url(ladder: &Ladder, given: Option<&Secret>, file: &Path) -> Secret {
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

/// Reads the trials of a ladder file's storage.
///
/// # Errors
/// [`StudyError`] where the file, the storage or the studies are missing.
pub(crate) fn of_file(path: &Path) -> Result<LadderTrials, StudyError> {
    let ladder = read_ladder(path, &[])?;
    let url = storage_url(&ladder, None, path);
    Ok(trials_of(&ladder, &*open_read_only(url.expose())?, &url)?.of_file(path))
}

/// Reads the trials of a ladder in a store, with the smallest effect of its file, or else of its last run.
///
/// # Errors
/// Those of [`ladder_of_store`].
pub fn trials_of(ladder: &Ladder, store: &dyn Store, url: &Secret) -> Result<LadderTrials, StudyError> {
    let trials = ladder_of_store(store, Some(&ladder.name), url)?;
    Ok(LadderTrials {
        smallest_effect: ladder.smallest_effect.or(trials.smallest_effect),
        can_confirm: scores_test_rows(ladder),
        ..trials
    })
}

/// Reads the trials of the only ladder of a storage.
///
/// # Errors
/// [`StudyError`] where the storage cannot be read or does not hold exactly one ladder.
pub(crate) fn of_url(url: &Secret) -> Result<LadderTrials, StudyError> {
    ladder_of_store(&*open_read_only(url.expose())?, None, url)
}

/// Reads the trials of the ladder `name`, or of the only ladder, in the order of its file.
///
/// # Errors
/// [`StudyError::NotFound`] where there is no such ladder, or several; [`StudyError::Store`] where a study
/// cannot be read.
pub fn ladder_of_store(
    store: &dyn Store,
    name: Option<&str>,
    url: &Secret,
) -> Result<LadderTrials, StudyError> {
    let records = store.studies()?;
    let names: BTreeSet<String> = records
        .iter()
        .filter_map(|study| Some(study.facts.ladder.as_ref()?.name.clone()))
        .filter(|found| name.is_none_or(|name| found == name))
        .collect();
    let mut names = names.into_iter();
    let only = match (names.next(), names.next()) {
        (Some(only), None) => only,
        (None, _) => {
            return Err(StudyError::NotFound {
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
            return Err(StudyError::NotFound {
                message: format!("{} holds several ladders: {}", url.shown(), all.join(", ")),
                hint: Some("give the ladder's file, or name each study as LABEL=FILE:STUDY".into()),
            });
        }
    };
    let is_of_it = |study: &StudyRecord| study.facts.ladder_name() == Some(&only);
    let studies: Vec<StudyRecord> = records.into_iter().filter(is_of_it).collect();
    studies.iter().try_for_each(|study| study.check_readable(&url.shown()))?;
    let studies = studies
        .into_iter()
        .map(|study| StoredStudy::read(store, study))
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(ladder(studies, &url.shown()))
}

/// Whether a study belongs to a ladder.
pub(crate) fn is_of_ladder(study: &StudyRecord) -> bool {
    study.facts.ladder_name().is_some()
}

/// Converts the studies of a ladder to its trials, in the order of its file, and the studies of its
/// experiments to retrained trials. A study without a ladder counts as a ladder of its own. `url` is the
/// storage for messages.
///
/// # Panics
/// If `studies` is empty.
pub fn ladder(studies: Vec<StoredStudy>, url: &str) -> LadderTrials {
    let (experiments, studies): (Vec<_>, Vec<_>) =
        studies.into_iter().partition(|study| study.record.facts.experiment.is_some());
    if studies.is_empty() {
        return ladder_of_budgets(experiments, url);
    }
    let mut ladder = ladder_of_budgets(studies, url);
    for study in experiments {
        let Some((experiment, ExperimentStudy { budget, plan, looks, .. })) = study.record.facts.experiment
        else {
            continue;
        };
        let retrained = RetrainedTrials {
            budget,
            plan,
            trials: study.trials.into_inner(),
            predictions: study.predictions.into_iter().collect(),
        };
        match experiment {
            Experiment::Transfer => ladder.transfers.push(retrained),
            Experiment::Confirm => {
                ladder.looks = looks.map(|look| due(look, ladder.looks)).or(ladder.looks);
                ladder.confirmations.push(retrained);
            }
        }
    }
    ladder
}

/// Returns the look of a ladder whose budgets so far have `others`. While a run writes the next look, its
/// budgets have different ones; the later look is then due.
fn due(look: PlannedLook, others: Option<Looks>) -> Looks {
    let PlannedLook { look, of, trainings, is_trained } = look;
    let own = Looks { look, of, trainings, is_trained };
    match others {
        Some(other) if other.look > own.look => other,
        Some(other) if other.look == own.look => {
            Looks { is_trained: own.is_trained && other.is_trained, ..own }
        }
        _ => own,
    }
}

/// Whether `allometry confirm` can train the best configurations again. A program must be said to score test
/// rows.
fn can_confirm(facts: &StudyFacts) -> bool {
    let file = facts.ladder_file.as_ref();
    match file.and_then(|file| file.read(&file.path(None), &[]).ok()) {
        Some(ladder) => scores_test_rows(&ladder),
        None => !matches!(facts.objective, Some(ObjectiveFacts::Command(_))),
    }
}

fn scores_test_rows(ladder: &Ladder) -> bool {
    match &ladder.objective {
        ObjectiveSpec::Command(command) => command.test_part,
        ObjectiveSpec::Model { .. } => true,
    }
}

fn ladder_of_budgets(mut studies: Vec<StoredStudy>, url: &str) -> LadderTrials {
    let place = |study: &StoredStudy| study.record.facts.ladder.as_ref().map_or(0, |place| place.position);
    studies.sort_by_key(place);
    let first = studies.first().expect("a ladder has studies");
    let facts = &first.record.facts;
    let ladder = facts.ladder.as_ref();
    let baselines = facts.baselines.iter().filter_map(|baseline| {
        let BaselineFacts { name, description, value, metrics } = baseline.clone();
        Some(Baseline { name, description, value: value?, metrics })
    });
    let of_first = LadderTrials {
        name: ladder.is_some().then(|| ladder_name(&first.record)),
        can_confirm: ladder.is_some() && can_confirm(facts),
        training: training(&first.record),
        metrics: metrics(&first.record),
        tag: ladder.and_then(|ladder| ladder.tag.clone()),
        rows: facts.validation.filter(|c| c.positives > 0 && c.negatives > 0),
        horizon: facts.objective.as_ref().map_or(1, ObjectiveFacts::horizon),
        row_order: row_order(&first.record),
        panel: panel(facts),
        eras: eras(facts),
        smallest_effect: facts.smallest_effect,
        baselines: baselines.collect(),
        ..LadderTrials::new(Vec::new())
    };
    let studies = studies.into_iter().map(|study| of_stored(study, url));
    let (parts, studies): (Vec<_>, Vec<_>) = studies.partition(|study| study.budget.train.is_some());
    let (parts, studies) = if studies.is_empty() { (studies, parts) } else { (parts, studies) };
    LadderTrials { studies, parts, ..of_first }
}

/// Returns what `allometry train` repeats a study's trials with; `None` for a study without a ladder.
pub fn training(study: &StudyRecord) -> Option<Training> {
    study.facts.ladder.as_ref()?;
    Some(match study.facts.objective.as_ref()? {
        ObjectiveFacts::Model(_) => Training::Model,
        ObjectiveFacts::Command(_) => Training::Program,
    })
}

/// Returns the name of a study's metric as reports write it.
pub fn metric(study: &StudyRecord) -> String {
    let facts = &study.facts;
    let is_of_ladder = facts.ladder.is_some();
    match &facts.objective {
        Some(ObjectiveFacts::Command(command)) if command.metric.eq_ignore_ascii_case("auc") => "AUC".into(),
        Some(ObjectiveFacts::Command(command)) => command.metric.clone(),
        Some(ObjectiveFacts::Model(facts)) if is_of_ladder && facts.model.task == Task::Regression => {
            "R2".into()
        }
        _ if is_of_ladder => "AUC".into(),
        _ => {
            study.metric_names().and_then(|names| names.into_iter().next()).unwrap_or_else(|| "value".into())
        }
    }
}

/// Returns how a study's predictions are ordered in time. The built-in model stores its windows in time
/// order; their row numbers refer to the file, whose lines may be in any order.
fn row_order(study: &StudyRecord) -> RowOrder {
    match study.facts.objective {
        Some(ObjectiveFacts::Model(_)) => RowOrder::Stored,
        _ => RowOrder::RowNumbers,
    }
}

/// Returns the series and the time of each scored row of a table with several series. Where they are not
/// stored, no row is known, so that predictions give no error: one for rows of one series would be too small.
fn panel(facts: &StudyFacts) -> Option<Panel> {
    let stored = facts.panel.as_ref().map(|panel| Panel::new(panel.series.clone(), panel.rows()));
    let has_series = match &facts.objective {
        Some(ObjectiveFacts::Model(model)) => model.data.series.is_some(),
        _ => false,
    };
    stored.or_else(|| has_series.then(Panel::default))
}

/// Returns the eras of walk-forward folds with the rows of each. Where they are not stored, predictions give
/// no error: a value is then not the metric of all rows.
fn eras(facts: &StudyFacts) -> Option<Eras> {
    let stored = facts.folds.as_ref().map(|folds| {
        let times = folds.spans().map(|span| (span.first.clone(), span.last.clone()));
        Eras::new(times, folds.rows())
    });
    stored.or_else(|| facts.has_folds().then(Eras::default))
}

/// Returns the objectives of a study, the first one with its name in reports.
fn metrics(study: &StudyRecord) -> Metrics {
    let names = study.metric_names();
    let named = |(place, direction): (usize, &Direction)| {
        let name = names.as_ref().map_or_else(|| format!("value {place}"), |names| names[place].clone());
        MetricSpec { name, direction: *direction }
    };
    let later = study.directions.iter().enumerate().skip(1).map(named);
    Metrics::one(metric(study), study.direction()).with(later)
}

/// Returns the name of a study's ladder, or its own name if it belongs to none.
pub fn ladder_name(study: &StudyRecord) -> String {
    study.facts.ladder_name().unwrap_or(&study.name).to_owned()
}

fn of_stored(study: StoredStudy, url: &str) -> StudyTrials {
    let StoredStudy { record, trials, predictions, .. } = study;
    let space = space_of(&record, &trials);
    let best_params = incumbent(&trials, record.direction()).map(|trial| trial.params.clone());
    let trials = if record.facts.has_folds() { with_all_folds(trials) } else { trials };
    let facts = record.facts;
    StudyTrials {
        budget: facts.budget.unwrap_or_else(|| SizeBudget::nominal(&record.name)),
        source: format!("{url}:{}", record.name),
        best_params,
        trials,
        reach: facts.reach,
        ended: facts.ended,
        sampler: facts.sampler.map(|spec| spec.kind),
        carried_over: facts.carried_over,
        limits: facts.limits,
        predictions: predictions.into_iter().collect(),
        space,
    }
}

/// Returns trials of folds in which those that were stopped early have the value that their folds say: the
/// mean over all folds of the complete trials' values, plus how much the trial's own folds differ from these.
/// The value of its last fold alone says more about the fold than about the trial.
fn with_all_folds(trials: Shared<Vec<FrozenTrial>>) -> Shared<Vec<FrozenTrial>> {
    let mut sums: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| trial.state == TrialState::Complete) {
        for (fold, value) in trial.intermediate.iter().filter(|(_, value)| value.is_finite()) {
            let (sum, count) = sums.entry(*fold).or_default();
            (*sum, *count) = (*sum + value, *count + 1.0);
        }
    }
    let levels: BTreeMap<i64, f64> =
        sums.into_iter().map(|(fold, (sum, count))| (fold, sum / count)).collect();
    let level = levels.values().sum::<f64>() / levels.len().max(1) as f64;
    let is_stopped =
        |trial: &FrozenTrial| trial.state == TrialState::Pruned && !trial.intermediate.is_empty();
    if !trials.iter().any(is_stopped) {
        return trials;
    }
    let mut trials = trials.into_inner();
    for trial in trials.iter_mut().filter(|trial| is_stopped(trial)) {
        let own =
            || trial.intermediate.iter().map(|(fold, value)| value - levels.get(fold).unwrap_or(&level));
        let count = trial.intermediate.len() as f64;
        trial.values = vec![level + own().sum::<f64>() / count];
    }
    trials.into()
}

#[cfg(test)]
mod tests;
