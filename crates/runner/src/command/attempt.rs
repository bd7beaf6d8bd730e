//! One start of a trial's program.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Instant;

use allometry_core::ladder::CommandSpec;
use allometry_core::{
    Constraints, EpochReport, Failure, ModelSize, ObjectiveError, ObjectiveOutcome, Predictions,
    PrunedOutcome, Reporter, Signal, TrialSpec,
};

use super::TRY_AGAIN;
use super::files::Files;
use super::process::Group;
use super::protocol::{Final, Line, LineError, Reader};
use super::value::{self, Written};
use super::{invocation, lock, machine};

/// Characters of the output's end that go with a failure.
const DETAIL: usize = 4000;

/// One start of a trial's program.
pub(super) struct Attempt<'a> {
    pub(super) spec: &'a CommandSpec,
    pub(super) ladder: &'a str,
    pub(super) runs: &'a Path,
    pub(super) size: Option<ModelSize>,
    pub(super) device: Option<&'a str>,
    pub(super) trial: &'a TrialSpec,
    pub(super) reporter: &'a dyn Reporter,
}

/// What came of it.
pub(super) enum Ending {
    Outcome(Box<ObjectiveOutcome>),
    Pruned(Box<PrunedOutcome>),
    Interrupted,
    /// With the end of its output.
    TryAgain(String),
}

/// What a program has reported.
#[derive(Default)]
struct Told {
    last: Option<EpochReport>,
    metrics: BTreeMap<String, f64>,
    constraints: Constraints,
    predictions: Option<Predictions>,
    end: Option<Final>,
}

/// Why a program is made to end before it does so itself.
enum Stop {
    Pruned,
    Interrupted,
    Failed(String),
}

/// How far a program has been told to end.
enum Asked {
    /// Its stop file is there.
    Politely(Instant),
    /// It was sent SIGTERM.
    Firmly(Instant),
}

impl Attempt<'_> {
    /// Starts the program and sees it to its end.
    ///
    /// # Errors
    /// [`ObjectiveError::Failed`] for a trial without a value, [`ObjectiveError::Machine`] where the machine lets no program run.
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
        let mut told = Told::default();
        let (status, stop) = self
            .watch(group, &files, &mut reader, &mut told)
            .map_err(|error| cannot("cannot be waited for", &error))?;
        // A program that could not write says so in a log that could not be written either.
        let failed = |reason: String| match machine::full_disk(&files.folder) {
            Some(cause) => ObjectiveError::Machine(cause),
            None => ObjectiveError::Failed(Failure { reason, detail: detail(&files) }),
        };
        match stop {
            Some(Stop::Pruned) => {
                let Told { metrics, constraints, .. } = told;
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
        let Final { value, further, constraints, size, best_step } = match told.end {
            Some(end) => end,
            None => Final::of(value::find(self, &files, start, &before).map_err(failed)?),
        };
        told.constraints.add(constraints);
        Ok(Ending::Outcome(Box::new(ObjectiveOutcome {
            value,
            further,
            constraints: told.constraints,
            best_step: best_step.or(told.last.as_ref().map(|epoch| epoch.step)),
            metrics: told.metrics,
            size: size.or(self.size),
            predictions: told.predictions,
        })))
    }

    /// Passes on what the program reports until it has ended, by itself or because it must.
    fn watch(
        &self,
        mut group: Group,
        files: &Files,
        reader: &mut Reader,
        told: &mut Told,
    ) -> std::io::Result<(ExitStatus, Option<Stop>)> {
        let started = Instant::now();
        let mut stop: Option<Stop> = None;
        let mut asked: Option<Asked> = None;
        loop {
            let ended = group.look();
            if stop.is_none() {
                let signalled = self.take(reader.read(ended), told);
                // Nothing is saved by pruning what has ended by itself, or has said its value and is about to.
                let is_over = |stop: &Stop| match stop {
                    Stop::Pruned => ended || told.end.is_some(),
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
            asked = Some(match asked {
                None => {
                    // Whether the program sees the file or not, the signals follow.
                    let _ = File::create(files.stop());
                    Asked::Politely(Instant::now())
                }
                Some(Asked::Politely(since)) if since.elapsed() >= self.spec.grace => {
                    group.ask_to_end();
                    Asked::Firmly(Instant::now())
                }
                Some(Asked::Firmly(since)) if since.elapsed() >= self.spec.grace => {
                    return Ok((group.finish()?, stop));
                }
                Some(asked) => asked,
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

    /// Takes note of what the program reported; says why it has to stop, if it has.
    fn take(&self, lines: Result<Vec<Line>, LineError>, told: &mut Told) -> Option<Stop> {
        let lines = match lines {
            Ok(lines) => lines,
            Err(error) => return Some(Stop::Failed(error.to_string())),
        };
        let mut stop = None;
        for line in lines {
            // A trial keeps one of them. Which of both its author wants kept is not for the runner to guess.
            let is_second = matches!(
                (&line, &told.predictions),
                (Line::Predictions(Predictions::Binary(_)), Some(Predictions::Other(_)))
                    | (Line::Predictions(Predictions::Other(_)), Some(Predictions::Binary(_)))
            );
            if is_second {
                return Some(Stop::Failed(
                    "its report has both `scores` and `outputs`, of which a trial keeps one".into(),
                ));
            }
            match line {
                Line::Step(step, value, metrics) => {
                    let epoch = EpochReport { step, value, metrics };
                    let signal = self.reporter.report(&epoch);
                    told.last = Some(epoch);
                    stop = match signal {
                        Signal::Continue => stop,
                        Signal::Prune => stop.or(Some(Stop::Pruned)),
                        Signal::Interrupt => Some(Stop::Interrupted),
                    };
                }
                Line::Metrics(metrics) => told.metrics.extend(metrics),
                Line::Constraints(constraints) => told.constraints.add(constraints),
                Line::Predictions(predictions) => told.predictions = Some(predictions),
                Line::Final(end) => told.end = Some(end),
            }
        }
        stop
    }
}

/// What could not be done for a trial, and whether that is the machine's fault.
fn cannot(what: &str, error: &io::Error) -> ObjectiveError {
    let reason = format!("{what}: {error}");
    if machine::is_fault(error) {
        return ObjectiveError::Machine(reason);
    }
    ObjectiveError::Failed(Failure { reason, detail: String::new() })
}

/// The end of a trial's output, for its failure.
fn detail(files: &Files) -> String {
    let tail = files.tail().unwrap_or_default();
    let skip = tail.chars().count().saturating_sub(DETAIL);
    tail.chars().skip(skip).collect()
}
