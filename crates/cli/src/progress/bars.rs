//! Progress bars: one per budget and one per running trial.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use allometry_core::significant::significant;
use allometry_core::{Params, StudyEvent};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{end_text, lines};

/// Redraws the bars at each event until the channel is closed.
pub(super) fn show(events: &Receiver<StudyEvent>) {
    let mut screen =
        Screen { area: MultiProgress::new(), budgets: BTreeMap::new(), workers: BTreeMap::new() };
    for event in events {
        screen.take(&event);
    }
    for (bar, _) in screen.workers.values() {
        bar.finish_and_clear();
    }
}

struct Screen {
    area: MultiProgress,
    budgets: BTreeMap<String, Budget>,
    /// The bar of each worker, and the configuration of its trial.
    workers: BTreeMap<usize, (ProgressBar, String)>,
}

struct Budget {
    bar: ProgressBar,
    /// Whether this run has started a trial of the budget.
    is_running: bool,
}

impl Budget {
    /// Starts the clock at the first trial, because trials of earlier runs and of other budgets say nothing
    /// about the speed of this budget.
    fn start(&mut self) {
        if !self.is_running {
            self.is_running = true;
            self.bar.set_style(running_style());
            self.bar.reset_eta();
            self.bar.reset_elapsed();
            self.bar.enable_steady_tick(Duration::from_secs(1));
        }
    }
}

impl Screen {
    fn take(&mut self, event: &StudyEvent) {
        match event {
            StudyEvent::StudyStarted { budget, trials, done } => {
                let bar =
                    self.area.add(ProgressBar::new(*trials).with_style(waiting_style()).with_position(*done));
                bar.set_prefix(budget.clone());
                bar.tick();
                self.budgets.insert(budget.clone(), Budget { bar, is_running: false });
            }
            StudyEvent::TrialsRecovered { .. }
            | StudyEvent::TrialsOutside { .. }
            | StudyEvent::StudyShared { .. }
            | StudyEvent::TrialLost { .. }
            | StudyEvent::SamplerChanged { .. } => self.say(event),
            StudyEvent::TrialStarted { budget, number, worker, params, epochs } => {
                if let Some(budget) = self.budgets.get_mut(budget) {
                    budget.start();
                }
                let (bar, configuration) = self
                    .workers
                    .entry(*worker)
                    .or_insert_with(|| (self.area.add(ProgressBar::new(0)), String::new()));
                *configuration = configuration_text(params);
                bar.reset();
                bar.set_style(trial_style());
                bar.set_length(epochs.unwrap_or(0));
                bar.set_prefix(format!("{budget} trial {number}"));
                bar.set_message(configuration.clone());
                bar.tick();
            }
            StudyEvent::EpochFinished { worker, step, value, .. } => {
                if let Some((bar, configuration)) = self.workers.get(worker) {
                    bar.set_position(u64::try_from(*step).unwrap_or(0));
                    bar.set_message(format!("{}  {configuration}", significant(*value)));
                }
            }
            StudyEvent::TrialFinished { budget, value, incumbent, .. } => {
                if let Some(Budget { bar, .. }) = self.budgets.get(budget) {
                    if value.is_some() {
                        bar.inc(1);
                    }
                    if let Some(best) = incumbent {
                        bar.set_message(format!("best {}", significant(*best)));
                    }
                }
                if value.is_none() {
                    self.say(event);
                }
            }
            StudyEvent::StudyFinished { budget, reason } => {
                if let Some(Budget { bar, is_running }) = self.budgets.get(budget) {
                    if let Some(text) = end_text(*reason) {
                        bar.set_message(format!("{}  {text}", bar.message()));
                    }
                    bar.set_style(if *is_running { ended_style() } else { waiting_style() });
                    bar.abandon();
                }
            }
        }
    }

    fn say(&self, event: &StudyEvent) {
        if let Some(line) = lines::line(event) {
            // A closed terminal should not stop the training.
            let _ = self.area.println(line);
        }
    }
}

/// Returns a configuration as short text.
fn configuration_text(params: &Params) -> String {
    let parts: Vec<String> =
        params.iter().map(|(name, value)| format!("{name}={}", value.rounded())).collect();
    parts.join(" ")
}

fn waiting_style() -> ProgressStyle {
    style("{prefix:>8} {bar:24} {pos}/{len} trials  {msg}")
}

fn running_style() -> ProgressStyle {
    style("{prefix:>8} {bar:24} {pos}/{len} trials  {msg}  {eta} left")
}

fn ended_style() -> ProgressStyle {
    style("{prefix:>8} {bar:24} {pos}/{len} trials  {msg}  in {elapsed}")
}

fn trial_style() -> ProgressStyle {
    style("{prefix:>16} {bar:12} epoch {pos}/{len}  {wide_msg}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is valid")
}
