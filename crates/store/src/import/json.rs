//! Reader of `all_trials.json`: a list of trials, as scripts around Optuna write it.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{Direction, FrozenTrial, Params, TrialState};
use serde_json::{Map, Value};

use super::columns::{after, is_param, is_state, objective_hint};
use super::ends::{self, End};
use super::error::Problem;
use super::field::{
    COUNTS, STATES, TIMES, default_state, number_or_null, parse_direction, parse_state_of, read_count,
    read_directions, read_time, refuse_wide, take_distribution,
};
use super::note::Note;
use super::{Roles, Table, flat, infeasible, names, pandas, values_of};
use crate::distribution::{self, read_value};
use crate::from_rows::take_user_attribute;
use crate::json::{self, JsonError};
use crate::yaml::{self, YamlError};

/// Parses a document, which may contain Python's bare `NaN` and `Infinity`.
pub(super) fn parse_document(text: &str) -> Result<Value, Problem> {
    json::parse(text).map_err(malformed)
}

fn malformed(JsonError { line, column, message, cut_off }: JsonError) -> Problem {
    let hint = if cut_off {
        "the file is truncated: write or copy it again"
    } else if message.contains("recursion limit") {
        "lists and objects may be nested 127 deep"
    } else {
        "write it with a library, such as `json.dump` of Python"
    };
    Problem::new(format!("line {line}, column {column}"), message).hint(hint)
}

/// Parses trials: a list of objects, a table in one of pandas' forms, or one object per line. `roles`
/// contains the user's options for fields.
pub(super) fn parse(text: &str, roles: &Roles<'_>) -> Result<Table, Problem> {
    let mut trials = Trials::new(roles);
    if is_lines(text) {
        entries_of_lines(text).try_for_each(|entry| trials.take(entry?))?;
        return trials.table();
    }
    let mut refused = None;
    let is_list = json::each_element(text, |entry| {
        if refused.is_none() {
            refused = trials.take(entry).err();
        }
    });
    match (is_list.map_err(malformed)?, refused) {
        (_, Some(problem)) => Err(problem),
        (true, None) => trials.table(),
        (false, None) => of_document(parse_document(text)?, roles),
    }
}

/// Returns the rows of a table as JSON: a list of objects, one object per line, or one of pandas' forms.
///
/// # Errors
/// [`Problem`] of a malformed text, and of one that is no table.
pub(super) fn rows(text: &str) -> Result<Vec<Value>, Problem> {
    if is_lines(text) {
        return entries_of_lines(text).collect();
    }
    let no_list = || Problem::new("line 1", "expected a list of objects, one for each run");
    match parse_document(text)? {
        Value::Array(entries) => Ok(entries),
        Value::Object(mut fields) => pandas::rows(&mut fields)?.ok_or_else(no_list),
        _ => Err(no_list()),
    }
}

/// Returns the entries of a text with one per line.
fn entries_of_lines(text: &str) -> impl Iterator<Item = Result<Value, Problem>> + '_ {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(place, line)| {
        json::parse(line).map_err(|error| malformed(JsonError { line: place + 1, ..error }))
    })
}

/// Whether a text has one object per line, as `to_json(lines=True)` writes.
fn is_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (first, second) = (lines.next(), lines.next());
    second.is_some_and(|line| line.trim_start().starts_with('{'))
        && first.is_some_and(|line| json::parse(line).is_ok_and(|value| value.is_object()))
}

/// Fields of a document: its list of trials, and those beside it.
const BESIDE: [&str; 4] = ["trials", "direction", "directions", "metric_names"];

/// Parses a list of trials in YAML, as `optuna trials -f yaml` prints it.
pub(super) fn of_yaml(text: &str, roles: &Roles<'_>) -> Result<Table, Problem> {
    let malformed = |YamlError { line, column, message }| {
        Problem::new(format!("line {line}, column {column}"), message)
            .hint("`optuna trials -f json` writes JSON")
    };
    of_document(yaml::parse(text).map_err(malformed)?, roles)
}

