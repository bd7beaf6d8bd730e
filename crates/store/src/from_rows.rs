//! Construction of studies and trials from the rows of Optuna's tables, for all databases.

use std::collections::{BTreeMap, HashMap, HashSet};

use allometry_core::python::json_float;
use allometry_core::{
    Direction, Distribution, Distributions, FrozenTrial, ParamValue, Params, SearchSpace, TrialNumber,
    TrialRecord, TrialState,
};
use serde_json::Value;

use crate::column;
use crate::distribution;
use crate::facts::StudyFacts;
use crate::json;
use crate::late::LateResult;
use crate::optuna::record::{AttributeKind, OptunaStudy, TrialSink};
use crate::own_attribute::{EXACT_KEY, OWN_PREFIX, RECORD_KEY, SPACE_KEY};
use crate::store::{METRIC_NAMES, StudyId, StudyRecord, TrialId};

/// Maximum objective index that is read, so that a damaged row cannot exhaust the memory.
const MOST_OBJECTIVES: usize = 1000;

/// A row that does not have the form that Optuna or Allometry writes.
#[derive(Debug)]
pub(crate) struct Malformed {
    /// Table and row.
    pub(crate) place: String,
    /// Problem with the row.
    pub(crate) problem: String,
}

impl Malformed {
    pub(crate) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// Parses the name of a trial's state.
pub(crate) fn state(number: u64, name: &str) -> Result<TrialState, Malformed> {
    column::state(name)
        .ok_or_else(|| Malformed::new(format!("trial {number}"), format!("state `{name}` is unknown")))
}

/// Parses the name of a state of a trial whose number is not known yet.
pub(crate) fn state_of(trial: TrialId, name: &str) -> Result<TrialState, Malformed> {
    column::state(name)
        .ok_or_else(|| Malformed::new(format!("trial with id {trial}"), format!("state `{name}` is unknown")))
}

/// Returns a study from its rows. If its own attributes cannot be read, the record says so in `unreadable`,
/// and other studies can still be read.
pub(crate) fn study(rows: OptunaStudy) -> StudyRecord {
    let OptunaStudy { id, name, mut directions, user_attributes, system_attributes } = rows;
    let (own, user_attributes): (BTreeMap<_, _>, _) =
        user_attributes.into_iter().partition(|(key, _)| key.starts_with(OWN_PREFIX));
    let mut attributes = BTreeMap::new();
    let (mut stored_space, mut unreadable) = (None, None);
    for (key, text) in own {
        let own_key = &key[OWN_PREFIX.len()..];
        if own_key == SPACE_KEY {
            match space(id, &text) {
                Ok(space) => stored_space = Some(space),
                Err(Malformed { place, problem }) => unreadable = Some(format!("{place}: {problem}")),
            }
            continue;
        }
        match json::parse(&text) {
            Ok(value) => {
                attributes.insert(own_key.to_owned(), json::to_standard_json(value));
            }
            Err(error) => unreadable = Some(format!("attribute `{key}`: {error}")),
        }
    }
    let (facts, problem) = StudyFacts::read(&attributes);
    let mut unreadable = unreadable.or(problem);
    if directions.is_empty() {
        let problem = "a direction is missing, or is neither MINIMIZE nor MAXIMIZE";
        unreadable.get_or_insert_with(|| problem.to_owned());
        directions.push(Direction::default());
    }
    StudyRecord {
        id,
        name,
        directions,
        space: stored_space,
        facts,
        attributes,
        user_attributes,
        system_attributes,
        unreadable,
    }
}

/// Returns key and JSON of the system attribute that names the objectives; `None` without names.
pub(crate) fn metric_names(names: &[String]) -> Option<(String, String)> {
    (!names.is_empty()).then(|| (METRIC_NAMES.into(), json::write(&Value::from(names.to_vec()))))
}

/// Parses the search space that Allometry stored with a study.
pub(crate) fn space(study: StudyId, text: &str) -> Result<SearchSpace, Malformed> {
    let malformed = |problem: String| Malformed::new(format!("search space of study {study}"), problem);
    let space: SearchSpace = serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
    let is_empty = |set: &Distribution| match set {
        Distribution::Float { low, high, .. } => low > high || low.is_nan() || high.is_nan(),
        Distribution::Int { low, high, .. } => low > high,
        Distribution::Categorical { choices, .. } => choices.is_empty(),
    };
    let empty = space.iter().find(|(_, set)| is_empty(set)).map(|(name, _)| name.to_owned());
    empty.map_or(Ok(space), |name| Err(malformed(format!("`{name}` has no value"))))
}

/// Returns the JSON of a record; `None` for an empty record.
pub(crate) fn record_json(record: &TrialRecord) -> Option<String> {
    if *record == TrialRecord::default() {
        return None;
    }
    let mut value = serde_json::to_value(record).expect("a record has text keys only");
    value["metrics"] = json::floats(&record.metrics);
    Some(json::write(&value))
}

/// Returns the attributes of a record: the record itself, and each of its numbers again, because Optuna's
/// tables and dashboard show single numbers but no nested ones. Nothing reads those back. An empty record has
/// no attributes.
pub(crate) fn record_attributes(record: &TrialRecord) -> BTreeMap<String, String> {
    let Some(text) = record_json(record) else { return BTreeMap::new() };
    let numbers = [
        ("weights", record.size.map(|size| size.total.to_string())),
        ("seed", record.seed.map(|seed| seed.to_string())),
        ("best_step", record.best_step.map(|step| step.to_string())),
    ];
    let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?)));
    let metrics = record.metrics.iter().map(|(name, value)| (name.clone(), json_float(*value)));
    let all = metrics.chain(numbers).map(|(name, text)| (format!("{OWN_PREFIX}{name}"), text));
    let flat = all.filter(|(key, _)| key != EXACT_KEY);
    flat.chain([(RECORD_KEY.to_owned(), text)]).collect()
}

