//! The table of conclusions, with one line for each.

use allometry_analysis::Lint;
use allometry_analysis::lint::{Conclusion, Standing, Subject};

use crate::markdown::escape;
use crate::number::counted;
use crate::text::Text;
use crate::words;

pub(super) fn render(text: &mut Text, lint: &Lint) {
    summary(text, lint);
    subjects(text, lint);
    contradictions(text, lint);
    text.heading(2, format_args!("Conclusions"));
    if lint.conclusions.is_empty() {
        text.line(format_args!("The report draws no conclusions."));
        return;
    }
    let of_all = |conclusion: &&Conclusion| conclusion.budget.is_none() || is_of_ladder(conclusion);
    part(text, "All budgets", lint, lint.conclusions.iter().filter(of_all).collect(), true);
    for study in &lint.studies {
        let own = lint
            .conclusions
            .iter()
            .filter(|conclusion| !of_all(conclusion) && conclusion.budget.as_deref() == Some(&study.budget))
            .filter(|conclusion| conclusion.line >= study.line)
            .collect();
        part(text, &format!("Budget {}", escape(&study.budget)), lint, own, false);
    }
    text.blank();
    text.line(format_args!(
        "*Stands*: the report's own tables support it (at {:.0}%, adjusted for all tests of its table; for \
         trends, of the report). *Does not stand*: it was tested, and the tables do not support it. *Cannot \
         be told*: the report lacks the numbers for a test.",
        lint.level * 100.0
    ));
    text.line(format_args!(
        "All trials count, including repeats of a configuration with an equal value: a report does not show \
         repeats, and with repeats the p-values are too small."
    ));
}

/// Whether a conclusion on a budget belongs to the part about all budgets.
fn is_of_ladder(conclusion: &Conclusion) -> bool {
    matches!(conclusion.subject, Subject::Size | Subject::Collapse)
}

fn summary(text: &mut Text, lint: &Lint) {
    let all = lint.conclusions.len() as u64;
    text.line(format_args!(
        "Of {} **{} stand**, **{} do not**, **{} cannot be told**.",
        counted(all, "conclusion"),
        lint.count(Standing::Stands),
        lint.count(Standing::DoesNotStand),
        lint.count(Standing::CannotBeTold)
    ));
    match lint.contradictions.len() as u64 {
        0 => text.line(format_args!("The report's figures agree with each other, within their rounding.")),
        count => text.line(format_args!(
            "The report contradicts itself in {}: it was edited, or another program wrote it.",
            counted(count, "place")
        )),
    }
}

fn subjects(text: &mut Text, lint: &Lint) {
    const STANDINGS: [Standing; 3] = [Standing::Stands, Standing::DoesNotStand, Standing::CannotBeTold];
    if lint.conclusions.is_empty() {
        return;
    }
    text.blank();
    let counts = |subject| STANDINGS.map(|standing| lint.count_of(subject, standing));
    let drawn = Subject::ALL.into_iter().filter(|subject| counts(*subject) != [0; 3]);
    text.table(
        &["On", "Stand", "Do not stand", "Cannot be told"],
        drawn.map(|subject| {
            [subject.as_str().to_owned()]
                .into_iter()
                .chain(counts(subject).map(|count| count.to_string()))
                .collect()
        }),
    );
}

fn contradictions(text: &mut Text, lint: &Lint) {
    if !lint.contradictions.is_empty() {
        text.heading(2, format_args!("Contradictions"));
        for found in &lint.contradictions {
            let against: Vec<String> = found.against.iter().map(ToString::to_string).collect();
            let against = match against.as_slice() {
                [] => String::new(),
                [one] => format!(" (against line {one})"),
                several => format!(" (against lines {})", several.join(", ")),
            };
            let budget =
                found.budget.as_ref().map_or_else(String::new, |budget| format!("{}: ", escape(budget)));
            text.line(format_args!(
                "- line {}{against}: {budget}{}",
                found.line,
                escape(&words::lint::contradiction_clause(found))
            ));
        }
    }
    if !lint.notes.is_empty() {
        text.heading(2, format_args!("Notes"));
        for note in &lint.notes {
            let budget =
                note.budget.as_ref().map_or_else(String::new, |budget| format!("{}: ", escape(budget)));
            text.line(format_args!(
                "- line {}: {budget}{}",
                note.line,
                escape(&words::lint::note_clause(note))
            ));
        }
    }
}

fn part(text: &mut Text, title: &str, lint: &Lint, conclusions: Vec<&Conclusion>, names_budget: bool) {
    if conclusions.is_empty() {
        return;
    }
    text.heading(3, format_args!("{title}"));
    text.table(
        &["Line", "The report says", "Standing", "Why"],
        conclusions.into_iter().map(|conclusion| {
            let budget = conclusion.budget.as_deref().filter(|_| names_budget);
            let budget = budget.map_or_else(String::new, |budget| format!("{}: ", escape(budget)));
            let standing = match conclusion.standing {
                Standing::Stands => format!("**{}**", conclusion.standing.as_str()),
                other => other.as_str().to_owned(),
            };
            vec![
                conclusion.line.to_string(),
                format!("{budget}{}", escape(&words::lint::claim_clause(conclusion))),
                standing,
                escape(&words::lint::reason_clause(conclusion, lint)),
            ]
        }),
    );
}
