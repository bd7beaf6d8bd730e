//! What can be wrong with a sweep.

/// What can be wrong with a sweep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// The text is no YAML.
    #[error("{0}")]
    Yaml(String),
    /// A key has a value that sweeps do not have there.
    #[error("`{key}`: expected {expected}")]
    Wrong {
        /// The key, dotted.
        key: String,
        /// What stands there in sweeps.
        expected: String,
    },
    /// The sweep has no parameter that a ladder can have.
    #[error("no parameter of the sweep can be one of a ladder{}", reasons(.notes))]
    NoParameter {
        /// Why each is none.
        notes: Vec<String>,
    },
    /// What comes out is no ladder.
    #[error("the sweep makes no ladder: {}", .problems.join("; "))]
    NotALadder {
        /// What a check of it says.
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
