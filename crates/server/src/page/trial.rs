//! The page of a trial.

use std::sync::Arc;

use allometry_analysis::Scores;
use allometry_core::{FrozenTrial, Origin, Standing, TrialNumber};
use allometry_report::chart::{Curve, Figure, curves_figure, reliability_figure};
use allometry_store::{EpochMetrics, StoredStudy};
use maud::{Markup, html};

use super::{missing, shell, unavailable, way_back, words};
use crate::content::Content;
use crate::render::Dashboard;

/// Maximum number of bytes of a shown log.
const TAIL: usize = 64 * 1024;
/// Level of the intervals of the reliability diagram.
const LEVEL: f64 = 0.95;

/// Returns the page of a trial.
pub(crate) fn trial(dashboard: &Dashboard, (id, number): (i64, u64)) -> Content {
    let known = dashboard.known();
    let Some((study, trial)) = find(dashboard, id, number) else {
        return missing(&format!("There is no trial {number} in a study {id}."));
    };
    let metrics = epoch_metrics(dashboard, &study, trial.number);
    let title = format!("{}, trial {number}", words::short(&study.record.name));
    let content = html! {
        (way_back(known.ladder_of(&study).as_ref()))
        h1 { (title) }
        (unavailable(&known))
        (facts(&study, &trial))
        (failure(&trial))
        (late(dashboard, &study, trial.number))
        h2 { "Configuration" }
        (configuration(&trial))
        div.figures {
            @for figure in curves(&trial, &metrics) { (figure.html()) }
            @if let Some(figure) = reliability(&study, &trial) { (figure.html()) }
        }
        (final_metrics(&trial))
        (user_attributes(&trial))
        (log(dashboard, &study, trial.number))
    };
    let parts = if trial.state.is_finished() { "" } else { "page" };
    Content::html(shell(&title, parts, "", &content))
}

/// Returns the trial with a number of the study with an id.
pub(super) fn find(dashboard: &Dashboard, id: i64, number: u64) -> Option<(Arc<StoredStudy>, FrozenTrial)> {
    let known = dashboard.known();
    let study = known.ladders.values().flatten().find(|study| study.record.id.0 == id)?;
    let trial = study.trials.get(usize::try_from(number).ok()?)?.clone();
    Some((Arc::clone(study), trial))
}

/// Returns the metrics of each epoch; none while the store is unavailable.
pub(super) fn epoch_metrics(dashboard: &Dashboard, study: &StoredStudy, number: TrialNumber) -> EpochMetrics {
    let store = dashboard.watched.store.open();
    store.and_then(|store| store.epoch_metrics(study.record.id, number)).unwrap_or_default()
}

/// Returns the last [`TAIL`] bytes of a text.
pub(super) fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

fn facts(study: &StoredStudy, trial: &FrozenTrial) -> Markup {
    let seconds = |(start, end): (jiff::Timestamp, jiff::Timestamp)| {
        words::duration(std::time::Duration::from_micros(
            (end.as_microsecond() - start.as_microsecond()).max(0) as u64,
        ))
    };
    let owner =
        study.running.iter().find(|one| one.handle.number == trial.number).and_then(|one| one.owner.as_ref());
    let mut rows: Vec<(&str, String)> = vec![("State", trial.standing().as_str().into())];
    for (name, value) in trial.constraints().iter() {
        let kept = if value <= 0.0 { "met" } else { "broken" };
        rows.push(("Constraint", format!("{}: {} ({kept})", words::short(&name), words::value(value))));
    }
    rows.extend(trial.value().map(|value| ("Value", words::value(value))));
    rows.extend(trial.record.size.map(|size| ("Weights", size.total.to_string())));
    rows.extend(trial.record.best_step.map(|step| ("Best epoch", step.to_string())));
    rows.extend(trial.record.seed.map(|seed| ("Seed", seed.to_string())));
    rows.extend(trial.record.origin.map(|origin| ("Chosen by", origin_words(origin).to_owned())));
    rows.extend(trial.record.retry_of.map(|number| ("Repeats trial", number.to_string())));
    rows.extend(trial.started.map(|at| ("Started", words::time(at))));
    rows.extend(trial.started.zip(trial.completed).map(|times| ("Took", seconds(times))));
    rows.extend(owner.map(|owner| ("Evaluated by", format!("process {} on {}", owner.pid, owner.host))));
    table(rows.into_iter().map(|(name, value)| (name.to_owned(), value)))
}

