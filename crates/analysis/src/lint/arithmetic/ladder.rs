//! Check of the part about all budgets against itself and against the parts about each.

use allometry_core::Direction;

use super::super::mismatch::{LadderMismatch, Place};
use super::super::reason::NoteReason;
use super::super::stated::{CollapseRow, Printed, StatedConsistency, StatedReport, StatedStudy, value_of};
use super::Checks;
use crate::collapse::{NAIVE_RANGE, NAIVE_ZERO_RECALL, NaiveOutcome};
use crate::consistency;
use crate::scaling::NaiveScaling;

pub(super) fn check(checks: &mut Checks, report: &StatedReport, direction: Direction) {
    maxima(checks, report);
    verdict(checks, report, direction);
    for stated in &report.consistency {
        consistency(checks, report, stated.line, &stated.value);
    }
    for (position, study) in report.studies.iter().enumerate() {
        best_configuration(checks, report, position, study);
    }
    for row in &report.collapse {
        collapse(checks, report, row);
    }
    checks.budget = None;
}

/// Checks that the best values in the list and in the summaries agree with the table.
fn maxima(checks: &mut Checks, report: &StatedReport) {
    for (position, maximum) in report.maxima.iter().enumerate() {
        let row = report.best_results.get(position).filter(|row| row.label == maximum.label);
        let Some(row) = row.or_else(|| report.best_results.iter().find(|row| row.label == maximum.label))
        else {
            continue;
        };
        if differ(maximum.best, row.best) {
            checks.budget = Some(maximum.label.clone());
            let mismatch = other_best(maximum.best, row.best, Place::Table);
            checks.contradiction(maximum.line, [row.line], mismatch);
        }
    }
    for (position, study) in report.studies.iter().enumerate() {
        checks.budget = Some(study.label.clone());
        let Some(best) = &study.best else { continue };
        let row = report.best_result(position).map(|row| (row.line, row.best));
        let item = report.maxima.iter().find(|maximum| maximum.label == study.label);
        let Some((line, elsewhere)) = row.or_else(|| item.map(|item| (item.line, item.best))) else {
            if !report.best_results.is_empty() {
                checks.note(study.line, NoteReason::NoRow { budget: study.label.clone() });
            }
            continue;
        };
        if differ(best.value, elsewhere) {
            let mismatch = other_best(best.value, elsewhere, Place::AllBudgets);
            checks.contradiction(best.line, [line], mismatch);
        }
    }
    checks.budget = None;
}

fn differ(first: Option<Printed>, second: Option<Printed>) -> bool {
    match (first, second) {
        (Some(first), Some(second)) => first.contradicts(&second),
        (first, second) => first.is_some() != second.is_some(),
    }
}

fn other_best(here: Option<Printed>, there: Option<Printed>, place: Place) -> LadderMismatch {
    let [here, there] = [here, there].map(|printed| printed.map(|printed| printed.value));
    LadderMismatch::OtherBest { here, there, place }
}

/// Checks that the word follows from the maxima, in the list or, without a list, in the table.
fn verdict(checks: &mut Checks, report: &StatedReport, direction: Direction) {
    let Some(verdict) = &report.verdict else { return };
    let listed: Vec<(u64, &str, Option<Printed>)> = if report.maxima.is_empty() {
        report.best_results.iter().map(|row| (row.line, row.label.as_str(), row.best)).collect()
    } else {
        report.maxima.iter().map(|maximum| (maximum.line, maximum.label.as_str(), maximum.best)).collect()
    };
    let lines: Vec<u64> = listed.iter().map(|(line, ..)| *line).collect();
    let best: Option<Vec<(&str, Printed)>> =
        listed.iter().map(|(_, label, best)| Some((*label, (*best)?))).collect();
    let Some([small, medium, large]) = best.as_deref() else {
        if !listed.is_empty() {
            checks.contradiction(verdict.line, lines, LadderMismatch::NotThreeBudgets);
        }
        return;
    };
    let is_told = |a: &Printed, b: &Printed| direction.better(a.value, b.value) && a.contradicts(b);
    // Values with equal printed forms may be in any order.
    let may = |first: &(&str, Printed), second: &(&str, Printed)| !is_told(&second.1, &first.1);
    let must = |first: &(&str, Printed), second: &(&str, Printed)| is_told(&first.1, &second.1);
    let (possible, order) = match verdict.value.word {
        NaiveScaling::Holds => (may(large, medium) && may(medium, small), Some([large.0, medium.0, small.0])),
        NaiveScaling::Violated => {
            (may(medium, small) && may(small, large), Some([medium.0, small.0, large.0]))
        }
        NaiveScaling::Partial => {
            let holds = must(large, medium) && must(medium, small);
            let violated = must(medium, small) && must(small, large);
            (!holds && !violated, None)
        }
    };
    if !possible {
        let values = [small, medium, large].iter().map(|(_, best)| best.value).collect();
        checks.contradiction(verdict.line, lines, LadderMismatch::VerdictWord(values));
    } else if let Some(order) = order.map(|order| order.join(" > ")) {
        let stated = &verdict.value.order;
        if stated.split_whitespace().ne(order.split_whitespace()) {
            let mismatch = LadderMismatch::VerdictOrder { stated: stated.clone(), meant: order };
            checks.contradiction(verdict.line, lines, mismatch);
        }
    }
}

