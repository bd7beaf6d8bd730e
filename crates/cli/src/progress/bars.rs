//! Bars: one per budget, one line per running trial.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use allometry_core::StudyEvent;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{end_words, plain};

/// Redraws bars as events come in, until the stream ends.
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
    budgets: BTreeMap<String, ProgressBar>,
    /// The bar of each worker and the configuration that it tries.
    workers: BTreeMap<usize, (ProgressBar, String)>,
}

impl Screen {
    fn take(&mut self, event: &StudyEvent) {
        match event {
            StudyEvent::StudyStarted { budget, trials, done } => {
                let bar =
                    self.area.add(ProgressBar::new(*trials).with_style(budget_style()).with_position(*done));
                bar.set_prefix(budget.clone());
                bar.enable_steady_tick(Duration::from_secs(1));
                // Trials done in an earlier run say nothing about the speed of this one.
                bar.reset_eta();
                bar.tick();
                self.budgets.insert(budget.clone(), bar);
            }
            StudyEvent::TrialsRecovered { .. } => self.say(event),
            StudyEvent::TrialStarted { budget, number, worker, params, epochs } => {
                let (bar, configuration) = self
                    .workers
                    .entry(*worker)
                    .or_insert_with(|| (self.area.add(ProgressBar::new(0)), String::new()));
                *configuration = params.to_string();
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
                    bar.set_message(format!("{value:.4}  {configuration}"));
                }
            }
            StudyEvent::TrialFinished { budget, value, incumbent, .. } => {
                if let Some(bar) = self.budgets.get(budget) {
                    if value.is_some() {
                        bar.inc(1);
                    }
                    if let Some(best) = incumbent {
                        bar.set_message(format!("best {best:.4}"));
                    }
                }
                if value.is_none() {
                    self.say(event);
                }
            }
            StudyEvent::StudyFinished { budget, reason } => {
                if let Some(bar) = self.budgets.get(budget) {
                    if let Some(words) = end_words(*reason) {
                        bar.set_message(format!("{}  {words}", bar.message()));
                    }
                    bar.abandon();
                }
            }
        }
    }

    fn say(&self, event: &StudyEvent) {
        if let Some(line) = plain::line(event) {
            // A terminal that went away is no reason to stop training.
            let _ = self.area.println(line);
        }
    }
}

fn budget_style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:>8} {bar:24} {pos}/{len} trials  {msg}  {eta} left")
        .expect("the template is valid")
}

fn trial_style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:>16} {bar:12} epoch {pos}/{len}  {wide_msg}")
        .expect("the template is valid")
}
