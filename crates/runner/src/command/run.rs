//! Runs an attempt, from the start of its program to the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Instant;

use allometry_core::{
    Constraints, EpochReport, Failure, ObjectiveError, ObjectiveOutcome, Predictions, PrunedOutcome, Signal,
};

use super::TRY_AGAIN;
use super::attempt::Attempt;
use super::files::Files;
use super::process::Group;
use super::protocol::{Final, Line, LineError, Reader};
use super::value::{self, Written};
use super::{invocation, lock, machine};

/// Largest number of characters of the end of the output in a failure.
const DETAIL: usize = 4000;

/// The outcome of an attempt.
pub(super) enum Ending {
    Outcome(Box<ObjectiveOutcome>),
    Pruned(Box<PrunedOutcome>),
    Interrupted,
    /// The program asked for another attempt; contains the end of its output.
    TryAgain(String),
}

/// The reports of a program so far.
#[derive(Default)]
struct Reported {
    metrics: BTreeMap<String, f64>,
    constraints: Constraints,
    predictions: Option<Predictions>,
    end: Option<Final>,
}

/// Why a program is stopped.
enum Stop {
    Pruned,
    Interrupted,
    Failed(String),
}

/// The last request to a program to end.
enum StopRequest {
    /// The stop file was created.
    File(Instant),
    /// SIGTERM was sent.
    Signal(Instant),
}