/// Returns metrics of one epoch as JSON.
pub(crate) fn metrics_json(metrics: &BTreeMap<String, f64>) -> String {
    json::write(&json::floats(metrics))
}

/// Returns the attribute that tells Optuna which parameters an enqueued trial must take.
pub(crate) fn fixed_params_json(params: &Params) -> String {
    let pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| {
            format!("{}: {}", allometry_core::python::json_string(name), distribution::write_value(value))
        })
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

/// A row of any of Optuna's tables that belongs to a trial.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TrialRow<'r> {
    /// Row of `trial_values`: objective, value and its type.
    Value(i64, Option<f64>, &'r str),
    /// Row of `trial_params`: name, stored number and distribution.
    Param(&'r str, Option<f64>, &'r str),
    /// Row of `trial_intermediate_values`: step, value and its type.
    Intermediate(i64, Option<f64>, &'r str),
    /// Row of a table of attributes: key and JSON.
    Attribute(AttributeKind, &'r str, &'r str),
}

impl TrialRow<'_> {
    /// Passes the part to `sink`.
    pub(crate) fn tell(self, sink: &mut dyn TrialSink) {
        match self {
            Self::Value(_, value, kind) => {
                if let Some(value) = column::number(value, kind) {
                    sink.value(value);
                }
            }
            Self::Param(name, internal, text) => sink.param(name, internal.unwrap_or(f64::NAN), text),
            Self::Intermediate(step, value, kind) => {
                if let Some(value) = column::number(value, kind) {
                    sink.intermediate(step, value);
                }
            }
            Self::Attribute(kind, key, json) => sink.attribute(kind, key, json),
        }
    }
}

/// Trials under construction, indexed by id.
#[derive(Debug)]
pub(crate) struct Batch {
    ids: Vec<i64>,
    trials: Vec<FrozenTrial>,
    sets: Sets,
    last: usize,
}

impl Batch {
    /// Starts with trials in the order of their ids. `space` is the space of their study, which tells which
    /// lists are ordinal.
    pub(crate) fn new(found: Vec<(i64, FrozenTrial)>, space: Option<SearchSpace>) -> Self {
        let (ids, trials) = found.into_iter().unzip();
        Self { ids, trials, sets: Sets::new(space), last: 0 }
    }

    /// Adds a row to its trial; ignores rows of other trials. User attributes must come after the parameters.
    pub(crate) fn take(&mut self, trial: i64, part: TrialRow<'_>) -> Result<(), Malformed> {
        let Some(place) = self.place(trial) else { return Ok(()) };
        let trial = &mut self.trials[place];
        match part {
            TrialRow::Value(objective, value, kind) => take_value(trial, objective, value, kind),
            TrialRow::Param(name, internal, text) => self.sets.take_param(trial, name, internal, text)?,
            TrialRow::Intermediate(step, value, kind) => take_intermediate(trial, step, value, kind),
            TrialRow::Attribute(AttributeKind::User, key, text) => take_user_attribute(trial, key, text)?,
            TrialRow::Attribute(AttributeKind::System, key, text) => {
                trial.system_attributes.insert(key.to_owned(), text.to_owned());
            }
        }
        Ok(())
    }

    /// Whether the batch has a trial with this id.
    pub(crate) fn contains(&mut self, id: i64) -> bool {
        self.place(id).is_some()
    }

    pub(crate) fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// Returns the index of the trial with this id, if it is in the batch.
    fn place(&mut self, id: i64) -> Option<usize> {
        // Rows of one trial are usually consecutive.
        if self.ids.get(self.last) != Some(&id) {
            self.last = self.ids.binary_search(&id).ok()?;
        }
        Some(self.last)
    }

