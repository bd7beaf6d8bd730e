//! The sentences of reports: each reason of an analysis in words.
//!
//! Renderers call the function for one statement. [`analysis()`], [`comparison()`] and [`lint()`] return a
//! copy in which every statement is text, for documents.

pub mod comparison;
pub mod coordinates;
pub mod finding;
pub mod law;
pub mod lint;
pub mod plan;
pub mod verdict;

mod confirmation;
mod data;
mod eras;
mod forecast;
mod importance;
mod ladder_law;
mod learning_rate;
mod method;
mod mismatch;
mod recommendation;
mod series;

#[cfg(test)]
mod tests;

use allometry_analysis::scaling::Withheld;
use allometry_analysis::{Analysis, Comparison, Finding, Lint};

use crate::command::ladder_words;

pub use confirmation::confirmation;
pub use data::{data, data_details};
pub use eras::{eras, step};
pub use forecast::forecast;
pub use importance::importance;
pub use ladder_law::{LadderLaws, ladder_laws, no_ladder_law};
pub use learning_rate::{learning_rate_table, learning_rates};
pub(crate) use method::method;
pub use recommendation::not_recommended;
pub use series::series;

/// Returns a text that begins with a capital letter.
pub(crate) fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(rest).collect()
}

/// Returns the analysis with every statement in words.
pub fn analysis(analysis: &Analysis) -> Analysis {
    let mut worded = analysis.clone();
    let (metric, direction) = (&analysis.metric, analysis.direction);
    let ladder = ladder_words(analysis, "");
    let verdict = &mut worded.verdict;
    verdict.sentence.put_into_words(|headline| verdict::headline(headline, metric, direction));
    verdict.covers.put_into_words(|covers| covers.as_ref().map(verdict::covers).unwrap_or_default());
    verdict.advice.put_into_words(|advice| verdict::advice(advice, &ladder));
    for evidence in &mut verdict.evidence {
        evidence.statement.put_into_words(|reason| verdict::evidence(reason, metric));
    }
    for caveat in &mut verdict.caveats {
        caveat.statement.put_into_words(verdict::caveat);
    }
    worded.findings.iter_mut().for_each(put_finding_into_words);
    if let Some(Withheld::TooFewRows { why }) = &mut worded.scaling.withheld {
        why.put_into_words(|why| verdict::no_row_error(*why));
    }
    if let Some(Withheld::TooFewRows { why }) =
        worded.data_scaling.as_mut().and_then(|data| data.withheld.as_mut())
    {
        why.put_into_words(|why| verdict::no_row_error(*why));
    }
    if let Some(of) = &mut worded.confirmation {
        let text = confirmation(of, &analysis.options);
        of.sentence.put_into_words(|()| text);
    }
    for study in &mut worded.studies {
        let text = importance(&study.importance_model);
        study.importance_model.sentence.put_into_words(|()| text);
    }
    worded
}

/// Returns the comparison with every statement in words.
pub fn comparison(comparison: &Comparison) -> Comparison {
    let mut worded = comparison.clone();
    for side in [&mut worded.a, &mut worded.b] {
        let (metric, direction) = (side.metric.clone(), side.direction);
        side.verdict.put_into_words(|headline| verdict::headline(headline, &metric, direction));
    }
    worded.sentence.put_into_words(|()| comparison::summary(comparison));
    for (budget, of) in worded.budgets.iter_mut().zip(&comparison.budgets) {
        budget.sentence.put_into_words(|why| comparison::budget(of, *why, comparison));
    }
    for obstacle in &mut worded.obstacles {
        obstacle.reason.put_into_words(comparison::obstacle);
    }
    for caveat in &mut worded.caveats {
        caveat.statement.put_into_words(comparison::caveat);
    }
    let changes = &mut worded.findings;
    let stayed = changes.stayed.iter_mut().flat_map(|stayed| [&mut stayed.a, &mut stayed.b]);
    let findings = changes.appeared.iter_mut().chain(&mut changes.gone).chain(stayed);
    findings.for_each(put_finding_into_words);
    worded
}

/// Returns the lint with every statement in words.
pub fn lint(lint: &Lint) -> Lint {
    let mut worded = lint.clone();
    let (metric, direction) = (&lint.metric, lint.direction);
    worded.scaling.sentence.put_into_words(|reason| lint::means(reason, metric, direction));
    for conclusion in &mut worded.conclusions {
        conclusion.statement.put_into_words(lint::claim);
        conclusion.reason.put_into_words(|reason| lint::reason(reason, lint));
    }
    for contradiction in &mut worded.contradictions {
        contradiction.message.put_into_words(mismatch::mismatch);
    }
    for note in &mut worded.notes {
        note.message.put_into_words(lint::note);
    }
    worded
}

fn put_finding_into_words(finding: &mut Finding) {
    let text = finding::text(finding);
    finding.problem.put_into_words(|_| text);
}
