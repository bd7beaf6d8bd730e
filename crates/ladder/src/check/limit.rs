//! Checks of `limits`: bounds on reported metrics.

use super::super::document::Node;
use super::super::limit::Limit;
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section, text_of, wrong_type};
use super::super::spec::{ObjectiveSpec, Task};
use super::metric;

/// The limits, given as one text or a list; for the built-in model they must be on its own metrics.
pub(super) fn limits(
    file: &mut Section<'_>,
    objective: Option<&ObjectiveSpec>,
    problems: &mut Problems,
) -> Vec<Limit> {
    const KEY: &str = "limits";
    let Some(node) = file.node(KEY) else { return Vec::new() };
    let items = match &node.value {
        Node::List(items) => items.as_slice(),
        Node::Text(_) => std::slice::from_ref(node),
        other => {
            problems.push(&node.place, wrong_type(KEY, "a list of limits, [\"latency_ms <= 20\"]", other));
            return Vec::new();
        }
    };
    let task = match objective {
        Some(ObjectiveSpec::Model { model, .. }) => Some(model.task),
        Some(ObjectiveSpec::Command(_)) | None => None,
    };
    let mut limits: Vec<Limit> = Vec::new();
    for item in items {
        let Some(text) = text_of(KEY, item, problems) else { continue };
        match text.value.parse::<Limit>().and_then(|limit| known(limit, task)) {
            Ok(limit) if limits.contains(&limit) => {
                let value = format!("`{limit}`");
                problems.push(&text.place, ProblemKind::Repeated { key: KEY.into(), value });
            }
            Ok(limit) => limits.push(limit),
            Err(message) => problems.push(&text.place, ProblemKind::BadLimit { message }),
        }
    }
    limits
}

fn known(limit: Limit, task: Option<Task>) -> Result<Limit, String> {
    match task.map(metric::known) {
        Some(known) if !known.contains(&limit.metric.as_str()) => {
            Err(format!("trials do not report `{}`; they report {}", limit.metric, known.join(", ")))
        }
        _ => Ok(limit),
    }
}
