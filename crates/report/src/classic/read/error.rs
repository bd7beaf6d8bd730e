//! What can be wrong with a text that should be a classic report.

/// What can be wrong with a text that should be a classic report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing of such a report is in it.
    #[error("no classic report: neither a table of best results nor a part about a budget is in it")]
    NoReport,
    /// It is the full report, which says itself what holds.
    #[error("line {line}: this is Allometry's own full report")]
    FullReport {
        /// The line that tells.
        line: u64,
    },
    /// A line is not as it should be.
    #[error("line {line}: expected {expected}, found `{found}`")]
    Malformed {
        /// The line, counted from 1.
        line: u64,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl ReadError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoReport => "a classic report has `## Best Results by Budget` or `# HPO Analysis: \
                               LABEL`; trials are read from Optuna's all_trials.json, CSV and SQLite files"
                .into(),
            Self::FullReport { .. } => {
                "it says already what its numbers allow; give the classic report, or the trials".into()
            }
            Self::Malformed { .. } => "mend the line, or take it out: what is absent is left out".into(),
        })
    }
}