/// Returns the trials of a document.
fn of_document(document: Value, roles: &Roles<'_>) -> Result<Table, Problem> {
    let no_list = || Problem::new("line 1", "expected a list of trials").hint(flat::LISTS);
    let (mut directions, mut names) = (Vec::new(), Vec::new());
    let entries = match document {
        Value::Array(entries) => entries,
        Value::Object(fields) => {
            let mut fields = names::lowered(fields, |name, _| BESIDE.contains(&name));
            directions = directions_beside(&fields)?;
            names = names_beside(&fields)?;
            match fields.get_mut("trials") {
                Some(Value::Array(entries)) => std::mem::take(entries),
                _ => pandas::rows(&mut fields)?.ok_or_else(no_list)?,
            }
        }
        _ => return Err(no_list()),
    };
    let mut trials = Trials::new(roles);
    trials.directions = directions;
    trials.own_names.clone_from(&names);
    trials.names = names;
    entries.into_iter().try_for_each(|entry| trials.take(entry))?;
    trials.table()
}

/// Returns the names of the objectives that a document contains beside its list of trials.
fn names_beside(fields: &Map<String, Value>) -> Result<Vec<String>, Problem> {
    let Some(said) = fields.get("metric_names").filter(|said| said.is_array()) else { return Ok(Vec::new()) };
    let names = said.as_array().into_iter().flatten();
    let names: Option<Vec<String>> = names.map(|name| name.as_str().map(Into::into)).collect();
    names
        .filter(|_| fields.contains_key("trials"))
        .ok_or_else(|| Problem::new("field `metric_names`", "expected a list of names"))
}

/// Returns the directions that a document contains beside its list of trials.
fn directions_beside(fields: &Map<String, Value>) -> Result<Vec<Direction>, Problem> {
    if !fields.contains_key("trials") {
        return Ok(Vec::new());
    }
    let one = fields.get("direction").filter(|said| said.is_string());
    let said = fields.get("directions").cloned().or_else(|| Some(Value::Array(vec![one?.clone()])));
    let wrong = || Problem::new("field `directions`", "expected a list of maximize and minimize");
    let said = said.map_or(Ok(Vec::new()), |said| read_directions(&said).ok_or_else(wrong))?;
    match one.and_then(|one| one.as_str()).and_then(parse_direction) {
        Some(one) if said.first().is_some_and(|first| *first != one) => {
            Err(Problem::new("field `direction`", "differs from `directions`").hint("write one of them"))
        }
        _ => Ok(said),
    }
}

/// Properties that at least one entry of a list has.
#[derive(Default)]
struct Seen {
    /// The entry is complete or has no state.
    ended: bool,
    /// The entry has a value.
    value: bool,
    /// The entry has a field with the name of the metric.
    named: bool,
}

/// Reads the entries of a list one by one.
struct Trials<'r> {
    roles: &'r Roles<'r>,
    /// Entries, as long as none of them has nested fields: together they may be a flat table.
    held: Vec<Value>,
    is_nested: bool,
    read: Vec<FrozenTrial>,
    /// Directions of the first entry, or else those beside the list.
    directions: Vec<Direction>,
    /// Names of the objectives: those that the source lists, then those of values in the order in which they
    /// appear.
    names: Vec<String>,
    /// Names of the objectives that the source lists.
    own_names: Vec<String>,
    seen: Seen,
    /// Indices of the entries without such a field.
    unnamed: Vec<usize>,
    /// Whether each entry has a state.
    ends: Vec<End>,
    /// Fields of the first entries that contain a number.
    numbers: BTreeSet<String>,
}

impl<'r> Trials<'r> {
    fn new(roles: &'r Roles<'r>) -> Self {
        Self {
            roles,
            held: Vec::new(),
            is_nested: false,
            read: Vec::new(),
            directions: Vec::new(),
            names: Vec::new(),
            own_names: Vec::new(),
            seen: Seen::default(),
            unnamed: Vec::new(),
            ends: Vec::new(),
            numbers: BTreeSet::new(),
        }
    }

