//! Options and functions shared by the commands that run trials.

use std::sync::mpsc::channel;
use std::time::Duration;

use allometry_core::{Objective, StopReason};
use allometry_runner::{Interrupt, OpenStudy, RunError, RunOptions, RunSummary};
use allometry_store::Store;
use clap::Args;

use super::rescue;
use crate::error::CliError;
use crate::progress::{self, Style};

/// Options on devices and on trials whose process has died.
#[derive(Debug, Args)]
pub(super) struct Sharing {
    /// Devices for a command's trials, such as 0,1. Each trial is given one in CUDA_VISIBLE_DEVICES.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(super) devices: Vec<String>,

    /// Time without a heartbeat after which the running trials of a process count as lost.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_lease)]
    pub(super) lease: Duration,

    /// How often a trial is repeated after its process died; with 0 it stays failed.
    #[arg(long, value_name = "N", default_value_t = RunOptions::RETRIES)]
    pub(super) retries: u64,
}

/// Runs studies until they end and shows their progress.
///
/// # Errors
/// The errors of [`allometry_runner::run`]. If the store failed, the results that it lacks are saved first.
pub(super) fn run_studies(
    studies: Vec<OpenStudy>,
    store: &dyn Store,
    objective: &dyn Objective,
    options: &RunOptions,
    interrupt: &Interrupt,
    style: Style,
) -> Result<RunSummary, CliError> {
    let (sender, receiver) = channel();
    let summary = std::thread::scope(|scope| {
        let screen = scope.spawn(move || progress::show(&receiver, style));
        let summary = allometry_runner::run(studies, store, objective, options, interrupt, &sender);
        drop(sender);
        screen.join().expect("the progress display does not panic");
        summary
    });
    summary.map_err(|error| match error {
        RunError::Lost { cause, known } => rescue::lost(store, cause, &known),
        other => other.into(),
    })
}

/// Checks the outcome of a run.
///
/// # Errors
/// [`CliError::Interrupted`] after a signal; [`CliError::TrialsFailed`] if too many trials of a study failed.
pub(super) fn conclude(summary: &RunSummary, interrupt: &Interrupt) -> Result<(), CliError> {
    if interrupt.is_asked() {
        return Err(CliError::Interrupted { code: interrupt.exit_code() });
    }
    let failing: Vec<&str> = summary
        .studies
        .iter()
        .filter(|s| s.reason == StopReason::FailureLimit || (s.complete + s.pruned == 0 && s.failed > 0))
        .map(|s| s.label.as_str())
        .collect();
    if failing.is_empty() {
        return Ok(());
    }
    Err(CliError::TrialsFailed { message: format!("too many trials failed for {}", failing.join(", ")) })
}

pub(super) fn parse_lease(text: &str) -> Result<Duration, String> {
    const SHORTEST: Duration = Duration::from_secs(1);
    parse_duration(text)
        .and_then(|lease| if lease < SHORTEST { Err("at least 1s".into()) } else { Ok(lease) })
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let duration = parsed.map_err(|_| "expected a duration such as 90m or 2h".to_owned())?;
    duration.try_into().map_err(|_| "expected a duration of at least zero".to_owned())
}
