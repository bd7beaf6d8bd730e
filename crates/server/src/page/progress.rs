//! The progress of a ladder: trials by state, why each study ended, and the time left.

use std::sync::Arc;
use std::time::Duration;

use allometry_core::{FrozenTrial, Standing, StopReason, TrialState, incumbent};
use allometry_store::{Liveness, RunningTrial, StoredStudy};
use maud::{Markup, html};

use super::{trial_address, words};

/// Number of finished trials whose durations give the estimate of the time left.
const RECENT: usize = 10;
/// Number of finished trials from which the time left is estimated.
const FEWEST: usize = 2;
/// The parts of a bar, in their order. Their words are their classes, too.
const STANDINGS: [Standing; 5] = [
    Standing::Of(TrialState::Complete),
    Standing::Of(TrialState::Pruned),
    Standing::Of(TrialState::Failed),
    Standing::Interrupted,
    Standing::Of(TrialState::Running),
];

/// The columns of the table. On a phone each cell has a line of its own, with this name.
const COLUMNS: [&str; 6] = ["Budget", "Trials", "State", "Best", "Best configuration", "Time left"];

/// Renders the progress of all studies, with their sum.
pub(super) fn section(studies: &[Arc<StoredStudy>]) -> Markup {
    let all: Vec<Progress<'_>> = studies.iter().map(|study| Progress::of(study)).collect();
    html! {
        section.run data-key="progress" aria-label="Progress" {
            p.total { (total(&all)) }
            div.scroll tabindex="0" {
                table {
                    thead { tr { @for name in COLUMNS { th scope="col" { (name) } } } }
                    tbody { @for progress in &all { (row(progress)) } }
                }
            }
        }
    }
}

/// Returns whether the process of a running trial has ended.
pub(super) fn is_lost(running: &RunningTrial) -> bool {
    running.owner.as_ref().is_some_and(|owner| owner.liveness() == Liveness::Ended)
}

/// How far a study is.
struct Progress<'a> {
    study: &'a StoredStudy,
    /// Number of trials in each of [`STANDINGS`].
    counts: [u64; STANDINGS.len()],
    /// Number of trials with a result, which count towards the target as in a run.
    done: u64,
    target: Option<u64>,
    /// Mean seconds of the latest finished trials, if there are enough.
    seconds: Option<f64>,
}

impl<'a> Progress<'a> {
    fn of(study: &'a StoredStudy) -> Self {
        let of = |standing| study.trials.iter().filter(|trial| trial.standing() == standing).count() as u64;
        let counts = STANDINGS.map(of);
        let target = study.record.facts.target_trials;
        Self { study, counts, done: counts[0] + counts[1], target, seconds: mean_seconds(&study.trials) }
    }

    fn at_once(&self) -> u64 {
        let lost = |trial: &FrozenTrial| {
            self.study.running.iter().any(|one| one.handle.number == trial.number && is_lost(one))
        };
        let is_running = |trial: &&FrozenTrial| trial.state == TrialState::Running && !lost(trial);
        self.study.trials.iter().filter(is_running).count() as u64
    }

    /// Number of trials to go; `None` without a target.
    fn left(&self) -> Option<u64> {
        Some(self.target?.saturating_sub(self.done))
    }

    fn state(&self) -> String {
        if self.at_once() > 0 {
            return "running".into();
        }
        match self.study.record.facts.ended {
            Some(StopReason::TrialsReached) => "complete".into(),
            Some(reason) => reason.to_string(),
            None if self.left() == Some(0) => "complete".into(),
            None if self.study.trials.is_empty() => "waiting".into(),
            None => "not running".into(),
        }
    }

    /// Returns the seconds of work to go on one worker; `None` if it is unknown.
    fn work(&self) -> Option<f64> {
        match self.left()? {
            0 => Some(0.0),
            left => Some(self.seconds? * left as f64),
        }
    }
}

