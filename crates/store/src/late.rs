//! What is told of a trial when somebody else has ended it already.

use std::fmt;

use allometry_core::TrialState;
use allometry_core::significant::significant;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json;

/// Most late tells of one trial that are kept: a client that is refused may try again many times.
pub(crate) const MOST_LATE_TELLS: usize = 16;

/// A result that was told after its trial had ended, by a process whose lease had run out. The trial stays as
/// it was.
#[derive(Debug, Clone, PartialEq)]
pub struct LateTell {
    /// Time of the refusal, by the clock of the process that told it.
    pub at: Timestamp,
    /// The process that told it; `None` for a client of the storage server.
    pub teller: Option<String>,
    /// The state that it would have got; running where only epochs were reported.
    pub state: TrialState,
    /// The values that it would have got; that of the newest epoch where only epochs were reported, or it was
    /// stopped early.
    pub values: Vec<f64>,
    /// Newest epoch that was reported, where one was.
    pub step: Option<i64>,
}

impl LateTell {
    pub(crate) fn to_json(&self) -> String {
        let values: Vec<Value> = self.values.iter().map(|value| json::float(*value)).collect();
        json::write(&json!({
            "at": self.at,
            "teller": self.teller,
            "state": self.state,
            "values": values,
            "step": self.step,
        }))
    }

    /// What [`Self::to_json`] wrote; `None` where it did not.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        let mut value = json::parse(text).ok()?;
        let values = value.as_object_mut()?.remove("values")?;
        let values = values.as_array()?.iter().map(json::number).collect::<Option<_>>()?;
        let Told { at, teller, state, step } = serde_json::from_value(value).ok()?;
        Some(Self { at, teller, state, values, step })
    }
}

/// All but the values, which JSON may have no word for.
#[derive(Deserialize)]
struct Told {
    at: Timestamp,
    teller: Option<String>,
    state: TrialState,
    step: Option<i64>,
}

/// `complete 0.7123 by process 4711 on host, 2026-01-01T12:00:00Z`.
impl fmt::Display for LateTell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.as_str())?;
        for (place, value) in self.values.iter().enumerate() {
            write!(f, "{}{}", if place == 0 { " " } else { ", " }, significant(*value))?;
        }
        if let Some(step) = self.step.filter(|_| self.state != TrialState::Complete) {
            write!(f, " at epoch {step}")?;
        }
        write!(f, " by {}, {}", self.teller.as_deref().unwrap_or("a client of the storage server"), self.at)
    }
}
