//! The web pages.

mod compare;
mod ladder;
mod progress;
mod trial;
mod words;

use std::sync::Arc;

use allometry_core::{Standing, TrialState};
use allometry_report::html::{Setting, page as whole_page};
use allometry_store::StoredStudy;
use axum::http::StatusCode;
use maud::{Markup, PreEscaped, html};

pub(crate) use compare::compare;
pub(crate) use ladder::{charts, live};
pub(crate) use trial::trial;
pub(crate) use words::encoded;

use crate::content::Content;
use crate::render::Dashboard;
use crate::watch::Known;

/// The sections of a ladder's page, in their order.
const SECTIONS: [(&str, &str); 5] = [
    ("top", "Progress"),
    ("findings", "What is wrong"),
    ("charts-all", "Charts"),
    ("explore", "Explore"),
    ("trials", "All trials"),
];
/// Script that updates the parts of a page that have changed.
const LIVE: &str = include_str!("live.js");

/// Returns the page of all ladders, or of the only one.
pub(crate) fn home(dashboard: &Dashboard) -> Content {
    let known = dashboard.known();
    if let (1, Some(only)) = (known.ladders.len(), known.ladders.keys().next()) {
        return ladder(dashboard, only);
    }
    let content = html! {
        h1 { "Ladders" }
        (unavailable(&known))
        @if known.ladders.is_empty() {
            p { "The store holds no study yet. This page shows the first as soon as there is one." }
        }
        div.scroll tabindex="0" {
            table {
                thead {
                    tr {
                        @for name in ["Ladder", "Studies", "Trials", "Running", "Failed"] {
                            th scope="col" { (name) }
                        }
                    }
                }
                tbody {
                    @for (name, studies) in &known.ladders {
                        tr {
                            td { a href=(ladder_address(name)) { (words::short(name)) } }
                            td { (studies.len()) }
                            td { (studies.iter().map(|study| study.trials.len()).sum::<usize>()) }
                            td { (count(studies, Standing::Of(TrialState::Running))) }
                            td { (count(studies, Standing::Of(TrialState::Failed))) }
                        }
                    }
                }
            }
        }
    };
    Content::html(shell("Ladders", "page", "", &content))
}

/// Returns the page of a ladder.
pub(crate) fn ladder(dashboard: &Dashboard, name: &str) -> Content {
    let known = dashboard.known();
    let Some(studies) = known.ladders.get(name) else {
        return missing(&format!("There is no ladder of that name: {}", words::short(name)));
    };
    let several = known.ladders.len() > 1;
    let query = format!("?ladder={}", words::encoded(name));
    let content = html! {
        nav.top aria-label="Page" {
            @if several { a href="/" { "All ladders" } }
            @for (id, words) in SECTIONS { a href={ "#" (id) } { (words) } }
            span {}
            a href={ "/report" (query) } { "Report" }
            a href={ "/report.md" (query) } { "Markdown" }
            a href={ "/report.json" (query) } { "JSON" }
        }
        h1 id="top" { (words::short(name)) }
        div #live aria-live="off" { (ladder::live_part(&known, studies)) }
        div #charts { p.hint { "The trials are being analysed…" } }
        (allometry_report::html::trials_section())
    };
    Content::html(shell(name, "live charts", name, &content))
}

/// Returns the way from a report or a trial back to the page of its ladder, or of the only ladder.
pub(crate) fn way_back(ladder: Option<&String>) -> Markup {
    html! {
        nav.top aria-label="Dashboard" {
            a href="/" { "Dashboard" }
            @if let Some(name) = ladder { a href=(ladder_address(name)) { (words::short(name)) } }
        }
    }
}

/// Returns a page around `content`. `parts` names the elements that the script updates; `page` stands for the
/// whole page.
fn shell(title: &str, parts: &str, ladder: &str, content: &Markup) -> String {
    let content = html! {
        main #dashboard data-parts=(parts) data-ladder=(ladder) { (content) }
        script { (PreEscaped(LIVE)) }
    };
    whole_page(&format!("{} – Allometry", words::short(title)), &content, Setting::Served).into_string()
}

/// Returns a page that says what does not exist.
pub(crate) fn missing(reason: &str) -> Content {
    let content = html! { h1 { "Not found" } p { (reason) } p { a href="/" { "All ladders" } } };
    Content::html(shell("Not found", "", "", &content)).status(StatusCode::NOT_FOUND)
}

/// Returns a page that says why a request was refused.
pub(crate) fn refusal(status: StatusCode, reason: &str) -> Content {
    let title = status.canonical_reason().unwrap_or("Refused");
    let content = html! {
        main #dashboard {
            h1 { (title) }
            p { (reason) }
            @if status == StatusCode::UNAUTHORIZED {
                p {
                    "The token is the value of --token or ALLOMETRY_TOKEN of the program that serves this \
                     page."
                }
            }
        }
    };
    let page = whole_page(&format!("{title} – Allometry"), &content, Setting::Served);
    Content::html(page.into_string()).status(status)
}

/// Returns a warning if the store cannot be read and the page is out of date.
fn unavailable(known: &Known) -> Markup {
    html! {
        @if let Some((since, reason)) = &known.unavailable {
            p.away role="alert" {
                strong { "The store is unavailable" }
                " since " (words::time(*since)) ": " (words::short(reason))
                ". Retrying; until then this page shows what was read before."
            }
        }
    }
}

fn count(studies: &[Arc<StoredStudy>], standing: Standing) -> usize {
    studies.iter().flat_map(|study| &study.trials).filter(|trial| trial.standing() == standing).count()
}

fn ladder_address(name: &str) -> String {
    format!("/ladders/{}", words::encoded(name))
}

fn trial_address(study: &StoredStudy, number: u64) -> String {
    format!("/studies/{}/trials/{number}", study.record.id)
}
