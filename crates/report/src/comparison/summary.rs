//! The summary of a comparison.

use allometry_analysis::comparison::{
    ComparedLadder, FindingChanges, ObstacleText, Preference, StayedFinding,
};
use allometry_analysis::{Comparison, Estimate, Finding, Method};
use allometry_core::ModelSize;

use crate::markdown::{code, escape};
use crate::number::{UNKNOWN, decimals, grouped, interval, known_p};
use crate::text::Text;
use crate::words;

pub(super) fn sides(text: &mut Text, comparison: &Comparison) {
    for (letter, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        text.line(format_args!("- **{letter}** is {}", side_in_words(side)));
    }
    text.blank();
    text.line(format_args!("Differences are B - A."));
}

fn side_in_words(side: &ComparedLadder) -> String {
    let title = match (side.name.as_deref().map(escape), side.tag.as_deref().map(escape)) {
        (Some(name), Some(tag)) => format!("{name} ({tag}), "),
        (Some(title), None) | (None, Some(title)) => format!("{title}, "),
        (None, None) => String::new(),
    };
    let better = if side.direction.better(1.0, 0.0) { "larger" } else { "smaller" };
    let rows = side.rows.map_or_else(
        || "validation rows unknown".into(),
        |rows| {
            let all = grouped(rows.positives.saturating_add(rows.negatives));
            format!("{all} validation rows, {} of them positive", grouped(rows.positives))
        },
    );
    format!("{title}from {}: {} ({better} is better), {rows}", code(&side.source), escape(&side.metric))
}

pub(super) fn render(text: &mut Text, comparison: &Comparison) {
    text.line(format_args!("**Which is better?** {}", escape(&words::comparison::sentence(comparison))));
    if !comparison.budgets.is_empty() {
        text.blank();
        values(text, comparison);
        text.blank();
        for budget in &comparison.budgets {
            let mut sentence = words::comparison::budget_sentence(budget, comparison);
            if let Some(eras) = words::comparison::eras_sentence(budget, comparison) {
                sentence.push(' ');
                sentence.push_str(&eras);
            }
            text.line(format_args!("- **{}**: {}", escape(&budget.budget), escape(&sentence)));
        }
    }
    for (letter, labels) in [("A", &comparison.only_a), ("B", &comparison.only_b)] {
        if !labels.is_empty() {
            let labels: Vec<String> = labels.iter().map(|label| escape(label)).collect();
            text.blank();
            text.line(format_args!("Only {letter} has: {}.", labels.join(", ")));
        }
    }
    sizes(text, comparison);
    obstacles(text, comparison);
    caveats(text, comparison);
}

fn values(text: &mut Text, comparison: &Comparison) {
    let level = comparison.options.level * 100.0;
    let metric = |side: &ComparedLadder| escape(&side.metric);
    text.table(
        &[
            "Budget",
            &format!("A: observed best {}", metric(&comparison.a)),
            &format!("B: observed best {}", metric(&comparison.b)),
            "B - A",
            &format!("{level:.0}% interval"),
            "p (Holm)",
            "Better",
        ],
        comparison.budgets.iter().map(|budget| {
            let difference = budget.value.as_ref().map(|value| value.difference);
            vec![
                escape(&budget.budget),
                best(budget.a.best),
                best(budget.b.best),
                difference
                    .map_or_else(|| UNKNOWN.into(), |difference| crate::number::signed(difference.point)),
                interval(difference.and_then(|difference| difference.interval)),
                known_p(budget.value.as_ref().and_then(|value| value.p_holm)),
                format!("**{}**", preference(budget.outcome)),
            ]
        }),
    );
    let mut methods: Vec<Method> = Vec::new();
    for budget in &comparison.budgets {
        if let Some(value) = budget.value.as_ref().filter(|value| value.difference.standard_error.is_some())
            && !methods.contains(&value.difference.method)
        {
            methods.push(value.difference.method);
        }
    }
    if !methods.is_empty() {
        let methods: Vec<&str> = methods.into_iter().map(words::method).collect();
        text.blank();
        text.line(format_args!(
            "B - A is the difference between the quantities named in the sentences above, not between the \
             observed best values. Method of its error: {}. In brackets are the intervals of the best values \
             over rows.",
            methods.join("; ")
        ));
    }
}

fn best(best: Option<Estimate>) -> String {
    best.map_or_else(
        || UNKNOWN.into(),
        |best| match best.interval {
            Some(_) => format!("{} ({})", decimals(best.point), interval(best.interval)),
            None => decimals(best.point),
        },
    )
}

/// Returns the cell that names the better of two ladders.
pub(super) fn preference(preference: Preference) -> &'static str {
    match preference {
        Preference::A => "A",
        Preference::B => "B",
        Preference::Equivalent => "no difference of interest",
        Preference::Undecided => "undecided",
        Preference::Unknown => UNKNOWN,
    }
}

