//! Results that arrive after another process has ended their trial.

use std::fmt;

use allometry_core::TrialState;
use allometry_core::significant::significant;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json;

/// Maximum number of late results that are kept per trial: a refused client may retry many times.
pub(crate) const MOST_LATE_TELLS: usize = 16;

/// A result that a process told after its trial had ended, because its lease had expired. The trial itself
/// does not change.
#[derive(Debug, Clone, PartialEq)]
pub struct LateResult {
    /// Time of the refusal, by the clock of the process that told the result.
    pub at: Timestamp,
    /// Process that told the result; `None` for a client of the storage server.
    pub teller: Option<String>,
    /// State that the trial would have got; `Running` where only epochs were reported.
    pub state: TrialState,
    /// Values that the trial would have got; the value of the newest epoch where only epochs were reported
    /// or the trial was pruned.
    pub values: Vec<f64>,
    /// Newest epoch that was reported, if any.
    pub step: Option<i64>,
}

impl LateResult {
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

    /// Parses the output of [`Self::to_json`]; returns `None` for any other text.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        let mut value = json::parse(text).ok()?;
        let values = value.as_object_mut()?.remove("values")?;
        let values = values.as_array()?.iter().map(json::number).collect::<Option<_>>()?;
        let Told { at, teller, state, step } = serde_json::from_value(value).ok()?;
        Some(Self { at, teller, state, values, step })
    }
}

/// The fields other than the values, because JSON cannot represent NaN and infinities.
#[derive(Deserialize)]
struct Told {
    at: Timestamp,
    teller: Option<String>,
    state: TrialState,
    step: Option<i64>,
}

/// Writes, for example, `complete 0.7123 by process 4711 on host, 2026-01-01T12:00:00Z`.
impl fmt::Display for LateResult {
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
