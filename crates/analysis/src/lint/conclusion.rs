//! The conclusions of a report, and whether they stand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arithmetic::Contradiction;
use super::code::LintCode;
use super::reason::{Claim, LintReason};
use crate::finding::Severity;
use crate::statement::Statement;

pub use super::subject::{Standing, Subject};

/// A conclusion of the report, with its standing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conclusion {
    /// Its line.
    pub line: u64,
    /// Label of its budget; `null` for all budgets.
    pub budget: Option<String>,
    /// The subject.
    pub subject: Subject,
    /// The claim of the report, in words.
    pub statement: Statement<Claim>,
    /// Whether it stands.
    pub standing: Standing,
    /// Code of the problem; `null` for a conclusion that stands.
    pub code: Option<LintCode>,
    /// A warning for a conclusion that does not stand, information for one without the numbers for a test;
    /// `null` for one that stands.
    pub severity: Option<Severity>,
    /// The reason for the standing, with numbers.
    pub reason: Statement<LintReason>,
}

impl Conclusion {
    pub(super) fn new(line: u64, claim: Claim, why: (Standing, LintReason)) -> Self {
        let (standing, reason) = why;
        let subject = Subject::of(&claim);
        let code = LintCode::of(subject, standing);
        let severity = code.map(LintCode::severity);
        let (statement, reason) = (Statement::Reason(claim), Statement::Reason(reason));
        Self { line, budget: None, subject, statement, standing, code, severity, reason }
    }

    pub(super) fn of(self, budget: &str) -> Self {
        Self { budget: Some(budget.to_owned()), ..self }
    }

    /// Marks the conclusion as not standing where the report contradicts its line.
    pub(super) fn held_against(self, contradictions: &[Contradiction]) -> Self {
        let found = contradictions.iter().find(|contradiction| contradiction.line == self.line);
        let Some(mismatch) = found.and_then(|found| found.message.reason()) else { return self };
        let standing = Standing::DoesNotStand;
        let code = LintCode::of(self.subject, standing);
        let severity = code.map(LintCode::severity);
        let reason = Statement::Reason(LintReason::Contradicted(mismatch.clone()));
        Self { standing, code, severity, reason, ..self }
    }
}
