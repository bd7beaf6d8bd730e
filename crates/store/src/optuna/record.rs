//! Studies and trials as Optuna's tables hold them.

use std::collections::BTreeMap;

use allometry_core::{Direction, TrialState};
use jiff::Timestamp;

use crate::id::{StudyId, TrialId};

/// Kind of an attribute: Optuna keeps two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Attribute of the user.
    User,
    /// Attribute of a sampler, pruner or callback.
    System,
}

/// A study with its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct OptunaStudy {
    /// Key in the storage.
    pub id: StudyId,
    /// Name; may be empty.
    pub name: String,
    /// Direction of each objective.
    pub directions: Vec<Direction>,
    /// User attributes as JSON texts.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
}

/// Initial contents of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialTemplate {
    /// State, possibly a final one.
    pub state: TrialState,
    /// Value of each objective, or empty.
    pub values: Vec<f64>,
    /// Time of the start.
    pub started: Option<Timestamp>,
    /// Time of the end.
    pub completed: Option<Timestamp>,
    /// Name, stored number and distribution of each parameter.
    pub params: Vec<(String, f64, String)>,
    /// User attributes as JSON texts.
    pub user_attributes: BTreeMap<String, String>,
    /// System attributes as JSON texts.
    pub system_attributes: BTreeMap<String, String>,
    /// Reported values by step.
    pub intermediate: BTreeMap<i64, f64>,
}

/// The own row of a trial, which precedes its parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialHead {
    /// Key in the storage.
    pub id: TrialId,
    /// Number in its study.
    pub number: i64,
    /// State.
    pub state: TrialState,
    /// Time of the start.
    pub started: Option<Timestamp>,
    /// Time of the end.
    pub completed: Option<Timestamp>,
}

/// Receiver of trials, called for each part as it is read, so that no trial has to be built: `begin`, the
/// values by objective and the other parts in any order, `end`.
pub trait TrialSink {
    /// Discards everything received: the trials are read from the beginning, for the first time or after the
    /// connection to the database was lost.
    fn restart(&mut self);
    /// Starts a trial.
    fn begin(&mut self, head: &TrialHead);
    /// Receives the value of the next objective.
    fn value(&mut self, value: f64);
    /// Receives a parameter: its stored number and its distribution as JSON.
    fn param(&mut self, name: &str, internal: f64, distribution: &str);
    /// Receives an attribute as JSON.
    fn attribute(&mut self, kind: AttributeKind, key: &str, json: &str);
    /// Receives a reported value.
    fn intermediate(&mut self, step: i64, value: f64);
    /// Ends the trial.
    fn end(&mut self);
}
