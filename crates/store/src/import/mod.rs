//! Import of trials that other programs recorded: Optuna's databases, journals and `all_trials.json`, and
//! tables of trials.

mod best_params;
mod columns;
mod csv;
mod directions;
mod empty_params;
mod ends;
mod error;
mod field;
mod flat;
mod infeasible;
mod inferred;
mod iterations;
mod journal;
mod json;
mod leading;
mod literal;
mod names;
mod note;
mod numbers;
mod optuna_storage;
mod pandas;
mod ray;
mod roles;
mod text;
mod to_store;
mod typing;
mod wandb;

use std::path::{Path, PathBuf};

use allometry_core::{Direction, FrozenTrial, Params, SearchSpace};

pub use directions::GivenDirections;
pub use error::ImportError;
pub(crate) use inferred::{IMPORT_KEY, ImportAttribute};
pub use note::Note;
pub use numbers::{number_hint, read_numbers};
pub use optuna_storage::{space_of, take_metrics};
pub use ray::is_experiment;
pub use roles::Roles;
pub(crate) use to_store::template;
pub use to_store::{Assumed, Imported, read_all, read_all_of_storage};

pub(crate) use csv::{attribute_json, param_value};

use self::error::Problem;
use crate::from_rows::take_fixed_params;
use crate::location::Location;
use crate::sqlite::is_database;
use crate::yaml;

/// A study of another program.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedStudy {
    /// Name, if the source has one.
    pub name: Option<String>,
    /// Number of objectives.
    pub objectives: usize,
    /// Direction of each objective, or of the first alone; empty if the source does not record them.
    pub directions: Vec<Direction>,
    /// Names of the objectives in order; empty if the source does not have any.
    pub metric_names: Vec<String>,
    /// Trials by number.
    pub trials: Vec<FrozenTrial>,
    /// Best configuration from the file of best parameters, in its order.
    pub best_params: Option<Params>,
    /// Search space, if recorded.
    pub space: Option<SearchSpace>,
    /// Guesses, and data that were left out.
    pub notes: Vec<Note>,
}

/// Trials of a file without other data of their study.
#[derive(Debug, Default)]
struct Table {
    /// Direction of each objective; empty if the file does not record them.
    directions: Vec<Direction>,
    /// Names of the objectives in order, up to the first one without a name.
    metrics: Vec<String>,
    trials: Vec<FrozenTrial>,
    notes: Vec<Note>,
}

impl Table {
    /// Moves the objective with this name to the front.
    ///
    /// # Errors
    /// [`Problem`] where the objectives have names and none is this one.
    fn lead_with(&mut self, metric: &str) -> Result<(), Problem> {
        leading::lead_with(metric, &mut self.metrics, &mut self.directions, &mut self.trials)
    }
}

/// Content of a file.
enum Content {
    Database,
    Journal(String),
    /// Trials by number; integers are floats where the parameter has floats.
    Table(Table),
}

/// Determines the format of a file or folder and parses tables. `roles` contains the user's options for
/// columns.
fn content(path: &Path, roles: &Roles<'_>) -> Result<Content, ImportError> {
    if path.is_dir() {
        if !ray::is_experiment(path) {
            return Err(ImportError::UnknownKind { path: path.to_path_buf() });
        }
        roles.refuse_params(&path.into(), "its trials record their parameters")?;
        let table = promoted(ray::read(path, roles.metric)?).map_err(|problem| problem.in_file(path))?;
        return Ok(Content::Table(table));
    }
    let unreadable = |source| ImportError::Read { path: path.to_path_buf(), source };
    if is_database(path).map_err(unreadable)? {
        return Ok(Content::Database);
    }
    let (text, note) = text::read(path).map_err(|error| match error {
        ImportError::Malformed { .. } if !is_named(path) => {
            ImportError::UnknownKind { path: path.to_path_buf() }
        }
        other => other,
    })?;
    if text.trim().is_empty() {
        return Err(ImportError::Empty { path: path.to_path_buf() });
    }
    if journal::is_journal(&text) {
        return Ok(Content::Journal(text));
    }
    let table = match text.trim_start().chars().next() {
        Some('[' | '{') => json::parse(&text, roles),
        _ if is_table(path) => csv::parse(&text, roles),
        _ if yaml::is_list(&text) => json::of_yaml(&text, roles),
        _ => return Err(ImportError::UnknownKind { path: path.to_path_buf() }),
    };
    let mut table = table.map_err(|problem| problem.in_file(path))?;
    table.notes.splice(0..0, note);
    promoted(table).map(Content::Table).map_err(|problem| problem.in_file(path))
}

/// Whether the name of a file has the extension of a text of trials, compressed or not.
fn is_named(path: &Path) -> bool {
    let endings = ["csv", "tsv", "json", "jsonl", "yaml", "yml", "log", "gz", "bz2", "xz", "zst", "zip"];
    endings.iter().any(|ending| has_ending(path, ending))
}

