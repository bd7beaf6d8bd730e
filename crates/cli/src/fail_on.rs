//! `--fail-on CODE|SEVERITY`: findings with which a command ends with exit code 7.

use std::str::FromStr;

use allometry_analysis::{Finding, FindingCode, Severity};

use crate::error::CliError;

/// What must not be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// A finding of this code.
    Code(FindingCode),
    /// A finding of this severity or a worse one.
    Severity(Severity),
}

impl FailOn {
    fn is_met_by(self, finding: &Finding) -> bool {
        match self {
            Self::Code(code) => finding.code == code,
            Self::Severity(severity) => finding.severity >= severity,
        }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut known: Vec<(String, Self)> =
            Severity::ALL.map(|severity| (severity.as_str().to_owned(), Self::Severity(severity))).into();
        known.extend(FindingCode::ALL.map(|code| (code.to_string(), Self::Code(code))));
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
        let codes = FindingCode::ALL.map(|code| code.to_string()).join(", ");
        Err(format!("no finding has this code; {nearest}severities are {severities}; codes are {codes}"))
    }
}

/// Fails where a finding meets a condition; `findings` is asked for only where there is a condition.
///
/// # Errors
/// [`CliError::FindingsMet`] with the findings that do, in their order.
pub(crate) fn check<'a, I>(conditions: &[FailOn], findings: impl FnOnce() -> I) -> Result<(), CliError>
where
    I: IntoIterator<Item = &'a Finding>,
{
    if conditions.is_empty() {
        return Ok(());
    }
    let meets = |finding: &&Finding| conditions.iter().any(|condition| condition.is_met_by(finding));
    let met: Vec<Finding> = findings().into_iter().filter(meets).cloned().collect();
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
