//! What the columns of a table, or the fields of a flat list, hold: by their names.

use std::collections::BTreeSet;

use allometry_core::metric_name::implied_direction;

use super::Roles;
use super::error::Problem;
use super::note::{Note, listed};
use super::optuna_storage::SIZES;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Number,
    Value,
    /// Of an objective after the first.
    Further,
    State,
    Intermediate(i64),
    Metric(String),
    SystemAttribute(String),
    Param(String),
    /// The set of a parameter, as JSON.
    Set(String),
    Directions,
    Started,
    Completed,
    Ignored,
}

/// Beginnings of the names of parameters: Optuna, `MLflow`, W&B, Ray Tune. Where one is there, a column
/// without it is no parameter.
const PARAMS: [&str; 4] = ["params_", "params.", "config.", "config/"];
/// Beginnings of the names of metrics.
const METRICS: [&str; 3] = ["user_attrs_", "metrics.", "summary."];

/// Beginnings of the names of objectives that have a name: Optuna's of several, and of one.
const OBJECTIVES: [&str; 2] = ["values_", "value_"];

/// Columns of plain tables that are results although their names do not say so; every other one is a
/// parameter.
const RESULTS: [&str; 6] = ["pred_min", "pred_max", "pred_mean", "pred_sd", "zero_recall", "duration_sec"];

/// Columns that say how and where a trial ran.
const IGNORED: [&str; 38] = [
    "",
    "index",
    "duration",
    "forced_extreme",
    "extreme_type",
    "name",
    "notes",
    "user",
    "tags",
    "created",
    "runtime",
    "sweep",
    "id",
    "run_id",
    "run_name",
    "trial_id",
    "experiment_id",
    "experiment_tag",
    "artifact_uri",
    "pid",
    "hostname",
    "node_ip",
    "logdir",
    "checkpoint_dir_name",
    "done",
    "date",
    "timestamp",
    "time_this_iter_s",
    "time_total_s",
    "time_since_restore",
    "training_iteration",
    "iterations_since_restore",
    "timesteps_total",
    "_runtime",
    "_step",
    "_timestamp",
    "_wandb",
    "episodes_total",
];

/// Names of the objective in plain tables, the likeliest first.
const VALUES: [&str; 9] =
    ["value", "values_0", "auc", "val_auc", "valid_auc", "validation_auc", "objective", "score", "metric"];

/// Names of the objective that do not say what it is.
const NAMELESS: [&str; 5] = ["value", "values_0", "objective", "score", "metric"];

/// Columns left out that hold nothing of their own: the number of the line, and the end less the start.
const SAID_ELSEWHERE: [&str; 3] = ["", "index", "duration"];

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    /// What they hold, in order.
    pub(super) kinds: Vec<Column>,
    /// What the objectives are called, the first one first, up to the first whose name only says that it is a
    /// value.
    pub(super) metrics: Vec<String>,
    /// What was guessed, and what is left out.
    pub(super) notes: Vec<Note>,
}

impl Columns {
    /// Tells what the columns hold. `roles` is what the user says of them; where no column has the name of
    /// the metric, the usual names of objectives count. `place` says where the names stand.
    ///
    /// # Errors
    /// [`Problem`] where two columns have one name, none holds the objective, or none has a name that the
    /// user gives.
    pub(super) fn new(header: &[&str], roles: &Roles<'_>, place: &str) -> Result<Self, Problem> {
        refuse_repeated(header, place)?;
        let is_marked = header.iter().any(|name| after(name, &PARAMS).is_some());
        let of_optuna = ["number", "state", "datetime_start", "datetime_complete"];
        let from_optuna = header.iter().any(|name| name.starts_with("params_"))
            || of_optuna.iter().all(|name| header.contains(name));
        let is_objective = |name: &str| match after(name, &OBJECTIVES) {
            Some(rest) => from_optuna || (name.starts_with("values_") && rest.parse::<u32>().is_ok()),
            None => false,
        };
        // An attribute called a score is none of the objectives where these have names.
        let named = || header.iter().copied().find(|name| from_optuna && is_objective(name));
        let value = said_objective(header, roles.metric)
            .or_else(|| if header.contains(&"value") { Some("value") } else { named() })
            .or_else(|| usual_objective(header))
            .or_else(|| header.iter().copied().find(|name| is_objective(name)));
        let Some(value) = value else {
            let message = roles.metric.map_or_else(
                || "no column holds the objective".to_owned(),
                |metric| format!("no column is called `{metric}`, and none holds the objective"),
            );
            let others = header.iter().filter(|name| !is_known(name));
            let others: Vec<String> = others.map(|name| (*name).to_owned()).collect();
            return Err(Problem::new(place, message).hint(objective_hint(&others)));
        };
        refuse_alike(header, roles, value, place)?;
        refuse_unknown_params(header, roles, value, place)?;
        let mut notes = Vec::new();
        let (mut guessed, mut left_out) = (Vec::new(), Vec::new());
        let mut kind = |name: &str| {
            let known = known(name, from_optuna);
            let kind = match known {
                _ if name == value => Column::Value,
                _ if !roles.params.is_empty() => told(name, known, roles, is_objective(name)),
                Some(known) => known,
                None if is_objective(name) => Column::Further,
                None => other(name, is_marked || roles.size.is_some_and(|size| is_called(name, size))),
            };
            match &kind {
                Column::Param(param) if param == name && roles.params.is_empty() => {
                    guessed.push(param.clone());
                }
                Column::Ignored if !is_said_elsewhere(name) => left_out.push(name.to_owned()),
                _ => {}
            }
            kind
        };
        let kinds: Vec<Column> = header.iter().map(|name| kind(name)).collect();
        notes.extend((!guessed.is_empty()).then_some(Note::Guessed { params: guessed }));
        notes.extend((!left_out.is_empty()).then_some(Note::LeftOut { columns: left_out }));
        Ok(Self { metrics: metrics(header, &kinds, value, roles.metric), kinds, notes })
    }
}

