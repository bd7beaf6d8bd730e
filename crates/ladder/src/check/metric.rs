//! Checks of `metric` and `direction`, the objectives.

use allometry_core::{Direction, MetricSpec};

use super::super::document::{Located, Node, Place};
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section, text_of, wrong_type};
use super::super::spec::{Monitor, ObjectiveSpec, Task};

/// Quantities of a trial of the built-in model that are not metrics of its predictions; smaller is better.
const COSTS: [&str; 3] = ["seconds", "weights", "non_embedding_weights"];

/// The objectives in order: metrics of the built-in model, or any metrics that a command reports.
pub(super) fn metrics(
    file: &mut Section<'_>,
    objective: Option<&ObjectiveSpec>,
    has_command: bool,
    problems: &mut Problems,
) -> Vec<MetricSpec> {
    let names = words(file, "metric", problems);
    if let Some(empty) = names.iter().flatten().find(|name| name.value.trim().is_empty()) {
        problems.push(&empty.place, ProblemKind::Empty { key: "metric".into() });
    }
    if let Some(again) = repeated(names.as_deref().unwrap_or_default()) {
        let value = format!("`{}`", again.value);
        problems.push(&again.place, ProblemKind::Repeated { key: "metric".into(), value });
    }
    if has_command {
        return reported(file, names, problems);
    }
    let task = match objective {
        Some(ObjectiveSpec::Model { model, .. }) => model.task,
        _ => Task::default(),
    };
    let first = MetricSpec { name: task.metric().as_str().into(), direction: task.metric().direction() };
    let Some(names) = names else { return vec![first] };
    let mut metrics = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let direction = direction_of(&name.value, task);
        match direction {
            // The values at each epoch belong to the task's metric, which all ladders of the task share.
            Some(_) if number == 0 && name.value != first.name => {
                let kind = ProblemKind::NotFirst { word: name.value, first: first.name.clone() };
                problems.push(&name.place, kind);
            }
            Some(direction) => metrics.push(MetricSpec { name: name.value, direction }),
            None => {
                let kind = ProblemKind::UnknownMetric { word: name.value, known: known(task) };
                problems.push(&name.place, kind);
            }
        }
    }
    metrics
}

/// Direction of a metric of the built-in model; `None` where models of the task do not report it.
fn direction_of(name: &str, task: Task) -> Option<Direction> {
    let monitor = Monitor::ALL.into_iter().find(|monitor| monitor.as_str() == name && monitor.is_of(task));
    let cost = COSTS.contains(&name).then_some(Direction::Minimize);
    monitor.map(Monitor::direction).or(cost)
}

/// The metrics that trials of the built-in model report.
pub(super) fn known(task: Task) -> Vec<&'static str> {
    let monitors = Monitor::ALL.into_iter().filter(|monitor| monitor.is_of(task));
    monitors.map(Monitor::as_str).chain(COSTS).collect()
}

/// The objectives of a command.
fn reported(
    file: &mut Section<'_>,
    names: Option<Vec<Located<String>>>,
    problems: &mut Problems,
) -> Vec<MetricSpec> {
    let place: Option<Place> = file.node("direction").map(|node| node.place.clone());
    let words = words(file, "direction", problems);
    let names: Vec<String> = names
        .map_or_else(|| vec!["value".into()], |names| names.into_iter().map(|name| name.value).collect());
    let mut directions = Vec::new();
    for word in words.iter().flatten() {
        directions.push(match word.value.as_str() {
            "minimize" => Direction::Minimize,
            "maximize" => Direction::Maximize,
            other => {
                let (key, known) = ("direction".into(), &["maximize", "minimize"]);
                problems.push(&word.place, ProblemKind::UnknownWord { key, word: other.into(), known });
                Direction::default()
            }
        });
    }
    match place {
        Some(place) if words.is_some() && names.len() != directions.len() => {
            let kind = ProblemKind::Directions { metrics: names.len(), directions: directions.len() };
            problems.push(&place, kind);
        }
        None if names.len() > 1 => {
            file.missing("direction", "direction = [\"maximize\", \"minimize\"]", problems);
        }
        _ => {}
    }
    directions.resize(names.len(), Direction::default());
    names.into_iter().zip(directions).map(|(name, direction)| MetricSpec { name, direction }).collect()
}

/// One word, or a list of at least one word.
fn words(
    section: &mut Section<'_>,
    key: &'static str,
    problems: &mut Problems,
) -> Option<Vec<Located<String>>> {
    let node = section.node(key)?;
    let Node::List(items) = &node.value else { return Some(vec![text_of(key, node, problems)?]) };
    if items.is_empty() {
        problems.push(&node.place, ProblemKind::Empty { key: key.into() });
        return None;
    }
    if let Some(other) = items.iter().find(|item| matches!(item.value, Node::List(_) | Node::Table(_))) {
        problems.push(&other.place, wrong_type(key, "text or a list of texts", &other.value));
        return None;
    }
    items.iter().map(|item| text_of(key, item, problems)).collect()
}

fn repeated(names: &[Located<String>]) -> Option<&Located<String>> {
    names
        .iter()
        .enumerate()
        .find(|(i, name)| names[..*i].iter().any(|other| other.value == name.value))
        .map(|(_, name)| name)
}

/// Requirement of settings that have no meaning with several objectives.
pub(super) const SINGLE: &str = "a single objective: several objectives do not rank the trials";

/// Reports settings that have no meaning with several objectives.
pub(super) fn single_only(file: &mut Section<'_>, metrics: &[MetricSpec], problems: &mut Problems) {
    if metrics.len() < 2 {
        return;
    }
    if let Some(node) = file.node("pruner") {
        problems.push(&node.place, ProblemKind::Needs { key: "pruner", what: SINGLE });
    }
    let stop = file.node("stop").map(|node| &node.value);
    if let Some(Node::Table(stop)) = stop
        && let Some(gain) = stop.get("expected_gain")
    {
        problems.push(&gain.place, ProblemKind::Needs { key: "expected_gain", what: SINGLE });
    }
}