impl Attempt<'_> {
    /// Starts the program and waits for its end.
    ///
    /// # Errors
    /// [`ObjectiveError::Failed`] for a trial without a value, [`ObjectiveError::Machine`] where the machine
    /// cannot run programs.
    pub(super) fn run(&self) -> Result<Ending, ObjectiveError> {
        let files = Files::of(self.runs, self.trial);
        let lock = lock::take(&files.lock());
        if !Group::end_recorded(self.trial, &files) {
            return Ok(Ending::Interrupted);
        }
        let unwritable =
            |error: std::io::Error| cannot(&format!("cannot write to {}", files.folder.display()), &error);
        files.prepare(self.trial).map_err(unwritable)?;
        let log = files.open_log().map_err(|error| cannot("cannot open its log", &error))?;
        let start = log.metadata().map_or(0, |metadata| metadata.len());
        let mut reader = Reader::open(&files.report(), self.trial.number)
            .map_err(|error| cannot("cannot open its report", &error))?;
        let mut command =
            invocation::command(self, &files, &log).map_err(|error| cannot("cannot open its log", &error))?;
        let before = Written::of(self, &files);
        let group = Group::start(&mut command).map_err(|error| {
            cannot(&format!("cannot start `{}`", command.get_program().to_string_lossy()), &error)
        })?;
        group.record(self.trial, &files).map_err(unwritable)?;
        drop(lock);
        let mut reported = Reported::default();
        let (status, stop) = self
            .watch(group, &files, &mut reader, &mut reported)
            .map_err(|error| cannot("cannot be waited for", &error))?;
        // On a full disk the program's own error message cannot be in the log.
        let failed = |reason: String| match machine::full_disk(&files.folder) {
            Some(cause) => ObjectiveError::Machine(cause),
            None => ObjectiveError::Failed(Failure { reason, detail: detail(&files) }),
        };
        match stop {
            Some(Stop::Pruned) => {
                let Reported { metrics, constraints, .. } = reported;
                return Ok(Ending::Pruned(Box::new(PrunedOutcome { metrics, constraints })));
            }
            Some(Stop::Interrupted) => return Ok(Ending::Interrupted),
            Some(Stop::Failed(reason)) => return Err(failed(reason)),
            None => {}
        }
        match status.code() {
            Some(0) => {}
            Some(TRY_AGAIN) => return Ok(Ending::TryAgain(detail(&files))),
            Some(code) => return Err(failed(format!("exit code {code}"))),
            None => return Err(failed(format!("killed by signal {}", status.signal().unwrap_or_default()))),
        }
        let Final { values, constraints, size, best_step, cost, checkpoint } = match reported.end {
            Some(end) => end,
            None => Final::of(value::find(self, &files, start, &before).map_err(failed)?),
        };
        reported.constraints.add(constraints);
        Ok(Ending::Outcome(Box::new(ObjectiveOutcome {
            values,
            constraints: reported.constraints,
            best_step,
            metrics: reported.metrics,
            size: size.or(self.size),
            predictions: reported.predictions,
            cost,
            checkpoint,
        })))
    }

    /// Passes on the program's reports until it has ended or was stopped.
    fn watch(
        &self,
        mut group: Group,
        files: &Files,
        reader: &mut Reader,
        reported: &mut Reported,
    ) -> std::io::Result<(ExitStatus, Option<Stop>)> {
        let started = Instant::now();
        let mut stop: Option<Stop> = None;
        let mut requested: Option<StopRequest> = None;
        loop {
            let ended = group.look();
            if stop.is_none() {
                let signalled = self.take(reader.read(ended), reported);
                // Pruning saves nothing where the program has ended or has reported its value and is about to
                // end.
                let is_over = |stop: &Stop| match stop {
                    Stop::Pruned => ended || reported.end.is_some(),
                    Stop::Interrupted => ended,
                    Stop::Failed(_) => false,
                };
                stop = signalled.filter(|stop| !is_over(stop));
                if stop.is_none() && !ended {
                    stop = self.must_stop(started);
                }
            }
            if ended {
                return Ok((group.finish()?, stop));
            }
            if stop.is_none() {
                continue;
            }
            requested = Some(match requested {
                None => {
                    // An error is ignored, because the signals follow in any case.
                    let _ = File::create(files.stop());
                    StopRequest::File(Instant::now())
                }
                Some(StopRequest::File(since)) if since.elapsed() >= self.spec.grace => {
                    group.ask_to_end();
                    StopRequest::Signal(Instant::now())
                }
                Some(StopRequest::Signal(since)) if since.elapsed() >= self.spec.grace => {
                    return Ok((group.finish()?, stop));
                }
                Some(request) => request,
            });
        }
    }

    fn must_stop(&self, started: Instant) -> Option<Stop> {
        if self.reporter.interrupted() {
            return Some(Stop::Interrupted);
        }
        let limit = self.spec.timeout.filter(|limit| started.elapsed() >= *limit)?;
        Some(Stop::Failed(format!("longer than {} s", limit.as_secs_f64())))
    }

    /// Records the reports of the program and returns the reason to stop it, if any.
    fn take(&self, lines: Result<Vec<Line>, LineError>, reported: &mut Reported) -> Option<Stop> {
        let lines = match lines {
            Ok(lines) => lines,
            Err(error) => return Some(Stop::Failed(error.to_string())),
        };
        let mut stop = None;
        for line in lines {
            // A trial keeps only one kind of predictions, and the runner cannot know which one the author
            // wants.
            let is_second = matches!(
                (&line, &reported.predictions),
                (Line::Predictions(Predictions::Binary(_)), Some(Predictions::Other(_)))
                    | (Line::Predictions(Predictions::Other(_)), Some(Predictions::Binary(_)))
            );
            if is_second {
                return Some(Stop::Failed(
                    "its report has both `scores` and `outputs`, but a trial keeps only one of them".into(),
                ));
            }
            match line {
                Line::Step(step, value, metrics) => {
                    stop = match self.reporter.report(&EpochReport { step, value, metrics }) {
                        Signal::Continue => stop,
                        Signal::Prune => stop.or(Some(Stop::Pruned)),
                        Signal::Interrupt => Some(Stop::Interrupted),
                    };
                }
                Line::Metrics(metrics) => reported.metrics.extend(metrics),
                Line::Constraints(constraints) => reported.constraints.add(constraints),
                Line::Predictions(predictions) => reported.predictions = Some(predictions),
                Line::Final(end) => reported.end = Some(end),
            }
        }
        stop
    }
}

/// The error of an action for a trial, as a fault of the machine or of the trial.
fn cannot(what: &str, error: &io::Error) -> ObjectiveError {
    let reason = format!("{what}: {error}");
    if machine::is_fault(error) {
        return ObjectiveError::Machine(reason);
    }
    ObjectiveError::Failed(Failure { reason, detail: String::new() })
}

/// The end of a trial's output, for the details of its failure.
fn detail(files: &Files) -> String {
    let tail = files.tail().unwrap_or_default();
    let skip = tail.chars().count().saturating_sub(DETAIL);
    tail.chars().skip(skip).collect()
}