/// What a column holds where the user lists the parameters: what is neither listed nor known is a metric or
/// an attribute.
fn told(name: &str, known: Option<Column>, roles: &Roles<'_>, is_objective: bool) -> Column {
    let param = after(name, &PARAMS).unwrap_or(name);
    if roles.lists(name) {
        return Column::Param(param.into());
    }
    match known {
        Some(known) => known,
        None if is_objective => Column::Further,
        None => match other(name, true) {
            Column::Param(attribute) => Column::Metric(attribute),
            Column::Set(of) if !roles.lists(&of) => Column::Ignored,
            other => other,
        },
    }
}

/// The names of the objectives.
fn metrics(header: &[&str], kinds: &[Column], value: &str, said: Option<&str>) -> Vec<String> {
    let plain = |name: &str| {
        let plain = after(name, &METRICS).unwrap_or(name).to_owned();
        let named = after(&plain, &OBJECTIVES).filter(|rest| rest.parse::<u32>().is_err());
        named.map_or_else(|| plain.clone(), Into::into)
    };
    let first = said.map_or_else(|| plain(value), Into::into);
    let further = header.iter().zip(kinds).filter(|(_, kind)| **kind == Column::Further);
    let names: Vec<String> = [first].into_iter().chain(further.map(|(name, _)| plain(name))).collect();
    let is_nameless = |name: &String| {
        NAMELESS.iter().any(|known| known.eq_ignore_ascii_case(name))
            || name.strip_prefix("values_").is_some_and(|rest| rest.parse::<u32>().is_ok())
    };
    names.into_iter().take_while(|name| !is_nameless(name)).collect()
}

fn refuse_unknown_params(
    header: &[&str],
    roles: &Roles<'_>,
    value: &str,
    place: &str,
) -> Result<(), Problem> {
    let is_there = |wanted: &&String| !header.iter().any(|name| is_param(name, wanted));
    if let Some(missing) = roles.params.iter().find(is_there) {
        let names: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
        return Err(Problem::new(place, format!("no column is called `{missing}`, which --params names"))
            .hint(format!("its columns are {}", listed(&names))));
    }
    match roles.params.iter().find(|wanted| is_param(value, wanted)) {
        None => Ok(()),
        Some(both) => {
            let message = format!("`{both}` holds the objective and is no hyperparameter");
            Err(Problem::new(place, message)
                .hint("leave it out of --params, or name the objective with --metric"))
        }
    }
}

/// Whether a column, with or without the mark of a parameter, has the name.
pub(super) fn is_param(column: &str, wanted: &str) -> bool {
    column == wanted || after(column, &PARAMS) == Some(wanted)
}

/// Whether a column, with or without the mark of a metric, has the name in any case.
pub(super) fn is_called(column: &str, wanted: &str) -> bool {
    column.eq_ignore_ascii_case(wanted)
        || after(column, &METRICS).is_some_and(|rest| rest.eq_ignore_ascii_case(wanted))
}

/// What to do where no field or column is the objective's.
pub(super) fn objective_hint(names: &[String]) -> String {
    let there_are = if names.is_empty() { String::new() } else { format!(": {}", listed(names)) };
    format!("name the objective with --metric{there_are}")
}

