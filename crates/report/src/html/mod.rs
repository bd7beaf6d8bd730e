//! Reports as one page, with the text, the charts, the trials and a script. The page needs no network.

mod contents;
mod trials;

use allometry_analysis::{Analysis, LadderTrials};
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use trials::trials_json;

use crate::chart::{CHART_STYLE, Figures};
use crate::full::{Pictures, full, is_lone};

/// The style of pages, in addition to [`CHART_STYLE`].
pub const STYLE: &str = include_str!("style.css");

/// The script of pages: tips, zoom, ranges on axes, and the table of trials. It needs no other file.
pub const SCRIPT: &str = concat!(
    include_str!("script/scale.js"),
    include_str!("script/trials.js"),
    include_str!("script/panel.js"),
    include_str!("script/zoom.js"),
    include_str!("script/parallel.js"),
    include_str!("script/table.js"),
    include_str!("script/page.js"),
);

/// The page's rules for the browser: the page sends nothing and loads nothing.
pub const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src \
                                  'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Renders the full report as one page.
pub fn html(analysis: &Analysis, ladder: &LadderTrials) -> String {
    let body = || {
        let figures = Figures::new(analysis, ladder);
        let markdown = full(analysis, &Pictures::inside(&figures));
        contents::render(&markdown, &figures)
    };
    let ((body, headings), trials) = rayon::join(body, || trials_json(ladder));
    let title = match &analysis.name {
        Some(name) => format!("{name} – Allometry"),
        None if is_lone(analysis) => format!("{} – Allometry", analysis.studies[0].budget.label),
        None => "Allometry report".to_owned(),
    };
    let main = html! {
        nav.contents aria-label="Contents" {
            ul {
                @for heading in &headings { li { a href={ "#" (heading.id) } { (heading.words) } } }
                li { a href="#trials" { "All trials" } }
            }
        }
        main {
            p.hint.needs-script {
                "In charts: point at a mark to read it, drag to zoom in, double-click to reset. With the \
                 keyboard: go to a chart with Tab, then use + and -, the arrows, and 0 to reset."
            }
            (PreEscaped(body))
            (trials_section())
        }
    };
    page(&title, &main, Setting::File { trials: &trials }).into_string()
}

/// Renders a Markdown text of this crate, such as a comparison, as a page without figures.
pub fn html_of_markdown(markdown: &str) -> String {
    let (body, headings) = contents::render(markdown, &Figures::default());
    let title = headings.first().map_or("Allometry", |heading| heading.words.as_str());
    let content = html! {
        nav.contents aria-label="Contents" {
            ul { @for heading in &headings { li { a href={ "#" (heading.id) } { (heading.words) } } } }
        }
        main { (PreEscaped(body)) }
    };
    page(title, &content, Setting::File { trials: "{\"studies\":[]}" }).into_string()
}

/// Renders the section of all trials; the script fills its table.
pub fn trials_section() -> Markup {
    html! {
        section aria-labelledby="trials" {
            h1 id="trials" { "All trials" }
            p.unscripted { "The table needs the page's script; the JSON report and the store contain these \
                            numbers too." }
            p.needs-script {
                label for="trials-filter" { "Filter " }
                input id="trials-filter" type="search" size="40"
                    placeholder="value>0.7 d_model=64 complete" autocomplete="off";
            }
            div id="trials-table" {}
        }
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
