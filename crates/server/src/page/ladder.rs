//! The parts of a ladder's page that are updated.

use std::collections::BTreeMap;
use std::sync::Arc;

use allometry_core::{FrozenTrial, Standing, TrialState};
use allometry_report::chart::{
    Behind, Curve, curves_figure_over, ladder_figures, opening_figures, study_figures,
};
use allometry_report::html::{answer, explorer, findings_section, trials_json};
use allometry_search::pruning_bars;
use allometry_store::StoredStudy;
use maud::{Markup, PreEscaped, html};

use super::{progress, trial_address, unavailable, words};
use crate::api;
use crate::content::{Content, LADDER_GONE};
use crate::render::{Analyzed, Dashboard};
use crate::watch::Known;

/// Maximum number of running trials with a curve.
const MOST_CURVES: usize = 8;
/// Maximum number of listed failures, the latest ones.
const MOST_FAILURES: usize = 8;

/// Returns the progress, the running trials and the failures of a ladder.
pub(crate) fn live(dashboard: &Dashboard, name: Option<&String>) -> Content {
    let known = dashboard.known();
    match api::requested_ladder(dashboard, name).ok().and_then(|name| known.ladders.get(&name)) {
        Some(studies) => Content::html(live_part(&known, studies).into_string()),
        None => Content::missing(LADDER_GONE),
    }
}

/// Returns the charts of the latest analysis of a ladder, with the data of the table of trials; nothing if
/// `have` is their version, which the page shows already.
pub(crate) fn charts(dashboard: &Dashboard, name: Option<&String>, have: Option<u64>) -> Content {
    let name = match api::requested_ladder(dashboard, name) {
        Ok(name) => name,
        Err(reason) => return Content::missing(&reason),
    };
    let known = dashboard.known();
    let Some(studies) = known.ladders.get(&name) else {
        return Content::missing(LADDER_GONE);
    };
    match dashboard.charts(&name, |analyzed| charts_part(analyzed, studies).into_string()) {
        Some((version, _)) if Some(version) == have => Content::unchanged(),
        Some((_, html)) => Content::html(html),
        None => Content::missing(LADDER_GONE),
    }
}

pub(super) fn live_part(known: &Known, studies: &[Arc<StoredStudy>]) -> Markup {
    html! {
        (unavailable(known))
        (progress::section(studies))
        @for study in studies { (running(study)) }
        (failures(studies))
    }
}

fn running(study: &StoredStudy) -> Markup {
    let trials: Vec<&FrozenTrial> =
        study.trials.iter().filter(|trial| trial.state == TrialState::Running).collect();
    if trials.is_empty() {
        return html! {};
    }
    let curves: Vec<Curve> = trials
        .iter()
        .rev()
        .take(MOST_CURVES)
        .map(|trial| Curve {
            label: format!("trial {}", trial.number),
            points: trial.intermediate.iter().map(|(step, value)| (*step as f64, *value)).collect(),
        })
        .collect();
    let id = format!("running-{}", study.record.id);
    let title = format!("{}: running", words::label(study));
    let figure = curves_figure_over(&id, &title, "value", &curves, &behind(study));
    html! {
        section data-key=(id) aria-label={ (words::label(study)) ": running trials" } {
            h2 { (words::label(study)) ": " (trials.len()) " running" }
            ul {
                @for trial in trials.iter().take(MOST_CURVES) {
                    li data-key=(trial.number) { (running_trial(study, trial)) }
                }
            }
            @if let Some(figure) = figure { (figure.html()) }
        }
    }
}

/// Returns the curves of finished trials and the threshold of the study's pruner.
fn behind(study: &StoredStudy) -> Behind {
    let points =
        |values: &BTreeMap<i64, f64>| values.iter().map(|(step, value)| (*step as f64, *value)).collect();
    let is_drawn = |trial: &&FrozenTrial| trial.state.is_finished() && trial.intermediate.len() > 1;
    let curves = study.trials.iter().filter(is_drawn).map(|trial| points(&trial.intermediate)).collect();
    let file = study.record.facts.ladder_file.as_ref();
    let ladder = file.and_then(|file| file.read(&file.path(None), &[]).ok());
    // Where trials have different numbers of epochs, there is a threshold for each.
    let bars = ladder
        .filter(|ladder| ladder.length_parameter().is_none())
        .and_then(|ladder| ladder.pruner)
        .map(|pruner| pruning_bars(&pruner, study.record.direction(), &study.trials));
    Behind { curves, threshold: bars.map(|bars| points(&bars)).unwrap_or_default() }
}

