//! Reader of Ray Tune experiments: a folder per trial, with its results as JSON lines.

mod results;
mod status;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::Problem;
use super::{ImportError, Table, has_ending};
use crate::location::Location;
use results::{Files, Trial};
use status::Statuses;

/// Files of a trial; a folder with any of them is a trial.
const OF_TRIALS: [&str; 4] = ["result.json", "params.json", "progress.csv", "error.txt"];

/// Whether a path is the folder of an experiment.
pub fn is_experiment(path: &Path) -> bool {
    path.is_dir() && trial_folders(path).is_ok_and(|folders| !folders.is_empty())
}

/// Returns the trials of an experiment. Their values are those of `metric`, or of the only metric that they
/// report.
pub(super) fn read(path: &Path, metric: Option<&str>) -> Result<Table, ImportError> {
    let unreadable = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ImportError::Read { path, source }
    };
    let statuses = statuses(path)?;
    let mut trials: Vec<Trial> = Vec::new();
    for folder in trial_folders(path).map_err(unreadable(path))? {
        let mut files = Files::default();
        for (name, text) in [
            ("result.json", &mut files.results),
            ("progress.csv", &mut files.progress),
            ("params.json", &mut files.params),
            ("error.txt", &mut files.error),
        ] {
            *text = read_text(&folder.join(name))?;
        }
        let trial = Trial::read(&files);
        let trial = trial.map_err(|(name, problem)| problem.in_file(&folder.join(name)))?;
        trials.push(trial.of_folder(&folder.file_name().unwrap_or_default().to_string_lossy()));
    }
    let metric = which_metric(&trials, metric, path)?;
    trials.sort_by_cached_key(Trial::order);
    let frozen = (0..).zip(&trials).map(|(number, trial)| {
        let status = trial.id.as_ref().and_then(|id| statuses.of(id));
        trial.frozen(number, &metric, status)
    });
    let trials = frozen.collect();
    Ok(Table { metrics: vec![metric], trials, ..Table::default() })
}

/// Returns the wanted metric if any trial has it, or the only one.
fn which_metric(trials: &[Trial], wanted: Option<&str>, path: &Path) -> Result<String, ImportError> {
    let metrics = results::metrics(trials);
    match (wanted, &*metrics) {
        (Some(wanted), known) if known.iter().any(|known| known == wanted) => Ok(wanted.into()),
        (None, [only]) => Ok(only.clone()),
        // If all trials failed before their first result, any metric will do.
        (wanted, []) => Ok(wanted.unwrap_or("value").into()),
        (wanted, _) => Err(ImportError::WhichMetric {
            location: Location::from(path),
            wanted: wanted.map(Into::into),
            metrics,
        }),
    }
}

/// Returns the folders of trials, sorted by name.
fn trial_folders(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path)? {
        let folder = entry?.path();
        if OF_TRIALS.iter().any(|name| folder.join(name).is_file()) {
            folders.push(folder);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Returns the newest record of the trials' states; Ray writes a new one each time the experiment starts.
fn statuses(path: &Path) -> Result<Statuses, ImportError> {
    let entries = fs::read_dir(path).map_err(|source| ImportError::Read { path: path.into(), source })?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_state = |name: &String| name.starts_with("experiment_state") && has_ending(name.as_ref(), "json");
    let newest = names.filter(is_state).max();
    let Some(newest) = newest.map(|name| path.join(name)) else { return Ok(Statuses::default()) };
    let text = read_text(&newest)?.unwrap_or_default();
    Statuses::parse(&text).map_err(|problem: Problem| problem.in_file(&newest))
}

/// Returns the text of a file; `None` if the file does not exist. Bytes that are not UTF-8 become U+FFFD.
fn read_text(path: &Path) -> Result<Option<String>, ImportError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ImportError::Read { path: path.into(), source }),
    }
}
