//! The report in one screen: verdict, budgets, effort, importance and findings, 80 columns wide.

use std::fmt::Write as _;

use allometry_analysis::{Analysis, Estimate, Finding, Outcome, Severity, StudyAnalysis};
use allometry_core::human_weights;
use allometry_core::visible::visible;
use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use crate::full::is_lone;
use crate::number::{UNKNOWN, decimals, percent};
use crate::words;

/// The width of the summary in columns.
const WIDTH: usize = 80;
/// The width of a bar in columns.
const BAR: usize = 22;
/// The width of a name in columns.
const NAME: usize = 16;
/// The largest number of parameters shown per budget.
const PARAMETERS: usize = 4;
/// The largest number of findings shown.
const FINDINGS: usize = 6;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Renders the summary with ANSI colours. The full report contains everything in it.
pub fn terminal(analysis: &Analysis) -> String {
    let mut out = String::new();
    heading(&mut out, analysis);
    budgets(&mut out, analysis);
    effort(&mut out, analysis);
    importance(&mut out, analysis);
    findings(&mut out, analysis);
    out
}

fn heading(out: &mut String, analysis: &Analysis) {
    let study = analysis.studies.first().filter(|_| is_lone(analysis)).map(|study| &*study.budget.label);
    let name = analysis.name.as_deref().or(study).unwrap_or("Ladder");
    let tag = analysis.tag.as_deref().map(|tag| format!(" ({tag})")).unwrap_or_default();
    line(out, &paint(BOLD, &clean(&format!("{name}{tag}"), WIDTH)));
    if is_lone(analysis) {
        return;
    }
    line(out, "");
    let color = match analysis.verdict.outcome {
        Outcome::Holds => AnsiColor::Green,
        Outcome::Violated => AnsiColor::Red,
        Outcome::Flat => AnsiColor::Blue,
        Outcome::Undecided | Outcome::Unknown => AnsiColor::Yellow,
    };
    line(out, &paint(BOLD, "Do more weights pay?"));
    let style = color.on_default().bold();
    for text in wrapped(&words::verdict::sentence(analysis), WIDTH) {
        line(out, &paint(style, &text));
    }
    let more = [words::verdict::covers_sentence(analysis), words::verdict::advice_sentence(analysis)];
    for text in more.iter().filter(|text| !text.is_empty()) {
        for text in wrapped(text, WIDTH) {
            line(out, &text);
        }
    }
}

fn budgets(out: &mut String, analysis: &Analysis) {
    let values: Vec<Estimate> =
        analysis.studies.iter().filter_map(|study| Some(study.summary.incumbent()?.value)).collect();
    let ends = || {
        values.iter().flat_map(|v| {
            [v.point, v.interval.map_or(v.point, |i| i.lower), v.interval.map_or(v.point, |i| i.upper)]
        })
    };
    let (low, high) = (ends().fold(f64::INFINITY, f64::min), ends().fold(f64::NEG_INFINITY, f64::max));
    line(out, "");
    let level = format!("{:.0}% interval", analysis.options.level * 100.0);
    let metric = format!("Best {}", clean(&analysis.metric, 7));
    row(
        out,
        DIM,
        &[("Budget", 11), (&metric, 13), (&level, BAR + 2), ("", 17), ("Weights", 8), ("Trials", 0)],
    );
    for study in &analysis.studies {
        let best = study.summary.incumbent().map(|best| best.value);
        let bar = best.map_or_else(String::new, |best| interval_bar(best, low, high));
        let ends = best.and_then(|best| best.interval);
        let weights =
            study.sizes.best.map_or_else(|| UNKNOWN.to_owned(), |size| human_weights(size.total as f64));
        row(
            out,
            Style::new(),
            &[
                (&clean(&study.budget.label, 10), 11),
                (&best.map_or_else(|| UNKNOWN.into(), |best| decimals(best.point)), 13),
                (&bar, BAR + 2),
                (&ends.map_or_else(String::new, |i| format!("{:.3} to {:.3}", i.lower, i.upper)), 17),
                (&weights, 8),
                (&study.summary.trials.to_string(), 0),
            ],
        );
    }
}

/// Draws an interval on the range of all intervals: `  ├────●───┤ `.
fn interval_bar(estimate: Estimate, low: f64, high: f64) -> String {
    let column = |x: f64| {
        let share = if high > low { (x - low) / (high - low) } else { 0.5 };
        (share * (BAR - 1) as f64).round() as usize
    };
    let mut bar = vec![' '; BAR];
    if let Some(ends) = estimate.interval {
        let (first, last) = (column(ends.lower), column(ends.upper));
        bar[first..=last].fill('─');
        bar[first] = '├';
        bar[last] = '┤';
    }
    bar[column(estimate.point)] = '●';
    bar.into_iter().collect()
}