/// Returns the mean duration of the latest finished trials in seconds.
fn mean_seconds(trials: &[FrozenTrial]) -> Option<f64> {
    let durations: Vec<f64> = trials
        .iter()
        .rev()
        .filter(|trial| matches!(trial.state, TrialState::Complete | TrialState::Pruned))
        .filter_map(|trial| {
            Some((trial.completed?.as_microsecond() - trial.started?.as_microsecond()) as f64 / 1e6)
        })
        .take(RECENT)
        .collect();
    (durations.len() >= FEWEST).then(|| durations.iter().sum::<f64>() / durations.len() as f64)
}

/// Returns the time for work, if as many trials go on at once.
fn time_left(work: Option<f64>, at_once: u64) -> Option<Duration> {
    let work = work.filter(|work| *work > 0.0 && at_once > 0)?;
    Duration::try_from_secs_f64(work / at_once as f64).ok()
}

/// Returns the line on all studies: their state, their trials and the time left.
fn total(all: &[Progress<'_>]) -> Markup {
    let done: u64 = all.iter().map(|one| one.done).sum();
    let at_once: u64 = all.iter().map(Progress::at_once).sum();
    let target: Option<u64> = all.iter().map(|one| one.target).sum();
    let work: Option<f64> = all.iter().map(Progress::work).sum();
    let is_complete = all.iter().all(|one| one.left() == Some(0));
    let word = match at_once {
        0 if is_complete => "Complete",
        0 => "Not running",
        _ => "Running",
    };
    html! {
        strong.word { (word) }
        " " (done) @if let Some(target) = target { " of " (target) } " trials with a result"
        @if at_once > 0 { "; " (at_once) " running" }
        @if let Some(left) = time_left(work, at_once) { "; about " (words::rough_duration(left)) " left" }
    }
}

fn row(progress: &Progress<'_>) -> Markup {
    let study = progress.study;
    if let Some(why) = &study.record.unreadable {
        return html! { tr { td { (words::label(study)) } td colspan="5" { "cannot be read: " (why) } } };
    }
    let best = incumbent(&study.trials, study.record.direction());
    let left = time_left(progress.work(), progress.at_once());
    html! {
        tr {
            td data-name=(COLUMNS[0]) { (words::label(study)) }
            td data-name=(COLUMNS[1]) { (bar(progress)) }
            td data-name=(COLUMNS[2]) { (progress.state()) }
            @match best {
                Some(best) => {
                    td data-name=(COLUMNS[3]) {
                        a href=(trial_address(study, best.number.0)) {
                            (words::value(best.value().unwrap_or(f64::NAN)))
                        }
                    }
                    td data-name=(COLUMNS[4]) { (words::short(&rounded(best))) }
                }
                None if progress.counts[0] > 0 => { td data-name=(COLUMNS[3]) { "none feasible" } td {} }
                None => { td data-name=(COLUMNS[3]) { "none yet" } td {} }
            }
            td data-name=(COLUMNS[5]) { (left.map_or_else(|| "–".into(), words::rough_duration)) }
        }
    }
}

/// Returns the bar of a study, and its counts in words.
fn bar(progress: &Progress<'_>) -> Markup {
    let counted: u64 = progress.counts.iter().sum();
    let length = progress.target.map_or(counted, |target| counted.max(target)).max(1);
    let target = progress.target.map(|target| format!(" of {target}")).unwrap_or_default();
    let parts = || STANDINGS.iter().zip(progress.counts).filter(|(_, count)| *count > 0);
    let words: Vec<String> =
        parts().map(|(standing, count)| format!("{count} {}", standing.as_str())).collect();
    html! {
        div.stack role="img" aria-label={ (words::label(progress.study)) ": " (progress.done) (target) } {
            @for (standing, count) in parts() {
                @let share = format!("{:.2}", 100.0 * count as f64 / length as f64);
                span.(standing.as_str()) style={ "width:" (share) "%" } {}
            }
        }
        (progress.done) (target)
        @if words.len() > 1 || progress.counts[0] == 0 { " " span.counts { (words.join(", ")) } }
    }
}

fn rounded(trial: &FrozenTrial) -> String {
    let params: Vec<String> =
        trial.params.iter().map(|(name, value)| format!("{name} {}", value.rounded())).collect();
    params.join(", ")
}