fn failure(trial: &FrozenTrial) -> Markup {
    let failure = trial.record.failure.as_ref().filter(|_| trial.standing() != Standing::Interrupted);
    html! {
        @if let Some(failure) = failure {
            h2 { "Why it failed" }
            p { (words::short(&failure.reason)) }
            @if !failure.detail.is_empty() { pre { (tail(&failure.detail)) } }
        }
    }
}

/// Returns the section on values told after the trial had ended.
fn late(dashboard: &Dashboard, study: &StoredStudy, number: TrialNumber) -> Markup {
    let store = dashboard.watched.store.open();
    let tells = store.and_then(|store| store.late_results(study.record.id, number)).unwrap_or_default();
    html! {
        @if !tells.is_empty() {
            h2 { "Told too late" }
            p { "The trial had been declared lost. Values told after that were refused and are not used." }
            ul { @for tell in &tells { li { (words::short(&tell.to_string())) } } }
        }
    }
}

/// Returns the output of the trial's program, if a program evaluated it.
fn log(dashboard: &Dashboard, study: &StoredStudy, number: TrialNumber) -> Markup {
    let store = dashboard.watched.store.open();
    let log = store.and_then(|store| store.log(study.record.id, number)).unwrap_or_default();
    html! {
        @if let Some(log) = log {
            h2 { "Log" }
            pre.log tabindex="0" { (tail(&log)) }
        }
    }
}

fn configuration(trial: &FrozenTrial) -> Markup {
    table(trial.params.iter().map(|(name, value)| (words::short(name), words::short(&value.to_string()))))
}

fn final_metrics(trial: &FrozenTrial) -> Markup {
    let metrics = trial.record.metrics.iter();
    let rows = metrics.map(|(name, value)| (words::short(name), words::value(*value)));
    html! {
        @if !trial.record.metrics.is_empty() {
            h2 { "Metrics of the best epoch" }
            (table(rows))
        }
    }
}

/// Returns the attributes that the user or another program has set.
fn user_attributes(trial: &FrozenTrial) -> Markup {
    let rows = trial.user_attributes.iter().map(|(name, json)| {
        let text = serde_json::from_str::<String>(json).unwrap_or_else(|_| json.clone());
        (words::short(name), tail(&text).to_owned())
    });
    html! {
        @if !trial.user_attributes.is_empty() {
            h2 { "User attributes" }
            (table(rows))
        }
    }
}

fn table(rows: impl Iterator<Item = (String, String)>) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table { tbody { @for (name, value) in rows { tr { th scope="row" { (name) } td { (value) } } } } }
        }
    }
}

fn curves(trial: &FrozenTrial, metrics: &EpochMetrics) -> Vec<Figure> {
    let value = trial.intermediate.iter().map(|(step, value)| (*step as f64, *value)).collect();
    let mut names: Vec<&String> = metrics.values().flat_map(|epoch| epoch.keys()).collect();
    names.sort();
    names.dedup();
    let of_metric = |name: &String| -> Vec<(f64, f64)> {
        metrics.iter().filter_map(|(step, epoch)| Some((*step as f64, *epoch.get(name)?))).collect()
    };
    let all = [("value".to_owned(), value)]
        .into_iter()
        .chain(names.into_iter().map(|name| (name.clone(), of_metric(name))));
    all.enumerate()
        .filter_map(|(position, (name, points))| {
            let curve = Curve { label: words::short(&name), points };
            curves_figure(&format!("curve-{position}"), &words::short(&name), &name, &[curve])
        })
        .collect()
}

fn reliability(study: &StoredStudy, trial: &FrozenTrial) -> Option<Figure> {
    let predictions = Scores::from(study.predictions.get(&trial.number)?.scores()?);
    let label = format!("trial {}", trial.number);
    reliability_figure("reliability", "Predictions", [(label, 0, predictions)], LEVEL)
}

/// Returns what chose a configuration.
fn origin_words(origin: Origin) -> &'static str {
    match origin {
        Origin::Probe => "a probe of the space's ends",
        Origin::Random => "a random draw or a space-filling sequence",
        Origin::Grid => "the grid",
        Origin::Model => "a model of earlier trials",
        Origin::Enqueued => "the user",
        Origin::Retry => "the trial that it repeats",
    }
}
