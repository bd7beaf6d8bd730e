//! Import of studies from any source into a form that a store can hold. Missing data are inferred, and notes
//! report it.

use std::path::Path;

use allometry_core::{Distribution, Distributions, FrozenTrial, SearchSpace, TrialState};
use serde_json::json;

use super::error::{Problem, directions_by_name};
use super::inferred::{IMPORT_KEY, ImportAttribute};
use super::note::Note;
use super::optuna_storage::{open_file, which};
use super::{
    Content, GivenDirections, ImportError, Roles, Table, best_params_of, content, inferred, journal, name_of,
};
use crate::distribution;
use crate::from_rows::{exact_json, fixed_params_json, record_json};
use crate::json;
use crate::location::Location;
use crate::optuna::{self, OptunaStorage, StudyWithTrials, TrialTemplate};
use crate::own_attribute::{EXACT_KEY, OWN_PREFIX, RECORD_KEY};
use crate::store::{METRIC_NAMES, Store, StudyRecord};

/// Options that supply data which a file does not record.
#[derive(Debug, Clone, Default)]
pub struct Assumed {
    /// Directions; empty to use the file's alone.
    pub directions: GivenDirections,
    /// Distributions of parameters.
    pub space: SearchSpace,
    /// Metric that is the value of trials, for a Ray Tune experiment or a table.
    pub metric: Option<String>,
    /// Columns of a table with hyperparameters; empty to infer them from the names.
    pub params: Vec<String>,
    /// Column or field of a table with the number of weights.
    pub size: Option<String>,
}

impl Assumed {
    /// Returns the options for the columns of a table.
    fn roles(&self) -> Roles<'_> {
        Roles { metric: self.metric.as_deref(), params: &self.params, size: self.size.as_deref() }
    }

    /// Refuses options for a source that records all data, which they could only contradict.
    fn refuse_for_recorded(&self, location: &Location) -> Result<(), ImportError> {
        let given = [
            (!self.directions.is_empty(), "--direction", "its studies record their directions"),
            (!self.space.0.is_empty(), "--space", "its trials record the distributions of their parameters"),
            (self.metric.is_some(), "--metric", "its trials record their values"),
            (!self.params.is_empty(), "--params", "its trials record their parameters"),
            (
                self.size.is_some(),
                "--size",
                "its trials keep their attributes, and `report --size` reads them",
            ),
        ];
        match given.into_iter().find(|(is_given, ..)| *is_given) {
            None => Ok(()),
            Some((_, option, why)) => {
                Err(ImportError::Inapplicable { option, location: location.clone(), why })
            }
        }
    }
}

/// A study of any source, with notes on the import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Imported study.
    pub study: StudyWithTrials,
    /// Differences from the source, and guesses.
    pub notes: Vec<Note>,
}

/// Reads the studies of a file, whose format follows from its content and extension: all studies of a
/// database or journal, or the one that `detail` names. For JSON and CSV `detail` is the file of best
/// parameters, for a Ray Tune experiment the metric; their study gets the name of the file or folder.
///
/// # Errors
/// [`ImportError`] with the file and the place in it.
pub fn read_all(path: &Path, detail: Option<&str>, assumed: &Assumed) -> Result<Vec<Imported>, ImportError> {
    let is_folder = path.is_dir();
    let metric = detail.filter(|_| is_folder).or(assumed.metric.as_deref());
    match content(path, &Roles { metric, ..assumed.roles() })? {
        Content::Database => {
            assumed.refuse_for_recorded(&path.into())?;
            let (storage, store) = open_file(path)?;
            of_storage(&*storage, &store, &path.into(), detail)
        }
        Content::Journal(text) => {
            assumed.refuse_for_recorded(&path.into())?;
            let mut studies = journal::studies(path, &text)?;
            if let Some(wanted) = detail {
                let names: Vec<String> = studies.iter().map(|study| study.name.clone()).collect();
                which(&path.into(), &names, Some(wanted))?;
                studies.retain(|study| study.name == wanted);
            }
            not_empty(studies.into_iter().map(recorded).collect(), &path.into())
        }
        Content::Table(mut table) => {
            let beside = best_params_of(detail.filter(|_| !is_folder), &table.trials)?;
            let (mut directions, note) =
                assumed.directions.of(&table.metrics, &table.directions, &path.into())?;
            table.notes.extend(note);
            if let Some(found) = beside.direction(&table.trials)
                && table.directions.is_empty()
                && assumed.directions.is_empty()
            {
                directions.splice(..directions.len().min(1), [found]);
            }
            table.directions = directions;
            // The list of a study that has not begun can be imported if an option gives its direction.
            if table.trials.is_empty() && table.directions.is_empty() {
                return Err(ImportError::NoTrials { location: path.into() });
            }
            if table.directions.is_empty() {
                return Err(ImportError::WhichDirection {
                    location: path.into(),
                    metric: table.metrics.into_iter().next(),
                });
            }
            assumed.roles().take_sizes(&mut table.trials).map_err(|problem| problem.in_file(path))?;
            let imported = of_table(name_of(path), table, assumed, beside.space.as_ref());
            Ok(vec![imported.map_err(|problem| problem.in_file(path))?])
        }
    }
}

