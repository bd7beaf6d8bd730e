//! The card with which a page begins: the verdict, the budgets, what to take and what to do next.

use std::collections::HashSet;

use allometry_analysis::{Analysis, Outcome, StudyAnalysis};
use allometry_core::{Direction, Params};
use maud::{Markup, html};

use super::contents;
use crate::brief;
use crate::chart::Figures;
use crate::full::{is_lone, parameters, unused_trials};
use crate::next::next_step;
use crate::number::{counted, decimals, interval, listed, short, shortened};
use crate::take;
use crate::text::Text;
use crate::words;

/// The largest number of budgets whose configurations are shown without opening anything.
const MOST_COLUMNS: usize = 4;
/// The largest number of parameters of a configuration that are shown without opening anything.
const MOST_PARAMETERS: usize = 12;

/// Renders the card. The ids of its figures are added to `shown`.
pub(super) fn card(analysis: &Analysis, figures: &Figures, shown: &mut HashSet<String>) -> Markup {
    let mut figure = |id: &str| {
        let figure = figures.get(id)?;
        shown.insert(id.to_owned());
        Some(figure.html())
    };
    let first = if is_lone(analysis) { "history-0" } else { "budgets" };
    html! {
        section.card id="answer" aria-label="The answer" {
            h1 { (title(analysis)) }
            (outcome(analysis))
            div.figures { @for one in [figure(first)].into_iter().flatten() { (one) } }
            (advice(analysis))
            @if !is_lone(analysis) {
                div.figures {
                    @for one in [figure("scaling"), figure("data")].into_iter().flatten() { (one) }
                }
            }
        }
    }
}

/// Renders the answer without figures: the verdict or the best value, what to take and what to do next.
pub fn answer(analysis: &Analysis) -> Markup {
    html! {
        (outcome(analysis))
        (advice(analysis))
    }
}

/// Returns the forecast of the next size, what to take and what to do next.
fn advice(analysis: &Analysis) -> Markup {
    html! {
        @if let Some(forecast) = words::forecast(analysis) { p { (forecast) } }
        @if let Some(data) = words::data(analysis) { p { strong { "More data or more weights? " } (data) } }
        (take(analysis))
        (next(analysis))
    }
}

/// Returns the verdict, or the best value of a single study, and the sentences on the baselines.
fn outcome(analysis: &Analysis) -> Markup {
    html! {
        @if is_lone(analysis) { (story(&analysis.studies[0], analysis)) } @else { (verdict(analysis)) }
        (baselines(analysis))
    }
}

/// Returns the title without the escapes of Markdown.
pub(super) fn title(analysis: &Analysis) -> String {
    let tag = analysis.tag.as_deref().map(|tag| format!(" ({tag})")).unwrap_or_default();
    let name = match (analysis.name.as_deref(), analysis.studies.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only.budget.label.as_str(),
        (None, _) => "Ladder",
    };
    format!("{name}{tag}")
}

fn verdict(analysis: &Analysis) -> Markup {
    let answer = words::verdict::sentence(analysis);
    let (_, reason) = answer.split_once(": ").unwrap_or(("", &answer));
    let outcome = analysis.verdict.outcome;
    let covers = words::verdict::covers_sentence(analysis);
    html! {
        p.question { "Do more weights pay?" }
        p.verdict.(class(outcome)) {
            strong.word { (outcome.as_str()) }
            span { (sentence(&words::capitalized(reason))) }
        }
        @if !covers.is_empty() {
            details { summary { "What the error covers" } p { (covers) } }
        }
    }
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => "holds",
        Outcome::Violated => "violated",
        Outcome::Flat => "flat",
        Outcome::Undecided => "undecided",
        Outcome::Unknown => "unknown",
    }
}