    fn take(&mut self, entry: Value) -> Result<(), Problem> {
        let entry = names::of_trial(entry);
        if self.is_nested {
            return self.read(&entry);
        }
        if entry.get("tid").is_some() && entry.get("misc").is_some_and(|misc| misc.get("vals").is_some()) {
            let place = format!("trial {} of the list", self.held.len());
            return Err(Problem::new(place, "a document of hyperopt, whose choices are indices").hint(
                "write [{**space_eval(space, {k: v[0] for k, v in t[\"misc\"][\"vals\"].items() if v}), \
                       **t[\"result\"]} for t in trials.trials]",
            ));
        }
        self.is_nested = flat::is_nested(&entry);
        self.held.push(entry);
        if self.is_nested { self.read_held() } else { Ok(()) }
    }

    fn read_held(&mut self) -> Result<(), Problem> {
        std::mem::take(&mut self.held).iter().try_for_each(|entry| self.read(entry))
    }

    fn read(&mut self, entry: &Value) -> Result<(), Problem> {
        let index = self.read.len();
        let own = directions(index, entry)?;
        let own_names = metric_names(index, entry)?;
        if index == 0 {
            if !own.is_empty() {
                self.directions = own;
            }
            if !own_names.is_empty() {
                self.names.clone_from(&own_names);
                self.own_names = own_names;
            }
        } else if !own.is_empty() && own != self.directions {
            return Err(other_study(index, "directions"));
        } else if !own_names.is_empty() && own_names != self.own_names {
            return Err(other_study(index, "metric_names"));
        }
        if index < 20 {
            take_numbers(&mut self.numbers, entry);
        }
        let values = entry.get("values").and_then(Value::as_object);
        let values = values.or_else(|| entry.get("value")?.as_object());
        // An attribute that has the name of an objective is not the objective.
        let is_objective = |metric: &&str| {
            self.own_names.iter().any(|name| name == metric)
                || values.is_some_and(|values| values.contains_key(*metric))
        };
        let roles = Roles { metric: self.roles.metric.filter(|name| !is_objective(name)), ..*self.roles };
        let is_named = roles.metric.is_some_and(|metric| named(entry, metric).is_some());
        self.seen.named |= is_named;
        self.seen.value |= is_named || ["value", "values"].iter().any(|field| entry.get(field).is_some());
        self.seen.ended |=
            state_of(entry).is_none_or(|state| parse_state_of(state) == Some(TrialState::Complete));
        for name in values.into_iter().flat_map(Map::keys) {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
        }
        if !is_named {
            self.unnamed.push(index);
        }
        self.ends.push(End { has_state: state_of(entry).is_some(), is_open: false });
        self.read.push(trial(index, entry, &self.names, &roles)?);
        Ok(())
    }

    fn table(mut self) -> Result<Table, Problem> {
        if !self.is_nested && flat::is_flat(&self.held) {
            let mut table = flat::parse(self.held, self.roles)?;
            if table.directions.is_empty() {
                table.directions = self.directions;
            }
            return Ok(table);
        }
        self.read_held()?;
        let metric = self.roles.metric;
        if self.seen.ended && !self.seen.value {
            let message = match metric {
                Some(metric) => format!("no trial has a field `value`, and none has `{metric}`"),
                None => "no trial has a field `value`".to_owned(),
            };
            let numbers: Vec<String> = self.numbers.into_iter().collect();
            return Err(Problem::new("the list of trials", message).hint(objective_hint(&numbers)));
        }
        let lacks = |name: &&String| !self.read.iter().any(|trial| trial.params.get(name).is_some());
        if let Some(missing) = self.roles.params.iter().find(lacks) {
            let message = format!("no trial has a `{missing}`, which --params names");
            return Err(Problem::new("the list of trials", message)
                .hint("name parameters, or other fields of the trials"));
        }
        // A trial lacks the values of objectives that appear after it.
        for trial in self.read.iter_mut().filter(|trial| !trial.values.is_empty()) {
            trial.values.resize(trial.values.len().max(self.names.len()), f64::NAN);
        }
        let mut table =
            Table { directions: self.directions, metrics: self.names, trials: self.read, notes: Vec::new() };
        for index in self.unnamed.into_iter().filter(|_| self.seen.named) {
            table.trials[index].values.clear();
        }
        match metric {
            None => {}
            Some(metric) if self.seen.named || table.metrics.is_empty() => {
                table.metrics = vec![metric.to_owned()];
                let note = Note::ValueAsMetric { column: "value".into(), metric: metric.into() };
                table.notes.extend((!self.seen.named && self.seen.value).then_some(note));
            }
            Some(metric) => table.lead_with(metric)?,
        }
        ends::settle(&mut table, &self.ends);
        Ok(table)
    }
}