fn running_trial(study: &StoredStudy, trial: &FrozenTrial) -> Markup {
    let last = trial.intermediate.last_key_value();
    let work = study.running.iter().find(|running| running.handle.number == trial.number);
    let lost = work.is_some_and(progress::is_lost);
    html! {
        a href=(trial_address(study, trial.number.0)) { "trial " (trial.number) }
        @if let Some((step, value)) = last { ", epoch " (step) ": " (words::value(*value)) }
        @if lost {
            strong { ", its process has ended" }
        } @else if let Some(age) = work.and_then(|work| work.heartbeat_age) {
            ", last heartbeat " (words::duration(age)) " before the last change"
        }
    }
}

fn failures(studies: &[Arc<StoredStudy>]) -> Markup {
    let mut failed: Vec<(&StoredStudy, &FrozenTrial)> = studies
        .iter()
        .flat_map(|study| study.trials.iter().map(move |trial| (&**study, trial)))
        .filter(|(_, trial)| trial.standing() == Standing::Of(TrialState::Failed))
        .collect();
    failed.sort_by_key(|(_, trial)| std::cmp::Reverse(trial.completed));
    html! {
        @if !failed.is_empty() {
            section data-key="failures" aria-label="Failures" {
                h2 { (failed.len()) " failed" }
                ul {
                    @for (study, trial) in failed.iter().take(MOST_FAILURES) {
                        li data-key=(trial_address(study, trial.number.0)) {
                            a href=(trial_address(study, trial.number.0)) {
                                (words::label(study)) ", trial " (trial.number)
                            }
                            @if let Some(failure) = &trial.record.failure {
                                ": " (words::short(&failure.reason))
                                @if !failure.detail.is_empty() {
                                    details {
                                        summary { "its last output" }
                                        pre { (super::trial::tail(&failure.detail)) }
                                    }
                                }
                            }
                        }
                    }
                }
                @if failed.len() > MOST_FAILURES {
                    p.hint {
                        "These are the latest " (MOST_FAILURES) "; the filter state = failed shows all in \
                         the table."
                    }
                }
            }
        }
    }
}

fn charts_part(analyzed: &Analyzed, studies: &[Arc<StoredStudy>]) -> Markup {
    let Analyzed { version, ladder, analysis } = analyzed;
    let links: Vec<String> = ladder
        .studies
        .iter()
        .map(|trials| {
            let name = |study: &Arc<StoredStudy>| trials.source.ends_with(&format!(":{}", study.record.name));
            studies
                .iter()
                .find(|study| name(study))
                .map(|study| format!("/studies/{}/trials/", study.record.id))
                .unwrap_or_default()
        })
        .collect();
    let ids: Vec<&str> = links.iter().map(|link| link.split('/').nth(2).unwrap_or_default()).collect();
    let addresses = serde_json::json!({ "pages": links, "studies": ids });
    html! {
        div data-version=(version) {
            section aria-label="The answer" { (answer(analysis)) }
            (findings_section(analysis))
            h2 id="charts-all" { "Charts" }
            div.figures {
                @for figure in opening_figures(analysis, ladder) { (figure.html()) }
                @for figure in ladder_figures(analysis, ladder) { (figure.html()) }
             }
            @for (position, (study, trials)) in analysis.studies.iter().zip(&ladder.studies).enumerate() {
                h2 { (words::short(&study.budget.label)) }
                div.figures {
                    @for figure in study_figures(study, trials, position, analysis) { (figure.html()) }
                }
            }
            h2 id="explore" { "Explore the trials" }
            (explorer(analysis))
            script #allometry-trials type="application/json" data-links=(addresses) {
                (PreEscaped(trials_json(ladder)))
            }
        }
    }
}
