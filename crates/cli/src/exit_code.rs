//! The exit codes that scripts rely on.

/// What the process tells its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// A defect of the program.
    Internal,
    /// The command line.
    Usage,
    /// The ladder file, the search space or the data it names.
    Ladder,
    /// Something named is not there, or there is nothing to analyse.
    NotFound,
    /// The storage cannot be reached, is locked or of another version, or the machine lets no trial run.
    Storage,
    /// Every trial failed, or the failure limit was reached.
    TrialsFailed,
    /// What `--fail-on` names was found.
    ConditionMet,
    /// A signal ended the run; its state is saved. Holds 128 plus the signal's number.
    Interrupted(u8),
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(match code {
            ExitCode::Internal => 1,
            ExitCode::Usage => 2,
            ExitCode::Ladder => 3,
            ExitCode::NotFound => 4,
            ExitCode::Storage => 5,
            ExitCode::TrialsFailed => 6,
            ExitCode::ConditionMet => 7,
            ExitCode::Interrupted(code) => code,
        })
    }
}