/// Returns the problem of a trial whose field differs from that of the first one.
fn other_study(index: usize, field: &str) -> Problem {
    let place = format!("trial {index} of the list, field `{field}`");
    Problem::new(place, "differs from that of trial 0")
        .hint("the trials of a list are of one study: write one list for each study")
}

/// Returns the number that a trial reports under a name: in a field, or among its metrics or user attributes.
fn named<'v>(entry: &'v Value, metric: &str) -> Option<&'v Value> {
    let places = ["metrics", "user_attrs"].into_iter().filter_map(|place| entry.get(place)?.get(metric));
    entry.get(metric).into_iter().chain(places).find(|value| json::number(value).is_some())
}

/// Adds the names of a trial's fields that contain a number.
fn take_numbers(names: &mut BTreeSet<String>, entry: &Value) {
    let Some(fields) = entry.as_object() else { return };
    let nested = ["metrics", "user_attrs"].into_iter().filter_map(|place| fields.get(place)?.as_object());
    for (name, value) in nested.flatten().chain(fields) {
        if name != "number" && json::number(value).is_some() {
            names.insert(name.clone());
        }
    }
}

/// Returns the directions in a trial, if any.
fn directions(index: usize, entry: &Value) -> Result<Vec<Direction>, Problem> {
    match entry.get("directions") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(said) => read_directions(said).ok_or_else(|| {
            let place = format!("trial {index} of the list, field `directions`");
            Problem::new(place, "expected a list of maximize and minimize")
        }),
    }
}

/// Returns the names of the objectives in a trial, if any.
fn metric_names(index: usize, entry: &Value) -> Result<Vec<String>, Problem> {
    let Some(said) = entry.get("metric_names").filter(|said| !said.is_null()) else { return Ok(Vec::new()) };
    let name = |name: &Value| name.as_str().map(Into::into);
    let names = said.as_array().and_then(|names| names.iter().map(name).collect());
    let place = format!("trial {index} of the list, field `metric_names`");
    names.ok_or_else(|| Problem::new(place, "expected a list of names"))
}

/// Returns the state of a trial, if it has one, from the field `state` or `status` in any case.
fn state_of(entry: &Value) -> Option<&Value> {
    let said = |value: &&Value| !value.is_null();
    let other = || entry.as_object()?.iter().find(|(name, _)| is_state(name)).map(|(_, value)| value);
    entry.get("state").or_else(other).filter(said)
}

/// Advice for a field that should contain other fields.
const OBJECTS: &str = "write an object such as {\"lr\": 0.1} into the field, and no text of one";

/// Returns the problem of a field that is not as expected.
fn wrong_field(index: usize, field: &str, expected: &str) -> Problem {
    Problem::new(format!("trial {index} of the list, field `{field}`"), format!("expected {expected}"))
}

