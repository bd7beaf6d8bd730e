//! The findings of a page: a row per code with a mark per budget, and the advice when the reader opens it.

use allometry_analysis::{Analysis, Finding, Severity};
use maud::{Markup, html};

use super::answer::sentence;
use crate::number::{counted, listed, shortened};
use crate::words;

/// The largest number of budgets that have a column each.
const MOST_COLUMNS: usize = 12;

/// Renders the findings.
pub fn findings_section(analysis: &Analysis) -> Markup {
    let count = |severity| analysis.findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "note")]
        .map(|(severity, noun)| (count(severity) as u64, noun));
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| counted(count, noun))
        .collect();
    let labels: Vec<&str> = analysis.studies.iter().map(|study| study.budget.label.as_str()).collect();
    let has_columns = labels.len() > 1 && labels.len() <= MOST_COLUMNS;
    let groups = analysis.findings.chunk_by(|a, b| a.code == b.code);
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "What is wrong" }
            @if analysis.findings.is_empty() { p { "No problem was found." } } @else {
                p { (listed(&counts)) ". Open a line for its numbers and what to do." }
                div.findings style={ "--columns:" (if has_columns { labels.len() + 1 } else { 0 }) } {
                    @if has_columns {
                        div.budgets aria-hidden="true" {
                            span {} span { "ladder" }
                            @for label in &labels { span { (shortened(label, 24)) } }
                        }
                    }
                    @for group in groups { (row(group, if has_columns { &labels } else { &[] })) }
                }
            }
        }
    }
}

/// Renders the findings of one code.
fn row(group: &[Finding], labels: &[&str]) -> Markup {
    let worst = group.iter().map(|one| one.severity).max_by_key(|severity| rank(*severity));
    let worst = worst.unwrap_or(Severity::Info);
    let found = |budget: Option<&str>| group.iter().find(|one| one.budget.as_deref() == budget);
    html! {
        details.finding id={ "finding-" (group[0].code) } {
            summary {
                span.code { (mark(worst)) " " code { (group[0].code) } }
                @if labels.is_empty() {
                    span.where { (places(group)) }
                } @else {
                    (cell(found(None), "ladder"))
                    @for label in labels { (cell(found(Some(label)), label)) }
                }
                span.gist { (sentence(&words::finding::message(&group[0]))) }
            }
            @for alike in words::finding::groups(group) {
                @let (first, others) = (&alike[0], &alike[1..]);
                p { (sentence(&words::finding::message(first))) "." }
                @if !others.is_empty() {
                    ul { @for other in others { li { (sentence(&words::finding::message(other))) "." } } }
                }
                p.advice { strong { "What to do: " } (sentence(&words::finding::advice(first))) }
            }
        }
    }
}

fn cell(finding: Option<&Finding>, label: &str) -> Markup {
    html! {
        @match finding {
            Some(finding) => span.cell.found {
                (mark(finding.severity)) span.label { (shortened(label, 24)) }
            },
            None => span.cell {},
        }
    }
}

/// Returns the budgets of findings in words; nothing for findings of the ladder or of a single study.
fn places(group: &[Finding]) -> String {
    let budgets: Vec<String> =
        group.iter().filter_map(|one| one.budget.as_deref()).map(|label| shortened(label, 24)).collect();
    match budgets.len() {
        0 | 1 => budgets.concat(),
        2..=MOST_COLUMNS => listed(&budgets),
        many => counted(many as u64, "budget"),
    }
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Error => 2,
        Severity::Warning => 1,
        Severity::Info => 0,
    }
}

/// Returns the mark of a severity: a shape with a colour, and its word.
fn mark(severity: Severity) -> Markup {
    let (class, shape, word) = match severity {
        Severity::Error => ("error", "✖", "error"),
        Severity::Warning => ("warning", "▲", "warning"),
        Severity::Info => ("note", "○", "note"),
    };
    html! { span.mark-of.(class) title=(word) { span aria-hidden="true" { (shape) } span.unseen { (word) } } }
}
