//! Classification of the columns of a table, or of the fields of a flat list, by name.

use std::collections::BTreeSet;

use allometry_core::implied_direction;

use super::Roles;
use super::ends::{STEP, TRIAL};
use super::error::Problem;
use super::note::{Note, listed};
use super::optuna_storage::SIZES;

/// The content of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Number,
    Value,
    /// Value of an objective after the first.
    LaterValue,
    State,
    Intermediate(i64),
    Metric(String),
    /// A list of constraints, or an object of them.
    Constraints,
    /// One constraint by name.
    Constraint(String),
    SystemAttribute(String),
    Param(String),
    /// Distribution of a parameter as JSON.
    Distribution(String),
    Directions,
    Started,
    Completed,
    Ignored,
}

impl Column {
    /// Whether the content is a number, a state or a time, and never a text of the user.
    pub(super) fn has_own_form(&self) -> bool {
        match self {
            Self::Number
            | Self::Value
            | Self::LaterValue
            | Self::State
            | Self::Intermediate(_)
            | Self::Started
            | Self::Completed => true,
            Self::Metric(_)
            | Self::Constraints
            | Self::Constraint(_)
            | Self::SystemAttribute(_)
            | Self::Param(_)
            | Self::Distribution(_)
            | Self::Directions
            | Self::Ignored => false,
        }
    }
}

/// Prefixes of parameters: Optuna, `MLflow`, W&B, Ray Tune. If one of them occurs, columns without it are no
/// parameters.
const PARAMS: [&str; 4] = ["params_", "params.", "config.", "config/"];
/// Prefixes of constraints: Optuna's, and pandas' for the field `constraints`.
const CONSTRAINTS: [&str; 2] = ["constraints:", "constraints."];
/// Prefixes of metrics.
const METRICS: [&str; 3] = ["user_attrs_", "metrics.", "summary."];

/// Prefixes of named objectives: Optuna's for several objectives and for one.
const OBJECTIVES: [&str; 2] = ["values_", "value_"];

/// Columns of plain tables that are results although their names have no prefix; other columns are
/// parameters.
const RESULTS: [&str; 6] = ["pred_min", "pred_max", "pred_mean", "pred_sd", "zero_recall", "duration_sec"];

/// Columns that describe how and where a trial ran.
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

/// Names of the objective in plain tables, the most likely first.
const VALUES: [&str; 9] =
    ["value", "values_0", "auc", "val_auc", "valid_auc", "validation_auc", "objective", "score", "metric"];

/// Names of the number of a trial, the most likely first.
const NUMBERS: [&str; 3] = ["number", "trial_number", "trial"];

/// Names of the objective that do not tell what it measures.
const UNDESCRIPTIVE: [&str; 5] = ["value", "values_0", "objective", "score", "metric"];

/// Ignored columns that repeat other data: the line number, and the difference of end and start.
const REDUNDANT: [&str; 3] = ["", "index", "duration"];

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    /// Content of each column, in order.
    pub(super) kinds: Vec<Column>,
    /// Names of the objectives in order, up to the first one without a descriptive name. The objective that
    /// the user names comes first.
    pub(super) metrics: Vec<String>,
    /// Number of objectives whose columns precede that of the first one.
    pub(super) place: usize,
    /// Guesses, and columns that were left out.
    pub(super) notes: Vec<Note>,
}