/// Returns the values of the objectives `names` of a trial, in order; NaN where one of several is missing.
fn own_values(
    index: usize,
    entry: &Value,
    names: &[String],
    roles: &Roles<'_>,
) -> Result<(Option<f64>, Vec<f64>), Problem> {
    let wrong = |field: &str, expected: &str| wrong_field(index, field, expected);
    let mut later = Vec::new();
    let listed: Option<Vec<&Value>> = match entry.get("values") {
        Some(Value::Array(values)) => Some(values.iter().collect()),
        // A study whose objectives have names.
        Some(Value::Object(values)) => {
            Some(names.iter().map(|name| values.get(name).unwrap_or(&Value::Null)).collect())
        }
        _ => None,
    };
    let named_value = entry.get("value").and_then(Value::as_object).filter(|value| value.len() == 1);
    let plain_value = named_value.and_then(|value| value.values().next()).or_else(|| entry.get("value"));
    if let (Some(one), Some(Some(first))) = (plain_value, listed.as_ref().map(|listed| listed.first()))
        && !one.is_null()
        && !first.is_null()
        && one != *first
    {
        return Err(wrong("value", "the first of `values`")
            .hint("a trial of one objective has `value`, one of several has `values`: write one of them"));
    }
    let value = match (plain_value, listed) {
        (_, Some(values)) if !values.is_empty() => {
            let mut numbers =
                values.into_iter().map(|value| number_or_null(value, || wrong("values", "numbers")));
            let first = numbers.next().transpose()?.flatten();
            for number in numbers {
                later.push(number?.unwrap_or(f64::NAN));
            }
            first
        }
        (Some(value), _) => number_or_null(value, || wrong("value", "a number or null"))?,
        (None, _) => None,
    };
    let named = roles.metric.and_then(|metric| named(entry, metric));
    let value = match named {
        Some(named) => number_or_null(named, || wrong("value", "a number or null"))?,
        None => value,
    };
    Ok((value, later))
}

/// Parses a trial; `names` are those of the objectives, in order.
fn trial(index: usize, entry: &Value, names: &[String], roles: &Roles<'_>) -> Result<FrozenTrial, Problem> {
    let wrong = |field: &str, expected: &str| wrong_field(index, field, expected);
    let Value::Object(fields) = entry else {
        return Err(
            Problem::new(format!("trial {index} of the list"), "expected an object").hint(flat::LISTS)
        );
    };
    let number = match fields.get("number") {
        None => index as u64,
        Some(value) => read_count(value).ok_or_else(|| wrong("number", "a count from 0").hint(COUNTS))?,
    };
    let (value, later) = own_values(index, entry, names, roles)?;
    let state = match state_of(entry) {
        None => default_state(value),
        Some(value) => {
            parse_state_of(value).ok_or_else(|| wrong("state", "the name of a trial's state").hint(STATES))?
        }
    };
    let no_object = |field: &str| wrong(field, "an object").hint(OBJECTS);
    let all = params(fields).ok_or_else(|| no_object("params"))?;
    let (params, others) = listed_params(all, fields, roles);
    let mut trial = FrozenTrial::new(number, state, values_of(value, later), params);
    for (name, value) in others {
        take_user_attribute(&mut trial, &name, &value)
            .map_err(|malformed| wrong(&name, &format!("an attribute: {}", malformed.problem)))?;
    }
    match fields.get("intermediate_values") {
        None | Some(Value::Null) => {}
        Some(reports) => {
            trial.intermediate = reports
                .as_object()
                .and_then(intermediate)
                .ok_or_else(|| wrong("intermediate_values", "numbers by step"))?;
        }
    }
    for (field, time) in [("datetime_start", &mut trial.started), ("datetime_complete", &mut trial.completed)]
    {
        *time = match fields.get(field) {
            None | Some(Value::Null) => None,
            Some(value) => Some(read_time(value).ok_or_else(|| wrong(field, "a date and time").hint(TIMES))?),
        };
    }
    for source in ["user_attrs", "metrics", "system_attrs"] {
        let attributes = match fields.get(source) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(attributes)) => attributes,
            Some(_) => return Err(no_object(source)),
        };
        for (name, value) in attributes {
            if source == "system_attrs" {
                trial.system_attributes.insert(name.clone(), json::write(value));
            } else {
                take_user_attribute(&mut trial, name, &json::write(value))
                    .map_err(|malformed| Problem::new(malformed.place, malformed.problem))?;
            }
        }
    }
    take_flat_attributes(&mut trial, fields)?;
    infeasible::take(&mut trial, fields.get("constraints").unwrap_or(&Value::Null))
        .ok_or_else(|| wrong("constraints", infeasible::EXPECTED).hint(infeasible::HINT))?;
    match fields.get("distributions") {
        None | Some(Value::Null) => {}
        Some(Value::Object(sets)) => {
            for (name, set) in sets {
                let taken = take_distribution(&mut trial, name, set);
                taken.map_err(|(expected, hint)| {
                    wrong(&format!("distributions.{name}"), &expected).hint(hint)
                })?;
            }
        }
        Some(_) => return Err(no_object("distributions")),
    }
    let params = fields.get("params").and_then(Value::as_object);
    refuse_wide(&trial, index, |name| {
        let beside = || fields.iter().find(|(field, _)| is_param(field, name)).map(|(_, value)| value);
        params.and_then(|params| params.get(name)).or_else(beside)
    })?;
    Ok(trial)
}