/// Whether the name of a file has the extension of a table, compressed or not.
fn is_table(path: &Path) -> bool {
    let unpacked = unpacked_name(path);
    ["csv", "tsv"].iter().any(|ending| has_ending(&unpacked, ending))
}

/// Returns the name of a file without the extension of its compression.
fn unpacked_name(path: &Path) -> PathBuf {
    if has_ending(path, "gz") { path.with_extension("") } else { path.to_path_buf() }
}

/// Sorts the trials by number, and converts integers to floats where the parameter has floats.
fn promoted(mut table: Table) -> Result<Table, Problem> {
    table.trials.sort_by_key(|t| t.number);
    table.trials.iter().try_for_each(typing::refuse_wide_fixed)?;
    // The values of waiting trials count for the kind of a parameter too.
    table.trials.iter_mut().for_each(take_fixed_params);
    typing::restore_integers(&mut table.trials);
    typing::promote(&mut table.trials);
    typing::refuse_alike(&table.trials)?;
    inferred::refuse_many(&table.trials)?;
    table.trials.iter().try_for_each(infeasible::refuse_unread)?;
    table.notes.extend(infeasible::note(&table.trials));
    Ok(table)
}

/// Reads a study from a file, whose format follows from its content and extension.
///
/// `detail` is the file of best parameters for JSON and CSV, the name of the study for a SQLite file or a
/// journal, and the metric for the folder of a Ray Tune experiment. `roles` contains the user's options for
/// columns.
///
/// # Errors
/// [`ImportError`] with the file and the place in it.
pub fn read(path: &Path, detail: Option<&str>, roles: &Roles<'_>) -> Result<ImportedStudy, ImportError> {
    let is_folder = path.is_dir();
    let metric = detail.filter(|_| is_folder).or(roles.metric);
    let content = content(path, &Roles { metric, ..*roles })?;
    let detail = detail.filter(|_| !is_folder);
    let Table { mut directions, metrics, mut trials, notes } = match content {
        Content::Database => return optuna_storage::read(path, detail, roles),
        Content::Journal(text) => return journal::read(path, &text, detail, roles),
        Content::Table(table) => table,
    };
    if trials.is_empty() {
        return Err(ImportError::NoTrials { location: path.into() });
    }
    roles.take_sizes(&mut trials).map_err(|problem| problem.in_file(path))?;
    trials.iter_mut().for_each(optuna_storage::take_metrics);
    let beside = best_params_of(detail, &trials)?;
    if directions.is_empty() {
        directions.extend(beside.direction(&trials));
    }
    let space = beside.space.or_else(|| optuna_storage::recorded_space(&trials));
    // If the space is recorded, the file holds as much as a store would.
    let incumbent = directions
        .first()
        .filter(|_| detail.is_none() && space.is_some())
        .and_then(|direction| allometry_core::incumbent(&trials, *direction));
    let best_params = beside.params.or_else(|| incumbent.map(|trial| trial.params.clone()));
    let objectives = trials.iter().map(|trial| trial.values.len()).max().unwrap_or(0).max(1);
    Ok(ImportedStudy {
        name: None,
        objectives,
        directions,
        metric_names: metrics,
        best_params,
        space,
        trials,
        notes,
    })
}

/// Returns the values of a trial. Where later objectives have values, NaN stands for a missing first one.
fn values_of(first: Option<f64>, later: Vec<f64>) -> Vec<f64> {
    let missing = (!later.is_empty()).then_some(f64::NAN);
    first.or(missing).into_iter().chain(later).collect()
}

/// Returns the contents of the file of best parameters of these trials, if one is given.
fn best_params_of(
    detail: Option<&str>,
    trials: &[FrozenTrial],
) -> Result<best_params::BestParams, ImportError> {
    let Some(detail) = detail else { return Ok(best_params::BestParams::default()) };
    let detail = Path::new(detail);
    let (text, _) = text::read(detail)?;
    let read = || {
        let best = best_params::parse(&text)?;
        best.refuse_other(trials).map(|()| best)
    };
    read().map_err(|problem| problem.in_file(detail))
}

/// Whether a path is a file of trials other than a database: a table, a list or a journal. An empty file
/// counts if it has one of their extensions.
pub fn is_file_of_trials(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && (found.len() > 0 || is_named(path)))
        && is_database(path).is_ok_and(|is_database| !is_database)
}

/// Returns the name of a study from the path of its file or folder, for contents without a name.
pub fn name_of(path: &Path) -> String {
    unpacked_name(path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads the study `name`, or the only one, of the storage that `url` names.
///
/// # Errors
/// [`ImportError`] with the location of the storage.
pub fn read_storage(url: &str, name: Option<&str>, roles: &Roles<'_>) -> Result<ImportedStudy, ImportError> {
    let store = crate::open_read_only(url)?;
    optuna_storage::read_store(&*store, &Location::server(url), name, roles)
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod damaged;
#[cfg(test)]
mod tests;
