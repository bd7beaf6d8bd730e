//! The parts of a ladder's page that are updated.

use std::sync::Arc;
use std::time::Duration;

use allometry_core::{FrozenTrial, TrialState, incumbent};
use allometry_report::chart::{Curve, curves_figure, ladder_figures, study_figures};
use allometry_report::html::trials_json;
use allometry_report::words::verdict;
use allometry_store::facts::Experiment;
use allometry_store::{Liveness, StoredStudy};
use maud::{Markup, PreEscaped, html};

use super::{trial_address, unavailable, words};
use crate::api;
use crate::content::{Content, LADDER_GONE};
use crate::render::{Analyzed, Dashboard};
use crate::watch::Known;

/// Maximum number of running trials with a curve.
const MOST_CURVES: usize = 8;
/// Maximum number of listed failures, the latest ones.
const MOST_FAILURES: usize = 8;
/// Number of finished trials whose durations give the estimate of the time left.
const RECENT: usize = 10;

/// Returns the progress, the running trials and the failures of a ladder.
pub(crate) fn live(dashboard: &Dashboard, name: Option<&String>) -> Content {
    let known = dashboard.known();
    match api::requested_ladder(dashboard, name).ok().and_then(|name| known.ladders.get(&name)) {
        Some(studies) => Content::html(live_part(&known, studies).into_string()),
        None => Content::missing(LADDER_GONE),
    }
}

/// Returns the charts of the latest analysis of a ladder, with the data of the table of trials.
pub(crate) fn charts(dashboard: &Dashboard, name: Option<&String>) -> Content {
    let name = match api::requested_ladder(dashboard, name) {
        Ok(name) => name,
        Err(refusal) => return refusal,
    };
    let known = dashboard.known();
    let Some(studies) = known.ladders.get(&name) else {
        return Content::missing(LADDER_GONE);
    };
    match dashboard.charts(&name, |analyzed| charts_part(analyzed, studies).into_string()) {
        Some(html) => Content::html(html),
        None => Content::missing(LADDER_GONE),
    }
}

pub(super) fn live_part(known: &Known, studies: &[Arc<StoredStudy>]) -> Markup {
    const COLUMNS: [&str; 8] =
        ["Budget", "Progress", "Running", "Pruned", "Failed", "Best", "Best configuration", "Time left"];
    html! {
        (unavailable(known))
        section aria-label="Progress" {
            div.scroll tabindex="0" {
                table {
                    thead {
                        tr {
                            @for name in COLUMNS { th scope="col" { (name) } }
                        }
                    }
                    tbody { @for study in studies { (progress(study)) } }
                }
            }
        }
        @for study in studies { (running(study)) }
        (failures(studies))
    }
}

fn label(study: &StoredStudy) -> String {
    let facts = &study.record.facts;
    let of_experiment = || {
        let (experiment, study) = facts.experiment.as_ref()?;
        let budget = words::short(&study.budget);
        Some(match experiment {
            Experiment::Transfer => format!("transfers to {budget}"),
            Experiment::Confirm => format!("confirmation of {budget}"),
        })
    };
    let budget = facts.budget.as_ref().map(|budget| words::short(&budget.label));
    budget.or_else(of_experiment).unwrap_or_else(|| words::short(&study.record.name))
}

fn progress(study: &StoredStudy) -> Markup {
    let count = |state| study.trials.iter().filter(|trial| trial.state == state).count();
    let complete = count(TrialState::Complete);
    let target = study.record.facts.target_trials;
    let best = incumbent(&study.trials, study.record.direction());
    if let Some(why) = &study.record.unreadable {
        return html! { tr { td { (label(study)) } td colspan="7" { "cannot be read: " (why) } } };
    }
    html! {
        tr {
            td { (label(study)) }
            td {
                @match target {
                    Some(target) => {
                        progress max=(target) value=(complete)
                            aria-label={ (label(study)) ": " (complete) " of " (target) } {}
                        " " (complete) " of " (target)
                    }
                    None => (complete),
                }
            }
            td { (count(TrialState::Running)) }
            td { (count(TrialState::Pruned)) }
            td { (count(TrialState::Failed)) }
            @match best {
                Some(best) => {
                    td {
                        a href=(trial_address(study, best.number.0)) {
                            (words::value(best.value().unwrap_or(f64::NAN)))
                        }
                    }
                    td { (words::short(&rounded(best))) }
                }
                None if complete > 0 => { td { "none feasible" } td {} }
                None => { td { "none yet" } td {} }
            }
            td { (time_left(study, target, complete).map_or_else(|| "–".into(), words::duration)) }
        }
    }
}

fn rounded(trial: &FrozenTrial) -> String {
    let params: Vec<String> =
        trial.params.iter().map(|(name, value)| format!("{name} {}", value.rounded())).collect();
    params.join(", ")
}

/// Returns the time for the remaining trials, if they take as long as the latest ones and as many run at
/// once.
fn time_left(study: &StoredStudy, target: Option<u64>, complete: usize) -> Option<Duration> {
    let left = target?.checked_sub(complete as u64).filter(|left| *left > 0)?;
    let at_once = study.trials.iter().filter(|trial| trial.state == TrialState::Running).count();
    let durations: Vec<f64> = study
        .trials
        .iter()
        .rev()
        .filter(|trial| trial.state == TrialState::Complete)
        .filter_map(|trial| {
            Some((trial.completed?.as_microsecond() - trial.started?.as_microsecond()) as f64 / 1e6)
        })
        .take(RECENT)
        .collect();
    if at_once == 0 || durations.is_empty() {
        return None;
    }
    let mean = durations.iter().sum::<f64>() / durations.len() as f64;
    Duration::try_from_secs_f64(mean * left as f64 / at_once as f64).ok()
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
    let figure = curves_figure(&id, &format!("{}: running", label(study)), "value", &curves);
    html! {
        section aria-label={ (label(study)) ": running trials" } {
            h2 { (label(study)) ": " (trials.len()) " running" }
            ul { @for trial in trials.iter().take(MOST_CURVES) { li { (running_trial(study, trial)) } } }
            @if let Some(figure) = figure { (figure.html()) }
        }
    }
}

fn running_trial(study: &StoredStudy, trial: &FrozenTrial) -> Markup {
    let last = trial.intermediate.last_key_value();
    let work = study.running.iter().find(|running| running.handle.number == trial.number);
    let lost =
        work.and_then(|work| work.owner.as_ref()).is_some_and(|owner| owner.liveness() == Liveness::Ended);
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
        .filter(|(_, trial)| trial.state == TrialState::Failed)
        .collect();
    failed.sort_by_key(|(_, trial)| std::cmp::Reverse(trial.completed));
    html! {
        @if !failed.is_empty() {
            section aria-label="Failures" {
                h2 { (failed.len()) " failed" }
                ul {
                    @for (study, trial) in failed.iter().take(MOST_FAILURES) {
                        li {
                            a href=(trial_address(study, trial.number.0)) {
                                (label(study)) ", trial " (trial.number)
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
            p.verdict { strong { "Do more weights pay?" } " " (verdict::paragraph(analysis)) }
            div.figures { @for figure in ladder_figures(analysis, ladder) { (figure.html()) } }
            @for (position, (study, trials)) in analysis.studies.iter().zip(&ladder.studies).enumerate() {
                h2 { (words::short(&study.budget.label)) }
                div.figures {
                    @for figure in study_figures(study, trials, position, analysis) { (figure.html()) }
                }
            }
            script #allometry-trials type="application/json" data-links=(addresses) {
                (PreEscaped(trials_json(ladder)))
            }
        }
    }
}
