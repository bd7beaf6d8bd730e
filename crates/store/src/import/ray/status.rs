//! States of the trials of an experiment, which Ray records beside their folders.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::import::error::Problem;
use crate::import::json::parse_document;

/// State of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Ended by itself or by a scheduler.
    Terminated,
    /// Failed.
    Error,
    /// Unfinished when the experiment ended.
    Unfinished,
}

/// State by trial id.
#[derive(Debug, Default)]
pub(super) struct Statuses(BTreeMap<String, Status>);

impl Statuses {
    /// Parses `trial_data` (Ray 2.6 and later: pairs of JSON texts) or `checkpoints` (before: JSON texts or
    /// objects).
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