fn sizes(text: &mut Text, comparison: &Comparison) {
    if comparison.budgets.is_empty() {
        return;
    }
    text.heading(3, format_args!("Sizes and effort"));
    let mut header =
        vec!["Budget", "A: weights of the best", "B: weights of the best", "A: trials", "B: trials"];
    let is_corrected =
        comparison.budgets.iter().any(|budget| budget.a.corrected.or(budget.b.corrected).is_some());
    if is_corrected {
        header.extend(["A: corrected best", "B: corrected best"]);
    }
    text.table(
        &header,
        comparison.budgets.iter().map(|budget| {
            let mut cells = vec![
                escape(&budget.budget),
                weights(budget.a.size),
                weights(budget.b.size),
                grouped(budget.a.trials),
                grouped(budget.b.trials),
            ];
            if is_corrected {
                cells.extend([best(budget.a.corrected), best(budget.b.corrected)]);
            }
            cells
        }),
    );
    if is_corrected {
        text.blank();
        text.line(format_args!(
            "*Corrected* is the best value minus the bias from choosing the best of many trials on these \
             rows."
        ));
    }
}

fn weights(size: Option<ModelSize>) -> String {
    size.map_or_else(|| UNKNOWN.into(), |size| grouped(size.total))
}

fn obstacles(text: &mut Text, comparison: &Comparison) {
    if comparison.obstacles.is_empty() {
        return;
    }
    text.heading(3, format_args!("What could not be compared"));
    for obstacle in &comparison.obstacles {
        let ObstacleText { statement, hint } = words::comparison::obstacle_text(obstacle);
        let hint = hint.as_deref().map(|hint| format!(" *To make it comparable: {}.*", escape(hint)));
        text.line(format_args!("- {}{}", escape(&statement), hint.unwrap_or_default()));
    }
}

fn caveats(text: &mut Text, comparison: &Comparison) {
    if comparison.caveats.is_empty() {
        return;
    }
    text.heading(3, format_args!("What the comparison does not take into account"));
    for caveat in &comparison.caveats {
        text.line(format_args!("- {}", escape(&words::comparison::caveat_sentence(caveat))));
    }
}

pub(super) fn findings(text: &mut Text, changes: &FindingChanges) {
    text.heading(2, format_args!("Findings"));
    let list = |text: &mut Text, title: &str, findings: &[Finding]| {
        if findings.is_empty() {
            text.line(format_args!("- **{title}**: none."));
            return;
        }
        text.line(format_args!("- **{title}**:"));
        for finding in findings {
            let message = escape(&words::finding::message(finding));
            text.line(format_args!("  - **{}** `{}`: {message}.", finding.severity.as_str(), finding.code));
        }
    };
    list(text, "New in B", &changes.appeared);
    list(text, "Only in A", &changes.gone);
    if changes.stayed.is_empty() {
        text.line(format_args!("- **In both**: none."));
        return;
    }
    text.line(format_args!("- **In both**:"));
    let message = words::finding::message;
    let (changed, same): (Vec<_>, Vec<_>) =
        changes.stayed.iter().partition(|stayed| message(&stayed.a) != message(&stayed.b));
    for stayed in changed {
        let (before, now) = (escape(&message(&stayed.a)), escape(&message(&stayed.b)));
        text.line(format_args!("  - `{}`: {now}. *In A: {before}.*", stayed.b.code));
    }
    if !same.is_empty() {
        text.line(format_args!("  - Identical in both: {}.", codes(&same)));
    }
}

/// Returns codes with their budgets: `` `duplicates` (2M, 20M), `single-budget` ``.
fn codes(stayed: &[&StayedFinding]) -> String {
    let groups = stayed.chunk_by(|one, next| one.b.code == next.b.code);
    let words = groups.map(|group| {
        let budgets: Vec<String> =
            group.iter().filter_map(|one| one.b.budget.as_deref()).map(escape).collect();
        let budgets = if budgets.is_empty() { String::new() } else { format!(" ({})", budgets.join(", ")) };
        format!("`{}`{budgets}", group[0].b.code)
    });
    words.collect::<Vec<String>>().join(", ")
}

pub(super) fn scaling(text: &mut Text, comparison: &Comparison) {
    text.heading(2, format_args!("Do More Weights Pay?"));
    for (letter, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        text.line(format_args!("- **{letter}**: {}", escape(&words::comparison::verdict(side))));
    }
    text.blank();
    let level = comparison.options.level * 100.0;
    let row = |name: &str, gain: Option<Estimate>, sizes: String, says: &str| {
        vec![
            name.to_owned(),
            gain.map_or_else(|| UNKNOWN.into(), |gain| crate::number::signed(gain.point)),
            interval(gain.and_then(|gain| gain.interval)),
            sizes,
            says.to_owned(),
        ]
    };
    let side = |name: &str, side: &ComparedLadder| {
        let trend = side.trend;
        let sizes = trend.map_or_else(
            || UNKNOWN.into(),
            |trend| format!("{} to {}", grouped(trend.smallest), grouped(trend.largest)),
        );
        let says = trend.map_or_else(|| UNKNOWN.into(), |trend| trend.outcome.as_str().to_lowercase());
        row(name, trend.map(|trend| trend.gain_per_decade), sizes, &says)
    };
    let gain = comparison.gain_per_decade;
    let says = match gain.map_or(Preference::Unknown, |gain| gain.outcome) {
        Preference::A => "weights pay more in A",
        Preference::B => "weights pay more in B",
        other => preference(other),
    };
    text.table(
        &["", "Gain per decade of weights", &format!("{level:.0}% interval"), "Weights tried", "Outcome"],
        [
            side("A", &comparison.a),
            side("B", &comparison.b),
            row("B - A", gain.map(|gain| gain.difference), String::new(), says),
        ],
    );
    if gain.is_some() {
        text.blank();
        text.line(format_args!(
            "The intervals cover new trials of the same searches on the same rows, not new rows."
        ));
    }
}
