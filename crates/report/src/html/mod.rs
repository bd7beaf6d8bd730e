//! Reports as one page, with the text, the charts, the trials and a script. The page needs no network.

mod answer;
mod contents;
mod findings;
mod trials;

use std::collections::HashSet;

use allometry_analysis::fanova::{FanovaOutcome, Marginal};
use allometry_analysis::{Analysis, LadderTrials, StudyAnalysis};
use allometry_core::ParamValue;
use allometry_core::visible::visible_lines;
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use answer::answer;
pub use findings::findings_section;
pub use trials::trials_json;

use crate::brief;
use crate::chart::{CHART_STYLE, Figure, Figures};
use crate::full::{Pictures, behind, is_lone};
use crate::page_json::page_json;
use crate::text::Text;

/// The style of pages, in addition to [`CHART_STYLE`].
pub const STYLE: &str = include_str!("style.css");

/// The script of pages: tips, zoom, ranges on axes, and the table of trials. It needs no other file.
pub const SCRIPT: &str = concat!(
    include_str!("script/scale.js"),
    include_str!("script/trials.js"),
    include_str!("script/filter.js"),
    include_str!("script/selection.js"),
    include_str!("script/panel.js"),
    include_str!("script/zoom.js"),
    include_str!("script/parallel.js"),
    include_str!("script/explorer.js"),
    include_str!("script/table.js"),
    include_str!("script/page.js"),
);

/// The page's rules for the browser: the page sends nothing and loads nothing.
pub const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src \
                                  'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Renders the report as one page: the answer, what matters and what is wrong, and behind it the full report
/// in sections that the reader opens.
pub fn html(analysis: &Analysis, ladder: &LadderTrials) -> String {
    html_below(&PreEscaped(String::new()), analysis, ladder)
}

/// Renders the page of [`html()`] below some navigation.
pub fn html_below(navigation: &Markup, analysis: &Analysis, ladder: &LadderTrials) -> String {
    let body = || html! { (navigation) (body(analysis, &Figures::new(analysis, ladder))) };
    let (body, trials) = rayon::join(body, || trials_json(ladder));
    let title = match &analysis.name {
        Some(name) => format!("{name} – Allometry"),
        None if is_lone(analysis) => format!("{} – Allometry", analysis.studies[0].budget.label),
        None => "Allometry report".to_owned(),
    };
    let page = page(&title, &body, Setting::File { trials: &trials }).into_string();
    visible_lines(&page).into_owned()
}

fn body(analysis: &Analysis, figures: &Figures) -> Markup {
    let mut shown = HashSet::new();
    let card = answer::card(analysis, figures, &mut shown);
    let matters = questions(analysis, figures, &mut shown);
    let findings = findings_section(analysis);
    let (rest, headings) =
        contents::folded(&behind(analysis, &Pictures::inside(figures)), figures, &mut shown);
    let first = [("answer", "The answer"), ("take", "What to take"), ("matters", "What matters")];
    html! {
        main.report {
            (card)
            nav.contents aria-label="Contents" {
                details {
                    summary { "Contents" }
                    ul {
                        @for (id, words) in first { li { a href={ "#" (id) } { (words) } } }
                        li { a href="#findings" { "What is wrong" } }
                        li {
                            a href="#behind" { "Everything else" }
                            ul {
                                @for heading in &headings {
                                    li { a href={ "#" (heading.id) } { (heading.words) } }
                                }
                                li { a href="#explore" { "Explore the trials" } }
                                li { a href="#trials" { "All trials" } }
                            }
                        }
                    }
                }
            }
            div.behind {
                (matters)
                (findings)
                section aria-labelledby="behind" {
                    h2 id="behind" { "Everything else" }
                    p.hint.needs-script {
                        "In charts: point at a mark to read it, drag to zoom in, double-click to reset. With \
                         the keyboard: go to a chart with Tab, then use + and -, the arrows, and 0 to reset."
                    }
                    (rest)
                    details.fold { summary { h3 id="explore" { "Explore the trials" } } (explorer(analysis)) }
                    details.fold { summary { h3 id="trials" { "All trials" } } (trials_table()) }
                }
                p.printed { "Closed sections are not printed." }
            }
        }
    }
}