fn effort(out: &mut String, analysis: &Analysis) {
    let studies: Vec<&StudyAnalysis> =
        analysis.studies.iter().filter(|study| study.best_of.len() > 1).collect();
    if studies.is_empty() {
        return;
    }
    let all = || studies.iter().flat_map(|study| study.best_of.iter().map(|best| best.expected.point));
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    line(out, "");
    line(out, &paint(BOLD, "Expected best by number of trials"));
    for study in studies {
        let spark: String = study
            .best_of
            .iter()
            .map(|best| {
                let share = if high > low { (best.expected.point - low) / (high - low) } else { 0.5 };
                SPARKS[(share * 7.0).round() as usize]
            })
            .collect();
        let (first, last) = (study.best_of[0], study.best_of[study.best_of.len() - 1]);
        let words = format!(
            "{} of {} trial, {} of {}",
            decimals(first.expected.point),
            first.k,
            decimals(last.expected.point),
            last.k
        );
        row(out, Style::new(), &[(&clean(&study.budget.label, 10), 11), (&spark, BAR), (&words, 0)]);
    }
}

fn importance(out: &mut String, analysis: &Analysis) {
    let shares = |study: &StudyAnalysis| {
        let mut shares: Vec<(String, Estimate)> =
            study.importance.iter().filter_map(|one| Some((one.parameter.clone(), one.share?))).collect();
        shares.sort_by(|a, b| b.1.point.total_cmp(&a.1.point));
        shares.truncate(PARAMETERS);
        shares
    };
    if analysis.studies.iter().all(|study| shares(study).is_empty()) {
        return;
    }
    line(out, "");
    line(out, &paint(BOLD, "Share of the variance"));
    for study in &analysis.studies {
        for (position, (name, share)) in shares(study).into_iter().enumerate() {
            let label = if position == 0 { clean(&study.budget.label, 10) } else { String::new() };
            let bar = "█".repeat((share.point.clamp(0.0, 1.0) * BAR as f64).round() as usize);
            let ends = share
                .interval
                .map_or_else(String::new, |i| format!(" ({} to {})", percent(i.lower), percent(i.upper)));
            let words = format!("{}{ends}", percent(share.point));
            row(
                out,
                Style::new(),
                &[(&label, 11), (&clean(&name, NAME - 1), NAME), (&bar, BAR + 1), (&words, 0)],
            );
        }
    }
}

fn findings(out: &mut String, analysis: &Analysis) {
    line(out, "");
    let count = |severity| analysis.findings.iter().filter(|finding| finding.severity == severity).count();
    let words = format!(
        "Findings: {} errors, {} warnings, {} for information",
        count(Severity::Error),
        count(Severity::Warning),
        count(Severity::Info)
    );
    line(out, &paint(BOLD, &words));
    let groups: Vec<&[Finding]> = analysis.findings.chunk_by(|a, b| a.code == b.code).collect();
    for group in groups.iter().take(FINDINGS) {
        let Finding { code, severity, .. } = &group[0];
        let color = match severity {
            Severity::Error => AnsiColor::Red,
            Severity::Warning => AnsiColor::Yellow,
            Severity::Info => AnsiColor::Blue,
        };
        let times = if group.len() > 1 { format!(", {} times", group.len()) } else { String::new() };
        let code = paint(DIM, &format!("{code}{times}"));
        line(out, &format!("{} {code}", paint(color.on_default().bold(), severity.as_str())));
        for text in wrapped(&words::finding::message(&group[0]), WIDTH - 2).into_iter().take(3) {
            line(out, &format!("  {text}"));
        }
    }
    let more = groups.len().saturating_sub(FINDINGS);
    if more > 0 {
        line(out, &paint(DIM, &format!("and {more} more kinds of findings")));
    }
}

/// Writes cells at fixed columns.
fn row(out: &mut String, style: Style, cells: &[(&str, usize)]) {
    let mut text = String::new();
    for (cell, width) in cells {
        let room = width.saturating_sub(display_width(cell));
        write!(text, "{cell}{:room$}", "").expect("writing to a string cannot fail");
    }
    line(out, &paint(style, text.trim_end()));
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    textwrap::wrap(&clean(text, usize::MAX), width).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// Returns user text without control characters, cut to `width` columns.
fn clean(text: &str, width: usize) -> String {
    // Line breaks within a sentence become spaces; other control characters are written as escapes.
    let text = text.replace(['\n', '\t'], " ");
    let text = visible(&text).into_owned();
    if display_width(&text) <= width {
        return text;
    }
    let mut cut = String::new();
    for c in text.chars() {
        if display_width(&cut) + 2 > width {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\nc", 80), "a\\x1b[31mb c");
        assert_eq!(clean("a very long name", 8), "a very …");
    }
}