/// What a name says in every table, in any case.
fn known(name: &str, from_optuna: bool) -> Option<Column> {
    match name.to_ascii_lowercase().as_str() {
        "number" | "trial" | "trial_number" => Some(Column::Number),
        "state" | "status" => Some(Column::State),
        "datetime_start" | "start_time" => Some(Column::Started),
        "datetime_complete" | "end_time" => Some(Column::Completed),
        "directions" if from_optuna => Some(Column::Directions),
        _ => None,
    }
}

/// Whether a column holds the states of trials.
pub(super) fn is_state(name: &str) -> bool {
    known(name, false) == Some(Column::State)
}

fn is_known(name: &str) -> bool {
    let of_optuna = ["distributions_", "system_attrs_", "intermediate_values_", "user_attrs_allometry:"];
    known(name, true).is_some()
        || is_ignored(name)
        || after(name, &PARAMS).is_some()
        || after(name, &of_optuna).is_some()
}

fn is_said_elsewhere(name: &str) -> bool {
    SAID_ELSEWHERE.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.starts_with("Unnamed:")
}

fn is_ignored(name: &str) -> bool {
    IGNORED.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.starts_with("Unnamed:")
}

/// What else a column holds. Where parameters are marked, what is not marked is a metric.
fn other(name: &str, is_marked: bool) -> Column {
    if let Some(param) = after(name, &PARAMS) {
        return Column::Param(param.into());
    }
    if let Some(metric) = after(name, &METRICS) {
        return Column::Metric(metric.into());
    }
    if let Some(attribute) = name.strip_prefix("system_attrs_") {
        return Column::SystemAttribute(attribute.into());
    }
    if let Some(param) = name.strip_prefix("distributions_") {
        return Column::Set(param.into());
    }
    if let Some(step) = name.strip_prefix("intermediate_values_").and_then(|step| step.parse().ok()) {
        return Column::Intermediate(step);
    }
    let is_result = RESULTS.contains(&name) || implied_direction(name).is_some();
    let is_size = SIZES.iter().any(|size| size.eq_ignore_ascii_case(name));
    let is_value = VALUES.iter().any(|value| value.eq_ignore_ascii_case(name));
    match name {
        _ if is_ignored(name) => Column::Ignored,
        _ if is_marked || is_result || is_size || is_value => Column::Metric(name.into()),
        _ => Column::Param(name.into()),
    }
}

/// The column that the user names for the objective, also behind the mark of a metric.
fn said_objective<'h>(header: &[&'h str], metric: Option<&str>) -> Option<&'h str> {
    let metric = metric?;
    let of_optuna = || header.iter().copied().find(|name| after(name, &OBJECTIVES) == Some(metric));
    let exact = header.iter().copied().find(|name| *name == metric);
    exact.or_else(|| header.iter().copied().find(|name| is_called(name, metric))).or_else(of_optuna)
}

/// The column of the objective by the usual names, the likeliest first.
fn usual_objective<'h>(header: &[&'h str]) -> Option<&'h str> {
    VALUES.iter().find_map(|usual| header.iter().copied().find(|name| is_called(name, usual)))
}

fn after<'n>(name: &'n str, beginnings: &[&str]) -> Option<&'n str> {
    beginnings.iter().find_map(|beginning| name.strip_prefix(beginning))
}

/// Refuses two columns that both hold what their name says in any case: the objective, a number, a state, a
/// time.
fn refuse_alike(header: &[&str], roles: &Roles<'_>, value: &str, place: &str) -> Result<(), Problem> {
    let is_named = roles.metric == Some(value);
    let counts = |name: &&str| if *name == value { !is_named } else { known(name, false).is_some() };
    for name in header.iter().copied().filter(|name| counts(name)) {
        if let Some(other) = header.iter().find(|other| **other != name && other.eq_ignore_ascii_case(name)) {
            let message = format!("`{name}` and `{other}` are one name, in which case does not count");
            return Err(Problem::new(place, message).hint(if name == value {
                "name the objective with --metric as it is written, or rename a column"
            } else {
                "rename one of them"
            }));
        }
    }
    Ok(())
}

fn refuse_repeated(header: &[&str], place: &str) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    match header.iter().find(|name| !name.is_empty() && !seen.insert(**name)) {
        None => Ok(()),
        Some(name) => Err(Problem::new(place, format!("two columns are called `{name}`"))
            .hint("give every column a name of its own")),
    }
}
