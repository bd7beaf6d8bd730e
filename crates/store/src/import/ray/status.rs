//! How the trials of an experiment stand, as Ray records it beside their folders.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::import::error::Problem;
use crate::import::json::parse_document;

/// Where a trial stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It ended, by itself or by a scheduler.
    Terminated,
    /// It failed.
    Error,
    /// It was still to be done when the experiment ended.
    Unfinished,
}

/// By trial's id.
#[derive(Debug, Default)]
pub(super) struct Statuses(BTreeMap<String, Status>);

impl Statuses {
    /// Reads `trial_data` (Ray 2.6 and later: pairs of JSON texts) or `checkpoints` (before: JSON texts or objects).
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let document = parse_document(text)?;
        let entries =
            [&document["trial_data"], &document["checkpoints"]].into_iter().find_map(Value::as_array);
        let mut statuses = Self::default();
        for entry in entries.into_iter().flatten() {
            let trial = entry.get(0).unwrap_or(entry);
            let parsed = trial.as_str().map(parse_document).transpose()?;
            let trial = parsed.as_ref().unwrap_or(trial);
            let (Some(id), Some(status)) = (trial["trial_id"].as_str(), trial["status"].as_str()) else {
                continue;
            };
            let status = match status {
                "TERMINATED" => Status::Terminated,
                "ERROR" => Status::Error,
                _ => Status::Unfinished,
            };
            statuses.0.insert(id.to_owned(), status);
        }
        Ok(statuses)
    }

    pub(super) fn of(&self, id: &str) -> Option<Status> {
        self.0.get(id).copied()
    }
}
