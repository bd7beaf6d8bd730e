//! Construction of one trial from the texts of its files.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{Failure, FrozenTrial, Params, TrialState};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::status::Status;
use crate::distribution::read_value;
use crate::import::error::Problem;
use crate::import::field::Wide;
use crate::import::json::parse_document;
use crate::json;

/// Fields that Ray adds to every result.
const OF_RAY: [&str; 27] = [
    "agent_timesteps_total",
    "checkpoint_dir_name",
    "date",
    "done",
    "episodes_this_iter",
    "episodes_total",
    "experiment_id",
    "experiment_tag",
    "hostname",
    "iterations_since_restore",
    "node_ip",
    "num_env_steps_sampled_lifetime",
    "num_healthy_workers",
    "num_steps_sampled",
    "num_steps_trained",
    "pid",
    "should_checkpoint",
    "time_since_restore",
    "time_this_iter_s",
    "time_total_s",
    "timestamp",
    "timesteps_since_restore",
    "timesteps_this_iter",
    "timesteps_total",
    "training_iteration",
    "trial_id",
    "warmup_time",
];

/// Prefix of parameters in a result.
const CONFIG: &str = "config/";

/// Texts of the existing files of a trial.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) results: Option<String>,
    pub(super) progress: Option<String>,
    pub(super) params: Option<String>,
    pub(super) error: Option<String>,
}

/// Contents of the files of a trial.
#[derive(Debug, Default)]
pub(super) struct Trial {
    pub(super) id: Option<String>,
    folder: String,
    /// Reported results by iteration; nested objects are flattened to names joined with `/`.
    results: BTreeMap<i64, Map<String, Value>>,
    params: Params,
    error: Option<String>,
}

impl Trial {
    /// Parses the files; a problem comes with the name of its file.
    pub(super) fn read(files: &Files) -> Result<Self, (&'static str, Problem)> {
        let mut trial = Self { error: files.error.clone(), ..Self::default() };
        let in_file = |name| move |problem| (name, problem);
        match (&files.results, &files.progress) {
            (Some(text), _) => trial.take_lines(text).map_err(in_file("result.json"))?,
            (None, Some(text)) => trial.take_table(text).map_err(in_file("progress.csv"))?,
            (None, None) => {}
        }
        let mut config = Map::new();
        if let Some(text) = &files.params {
            let document = parse_document(text).map_err(in_file("params.json"))?;
            let Value::Object(fields) = &document else {
                return Err(("params.json", Problem::new("line 1", "expected an object")));
            };
            flatten("", fields, &mut config);
        } else if let Some(last) = trial.results.values().next_back() {
            let given = last.iter().filter_map(|(name, value)| Some((name.strip_prefix(CONFIG)?, value)));
            config.extend(given.map(|(name, value)| (name.to_owned(), value.clone())));
        }
        for (name, value) in config {
            if let Some(digits) = json::beyond_i64(&value) {
                let file = if files.params.is_some() { "params.json" } else { "result.json" };
                return Err((file, Wide(digits).within(format!("field `{name}`"))));
            }
            let value = read_value(&value);
            trial.params.0.insert(name, value);
        }
        Ok(trial)
    }

    pub(super) fn of_folder(self, folder: &str) -> Self {
        Self { folder: folder.to_owned(), ..self }
    }

    /// Returns a sort key for the order in which Ray created the trials: its ids end in a count
    /// (`a1b2c_00003`).
    pub(super) fn order(&self) -> (Option<u64>, String) {
        let count =
            self.id.as_ref().and_then(|id| id.rsplit_once('_')).and_then(|(_, count)| count.parse().ok());
        (count, self.folder.clone())
    }

    fn take_lines(&mut self, text: &str) -> Result<(), Problem> {
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
        while let Some((number, line)) = lines.next() {
            let place = |field: &str| format!("line {number}{field}");
            match json::parse(line) {
                Ok(Value::Object(fields)) => {
                    let mut result = Map::new();
                    flatten("", &fields, &mut result);
                    self.take_result(result).map_err(|field| {
                        Problem::new(place(&format!(", field `{field}`")), "expected a whole number")
                    })?;
                }
                Ok(_) => return Err(Problem::new(place(""), "expected an object")),
                // The writer died within the last line.
                Err(_) if lines.peek().is_none() => break,
                Err(error) => {
                    let column = format!(", column {}", error.column);
                    return Err(Problem::new(place(&column), error.message).hint("each line is one result"));
                }
            }
        }
        Ok(())
    }

