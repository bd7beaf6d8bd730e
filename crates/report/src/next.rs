//! What to do next.

use allometry_analysis::{Analysis, Finding, Problem, Severity};

use crate::full::is_lone;
use crate::words;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// One or more sentences; commands are between backticks.
    pub sentence: String,
    /// The command that does it; `None` if no command alone does.
    pub command: Option<String>,
}

/// Returns what to do about a baseline that is clearly ahead, otherwise what the verdict advises or, if it
/// advises nothing, what the most severe finding advises. `None` if there is nothing to do. `ladder` are the
/// command's arguments that name the ladder; it is empty for `ladder.toml`.
pub fn next_step(analysis: &Analysis, ladder: &str) -> Option<NextStep> {
    let behind = analysis.findings.iter().find(|finding| is_clearly_behind(finding));
    let behind = behind.map(|finding| NextStep { sentence: words::finding::advice(finding), command: None });
    behind.or_else(|| of_verdict(analysis, ladder)).or_else(|| of_findings(analysis))
}

fn is_clearly_behind(finding: &Finding) -> bool {
    finding.problem.reason().is_some_and(Problem::is_clearly_behind_baseline)
}

fn of_verdict(analysis: &Analysis, ladder: &str) -> Option<NextStep> {
    let sentence = words::verdict::next_sentence(analysis);
    let command = words::verdict::next_command(analysis, ladder);
    (!is_lone(analysis) && !sentence.is_empty()).then_some(NextStep { sentence, command })
}

fn of_findings(analysis: &Analysis) -> Option<NextStep> {
    let worst = analysis.findings.first().filter(|finding| finding.severity > Severity::Info)?;
    Some(NextStep { sentence: words::finding::advice(worst), command: None })
}