/// Returns the best value of a single study, and the number of its trials.
fn story(study: &StudyAnalysis, analysis: &Analysis) -> Markup {
    let better = match analysis.direction {
        Direction::Maximize => "larger is better",
        Direction::Minimize => "smaller is better",
    };
    let best = study.summary.incumbent();
    let trials = trials(study);
    html! {
        p.question { "How good is it?" }
        @match best {
            Some(best) => {
                p.verdict.flat {
                    strong.word { (analysis.metric) " " (decimals(best.value.point)) }
                    span {
                        "Trial " (best.number) " is the best so far"
                        @if let Some(ends) = best.value.interval {
                            " (" (format!("{:.0}", analysis.options.level * 100.0)) "% interval "
                            (interval(Some(ends))) ")"
                        }
                        "; " (better) ". The best value of many trials is partly luck. " (trials)
                    }
                }
            }
            None => p.verdict.unknown {
                strong.word { "no value" }
                span { "No trial has a value yet. " (trials) }
            },
        }
    }
}

/// Returns the number of trials that statistics use, and of the others by state.
fn trials(study: &StudyAnalysis) -> String {
    let used = counted(study.summary.trials, "trial");
    let others = unused_trials(&study.summary).into_iter();
    let others: Vec<String> = others.map(|(count, state)| format!("{count} {state}")).collect();
    let others = if others.is_empty() { String::new() } else { format!("; {}", listed(&others)) };
    format!("Statistics use {used}{others}.")
}

/// Returns the sentences on the baselines, with a warning if one is ahead.
fn baselines(analysis: &Analysis) -> Markup {
    let mut text = Text::default();
    brief::baselines(&mut text, analysis);
    let (body, _) = contents::render(&text.into_string());
    body
}

/// Returns the configuration to take: that of the budget that the verdict recommends, otherwise those of all
/// budgets.
fn take(analysis: &Analysis) -> Markup {
    let every = every_budget(analysis);
    let is_short = analysis.studies.len() <= MOST_COLUMNS;
    html! {
        @if let Some(taken) = take::chosen(analysis) {
            h2 id="take" { "What to take" }
            p { (sentence(&taken.sentence(analysis))) }
            (configuration(taken.params, taken.study))
            @if let Some(command) = taken.command(analysis, "") { pre { code { (command) } } } @else {
                p { "Its parameters as JSON:" }
                pre { code { (taken.json()) } }
            }
            @if analysis.studies.len() > 1 {
                details { summary { "The configuration of every budget" } (every) }
            } @else {
                details { summary { "How it was chosen" } (every) }
            }
        } @else if take::of_each(analysis).next().is_some() {
            h2 id="take" { "What to take" }
            p { "The verdict prefers no size. This is the best configuration of each." }
            @if is_short { (every) } @else {
                details { summary { "The configuration of every budget" } (every) }
            }
        }
    }
}

/// Returns the values of a configuration; those of many parameters are folded.
fn configuration(params: &Params, study: &StudyAnalysis) -> Markup {
    let order: Vec<&str> = study.trends.iter().map(|trend| trend.parameter.as_str()).collect();
    let names = parameters(std::iter::once(params), &order);
    let (first, rest) = names.split_at(names.len().min(MOST_PARAMETERS));
    let list = |names: &[&str]| {
        html! {
            dl.params {
                @for name in names {
                    div {
                        dt { (shortened(name, 60)) }
                        dd { (shortened(&params.get(name).map_or_else(String::new, short), 60)) }
                    }
                }
            }
        }
    };
    html! {
        (list(first))
        @if !rest.is_empty() {
            details { summary { (counted(rest.len() as u64, "more parameter")) } (list(rest)) }
        }
    }
}

fn every_budget(analysis: &Analysis) -> Markup {
    let mut text = Text::default();
    brief::parameters::taken(&mut text, analysis);
    brief::repeat(&mut text, analysis);
    let (body, _) = contents::render(&text.into_string());
    body
}

/// Returns what to do next, with the command if there is one.
fn next(analysis: &Analysis) -> Markup {
    html! {
        @if let Some(next) = next_step(analysis, "") {
            h2 id="next" { "What next" }
            p { (sentence(&next.sentence)) }
            @if let Some(command) = next.command { pre { code { (command) } } }
        }
    }
}

/// Returns a sentence in which text between backticks is code.
pub(super) fn sentence(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