    fn take_table(&mut self, text: &str) -> Result<(), Problem> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let malformed = |error: csv::Error| Problem::new("table", error.to_string());
        let header = reader.headers().map_err(malformed)?.clone();
        for record in reader.records() {
            let record = record.map_err(malformed)?;
            let line = record.position().map_or(0, csv::Position::line);
            let cells = header.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
            let value = |cell: &str| {
                let parsed = json::parse(cell)
                    .ok()
                    .filter(|value| !value.is_string() || json::number(value).is_some());
                let number = || cell.parse::<f64>().ok().map(json::float);
                parsed.or_else(number).unwrap_or_else(|| cell.into())
            };
            self.take_result(cells.map(|(name, cell)| (name.to_owned(), value(cell))).collect()).map_err(
                |field| Problem::new(format!("line {line}, column `{field}`"), "expected a whole number"),
            )?;
        }
        Ok(())
    }

    /// Adds a result, which replaces an earlier one of its iteration. The error is the name of a field that
    /// is not a whole number.
    fn take_result(&mut self, result: Map<String, Value>) -> Result<(), &'static str> {
        let whole = |value: &Value| {
            value.as_i64().or_else(|| value.as_f64().filter(|x| x.fract() == 0.0).map(|x| x as i64))
        };
        let iteration = match result.get("training_iteration") {
            None => self.results.keys().next_back().map_or(1, |last| last + 1),
            Some(value) => whole(value).ok_or("training_iteration")?,
        };
        if let Some(id) = result.get("trial_id").and_then(Value::as_str) {
            self.id = Some(id.to_owned());
        }
        self.results.insert(iteration, result);
        Ok(())
    }

    /// Returns the trial with the values of a metric; its value is that of its last result.
    pub(super) fn frozen(&self, number: u64, metric: &str, status: Option<Status>) -> FrozenTrial {
        let reported = |result: &Map<String, Value>| match result.get(metric)? {
            // Ray writes null for NaN.
            Value::Null => Some(f64::NAN),
            value => json::number(value),
        };
        let last = self.results.values().next_back();
        let value = last.and_then(reported).filter(|value| !value.is_nan());
        let failure = match (&self.error, status) {
            (Some(error), _) => {
                // Ray's error messages contain ANSI colours.
                let detail: String = error.chars().filter(|c| !c.is_control() || *c == '\n').collect();
                let reason = detail.trim().lines().next_back().unwrap_or("error").trim().to_owned();
                Some(Failure { reason, detail })
            }
            (None, Some(Status::Error)) => Some(failure("the trial failed, and Ray recorded no reason")),
            (None, Some(Status::Unfinished)) => Some(failure("the experiment ended before the trial")),
            (None, Some(Status::Terminated) | None) => {
                value.is_none().then(|| failure(&format!("its last result has no `{metric}`")))
            }
        };
        let state = if failure.is_some() { TrialState::Failed } else { TrialState::Complete };
        let value = value.filter(|_| failure.is_none());
        let mut trial = FrozenTrial::new(number, state, value, self.params.clone());
        trial.intermediate =
            self.results.iter().filter_map(|(step, result)| Some((*step, reported(result)?))).collect();
        trial.record.failure = failure;
        let number_of = |result: Option<&Map<String, Value>>, name: &str| {
            result.and_then(|result| json::number(result.get(name)?))
        };
        let first = self.results.values().next();
        let time = |seconds: f64| {
            Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
        };
        let took = number_of(first, "time_this_iter_s").unwrap_or(0.0);
        trial.started = number_of(first, "timestamp").and_then(|seconds| time(seconds - took));
        trial.completed = number_of(last, "timestamp").and_then(time);
        for (name, value) in last.into_iter().flatten() {
            if is_metric(name) && name != metric {
                trial.user_attributes.insert(name.clone(), json::write(value));
            }
        }
        for (name, value) in [("ray_trial_id", self.id.as_deref()), ("ray_folder", Some(&*self.folder))] {
            let value = value.map(|value| json::write(&Value::from(value)));
            trial.user_attributes.extend(value.map(|value| (name.to_owned(), value)));
        }
        trial
    }
}

fn failure(reason: &str) -> Failure {
    Failure { reason: reason.into(), detail: String::new() }
}

/// Returns the names of the numbers that the trials report.
pub(super) fn metrics(trials: &[Trial]) -> Vec<String> {
    let reported = trials.iter().flat_map(|trial| trial.results.values().flatten());
    let numbers = reported.filter(|(name, value)| is_metric(name) && json::number(value).is_some());
    numbers.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether a field of a result was reported by the trial itself.
fn is_metric(name: &str) -> bool {
    !name.starts_with(CONFIG) && !OF_RAY.contains(&name)
}

/// Flattens nested objects to names joined with `/`, as Ray does.
fn flatten(prefix: &str, fields: &Map<String, Value>, into: &mut Map<String, Value>) {
    for (name, value) in fields {
        let name = format!("{prefix}{name}");
        match value {
            Value::Object(inner) => flatten(&format!("{name}/"), inner, into),
            value => {
                into.insert(name, value.clone());
            }
        }
    }
}
