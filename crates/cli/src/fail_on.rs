//! The option `--fail-on CODE|SEVERITY`: findings that make a command exit with code 7.

use std::str::FromStr;

use allometry_analysis::lint::LintCode;
use allometry_analysis::{Finding, FindingCode, Lint, Severity};
use allometry_report::words;

use crate::error::{CliError, Met};

/// A condition of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// A finding on trials has this code.
    Code(FindingCode),
    /// A conclusion of a report has this code.
    Lint(LintCode),
    /// A finding has at least this severity.
    Severity(Severity),
}

impl FailOn {
    fn is_met_by(self, finding: &Finding) -> bool {
        match self {
            Self::Code(code) => finding.code == code,
            Self::Lint(_) => false,
            Self::Severity(severity) => finding.severity >= severity,
        }
    }

    fn is_met_by_line(self, code: LintCode) -> bool {
        match self {
            Self::Code(_) => false,
            Self::Lint(wanted) => code == wanted,
            Self::Severity(severity) => code.severity() >= severity,
        }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut known: Vec<(String, Self)> =
            Severity::ALL.map(|severity| (severity.as_str().to_owned(), Self::Severity(severity))).into();
        known.extend(FindingCode::ALL.map(|code| (code.to_string(), Self::Code(code))));
        known.extend(LintCode::all().map(|code| (code.to_string(), Self::Lint(code))));
        let normal = text.trim().to_lowercase().replace('_', "-");
        if let Some((_, condition)) = known.iter().find(|(name, _)| *name == normal) {
            return Ok(*condition);
        }
        let nearest = known
            .iter()
            .map(|(name, _)| (strsim::damerau_levenshtein(&normal, name), name))
            .filter(|(distance, name)| *distance <= name.len().max(normal.len()) / 3)
            .min_by_key(|(distance, _)| *distance)
            .map_or_else(String::new, |(_, name)| format!("did you mean `{name}`? "));
        let severities = Severity::ALL.map(Severity::as_str).join(", ");
        Err(format!(
            "no finding has this code; {nearest}severities are {severities}; codes are {}; \
             codes of a report's conclusions are {}",
            trial_codes(),
            line_codes()
        ))
    }
}

fn trial_codes() -> String {
    FindingCode::ALL.map(|code| code.to_string()).join(", ")
}

fn line_codes() -> String {
    LintCode::all().map(|code| code.to_string()).collect::<Vec<_>>().join(", ")
}

/// Refuses conditions that trials can never meet, because such a check would always pass.
///
/// # Errors
/// [`CliError::Usage`] that names the first code for conclusions of a report.
pub(crate) fn for_trials(conditions: &[FailOn]) -> Result<(), CliError> {
    let refused = conditions.iter().find_map(|condition| match condition {
        FailOn::Lint(code) => Some(code.to_string()),
        _ => None,
    });
    refused.map_or(Ok(()), |code| Err(never(&code, "trials", &trial_codes())))
}

/// Refuses conditions that a report's conclusions can never meet.
///
/// # Errors
/// [`CliError::Usage`] that names the first code for findings on trials.
pub(crate) fn for_reports(conditions: &[FailOn]) -> Result<(), CliError> {
    let refused = conditions.iter().find_map(|condition| match condition {
        FailOn::Code(code) => Some(code.to_string()),
        _ => None,
    });
    refused.map_or(Ok(()), |code| Err(never(&code, "a report", &line_codes())))
}

fn never(code: &str, source: &str, codes: &str) -> CliError {
    CliError::Usage {
        message: format!("`--fail-on {code}` can never be met by {source}"),
        hint: Some(format!("codes for {source} are {codes}; severities apply to all sources")),
    }
}

/// Fails if a finding meets a condition. `findings` is called only if there are conditions.
///
/// # Errors
/// [`CliError::FindingsMet`] with these findings, in their order.
pub(crate) fn check<'a, I>(conditions: &[FailOn], findings: impl FnOnce() -> I) -> Result<(), CliError>
where
    I: IntoIterator<Item = &'a Finding>,
{
    if conditions.is_empty() {
        return Ok(());
    }
    let meets = |finding: &&Finding| conditions.iter().any(|condition| condition.is_met_by(finding));
    let met = findings().into_iter().filter(meets).map(|finding| Met {
        severity: finding.severity,
        code: finding.code.to_string(),
        message: words::finding::message(finding),
    });
    fail_if_any(met.collect())
}

/// Fails if a line of a report meets a condition: a contradiction, or a conclusion that is unsupported or
/// unknown.
///
/// # Errors
/// [`CliError::FindingsMet`] with these lines, contradictions first.
pub(crate) fn check_report(conditions: &[FailOn], lint: &Lint) -> Result<(), CliError> {
    let prefix =
        |budget: &Option<String>| budget.as_ref().map_or_else(String::new, |budget| format!("{budget}: "));
    let contradictions = lint.contradictions.iter().map(|found| {
        (
            found.code,
            format!(
                "line {}: {}{}",
                found.line,
                prefix(&found.budget),
                words::lint::contradiction_clause(found)
            ),
        )
    });
    let conclusions = lint.conclusions.iter().filter_map(|conclusion| {
        let line = conclusion.line;
        let statement = words::lint::claim_clause(conclusion);
        let reason = words::lint::reason_clause(conclusion, lint);
        Some((conclusion.code?, format!("line {line}: {}{statement}: {reason}", prefix(&conclusion.budget))))
    });
    let meets = |(code, _): &(LintCode, String)| conditions.iter().any(|c| c.is_met_by_line(*code));
    let met = contradictions.chain(conclusions).filter(meets).map(|(code, message)| Met {
        severity: code.severity(),
        code: code.to_string(),
        message,
    });
    fail_if_any(met.collect())
}

fn fail_if_any(met: Vec<Met>) -> Result<(), CliError> {
    if met.is_empty() { Ok(()) } else { Err(CliError::FindingsMet(met)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_severities_are_read() {
        assert_eq!("warning".parse(), Ok(FailOn::Severity(Severity::Warning)));
        assert_eq!("behind-baseline".parse(), Ok(FailOn::Code(FindingCode::BehindBaseline)));
        assert_eq!("BEHIND_BASELINE".parse(), Ok(FailOn::Code(FindingCode::BehindBaseline)));
        let error = "few-trails".parse::<FailOn>().unwrap_err();
        assert!(
            error.contains("did you mean `few-trials`?") && error.contains("adaptive-sampling"),
            "{error}"
        );
        assert!(!"zzz".parse::<FailOn>().unwrap_err().contains("did you mean"));
    }
}