    /// Returns the trials after all their rows were added.
    pub(crate) fn finish(mut self) -> Vec<FrozenTrial> {
        for trial in &mut self.trials {
            if trial.distributions.len() > trial.params.0.len() {
                trial.distributions.truncate(trial.params.0.len());
            }
            take_fixed_params(trial);
            if let Some(fixed) = trial.system_attributes.get("fixed_params").cloned() {
                restore_integers(&mut trial.params, &fixed);
            }
        }
        self.trials
    }
}

/// Adds a row of `trial_values`.
fn take_value(trial: &mut FrozenTrial, objective: i64, value: Option<f64>, kind: &str) {
    let Some(value) = column::number(value, kind) else { return };
    match usize::try_from(objective) {
        // Rows come in any order; NaN stands for values that have not come yet.
        Ok(place) if place <= MOST_OBJECTIVES => {
            trial.values.resize(trial.values.len().max(place + 1), f64::NAN);
            trial.values[place] = value;
        }
        _ => {}
    }
}

/// Adds a row of `trial_intermediate_values`.
fn take_intermediate(trial: &mut FrozenTrial, step: i64, value: Option<f64>, kind: &str) {
    if let Some(value) = column::number(value, kind) {
        trial.intermediate.insert(step, value);
    }
}

/// Adds a row of `trial_user_attributes`, after the parameters of the trial.
pub(crate) fn take_user_attribute(trial: &mut FrozenTrial, key: &str, text: &str) -> Result<(), Malformed> {
    if key == RECORD_KEY {
        trial.record = record(trial.number, text)?;
    } else if key == EXACT_KEY {
        restore_integers(&mut trial.params, text);
    } else if !key.starts_with(OWN_PREFIX) {
        trial.user_attributes.insert(key.to_owned(), text.to_owned());
    }
    Ok(())
}

/// Cache of parsed distributions by parameter and text.
#[derive(Debug)]
struct Sets {
    space: Option<SearchSpace>,
    known: HashMap<String, HashMap<String, Distribution>>,
    latest: Latest,
}

/// Distributions of the latest trial; the next trial usually has equal ones and shares them.
#[derive(Debug, Default)]
struct Latest {
    /// Name and distribution text of each parameter, in order.
    texts: Vec<(String, String)>,
    sets: Distributions,
    /// Trial under construction.
    trial: Option<TrialNumber>,
    /// Number of its parameters that equal those of the latest trial so far.
    matching: usize,
}

impl Latest {
    /// Returns the distribution of the next parameter of `trial` if the latest trial has an equal one at this
    /// position; both trials then share their map. The map may contain parameters that do not follow;
    /// [`Batch::finish`] removes them.
    fn shared_with_latest(
        &mut self,
        trial: &mut FrozenTrial,
        name: &str,
        text: &str,
    ) -> Option<&Distribution> {
        if self.trial != Some(trial.number) {
            (self.trial, self.matching) = (Some(trial.number), 0);
        }
        let read = trial.params.0.len();
        let next = self.texts.get(self.matching).filter(|_| self.matching == read);
        if next.is_none_or(|next| next.0 != name || next.1 != text) {
            return None;
        }
        if read == 0 {
            trial.distributions = self.sets.clone();
            trial.params.0.reserve_exact(self.texts.len());
        }
        self.matching += 1;
        self.sets.get_index(read).map(|(_, set)| set)
    }

    /// Adds a parameter of `trial` that differs from the latest trial.
    fn diverge(&mut self, trial: &mut FrozenTrial, name: &str, text: &str, set: &Distribution) {
        let read = trial.params.0.len();
        trial.distributions.truncate(read);
        trial.distributions.insert(name.to_owned(), set.clone());
        if self.matching != read {
            // The rows of two trials alternate, so that it is unknown which distributions this one shares.
            *self = Self { trial: self.trial, ..Self::default() };
            return;
        }
        self.texts.truncate(read);
        self.texts.push((name.to_owned(), text.to_owned()));
        self.sets = trial.distributions.clone();
        self.matching = self.texts.len();
    }
}

impl Sets {
    fn new(space: Option<SearchSpace>) -> Self {
        Self { space, known: HashMap::new(), latest: Latest::default() }
    }