fn consistency(checks: &mut Checks, report: &StatedReport, line: u64, stated: &StatedConsistency) {
    let name = &stated.parameter;
    match consistency::naive(&stated.values) {
        None => {
            checks.contradiction(line, [], LadderMismatch::FewerThanTwoValues { parameter: name.clone() });
        }
        Some(word) if word != stated.word => {
            let mismatch = LadderMismatch::ConsistencyWord { parameter: name.clone(), word: stated.word };
            checks.contradiction(line, [], mismatch);
        }
        Some(_) => {}
    }
    for best in &stated.values {
        let rows = report.best_results.iter().filter(|row| row.label == best.budget.trim());
        let cells: Vec<(u64, &str)> = rows
            .filter_map(|row| {
                let cell = row.params.iter().find(|(parameter, _)| parameter == name)?.1.as_deref();
                Some((row.line, cell.unwrap_or("N/A")))
            })
            .collect();
        let printed = best.value.to_string();
        let agrees = |cell: &str| printed.trim() == cell || value_of(cell) == best.value;
        if let Some((row, cell)) = cells.first().filter(|_| !cells.iter().any(|(_, cell)| agrees(cell))) {
            let mismatch = LadderMismatch::OtherBestParameter {
                parameter: name.clone(),
                budget: Some(best.budget.clone()),
                here: printed,
                there: (*cell).to_owned(),
            };
            checks.contradiction(line, [*row], mismatch);
        }
    }
}

/// Checks that the best configuration in a budget's part agrees with the table.
fn best_configuration(checks: &mut Checks, report: &StatedReport, position: usize, study: &StatedStudy) {
    checks.budget = Some(study.label.clone());
    let row = report.best_result(position);
    for stated in &study.best_params {
        let (name, value) = &stated.value;
        let cell = row.and_then(|row| {
            let (_, cell) = row.params.iter().find(|(parameter, _)| parameter == name)?;
            Some((row.line, cell.as_deref().unwrap_or("N/A")))
        });
        if let Some((line, cell)) =
            cell.filter(|(_, cell)| cell != value && value_of(cell) != value_of(value))
        {
            let mismatch = LadderMismatch::OtherBestParameter {
                parameter: name.clone(),
                budget: None,
                here: value.clone(),
                there: cell.to_owned(),
            };
            checks.contradiction(stated.line, [line], mismatch);
        }
        let tried = study.trend(name).filter(|trend| !trend.levels.is_empty());
        if tried.is_some_and(|trend| !trend.levels.iter().any(|level| level.value == value_of(value))) {
            let note = NoteReason::NotInTable { parameter: name.clone(), value: value.clone() };
            checks.note(stated.line, note);
        }
    }
}

fn collapse(checks: &mut Checks, report: &StatedReport, row: &CollapseRow) {
    checks.budget = Some(row.label.clone());
    let studies: Vec<&StatedStudy> = report.studies.iter().filter(|study| study.label == row.label).collect();
    let &[study] = studies.as_slice() else { return };
    let Some(stated) = &study.collapse else { return };
    let said = stated.value;
    if said.collapsed != (row.outcome == NaiveOutcome::Collapsed) {
        checks.contradiction(row.line, [stated.line], LadderMismatch::CollapseWord);
        return;
    }
    if said.range.zip(row.range).is_some_and(|(first, second)| first.contradicts(&second)) {
        checks.contradiction(row.line, [stated.line], LadderMismatch::OtherRange);
    }
    let largest = |printed: Printed| printed.bounds(0.0).high;
    let smallest = |printed: Printed| printed.bounds(0.0).low;
    let percent = 100.0 * NAIVE_ZERO_RECALL;
    let range = row.range.or(said.range);
    let follows = match row.outcome {
        NaiveOutcome::Collapsed => {
            range.is_some_and(|range| smallest(range) < NAIVE_RANGE)
                || said.zero_recall.is_some_and(|share| largest(share) > percent)
        }
        _ => range.is_none_or(|range| largest(range) >= NAIVE_RANGE),
    };
    if !follows {
        let mismatch = LadderMismatch::CollapseRule { range: NAIVE_RANGE, percent };
        checks.contradiction(row.line, [stated.line], mismatch);
    }
}
