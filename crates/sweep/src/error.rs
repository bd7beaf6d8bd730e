//! Errors of a conversion.

/// Reason why a sweep cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// The text is not YAML.
    #[error("{0}")]
    Yaml(String),
    /// A key has a value that sweeps do not allow.
    #[error("`{key}`: expected {expected}")]
    Wrong {
        /// Dotted name of the key.
        key: String,
        /// Description of a valid value.
        expected: String,
    },
    /// No parameter of the sweep can be expressed in a ladder.
    #[error("no parameter of the sweep can be expressed in a ladder{}", reasons(.notes))]
    NoParameter {
        /// Reasons, one for each parameter.
        notes: Vec<String>,
    },
    /// The converted text is not a valid ladder.
    #[error("the converted sweep is not a valid ladder: {}", .problems.join("; "))]
    NotALadder {
        /// Problems found when parsing it.
        problems: Vec<String>,
    },
}

impl SweepError {
    pub(crate) fn wrong(key: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Wrong { key: key.into(), expected: expected.into() }
    }
}

fn reasons(notes: &[String]) -> String {
    notes.iter().flat_map(|note| ["\n  ", note]).collect()
}