/// Reads all studies of a storage, or the one with this name.
///
/// # Errors
/// [`ImportError`] with the location of the storage.
pub fn read_all_of_storage(
    url: &str,
    name: Option<&str>,
    assumed: &Assumed,
) -> Result<Vec<Imported>, ImportError> {
    assumed.refuse_for_recorded(&Location::server(url))?;
    let storage = optuna::open_read_only(url)?;
    let store = crate::open_read_only(url)?;
    of_storage(&*storage, &*store, &Location::server(url), name)
}

fn of_storage(
    storage: &dyn OptunaStorage,
    store: &dyn Store,
    location: &Location,
    name: Option<&str>,
) -> Result<Vec<Imported>, ImportError> {
    let mut studies = storage.studies()?;
    if let Some(wanted) = name {
        let names: Vec<String> = studies.iter().map(|study| study.name.clone()).collect();
        which(location, &names, Some(wanted))?;
        studies.retain(|study| study.name == wanted);
    }
    let mut records = store.studies()?;
    records.retain(|record| studies.iter().any(|study| study.id == record.id));
    check_readable(&records, location)?;
    let read = studies.into_iter().map(|study| Ok(recorded(StudyWithTrials::read(storage, store, study)?)));
    not_empty(read.collect::<Result<_, ImportError>>()?, location)
}

/// Checks that all studies can be read; the error of one among several names the others.
fn check_readable(records: &[StudyRecord], location: &Location) -> Result<(), ImportError> {
    let refused = |record: &StudyRecord| record.check_readable(&location.to_string()).err();
    let Some(source) = records.iter().find_map(refused) else { return Ok(()) };
    let readable = records.iter().filter(|record| record.unreadable.is_none());
    let readable: Vec<String> = readable.map(|record| record.name.clone()).collect();
    Err(if readable.is_empty() { source.into() } else { ImportError::UnreadableStudy { source, readable } })
}

fn not_empty(studies: Vec<Imported>, location: &Location) -> Result<Vec<Imported>, ImportError> {
    if studies.is_empty() {
        which(location, &[], None)?;
    }
    Ok(studies)
}

/// Prepares a study whose source records all data.
fn recorded(mut study: StudyWithTrials) -> Imported {
    // No client can continue a parameter whose distribution is of a former class.
    let params = study.trials.iter_mut().flat_map(|trial| &mut trial.template.params);
    for (_, _, set) in params.filter(|(_, _, set)| set.contains("UniformDistribution")) {
        if let Ok(read) = distribution::parse(set) {
            *set = distribution::write(&read);
        }
    }
    let running = study.trials.iter().filter(|trial| trial.template.state == TrialState::Running).count();
    let notes = (running > 0).then_some(Note::Running { trials: running }).into_iter().collect();
    Imported { study, notes }
}

/// Prepares a study whose source does not record all data.
///
/// `listed` contains distributions from a file beside the trials, which may not be those of the trials.
fn of_table(
    name: String,
    table: Table,
    assumed: &Assumed,
    listed: Option<&SearchSpace>,
) -> Result<Imported, Problem> {
    let Table { directions, metrics, mut trials, mut notes } = table;
    let objectives = trials.iter().map(|trial| trial.values.len()).max().unwrap_or(directions.len()).max(1);
    if directions.len() < objectives {
        let plural = if directions.len() == 1 { "" } else { "s" };
        let message = format!("{objectives} values, and {} direction{plural}", directions.len());
        let mut hint = "give --direction once for each objective, in the order of the values".to_owned();
        if metrics.len() == objectives {
            hint = format!("give --direction once for each objective: {}", directions_by_name(&metrics));
        }
        return Err(Problem::new("its trials", message).hint(hint));
    }
    if trials.iter().zip(0..).any(|(trial, place)| trial.number.0 != place) {
        notes.push(Note::Renumbered);
    }
    let space = place_values(&mut trials, assumed, listed)?;
    let inferred = space.iter().map(|(name, _)| name.to_owned()).collect();
    let import = json!(ImportAttribute { trials: trials.len() as u64, inferred });
    if !space.0.is_empty() {
        notes.push(Note::Inferred { space });
    }
    let mut study = StudyWithTrials { name, directions, ..StudyWithTrials::default() };
    if metrics.len() == objectives {
        study.system_attributes.insert(METRIC_NAMES.into(), json::write(&json!(metrics)));
    }
    study.user_attributes.insert(format!("{OWN_PREFIX}{IMPORT_KEY}"), json::write(&import));
    let (mut without, mut left_out) = (0, 0);
    for trial in trials {
        let mut template = template(&trial);
        let whole = template.values.len() == study.directions.len() && trial.value().is_some();
        match template.state {
            TrialState::Complete if !whole || template.values.iter().any(|value| value.is_nan()) => {
                without += 1;
                template.state = TrialState::Failed;
                template.values.clear();
            }
            // Optuna takes the last report of a pruned trial as its value, if it has one.
            TrialState::Pruned if !whole => template.values.clear(),
            TrialState::Complete | TrialState::Pruned => {}
            _ => {
                left_out += usize::from(trial.value().is_some());
                template.values.clear();
            }
        }
        study.trials.push(template.into());
    }
    notes.extend((without > 0).then_some(Note::WithoutValue { trials: without }));
    notes.extend((left_out > 0).then_some(Note::ValuesLeftOut { trials: left_out }));
    let Imported { study, notes: more } = recorded(study);
    notes.extend(more);
    Ok(Imported { study, notes })
}

