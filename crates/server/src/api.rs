//! The answers for programs: reports and JSON.

use std::sync::Arc;

use allometry_core::FrozenTrial;
use allometry_report::Pictures;
use allometry_report::html::html_below;
use serde_json::{Value, json};

use crate::content::{Content, LADDER_GONE};
use crate::page;
use crate::render::{Analyzed, Dashboard};

/// Returns the name of the requested ladder, or of the only one.
///
/// # Errors
/// The reason, if there is no such ladder, or if there are several and none is named.
pub(crate) fn requested_ladder(dashboard: &Dashboard, name: Option<&String>) -> Result<String, String> {
    let known = dashboard.known();
    let mut names = known.ladders.keys();
    match (name, names.next(), names.next()) {
        (Some(name), ..) if known.ladders.contains_key(name) => Ok(name.clone()),
        (Some(name), ..) => Err(format!("there is no ladder {name:?}")),
        (None, Some(only), None) => Ok(only.clone()),
        (None, None, _) => Err("the store holds no study".into()),
        (None, Some(_), Some(_)) => {
            let names: Vec<&str> = known.ladders.keys().map(String::as_str).collect();
            Err(format!("name a ladder with ?ladder=...: {}", names.join(", ")))
        }
    }
}

/// Returns the analysis of the requested ladder, or the reason why there is none.
fn requested(dashboard: &Dashboard, name: Option<&String>) -> Result<Arc<Analyzed>, String> {
    let name = requested_ladder(dashboard, name)?;
    dashboard.analyzed(&name).ok_or_else(|| LADDER_GONE.into())
}

fn of_report(
    dashboard: &Dashboard,
    name: Option<&String>,
    make: impl FnOnce(&Analyzed) -> Content,
) -> Content {
    match requested(dashboard, name) {
        Ok(analyzed) => make(&analyzed),
        Err(reason) => Content::missing(&reason),
    }
}

pub(crate) fn report_html(dashboard: &Dashboard, name: Option<&String>) -> Content {
    match requested(dashboard, name) {
        Ok(analyzed) => {
            Content::html(html_below(&page::way_back(name), &analyzed.analysis, &analyzed.ladder))
        }
        Err(reason) => page::missing(&reason),
    }
}

pub(crate) fn report_markdown(dashboard: &Dashboard, name: Option<&String>) -> Content {
    of_report(dashboard, name, |analyzed| {
        let text = allometry_report::full(&analyzed.analysis, &Pictures::none());
        Content::text("text/markdown; charset=utf-8", text)
    })
}

pub(crate) fn report_json(dashboard: &Dashboard, name: Option<&String>) -> Content {
    of_report(dashboard, name, |analyzed| Content::json(allometry_report::json(&analyzed.analysis)))
}

/// Returns all ladders as JSON: `[{"name", "studies": [{"id", "name", "trials", "finished"}]}]`.
pub(crate) fn ladders(dashboard: &Dashboard) -> Content {
    let known = dashboard.known();
    let ladders: Vec<Value> = known
        .ladders
        .iter()
        .map(|(name, studies)| {
            let described: Vec<Value> = studies
                .iter()
                .map(|study| {
                    let finished = study.trials.iter().filter(|trial| trial.state.is_finished()).count();
                    json!({
                        "id": study.record.id.0,
                        "name": study.record.name,
                        "trials": study.trials.len(),
                        "finished": finished,
                    })
                })
                .collect();
            json!({ "name": name, "studies": described })
        })
        .collect();
    Content::json(Value::Array(ladders).to_string())
}

/// Returns the trials of a study as JSON:
/// `[{"number", "state", "value", "feasible", "params", "intermediate", "started", "completed", "record"}]`.
pub(crate) fn trials(dashboard: &Dashboard, id: i64) -> Content {
    let known = dashboard.known();
    let study = known.ladders.values().flatten().find(|study| study.record.id.0 == id);
    let Some(study) = study else { return Content::missing(&format!("there is no study {id}")) };
    let trials: Vec<Value> = study.trials.iter().map(trial).collect();
    Content::json(Value::Array(trials).to_string())
}

fn trial(trial: &FrozenTrial) -> Value {
    json!({
        "number": trial.number, "state": trial.state, "value": trial.value(),
        "feasible": trial.is_feasible(), "params": trial.params,
        "intermediate": trial.intermediate, "started": trial.started.map(|at| at.to_string()),
        "completed": trial.completed.map(|at| at.to_string()), "record": trial.record,
    })
}