impl Columns {
    /// Classifies the columns. `roles` contains the user's options for columns; if no column has the name of
    /// the metric, the usual names of objectives are tried. `place` describes the header for messages.
    ///
    /// # Errors
    /// [`Problem`] where two columns have one name, no column holds the objective, or no column has a name
    /// from the user's options.
    pub(super) fn new(header: &[&str], roles: &Roles<'_>, place: &str) -> Result<Self, Problem> {
        refuse_repeated(header, place)?;
        let from_ray = [TRIAL, STEP].iter().all(|name| header.contains(name));
        let is_marked = from_ray || header.iter().any(|name| after(name, &PARAMS).is_some());
        let of_optuna = ["number", "state", "datetime_start", "datetime_complete"];
        let from_optuna = header.iter().any(|name| after(name, &["params_"]).is_some())
            || of_optuna.iter().all(|name| header.iter().any(|known| known.eq_ignore_ascii_case(name)));
        let is_objective = |name: &str| match after(name, &OBJECTIVES) {
            Some(rest) => {
                from_optuna || (after(name, &["values_"]) == Some(rest) && rest.parse::<u32>().is_ok())
            }
            None => false,
        };
        // An attribute called `score` is no objective if the objectives have names.
        let named = || header.iter().copied().find(|name| from_optuna && is_objective(name));
        let value = said_objective(header, roles.metric)
            .or_else(|| plain_value(header))
            .or_else(named)
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
        let mut notes = Vec::new();
        if let Some(metric) = roles.metric.filter(|metric| said_objective(header, Some(metric)).is_none()) {
            if !is_nameless(after(value, &METRICS).unwrap_or(value)) {
                let others = header.iter().filter(|name| **name == value || !is_known(name));
                let others: Vec<String> = others.map(|name| (*name).to_owned()).collect();
                return Err(Problem::new(place, format!("no column is called `{metric}`"))
                    .hint(objective_hint(&others)));
            }
            notes.push(Note::ValueAsMetric { column: value.into(), metric: metric.into() });
        }
        refuse_alike(header, roles, value, place)?;
        refuse_unknown_params(header, roles, value, place)?;
        let (mut guessed, mut left_out) = (Vec::new(), Vec::new());
        let mut kind = |name: &str| {
            let known = known_column(name, from_optuna);
            let kind = match known {
                _ if name == value => Column::Value,
                _ if !roles.params.is_empty() => with_listed_params(name, known, roles, is_objective(name)),
                Some(known) => known,
                None if is_objective(name) => Column::LaterValue,
                None => {
                    unknown_column(name, is_marked || roles.size.is_some_and(|size| is_called(name, size)))
                }
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
        let mut kinds: Vec<Column> = header.iter().map(|name| kind(name)).collect();
        left_out.extend(keep_one_number(header, &mut kinds));
        refuse_twins(&kinds, place)?;
        refuse_order(header, place)?;
        notes.extend((!guessed.is_empty()).then_some(Note::Guessed { params: guessed }));
        notes.extend((!left_out.is_empty()).then_some(Note::LeftOut { columns: left_out }));
        let is_later = |kind: &&Column| **kind == Column::LaterValue;
        let place = kinds.iter().take_while(|kind| **kind != Column::Value).filter(is_later).count();
        Ok(Self { metrics: metrics(header, &kinds, value, roles.metric), place, kinds, notes })
    }
}

/// Returns the column of a single objective without a name.
fn plain_value<'h>(header: &[&'h str]) -> Option<&'h str> {
    let any_case = || header.iter().find(|name| name.eq_ignore_ascii_case("value"));
    header.iter().find(|name| **name == "value").or_else(any_case).copied()
}

/// Keeps the likeliest of several columns with the numbers of trials, and returns the names of the others.
fn keep_one_number(header: &[&str], kinds: &mut [Column]) -> Vec<String> {
    let rank = |name: &str| NUMBERS.iter().position(|known| known.eq_ignore_ascii_case(name));
    let numbers: Vec<usize> = (0..kinds.len()).filter(|place| kinds[*place] == Column::Number).collect();
    let Some(kept) = numbers.iter().copied().min_by_key(|place| rank(header[*place])) else {
        return Vec::new();
    };
    let others = numbers.into_iter().filter(|place| *place != kept);
    let drop = |place: usize| {
        kinds[place] = Column::Ignored;
        header[place].to_owned()
    };
    others.map(drop).collect()
}

/// Whether a column may hold names of trials instead of their numbers.
pub(super) fn may_be_names(name: &str) -> bool {
    !name.eq_ignore_ascii_case(NUMBERS[0])
}

/// Returns the parameters of a table that has no distributions of them.
pub(super) fn params_without_sets(kinds: &[Column]) -> impl Iterator<Item = &str> {
    let has_sets =
        |param: &str| kinds.iter().any(|kind| matches!(kind, Column::Distribution(of) if of == param));
    kinds.iter().filter_map(move |kind| match kind {
        Column::Param(param) if !has_sets(param) => Some(param.as_str()),
        _ => None,
    })
}

