//! Check of the claims about collapse.

use super::Knowledge;
use super::conclusion::{Conclusion, Standing};
use super::reason::{Claim, CollapseReason, LintReason};
use super::stated::{CollapseRow, Printed, StatedReport, StatedStudy};
use crate::collapse::{CONSTANT, NaiveOutcome};

/// Returns a conclusion for each row of the table, and for each budget that has a section but no row.
pub(super) fn conclusions(report: &StatedReport, knowledge: &Knowledge<'_>) -> Vec<Conclusion> {
    let rows = report.collapse.iter().map(|row| {
        let study = report.studies.iter().find(|study| study.label == row.label);
        of_row(row, study, knowledge)
    });
    let has_row = |study: &&StatedStudy| report.collapse.iter().any(|row| row.label == study.label);
    let alone = report.studies.iter().filter(|study| !has_row(study)).filter_map(|study| {
        let stated = study.collapse.as_ref()?;
        let outcome = if stated.value.collapsed { NaiveOutcome::Collapsed } else { NaiveOutcome::Unknown };
        let row = CollapseRow {
            line: stated.line,
            label: study.label.clone(),
            outcome,
            range: stated.value.range,
            recall: None,
        };
        Some(of_row(&row, Some(study), knowledge))
    });
    rows.chain(alone).collect()
}

fn of_row(row: &CollapseRow, study: Option<&StatedStudy>, knowledge: &Knowledge<'_>) -> Conclusion {
    let claim = Claim::Collapse { collapsed: row.outcome == NaiveOutcome::Collapsed };
    let range = row.range.or_else(|| study?.collapse.as_ref()?.value.range);
    let (standing, reason) = match (row.outcome, range) {
        (NaiveOutcome::Unknown, _) => (Standing::CannotBeTold, CollapseReason::NothingRecorded),
        (NaiveOutcome::NotCollapsed, Some(range)) => (Standing::Stands, CollapseReason::Spans(range.value)),
        (NaiveOutcome::NotCollapsed, None) => (Standing::CannotBeTold, CollapseReason::NoRange),
        (NaiveOutcome::Collapsed, range) => collapsed(range, knowledge),
    };
    Conclusion::new(row.line, claim, (standing, LintReason::Collapse(reason))).of(&row.label)
}

/// Judges a claim of collapse. The variation of predictions is at most half of their range; they count as one
/// number where that is below 2% of the variation of the labels.
fn collapsed(range: Option<Printed>, knowledge: &Knowledge<'_>) -> (Standing, CollapseReason) {
    let Some(range) = range.map(|range| range.value) else {
        return (Standing::CannotBeTold, CollapseReason::RecallAlone);
    };
    let Some(rows) = knowledge.rows else {
        return (Standing::CannotBeTold, CollapseReason::PositivesUnknown(range));
    };
    let prior = rows.positives as f64 / (rows.positives as f64 + rows.negatives as f64);
    let labels = (prior * (1.0 - prior)).sqrt();
    if range / 2.0 < CONSTANT * labels {
        (Standing::Stands, CollapseReason::OneNumber(range))
    } else {
        (Standing::CannotBeTold, CollapseReason::Narrow { range, prior })
    }
}
