//! What the columns of a table hold, by their names.

use std::collections::BTreeSet;

use allometry_core::metric_name::implied_direction;

use super::super::error::Problem;
use super::super::json::objective_hint;

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

/// Beginnings of the names of parameters: Optuna, `MLflow`, W&B, Ray Tune. Where one is there, a column without it is no parameter.
const PARAMS: [&str; 4] = ["params_", "params.", "config.", "config/"];
/// Beginnings of the names of metrics.
const METRICS: [&str; 3] = ["user_attrs_", "metrics.", "summary."];

/// Columns of plain tables that are results although their names do not say so; every other one is a parameter.
const RESULTS: [&str; 6] = ["pred_min", "pred_max", "pred_mean", "pred_sd", "zero_recall", "duration_sec"];

/// Columns that say how and where a trial ran.
const IGNORED: [&str; 34] = [
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
    "episodes_total",
];

/// Names of the objective in plain tables, the likeliest first.
const VALUES: [&str; 9] =
    ["value", "values_0", "auc", "val_auc", "valid_auc", "validation_auc", "objective", "score", "metric"];

/// Names of the objective that do not say what it is.
const NAMELESS: [&str; 5] = ["value", "values_0", "objective", "score", "metric"];

/// The columns of a table.
#[derive(Debug)]
pub(super) struct Columns {
    /// What they hold, in order.
    pub(super) kinds: Vec<Column>,
    /// What the objective is called, where that says more than that it is a value.
    pub(super) metric: Option<String>,
}

impl Columns {
    /// Tells what the columns hold. `metric` names the objective; where no column has that name, its usual names count.
    ///
    /// # Errors
    /// [`Problem`] where two columns have one name, or none holds the objective.
    pub(super) fn new(header: &csv::StringRecord, metric: Option<&str>) -> Result<Self, Problem> {
        refuse_repeated(header)?;
        let is_marked = header.iter().any(|name| after(name, &PARAMS).is_some());
        let from_optuna = header.iter().any(|name| name.starts_with("params_"));
        let is_objective = |name: &str| {
            let named = name.strip_prefix("values_");
            named.is_some_and(|rest| from_optuna || rest.parse::<u32>().is_ok())
        };
        let Some(value) = objective(header, metric).or_else(|| header.iter().find(|name| is_objective(name)))
        else {
            let message = metric.map_or_else(
                || "no column holds the objective".to_owned(),
                |metric| format!("no column is called `{metric}`, and none holds the objective"),
            );
            let others: Vec<String> = header.iter().filter(|name| !is_known(name)).map(Into::into).collect();
            return Err(Problem::new("line 1", message).hint(objective_hint(&others)));
        };
        let kind = |name: &str| {
            let known = known(name, from_optuna);
            match known {
                _ if name == value => Column::Value,
                Some(known) => known,
                None if is_objective(name) => Column::Further,
                None => other(name, is_marked),
            }
        };
        let said = metric.unwrap_or_else(|| {
            let plain = after(value, &METRICS).unwrap_or(value);
            plain.strip_prefix("values_").filter(|rest| rest.parse::<u32>().is_err()).unwrap_or(plain)
        });
        let metric = (!NAMELESS.iter().any(|name| name.eq_ignore_ascii_case(said))).then(|| said.to_owned());
        Ok(Self { kinds: header.iter().map(kind).collect(), metric })
    }
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

fn is_known(name: &str) -> bool {
    known(name, true).is_some() || is_ignored(name) || after(name, &PARAMS).is_some()
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
    let is_value = VALUES.iter().any(|value| value.eq_ignore_ascii_case(name));
    match name {
        _ if is_ignored(name) => Column::Ignored,
        _ if is_marked || is_result || is_value => Column::Metric(name.into()),
        _ => Column::Param(name.into()),
    }
}

/// The column of the objective: that of the name given, also behind the mark of a metric; else of the usual names the likeliest.
fn objective<'h>(header: &'h csv::StringRecord, metric: Option<&str>) -> Option<&'h str> {
    let called = |wanted: &str| {
        let is_it = |name: &&str| {
            name.eq_ignore_ascii_case(wanted)
                || after(name, &METRICS).is_some_and(|rest| rest.eq_ignore_ascii_case(wanted))
        };
        header.iter().find(is_it)
    };
    metric.and_then(called).or_else(|| VALUES.iter().find_map(|name| called(name)))
}

fn after<'n>(name: &'n str, beginnings: &[&str]) -> Option<&'n str> {
    beginnings.iter().find_map(|beginning| name.strip_prefix(beginning))
}

fn refuse_repeated(header: &csv::StringRecord) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    match header.iter().find(|name| !name.is_empty() && !seen.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Problem::new("line 1", format!("two columns are called `{name}`"))
            .hint("give every column a name of its own")),
    }
}

/// The one header of a table whose columns have names on two levels, as pandas writes them: `params` above `lr` is `params_lr`. `None`
/// where the names are on one level.
pub(super) fn joined(upper: &csv::StringRecord, lower: &csv::StringRecord) -> Option<csv::StringRecord> {
    let levels = ["params", "values", "user_attrs", "system_attrs", "distributions", "intermediate_values"];
    let is_group = |name: &str| levels.contains(&name);
    if upper.len() != lower.len() || !upper.iter().any(is_group) {
        return None;
    }
    let is_lower = upper.iter().zip(lower).all(|(upper, lower)| is_group(upper) != lower.trim().is_empty());
    let join = |(upper, lower): (&str, &str)| match lower.trim() {
        "" => upper.to_owned(),
        lower => format!("{upper}_{lower}"),
    };
    is_lower.then(|| upper.iter().zip(lower).map(join).collect())
}