    /// Adds a row of `trial_params`.
    fn take_param(
        &mut self,
        trial: &mut FrozenTrial,
        name: &str,
        internal: Option<f64>,
        text: &str,
    ) -> Result<(), Malformed> {
        let number = trial.number;
        let malformed =
            |problem: String| Malformed::new(format!("trial {number}, parameter `{name}`"), problem);
        let value = |set: &Distribution| {
            internal
                .and_then(|x| distribution::from_internal(set, x))
                .ok_or_else(|| malformed(format!("value {internal:?} is not in its distribution")))
        };
        if let Some(set) = self.latest.shared_with_latest(trial, name, text) {
            let value = value(set)?;
            trial.params.insert(name, value);
            return Ok(());
        }
        if self.known.get(name).and_then(|sets| sets.get(text)).is_none() {
            let mut set = distribution::parse(text).map_err(malformed)?;
            distribution::restore_order(name, &mut set, self.space.as_ref());
            self.known.entry(name.into()).or_default().insert(text.into(), set);
        }
        let set = &self.known[name][text];
        let value: ParamValue = value(set)?;
        self.latest.diverge(trial, name, text, set);
        trial.params.insert(name, value);
        Ok(())
    }
}

fn record(number: TrialNumber, text: &str) -> Result<TrialRecord, Malformed> {
    let parse = || -> Result<TrialRecord, String> {
        let mut value = json::parse(text).map_err(|error| error.to_string())?;
        let metrics = value.as_object_mut().and_then(|fields| fields.remove("metrics"));
        let mut record: TrialRecord = serde_json::from_value(value).map_err(|error| error.to_string())?;
        record.metrics = metrics.as_ref().map(json::read_floats).unwrap_or_default();
        Ok(record)
    };
    parse().map_err(|problem| Malformed::new(format!("record of trial {number}"), problem))
}

/// Returns the JSON of the integers in `params` beyond 2^53; `None` if there are none.
pub(crate) fn exact_json(params: &Params) -> Option<String> {
    let is_rounded = |value: &ParamValue| match value {
        ParamValue::Int(i) => *value != ParamValue::Float(*i as f64),
        _ => false,
    };
    let rounded: Params = params
        .iter()
        .filter(|(_, value)| is_rounded(value))
        .map(|(name, value)| (name, value.clone()))
        .collect();
    (!rounded.0.is_empty()).then(|| fixed_params_json(&rounded))
}

/// Restores integers that the stored float rounded, from `exact`, the text of a JSON object.
fn restore_integers(params: &mut Params, exact: &str) {
    let is_rounded = |value: &ParamValue| matches!(value, ParamValue::Int(i) if i.unsigned_abs() >= 1 << 53);
    if !params.0.values().any(is_rounded) {
        return;
    }
    let Ok(exact) = json::parse(exact) else { return };
    for (name, value) in params.0.iter_mut().filter(|(_, value)| is_rounded(value)) {
        let exact = exact.get(name).and_then(Value::as_i64);
        if let Some(exact) = exact.filter(|exact| value.as_f64() == Some(*exact as f64)) {
            *value = ParamValue::Int(exact);
        }
    }
}

/// Sets the parameters of a trial that was enqueued through Optuna: they are in an attribute until it runs.
pub(crate) fn take_fixed_params(trial: &mut FrozenTrial) {
    let waits = matches!(trial.state, TrialState::Waiting | TrialState::Running) && trial.params.0.is_empty();
    let Some(text) = trial.system_attributes.get("fixed_params").filter(|_| waits) else { return };
    // A text that cannot be parsed fixes no parameter.
    let Ok(value) = json::parse(text) else { return };
    let pairs = value.as_object().into_iter().flatten();
    trial.params = pairs.map(|(name, value)| (name.clone(), distribution::read_value(value))).collect();
}

/// Parses a late result from its JSON.
pub(crate) fn late_result(number: TrialNumber, text: &str) -> Result<LateResult, Malformed> {
    LateResult::from_json(text).ok_or_else(|| {
        Malformed::new(format!("trial {number}, late result"), format!("`{text}` is not a late result"))
    })
}

/// Parses the metrics of one epoch from their JSON.
pub(crate) fn epoch_metrics(
    number: TrialNumber,
    step: i64,
    text: &str,
) -> Result<BTreeMap<String, f64>, Malformed> {
    let value = json::parse(text).map_err(|error| {
        Malformed::new(format!("trial {number}, metrics of epoch {step}"), error.to_string())
    })?;
    Ok(json::read_floats(&value))
}

/// Returns the fixed parameters of a trial enqueued through Optuna that the study's space contains; `None` if
/// the trial has parameters already.
pub(crate) fn fitting(trial: FrozenTrial, space: &SearchSpace) -> Option<Params> {
    let fits = |(name, value): &(String, ParamValue)| space.get(name).is_some_and(|set| set.contains(value));
    trial.distributions.is_empty().then(|| trial.params.0.into_iter().filter(fits).collect())
}

/// Returns the parameters whose names are not in `known`.
pub(crate) fn missing(params: &Params, known: &HashSet<String>) -> Params {
    let missing = params.iter().filter(|(name, _)| !known.contains(*name));
    missing.map(|(name, value)| (name, value.clone())).collect()
}
