//! Progress bars: one per budget and one per running trial.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use allometry_core::significant::significant;
use allometry_core::{Params, StudyEvent};
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

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
            self.bar.set_style(running_style(self.bar.position()));
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
            StudyEvent::TrialStarted { budget, number, worker, params, steps, unit } => {
                if let Some(budget) = self.budgets.get_mut(budget) {
                    budget.start();
                }
                let (bar, configuration) = self
                    .workers
                    .entry(*worker)
                    .or_insert_with(|| (self.area.add(ProgressBar::new(0)), String::new()));
                *configuration = configuration_text(params);
                bar.reset();
                bar.set_style(trial_style(unit));
                bar.set_length(steps.unwrap_or(0));
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

/// The style of a budget whose bar was at `start` when its first trial of this run began.
fn running_style(start: u64) -> ProgressStyle {
    style("{prefix:>8} {bar:24} {pos}/{len} trials  {msg}{left}").with_key(
        "left",
        move |state: &ProgressState, out: &mut dyn fmt::Write| {
            let ended = state.pos().saturating_sub(start);
            let open = state.len().unwrap_or(0).saturating_sub(state.pos());
            if let Some(left) = time_left(state.elapsed(), ended, open) {
                // A bar without its estimate is still a bar.
                let _ = write!(out, "  {:#} left", HumanDuration(left));
            }
        },
    )
}

/// Returns the time that `open` trials need if they take as long as the `ended` ones, which took `elapsed`
/// together. One trial is no estimate: its time may be far from that of others. Less than a second is not
/// shown, because a bar that says `0s left` seems to hang.
fn time_left(elapsed: Duration, ended: u64, open: u64) -> Option<Duration> {
    let left = (ended >= 2 && open > 0).then(|| elapsed.mul_f64(open as f64 / ended as f64));
    left.filter(|left| *left >= Duration::from_secs(1))
}

fn ended_style() -> ProgressStyle {
    style("{prefix:>8} {bar:24} {pos}/{len} trials  {msg}  in {elapsed}")
}

fn trial_style(unit: &str) -> ProgressStyle {
    style(&format!("{{prefix:>16}} {{bar:12}} {unit} {{pos}}/{{len}}  {{wide_msg}}"))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is valid")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use allometry_core::{TrialNumber, TrialState};
    use indicatif::{ProgressDrawTarget, TermLike};

    use super::*;

    /// A terminal that keeps what is written to it.
    #[derive(Debug, Clone, Default)]
    struct Written(Arc<Mutex<String>>);

    impl TermLike for Written {
        fn width(&self) -> u16 {
            100
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_first_trial_estimates_nothing() {
        let minute = Duration::from_mins(1);
        assert_eq!(time_left(Duration::ZERO, 0, 16), None);
        assert_eq!(time_left(minute, 1, 15), None);
        assert_eq!(time_left(minute, 2, 14), Some(minute * 7));
        assert_eq!(time_left(minute, 16, 0), None);
        assert_eq!(time_left(Duration::from_secs(10), 15, 1), None);
    }

    /// Trials that an earlier run ended say nothing of the speed of this one.
    #[test]
    fn bars_show_no_time_before_two_trials_have_ended() {
        let written = Written::default();
        let target = ProgressDrawTarget::term_like(Box::new(written.clone()));
        let area = MultiProgress::with_draw_target(target);
        let mut screen = Screen { area, budgets: BTreeMap::new(), workers: BTreeMap::new() };
        screen.take(&StudyEvent::StudyStarted { budget: "2M".into(), trials: 8, done: 3 });
        let started = |number| StudyEvent::TrialStarted {
            budget: "2M".into(),
            number: TrialNumber(number),
            worker: 0,
            params: Params::default(),
            steps: Some(5),
            unit: "fold",
        };
        let finished = |number| StudyEvent::TrialFinished {
            budget: "2M".into(),
            number: TrialNumber(number),
            worker: 0,
            state: TrialState::Complete,
            value: Some(0.5),
            early_stop: None,
            reason: None,
            incumbent: Some(0.5),
            seconds: 1.0,
        };
        screen.take(&started(9));
        screen.take(&StudyEvent::EpochFinished {
            budget: "2M".into(),
            number: TrialNumber(9),
            worker: 0,
            step: 2,
            value: 0.5,
        });
        screen.workers[&0].0.tick();
        assert!(written.0.lock().unwrap().contains("fold 2/5"), "{}", written.0.lock().unwrap());
        screen.budgets.get_mut("2M").unwrap().is_running = false;
        let mut shown = Vec::new();
        let mut draw = |screen: &Screen| {
            written.0.lock().unwrap().clear();
            screen.budgets["2M"].bar.set_message("best 0.5");
            shown.push(written.0.lock().unwrap().contains(" left"));
        };
        for number in 3..6 {
            screen.take(&started(number));
            if number == 3 {
                // The first trial took a minute.
                let _ = screen.budgets["2M"].bar.clone().with_elapsed(Duration::from_mins(1));
            }
            draw(&screen);
            screen.take(&finished(number));
        }
        draw(&screen);
        assert_eq!(shown, [false, false, true, true], "{}", written.0.lock().unwrap());
    }
}