/// Returns the parameters: an object, or separate fields, as `optuna trials --flatten` and pandas write them.
/// Returns `None` if `params` is not an object.
fn params(fields: &Map<String, Value>) -> Option<Params> {
    match fields.get("params") {
        None | Some(Value::Null) => {
            let flat = fields.iter().filter(|(_, value)| !value.is_null());
            let named = flat.filter_map(|(field, value)| Some((after(field, &["params_"])?, value)));
            Some(named.map(|(name, value)| (name.to_owned(), read_value(value))).collect())
        }
        Some(Value::Object(params)) => {
            Some(params.iter().map(|(name, value)| (name.clone(), read_value(value))).collect())
        }
        Some(_) => None,
    }
}

/// Returns the parameters that the user lists, or all if none is listed, and the attributes: the other
/// parameters, and fields without a known name.
fn listed_params(
    all: Params,
    fields: &Map<String, Value>,
    roles: &Roles<'_>,
) -> (Params, Vec<(String, String)>) {
    let is_param = |name: &str| roles.params.is_empty() || roles.lists(name);
    let (mut params, mut others) = (Params::default(), Vec::new());
    for (name, value) in all.0 {
        if is_param(&name) {
            params.0.insert(name, value);
        } else {
            others.push((name, distribution::write_value(&value)));
        }
    }
    let marked = ["params_", "user_attrs_", "system_attrs_"];
    for (name, value) in fields {
        let is_read = flat::NESTED.contains(&name.as_str())
            || ["trial_id", "constraints"].contains(&name.as_str())
            || is_state(name)
            || flat::COMMON.contains(&name.as_str())
            || after(name, &marked).is_some()
            || value.is_null();
        if roles.lists(name) && !is_read {
            params.0.insert(name.clone(), read_value(value));
        } else if !is_read && roles.metric != Some(name) {
            others.push((name.clone(), json::write(value)));
        }
    }
    (params, others)
}

/// Adds the attributes in separate fields.
fn take_flat_attributes(trial: &mut FrozenTrial, fields: &Map<String, Value>) -> Result<(), Problem> {
    for (field, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        if let Some(name) = after(field, &["user_attrs_"]) {
            take_user_attribute(trial, name, &json::write(value))
                .map_err(|malformed| Problem::new(malformed.place, malformed.problem))?;
        } else if let Some(name) = after(field, &["system_attrs_"]) {
            trial.system_attributes.insert(name.to_owned(), json::write(value));
        }
    }
    Ok(())
}

fn intermediate(reports: &Map<String, Value>) -> Option<BTreeMap<i64, f64>> {
    reports
        .iter()
        .map(|(step, value)| {
            let value = if value.is_null() { f64::NAN } else { json::number(value)? };
            Some((step.parse().ok()?, value))
        })
        .collect()
}
