//! The exit codes of the program.

/// Every exit code of the program with its meaning: the table of `--help`, of the manual page and of
/// `docs/reference/exit-codes.md`.
pub(crate) const TABLE: [(&str, &str); 9] = [
    ("0", "the command did what it was asked"),
    ("1", "the program or the machine failed"),
    ("2", "the command line is wrong"),
    ("3", "the ladder file, the search space or the data is wrong"),
    ("4", "something that was named is not there or cannot be read"),
    ("5", "the storage cannot be used"),
    ("6", "trials failed"),
    ("7", "a finding that `--fail-on` names was found"),
    ("128 + N", "signal N ended the command; its state is saved"),
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_same_table() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/exit-codes.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let rows = rows.filter_map(|row| row.split_once(" | ")).skip(1);
        let rows: Vec<(&str, &str)> = rows
            .map(|(code, rest)| (code, rest.split_once(" | ").map_or(rest, |(meaning, _)| meaning)))
            .collect();
        assert_eq!(rows, TABLE);
    }

    #[test]
    fn every_code_is_in_the_table() {
        let codes = [
            (ExitCode::Internal, "1"),
            (ExitCode::Usage, "2"),
            (ExitCode::Ladder, "3"),
            (ExitCode::NotFound, "4"),
            (ExitCode::Storage, "5"),
            (ExitCode::TrialsFailed, "6"),
            (ExitCode::ConditionMet, "7"),
        ];
        let known: Vec<&str> = TABLE.iter().map(|(code, _)| *code).collect();
        for (code, number) in codes {
            let process = std::process::ExitCode::from(number.parse::<u8>().unwrap());
            assert_eq!(std::process::ExitCode::from(code), process);
            assert!(known.contains(&number), "{number}");
        }
    }
}
