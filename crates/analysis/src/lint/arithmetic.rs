//! Checks whether a report agrees with itself.

mod coverage;
mod importance;
mod ladder;
mod summary;
mod trend;

use allometry_core::Direction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::LintCode;
use super::mismatch::{Implied, Mismatch};
use super::reason::NoteReason;
use super::rounding::study_error;
use super::stated::{Printed, StatedReport, StatedStudy};
use crate::finding::Severity;
use crate::statement::Statement;

/// Two or more lines of a report that cannot all be true, whatever the numbers were before rounding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contradiction {
    /// The line that is probably wrong; for a table, the line of its heading.
    pub line: u64,
    /// Lines that it was compared with.
    pub against: Vec<u64>,
    /// The budget that the line is about.
    pub budget: Option<String>,
    /// The code of the finding.
    pub code: LintCode,
    /// The severity: an error, because one of the lines is wrong.
    pub severity: Severity,
    /// The statements that exclude each other, in words.
    pub message: Statement<Mismatch>,
}

/// A remark that is not a contradiction but may matter to a reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// The line.
    pub line: u64,
    /// The budget that the line is about.
    pub budget: Option<String>,
    /// The note in words.
    pub message: Statement<NoteReason>,
}

/// Contradictions and notes found so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) contradictions: Vec<Contradiction>,
    pub(super) notes: Vec<Note>,
    budget: Option<String>,
}

impl Checks {
    fn contradiction(
        &mut self,
        line: u64,
        against: impl IntoIterator<Item = u64>,
        mismatch: impl Into<Mismatch>,
    ) {
        let mut against: Vec<u64> = against.into_iter().filter(|other| *other != line).collect();
        against.sort_unstable();
        against.dedup();
        let (budget, code) = (self.budget.clone(), LintCode::Contradiction);
        let severity = code.severity();
        let message = Statement::Reason(mismatch.into());
        self.contradictions.push(Contradiction { line, against, budget, code, severity, message });
    }

    fn note(&mut self, line: u64, reason: NoteReason) {
        let message = Statement::Reason(reason);
        self.notes.push(Note { line, budget: self.budget.clone(), message });
    }
}

/// Checks the lines of a report against each other.
pub(super) fn check(report: &StatedReport, direction: Direction) -> Checks {
    let mut checks = Checks::default();
    for line in &report.unread {
        checks.note(*line, NoteReason::Unread);
    }
    ladder::check(&mut checks, report, direction);
    for study in &report.studies {
        checks.budget = Some(study.label.clone());
        let error = study_error(study);
        summary::check(&mut checks, study, direction, error);
        importance::check(&mut checks, study, error);
        trend::check(&mut checks, study, direction);
        coverage::check(&mut checks, study);
    }
    checks.contradictions.sort_by_key(|contradiction| contradiction.line);
    checks.notes.sort_by_key(|note| note.line);
    checks
}

/// Returns the direction of the metric, inferred from the best values in the report; larger is better if they
/// do not show it.
pub(super) fn direction(report: &StatedReport) -> Direction {
    let (mut larger, mut smaller) = (0, 0);
    let mut vote = |best: f64, other: f64| {
        larger += u64::from(best > other);
        smaller += u64::from(best < other);
    };
    for study in &report.studies {
        if let Some((best, mean)) = study.best_value().zip(mean(study)) {
            let error = study_error(study);
            if best.bounds(error).excludes(&mean.bounds(error)) {
                vote(best.value, mean.value);
            }
        }
        for trend in &study.trends {
            if let (Some(best), Some(worst)) = (&trend.best, &trend.worst) {
                vote(best.value.1, worst.value.1);
            }
        }
    }
    if smaller > larger { Direction::Minimize } else { Direction::Maximize }
}

fn mean(study: &StatedStudy) -> Option<Printed> {
    study.mean.as_ref()?.value
}

/// Converts bounds to their form in a mismatch.
fn implied(bounds: super::rounding::Bounds) -> Implied {
    Implied { low: bounds.low, high: bounds.high }
}