/// Classifies a column if the user lists the parameters: an unknown column that is not listed is a metric or
/// an attribute.
fn with_listed_params(name: &str, known: Option<Column>, roles: &Roles<'_>, is_objective: bool) -> Column {
    let param = after(name, &PARAMS).unwrap_or(name);
    if roles.lists(name) {
        return Column::Param(param.into());
    }
    match known {
        Some(known) => known,
        None if is_objective => Column::LaterValue,
        None => match unknown_column(name, true) {
            Column::Param(attribute) => Column::Metric(attribute),
            Column::Distribution(of) if !roles.lists(&of) => Column::Ignored,
            other => other,
        },
    }
}

/// Returns the names of the objectives.
fn metrics(header: &[&str], kinds: &[Column], value: &str, said: Option<&str>) -> Vec<String> {
    let plain = |name: &str| {
        let plain = after(name, &METRICS).unwrap_or(name).to_owned();
        let named = after(&plain, &OBJECTIVES).filter(|rest| rest.parse::<u32>().is_err());
        named.map_or_else(|| plain.clone(), Into::into)
    };
    let own = plain(value);
    let first = said.filter(|_| own == value || is_nameless(&own)).map_or(own, Into::into);
    let later = header.iter().zip(kinds).filter(|(_, kind)| **kind == Column::LaterValue);
    let names: Vec<String> = [first].into_iter().chain(later.map(|(name, _)| plain(name))).collect();
    // A name from the user is the first one, so that the others need theirs.
    names.into_iter().take_while(|name| said.is_some() || !is_nameless(name)).collect()
}

/// Whether the name of an objective does not tell what it measures.
fn is_nameless(name: &str) -> bool {
    UNDESCRIPTIVE.iter().any(|known| known.eq_ignore_ascii_case(name))
        || after(name, &["values_"]).is_some_and(|rest| rest.parse::<u32>().is_ok())
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
            let message = format!("`{both}` holds the objective, so that it cannot be a hyperparameter");
            Err(Problem::new(place, message)
                .hint("leave it out of --params, or name the objective with --metric"))
        }
    }
}

/// Whether a column has this name, with or without the prefix of a parameter.
pub(super) fn is_param(column: &str, wanted: &str) -> bool {
    column == wanted || after(column, &PARAMS) == Some(wanted)
}

/// Whether a column has this name, with or without the prefix of a metric, ignoring case.
pub(super) fn is_called(column: &str, wanted: &str) -> bool {
    column.eq_ignore_ascii_case(wanted)
        || after(column, &METRICS).is_some_and(|rest| rest.eq_ignore_ascii_case(wanted))
}

/// Returns the advice for a table in which no column or field is the objective.
pub(super) fn objective_hint(names: &[String]) -> String {
    let there_are = if names.is_empty() { String::new() } else { format!(": {}", listed(names)) };
    format!("name the objective with --metric{there_are}")
}

/// Returns the content that a name means in every table, ignoring case.
fn known_column(name: &str, from_optuna: bool) -> Option<Column> {
    if let Some(constraint) = after(name, &CONSTRAINTS) {
        return Some(Column::Constraint(constraint.into()));
    }
    match name.to_ascii_lowercase().as_str() {
        name if NUMBERS.contains(&name) => Some(Column::Number),
        "constraints" => Some(Column::Constraints),
        "state" | "status" => Some(Column::State),
        "datetime_start" | "start_time" => Some(Column::Started),
        "datetime_complete" | "end_time" => Some(Column::Completed),
        "directions" if from_optuna => Some(Column::Directions),
        _ => None,
    }
}

/// Whether a column holds the states of trials.
pub(super) fn is_state(name: &str) -> bool {
    known_column(name, false) == Some(Column::State)
}

fn is_known(name: &str) -> bool {
    let of_optuna = ["distributions_", "system_attrs_", "intermediate_values_", "user_attrs_allometry:"];
    known_column(name, true).is_some()
        || is_ignored(name)
        || after(name, &PARAMS).is_some()
        || after(name, &of_optuna).is_some()
}

fn is_said_elsewhere(name: &str) -> bool {
    REDUNDANT.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.starts_with("Unnamed:")
}

fn is_ignored(name: &str) -> bool {
    IGNORED.iter().any(|known| known.eq_ignore_ascii_case(name)) || name.starts_with("Unnamed:")
}

