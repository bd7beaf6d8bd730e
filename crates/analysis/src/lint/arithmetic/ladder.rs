//! The part about all budgets against itself and against the parts about each.

use allometry_core::Direction;

use super::super::stated::{CollapseRow, Printed, StatedConsistency, StatedReport, StatedStudy, value_of};
use super::Checks;
use crate::collapse::{NAIVE_RANGE, NAIVE_ZERO_RECALL, NaiveOutcome};
use crate::consistency::{self, NaiveConsistency};
use crate::number::quoted;
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

/// The best values in the list and in the summaries are those of the table.
fn maxima(checks: &mut Checks, report: &StatedReport) {
    for (position, maximum) in report.maxima.iter().enumerate() {
        let row = report.best_results.get(position).filter(|row| row.label == maximum.label);
        let Some(row) = row.or_else(|| report.best_results.iter().find(|row| row.label == maximum.label))
        else {
            continue;
        };
        if differ(maximum.best, row.best) {
            checks.budget = Some(maximum.label.clone());
            let message = format!(
                "the best value is {} here and {} in the table",
                or_none(maximum.best),
                or_none(row.best)
            );
            checks.contradiction(maximum.line, [row.line], message);
        }
    }
    for (position, study) in report.studies.iter().enumerate() {
        checks.budget = Some(study.label.clone());
        let Some(best) = &study.best else { continue };
        let row = report.best_result(position).map(|row| (row.line, row.best));
        let item = report.maxima.iter().find(|maximum| maximum.label == study.label);
        let Some((line, elsewhere)) = row.or_else(|| item.map(|item| (item.line, item.best))) else {
            if !report.best_results.is_empty() {
                let message = format!("the table of best results has no row for {}", quoted(&study.label));
                checks.note(study.line, message);
            }
            continue;
        };
        if differ(best.value, elsewhere) {
            let message = format!(
                "the best value is {} here and {} in the part about all budgets",
                or_none(best.value),
                or_none(elsewhere)
            );
            checks.contradiction(best.line, [line], message);
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

fn or_none(value: Option<Printed>) -> String {
    value.map_or_else(|| "N/A".into(), |value| value.value.to_string())
}

/// The word follows from the maxima: from the list where there is one, else from the table.
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
            let message = "a verdict takes the best values of exactly three budgets".to_owned();
            checks.contradiction(verdict.line, lines, message);
        }
        return;
    };
    let is_told = |a: &Printed, b: &Printed| direction.better(a.value, b.value) && a.contradicts(b);
    // Values that print alike may be in any order.
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
        let values: Vec<String> =
            [small, medium, large].iter().map(|(_, best)| best.value.to_string()).collect();
        let message = format!("the verdict does not follow from the maxima {}", values.join(", "));
        checks.contradiction(verdict.line, lines, message);
    } else if let Some(order) = order.map(|order| order.join(" > ")) {
        let stated = &verdict.value.order;
        if stated.split_whitespace().ne(order.split_whitespace()) {
            checks.contradiction(
                verdict.line,
                lines,
                format!("the verdict says {stated}, and its word {order}"),
            );
        }
    }
}

fn consistency(checks: &mut Checks, report: &StatedReport, line: u64, stated: &StatedConsistency) {
    let name = &stated.parameter;
    match consistency::naive(&stated.values) {
        None => checks.contradiction(line, [], format!("{name} has fewer than two values to compare")),
        Some(word) if word != stated.word => {
            let said = match stated.word {
                NaiveConsistency::Consistent => "the values differ",
                NaiveConsistency::Inconsistent => "the values are equal",
            };
            checks.contradiction(line, [], format!("{said} for {name}, against the word"));
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
            let budget = quoted(&best.budget);
            let message = format!("the best {name} of {budget} is {printed} here and {cell} in the table");
            checks.contradiction(line, [*row], message);
        }
    }
}

/// The block of a budget's best configuration is that of the table.
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
            let message = format!("the best {name} is {value} here and {cell} in the table of best results");
            checks.contradiction(stated.line, [line], message);
        }
        let tried = study.trend(name).filter(|trend| !trend.levels.is_empty());
        if tried.is_some_and(|trend| !trend.levels.iter().any(|level| level.value == value_of(value))) {
            let message = format!("the best configuration's {name}, {value}, is not in its table");
            checks.note(stated.line, message);
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
        checks.contradiction(
            row.line,
            [stated.line],
            "the table and the part about the budget disagree".into(),
        );
        return;
    }
    if said.range.zip(row.range).is_some_and(|(first, second)| first.contradicts(&second)) {
        checks.contradiction(
            row.line,
            [stated.line],
            "the range is another in the part about the budget".into(),
        );
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
        let message = format!(
            "the word does not follow: the rules are a range below {NAIVE_RANGE}, or zero recall in more than {percent}% of trials"
        );
        checks.contradiction(row.line, [stated.line], message);
    }
}