/// Renders what matters: the importance of all parameters and their effects.
fn questions(analysis: &Analysis, figures: &Figures, shown: &mut HashSet<String>) -> Markup {
    let mut rates = Text::default();
    brief::parameters::learning_rates(&mut rates, analysis);
    let (rates, _) = contents::render(&rates.into_string());
    let found: Vec<&Figure> = ["importance", "effects"].iter().filter_map(|id| figures.get(id)).collect();
    shown.extend(found.iter().map(|figure| figure.id.clone()));
    html! {
        section aria-labelledby="matters" {
            h2 id="matters" { "What matters" }
            @if found.is_empty() { p { "There are too few trials to say." } }
            @for figure in found { (figure.html()) }
            (rates)
        }
    }
}

/// Renders a Markdown text of this crate, such as a comparison, as a page without figures.
pub fn html_of_markdown(markdown: &str) -> String {
    let (body, headings) = contents::render(markdown);
    let title = headings.first().map_or("Allometry", |heading| heading.words.as_str());
    let content = html! {
        nav.contents aria-label="Contents" {
            details {
                summary { "Contents" }
                ul { @for heading in &headings { li { a href={ "#" (heading.id) } { (heading.words) } } } }
            }
        }
        main { (body) }
    };
    let page = page(title, &content, Setting::File { trials: "{\"studies\":[]}" }).into_string();
    visible_lines(&page).into_owned()
}

/// Renders the section in which the reader chooses the axes of a chart of the trials; the script draws it.
pub fn explorer(analysis: &Analysis) -> Markup {
    html! {
        p.unscripted { "The chart needs the page's script." }
        div id="explorer" data-marginals=(page_json(marginals(analysis).to_string())) {}
    }
}

/// Returns the mean predictions of the forests over the values of each parameter:
/// `[{"study", "parameter", "points": [[value, mean, lower, upper]]}]`.
fn marginals(analysis: &Analysis) -> serde_json::Value {
    let of_study = |(position, study): (usize, &StudyAnalysis)| -> Vec<serde_json::Value> {
        let FanovaOutcome::Computed(forest) = &study.space_importance.forest else { return Vec::new() };
        let curve = |marginal: &Marginal| {
            let points = marginal.points.iter().map(|point| {
                let numbers = [point.mean, point.interval.lower, point.interval.upper];
                let at = match &point.at {
                    ParamValue::Float(x) => serde_json::json!(x),
                    value => serde_json::json!(value.to_string()),
                };
                std::iter::once(at).chain(numbers.map(|x| serde_json::json!(x as f32))).collect()
            });
            let points: Vec<Vec<serde_json::Value>> = points.collect();
            serde_json::json!({ "study": position, "parameter": marginal.parameter, "points": points })
        };
        forest.marginals.iter().map(curve).collect()
    };
    analysis.studies.iter().enumerate().flat_map(of_study).collect()
}

/// Renders the section of all trials; the script fills its table.
pub fn trials_section() -> Markup {
    html! {
        section aria-labelledby="trials" {
            h1 id="trials" { "All trials" }
            (trials_table())
        }
    }
}

fn trials_table() -> Markup {
    html! {
        p.unscripted {
            "The table needs the page's script; the JSON report and the store contain these numbers too."
        }
        p.needs-script {
            label for="trials-filter" { "Filter " }
            input id="trials-filter" type="search" size="40" aria-describedby="trials-filter-error"
                placeholder="value > 0.7 and d_model = 64" autocomplete="off";
            span id="trials-filter-error" role="alert" {}
        }
        div id="trials-table" {}
    }
}

/// The source of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting<'a> {
    /// A file, which contains its trials (see [`trials_json`]) and its rules for the browser.
    File {
        /// The trials.
        trials: &'a str,
    },
    /// A server, which sends the trials and the rules separately.
    Served,
}

/// Renders a page around its content.
pub fn page(title: &str, content: &Markup, setting: Setting<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if setting != Setting::Served { meta http-equiv="Content-Security-Policy"
                    content=(CONTENT_POLICY); }
                title { (title) }
                style { (PreEscaped(CHART_STYLE)) (PreEscaped(STYLE)) }
            }
            body {
                button #theme.needs-script type="button" { "light / dark" }
                div.page { (content) }
                @if let Setting::File { trials } = setting {
                    script #allometry-trials type="application/json" { (PreEscaped(trials)) }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
