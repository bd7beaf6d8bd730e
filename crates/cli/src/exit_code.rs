//! The exit codes of the program.

/// The exit code of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// 1: a defect of the program, or a failure of the system.
    Internal,
    /// 2: the command line is invalid.
    Usage,
    /// 3: the ladder file, the search space or the data are invalid.
    Ladder,
    /// 4: something named does not exist, or there is nothing to analyse.
    NotFound,
    /// 5: the storage cannot be reached, is locked or has another version, or the machine cannot run trials.
    Storage,
    /// 6: every trial failed, or the failure limit was reached.
    TrialsFailed,
    /// 7: a finding met a condition of `--fail-on`.
    ConditionMet,
    /// A signal ended the run and its state is saved. Holds 128 plus the number of the signal.
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