/// Classifies a column without a known name. If parameters have a prefix, a column without it is a metric.
fn unknown_column(name: &str, is_marked: bool) -> Column {
    if let Some(param) = after(name, &PARAMS) {
        return Column::Param(param.into());
    }
    if let Some(metric) = after(name, &METRICS) {
        return Column::Metric(metric.into());
    }
    if let Some(attribute) = after(name, &["system_attrs_"]) {
        return Column::SystemAttribute(attribute.into());
    }
    if let Some(param) = after(name, &["distributions_"]) {
        return Column::Distribution(param.into());
    }
    if let Some(step) = after(name, &["intermediate_values_"]).and_then(|step| step.parse().ok()) {
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

/// Returns the column that the user names for the objective, with or without the prefix of a metric.
fn said_objective<'h>(header: &[&'h str], metric: Option<&str>) -> Option<&'h str> {
    let metric = metric?;
    let of_optuna = || {
        let is_it =
            |name: &&str| after(name, &OBJECTIVES).is_some_and(|rest| rest.eq_ignore_ascii_case(metric));
        header.iter().copied().find(is_it)
    };
    let exact = header.iter().copied().find(|name| *name == metric);
    exact.or_else(|| header.iter().copied().find(|name| is_called(name, metric))).or_else(of_optuna)
}

/// Returns the column of the objective by its usual names, the most likely first.
fn usual_objective<'h>(header: &[&'h str]) -> Option<&'h str> {
    VALUES.iter().find_map(|usual| header.iter().copied().find(|name| is_called(name, usual)))
}

/// Whether a name has the prefix of a parameter, a metric or an attribute.
pub(super) fn is_prefixed(name: &str) -> bool {
    after(name, &PARAMS).or_else(|| after(name, &METRICS)).is_some()
        || after(name, &["system_attrs_", "distributions_"]).is_some()
}

/// Returns the rest of a name after one of several prefixes, ignoring their case.
pub(super) fn after<'n>(name: &'n str, prefixes: &[&str]) -> Option<&'n str> {
    prefixes.iter().find_map(|prefix| {
        let (start, rest) = name.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    })
}

/// Refuses two names that differ in case only and mean the same content: the objective, a number, a state, a
/// time.
fn refuse_alike(header: &[&str], roles: &Roles<'_>, value: &str, place: &str) -> Result<(), Problem> {
    let is_named = roles.metric == Some(value);
    let counts = |name: &&str| if *name == value { !is_named } else { known_column(name, false).is_some() };
    for name in header.iter().copied().filter(|name| counts(name)) {
        if let Some(other) = header.iter().find(|other| **other != name && other.eq_ignore_ascii_case(name)) {
            let message = format!("the names `{name}` and `{other}` differ in case only");
            return Err(Problem::new(place, message).hint(if name == value {
                "name the objective with --metric as it is written, or rename a column"
            } else {
                "rename one of them"
            }));
        }
    }
    Ok(())
}

/// Refuses two columns of one parameter or metric, such as `params_x` and `config.x`.
fn refuse_twins(kinds: &[Column], place: &str) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    let name = |kind: &Column| match kind {
        Column::Param(name) => Some(("hyperparameter", name.clone())),
        Column::Metric(name) => Some(("metric or attribute", name.clone())),
        _ => None,
    };
    match kinds.iter().filter_map(name).find(|twin| !seen.insert(twin.clone())) {
        None => Ok(()),
        Some((what, name)) => {
            let message = format!("two columns are of the {what} `{name}`");
            Err(Problem::new(place, message).hint("remove or rename one of them"))
        }
    }
}

/// Refuses columns `values_0`, `values_1` and so on in another order than that of their numbers.
fn refuse_order(header: &[&str], place: &str) -> Result<(), Problem> {
    let number = |name: &&str| after(name, &["values_"])?.parse::<u32>().ok();
    let numbers: Vec<u32> = header.iter().filter_map(number).collect();
    if numbers.is_sorted() {
        return Ok(());
    }
    Err(Problem::new(place, "the columns of values are not in the order of their numbers")
        .hint("write `values_0` before `values_1`"))
}

fn refuse_repeated(header: &[&str], place: &str) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    match header.iter().find(|name| !name.is_empty() && !seen.insert(**name)) {
        None => Ok(()),
        Some(name) => Err(Problem::new(place, format!("two columns are called `{name}`"))
            .hint("give each column a different name")),
    }
}
