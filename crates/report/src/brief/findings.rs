//! What is wrong: the findings as a matrix of codes and budgets, each with its advice.

use allometry_analysis::{Analysis, Finding, Severity};

use crate::markdown::escape;
use crate::text::Text;
use crate::words;

/// Number of budgets up to which the matrix has a column for each.
const MOST_COLUMNS: usize = 8;

pub(super) fn render(text: &mut Text, analysis: &Analysis) {
    text.heading(2, format_args!("What is wrong"));
    if analysis.findings.is_empty() {
        text.line(format_args!("No problem was found."));
        return;
    }
    if analysis.studies.len() > 1 && analysis.studies.len() <= MOST_COLUMNS {
        matrix(text, analysis);
    }
    for group in words::finding::groups(&analysis.findings) {
        let Finding { code, severity, .. } = &group[0];
        let advice = escape(&words::finding::advice(&group[0]));
        text.line(format_args!(
            "- **{}** `{code}`: {}. *{advice}*{}",
            severity.as_str(),
            escape(&words::finding::message(&group[0])),
            also(&group[1..])
        ));
    }
}

/// Returns the sentence on the other findings of a kind, with their budgets.
fn also(others: &[Finding]) -> String {
    let budgets: Vec<String> = others.iter().filter_map(|one| one.budget.as_deref()).map(escape).collect();
    match (budgets.len(), others.len()) {
        (_, 0) => String::new(),
        (0, 1) => " There is one more of this kind.".into(),
        (0, others) => format!(" There are {others} more of this kind."),
        (1..=MOST_COLUMNS, _) => format!(" Also: {}.", crate::number::listed(&budgets)),
        (budgets, _) => format!(" Also in {budgets} other budgets."),
    }
}

/// Writes a row per code and a column per budget; the first column is for findings on the ladder as a whole.
fn matrix(text: &mut Text, analysis: &Analysis) {
    let labels = analysis.studies.iter().map(|study| escape(&study.budget.label));
    let header: Vec<String> = ["Finding".to_owned(), "Ladder".to_owned()].into_iter().chain(labels).collect();
    let rows = analysis.findings.chunk_by(|a, b| a.code == b.code).map(|group| {
        let has = |budget: Option<&str>| group.iter().find(|one| one.budget.as_deref() == budget);
        let mark =
            |found: Option<&Finding>| found.map_or_else(String::new, |found| mark(found.severity).into());
        let mut cells = vec![format!("`{}`", group[0].code), mark(has(None))];
        cells.extend(analysis.studies.iter().map(|study| mark(has(Some(&study.budget.label)))));
        cells
    });
    text.table(&header, rows);
    text.blank();
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "**error**",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}
