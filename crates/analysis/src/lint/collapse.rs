//! Statements on collapse, weighed.

use super::Knowledge;
use super::conclusion::{Conclusion, Standing, Subject};
use super::stated::{CollapseRow, Printed, StatedReport, StatedStudy};
use crate::collapse::{CONSTANT, NaiveOutcome};
use crate::number::decimals;

/// A conclusion for each row of the table, and for each budget that has a section but no row.
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
    let statement =
        if row.outcome == NaiveOutcome::Collapsed { "probabilities collapsed" } else { "no collapse" };
    let range = row.range.or_else(|| study?.collapse.as_ref()?.value.range);
    let why = match row.outcome {
        NaiveOutcome::Unknown => {
            let reason = "unknown: no range of predictions and no recall was recorded";
            (Standing::CannotBeTold, reason.into())
        }
        NaiveOutcome::NotCollapsed => match range {
            Some(range) => {
                let reason = format!(
                    "predictions span {} on average; single collapsed trials cannot be seen from here",
                    decimals(range.value)
                );
                (Standing::Stands, reason)
            }
            None => (Standing::CannotBeTold, "no range of predictions was recorded".into()),
        },
        NaiveOutcome::Collapsed => collapsed(range, knowledge),
    };
    Conclusion::new(row.line, Subject::Collapse, statement.into(), why).of(&row.label)
}

/// Predictions in a range vary by at most half of it. They are one number where that is below 2% of what the labels vary.
fn collapsed(range: Option<Printed>, knowledge: &Knowledge<'_>) -> (Standing, String) {
    let Some(range) = range else {
        let reason = "it rests on recall at 0.5 alone: where positives are rare, zero recall is expected of a calibrated model";
        return (Standing::CannotBeTold, reason.into());
    };
    let Some(rows) = knowledge.rows else {
        let reason = format!(
            "predictions span {} on average; whether that is one number depends on the share of positives (--rows)",
            decimals(range.value)
        );
        return (Standing::CannotBeTold, reason);
    };
    let prior = rows.positives as f64 / (rows.positives as f64 + rows.negatives as f64);
    let labels = (prior * (1.0 - prior)).sqrt();
    if range.value / 2.0 < CONSTANT * labels {
        let reason = format!("predictions span {} on average: one number", decimals(range.value));
        (Standing::Stands, reason)
    } else {
        let reason = format!(
            "predictions span {} on average: narrow, which at a share of positives of {prior:.2} is no collapse; the scores \
             would tell",
            decimals(range.value)
        );
        (Standing::CannotBeTold, reason)
    }
}