/// Sets the distribution of each value: the recorded one, else the user's, else a listed one, else an
/// inferred one. Returns the inferred ones.
fn place_values(
    trials: &mut [FrozenTrial],
    assumed: &Assumed,
    listed: Option<&SearchSpace>,
) -> Result<SearchSpace, Problem> {
    let mut inferred = inferred::infer(trials);
    let names: Vec<String> = inferred.iter().map(|(name, _)| name.to_owned()).collect();
    let mut space = inferred.clone();
    for name in names {
        let has_all = |set: &Distribution| {
            let values = trials.iter().filter(|trial| !trial.distributions.contains_key(&name));
            values.filter_map(|trial| trial.params.get(&name)).all(|value| set.contains(value))
        };
        let listed = listed.and_then(|listed| listed.get(&name)).filter(|set| has_all(set));
        if let Some(set) = assumed.space.get(&name).or(listed) {
            space.0.insert(name.clone(), set.clone());
            inferred.0.shift_remove(&name);
        }
    }
    let mut latest: Option<Distributions> = None;
    for trial in trials {
        // A waiting value has not been drawn yet: the client that claims the trial determines the
        // distribution.
        if inferred::is_queued(trial) {
            continue;
        }
        let is_open = trial.distributions.is_empty();
        for (name, value) in &mut trial.params.0 {
            if trial.distributions.contains_key(name) {
                continue;
            }
            let set = space.get(name).expect("every value without a set has one now");
            let Some(read) = distribution::of_set(set, value).filter(|_| set.contains(value)) else {
                let place = format!("trial {}, parameter `{name}`", trial.number);
                return Err(Problem::new(place, format!("{value} is not in {set}")));
            };
            *value = read;
        }
        let missing = trial.params.iter().filter(|(name, _)| !trial.distributions.contains_key(*name));
        let missing: Vec<&str> = missing.map(|(name, _)| name).collect();
        // Trials without recorded distributions mostly have the same parameters, and share their lists.
        let alike = latest.as_ref().filter(|sets| is_open && sets.keys().eq(missing.iter()));
        if let Some(sets) = alike {
            trial.distributions = sets.clone();
            continue;
        }
        for name in missing {
            trial.distributions.insert(name.to_owned(), space.0[name].clone());
        }
        latest = is_open.then(|| trial.distributions.clone()).or(latest);
    }
    Ok(inferred)
}

/// Converts a trial to the form of the tables; parameters without a distribution become the fixed parameters
/// of a waiting trial.
pub(crate) fn template(trial: &FrozenTrial) -> TrialTemplate {
    let params = trial.params.iter().filter_map(|(name, value)| {
        let set = trial.distributions.get(name)?;
        Some((name.to_owned(), distribution::to_internal(set, value)?, distribution::write(set)))
    });
    let mut user_attributes = trial.user_attributes.clone();
    if let Some(record) = record_json(&trial.record) {
        user_attributes.insert(RECORD_KEY.into(), record);
    }
    user_attributes.extend(exact_json(&trial.params).map(|exact| (EXACT_KEY.into(), exact)));
    let mut system_attributes = trial.system_attributes.clone();
    if trial.state == TrialState::Waiting && !trial.params.0.is_empty() {
        system_attributes.entry("fixed_params".into()).or_insert_with(|| fixed_params_json(&trial.params));
    }
    TrialTemplate {
        state: trial.state,
        values: trial.values.clone(),
        started: trial.started,
        completed: trial.completed,
        params: params.collect(),
        user_attributes,
        system_attributes,
        intermediate: trial.intermediate.clone(),
    }
}
