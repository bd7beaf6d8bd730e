//! Errors of reading a classic report.

/// An error of reading a classic report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The text contains no part of a classic report.
    #[error("not a classic report: it has neither a table of best results nor a part about a budget")]
    NoReport,
    /// The text is the full report, which states itself which conclusions hold.
    #[error("line {line}: this is Allometry's own full report")]
    FullReport {
        /// The line by which it was recognized, counted from 1.
        line: u64,
    },
    /// A line does not have the expected form.
    #[error("line {line}: expected {expected}, found `{found}`")]
    Malformed {
        /// The line, counted from 1.
        line: u64,
        /// The expected form.
        expected: String,
        /// The text of the line.
        found: String,
    },
}

impl ReadError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoReport => "a classic report has `## Best Results by Budget` or `# HPO Analysis: \
                               LABEL`; trials are read from Optuna's all_trials.json, CSV and SQLite files"
                .into(),
            Self::FullReport { .. } => {
                "it already states which conclusions its numbers allow; give the classic report or the \
                 trials"
                    .into()
            }
            Self::Malformed { .. } => {
                "correct the line, or remove it: the lint leaves out missing parts".into()
            }
        })
    }
}
