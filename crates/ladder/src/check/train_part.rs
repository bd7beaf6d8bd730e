//! Checks of `train_share` and `train_rows`, the parts of the training rows.

use allometry_core::RowCount;

use super::super::document::Node;
use super::super::problem::ProblemKind;
use super::super::section::{FromNode as _, Problems, Section, wrong_type};
use super::super::spec::BudgetSpec;

/// Returns the budgets, followed by each budget on each part of the training rows that the file lists.
pub(super) fn with_parts(
    file: &mut Section<'_>,
    budgets: Vec<BudgetSpec>,
    problems: &mut Problems,
) -> Vec<BudgetSpec> {
    let parts = parts(file, problems);
    let labels: Vec<String> = budgets.iter().map(|spec| spec.budget.label.clone()).collect();
    let mut all = budgets.clone();
    for spec in budgets {
        for part in &parts {
            let budget = spec.budget.trained_on(*part);
            if labels.contains(&budget.label) {
                problems.push(file.place(), ProblemKind::RepeatedLabel { label: budget.label.clone() });
            }
            all.push(BudgetSpec { budget, ..spec.clone() });
        }
    }
    all
}

/// Returns the listed parts, the smallest first, without the whole.
fn parts(file: &mut Section<'_>, problems: &mut Problems) -> Vec<RowCount> {
    const SHARES: Expected = Expected {
        list: "a list of shares, such as [0.25, 0.5, 1.0]",
        item: "a share above 0 and at most 1",
    };
    const ROWS: Expected = Expected {
        list: "a list of numbers of rows, such as [1000, 4000]",
        item: "a whole number, at least 1",
    };
    let share =
        |node: &Node| node.as_f64().filter(|share| *share > 0.0 && *share <= 1.0).map(RowCount::Share);
    let rows = |node: &Node| u64::from_node(node).filter(|rows| *rows >= 1).map(RowCount::Rows);
    let mut parts = list(file, "train_share", SHARES, share, problems);
    parts.retain(|part| *part != RowCount::Share(1.0));
    let of_rows = list(file, "train_rows", ROWS, rows, problems);
    if let (Some(first), Some(second)) = (file.node("train_share"), file.node("train_rows")) {
        let kind = ProblemKind::Both { first: "train_rows", second: "train_share" };
        problems.push_with(&second.place, kind, Some((&first.place, "and here")));
    }
    parts.extend(of_rows);
    let size = |part: &RowCount| match part {
        RowCount::Share(share) => *share,
        RowCount::Rows(rows) => *rows as f64,
    };
    parts.sort_by(|a, b| size(a).total_cmp(&size(b)));
    parts
}

/// What a list and its items must be, for messages.
#[derive(Clone, Copy)]
struct Expected {
    list: &'static str,
    item: &'static str,
}

/// Returns the distinct numbers of a list.
fn list(
    file: &mut Section<'_>,
    key: &'static str,
    expected: Expected,
    read: impl Fn(&Node) -> Option<RowCount>,
    problems: &mut Problems,
) -> Vec<RowCount> {
    let Some(node) = file.node(key) else { return Vec::new() };
    let Node::List(items) = &node.value else {
        problems.push(&node.place, wrong_type(key, expected.list, &node.value));
        return Vec::new();
    };
    let mut counts: Vec<RowCount> = Vec::new();
    for item in items {
        let value = problems.sources.text(&item.place).to_owned();
        match read(&item.value) {
            Some(count) if counts.contains(&count) => {
                problems.push(&item.place, ProblemKind::Repeated { key: key.into(), value });
            }
            Some(count) => counts.push(count),
            None if item.value.as_f64().is_some() => {
                let allowed = expected.item;
                problems.push(&item.place, ProblemKind::OutOfRange { key: key.into(), value, allowed });
            }
            None => problems.push(&item.place, wrong_type(key, expected.item, &item.value)),
        }
    }
    counts
}
