//! Shows the learning curve of one trial during training: a line per epoch, and on a terminal a progress bar
//! with the curve below them.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use allometry_core::significant::significant;
use allometry_core::{EpochReport, Reporter, Signal};
use allometry_ladder::ModelSpec;
use allometry_runner::Interrupt;
use indicatif::{FormattedDuration, ProgressBar, ProgressState, ProgressStyle};

use super::Style;

/// Characters of the curve by height.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Number of epochs that the curve shows, the latest ones.
const SHOWN: usize = 40;

/// Shows each epoch when it ends, and interrupts the trial after a signal.
pub(crate) struct Curve {
    interrupt: Interrupt,
    style: Style,
    bar: ProgressBar,
    /// Names of the columns, shown before the first epoch.
    header: String,
    values: Mutex<Vec<f64>>,
}

impl Curve {
    /// Creates a curve for the epochs of a model, each of `steps` training steps.
    pub(crate) fn new(style: Style, interrupt: Interrupt, model: &ModelSpec, steps: usize) -> Self {
        let bar = match style {
            Style::Bars => {
                let bar = ProgressBar::new((model.epochs * steps) as u64);
                let template = "{bar:24} {elapsed}{most}  {wide_msg}";
                let style = ProgressStyle::with_template(template).expect("the template is valid");
                bar.set_style(style.with_key(
                    "most",
                    move |state: &ProgressState, out: &mut dyn fmt::Write| {
                        if let Some(most) = most(state, steps) {
                            // A bar without its estimate is still a bar.
                            let _ = write!(out, " of at most {}", FormattedDuration(most));
                        }
                    },
                ));
                bar.enable_steady_tick(Duration::from_secs(1));
                bar
            }
            Style::Quiet | Style::Lines => ProgressBar::hidden(),
        };
        let header = format!("epoch  train loss  validation loss  {:>8}", model.task.metric().as_str());
        Self { interrupt, style, bar, header, values: Mutex::default() }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, line: &str) {
        match self.style {
            Style::Quiet => {}
            Style::Lines => crate::output::say(line),
            Style::Bars => self.bar.println(line),
        }
    }
}

impl Reporter for Curve {
    fn report(&self, epoch: &EpochReport) -> Signal {
        let Ok(mut values) = self.values.lock() else { return Signal::Interrupt };
        if values.is_empty() {
            self.say(&self.header);
        }
        let best = values.iter().all(|value| epoch.value > *value);
        values.push(epoch.value);
        let metric =
            |name: &str| epoch.metrics.get(name).map_or_else(|| "-".to_owned(), |value| significant(*value));
        self.say(&format!(
            "{:>5}  {:>10}  {:>15}  {:>8.4}{}",
            epoch.step,
            metric("train_loss"),
            metric("validation_loss"),
            epoch.value,
            match (best, epoch.metrics.get("constant")) {
                (_, Some(1.0)) => "  predictions are constant",
                (true, _) => "  best so far",
                _ => "",
            }
        ));
        self.bar.set_message(drawn(&values));
        if self.interrupt.is_asked() { Signal::Interrupt } else { Signal::Continue }
    }

    fn interrupted(&self) -> bool {
        self.bar.inc(1);
        self.interrupt.is_asked()
    }
}

/// Returns the time of all epochs if they take as long as those before; `None` before the first has ended.
fn most(state: &ProgressState, steps: usize) -> Option<Duration> {
    let share = state.len().unwrap_or(0) as f64 / state.pos().max(1) as f64;
    (state.pos() > steps as u64).then(|| state.elapsed().mul_f64(share.max(1.0)))
}

/// Returns the latest values as a bar chart from their minimum to their maximum.
fn drawn(values: &[f64]) -> String {
    let last = &values[values.len().saturating_sub(SHOWN)..];
    let low = last.iter().copied().fold(f64::INFINITY, f64::min);
    let high = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let level = |value: f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        LEVELS[(share * 7.0).round() as usize]
    };
    last.iter().map(|value| level(*value)).chain(format!(" {low:.3} to {high:.3}").chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_span_their_range() {
        assert_eq!(drawn(&[0.5, 0.6, 0.7]), "▁▅█ 0.500 to 0.700");
        assert_eq!(drawn(&[0.5]), "▅ 0.500 to 0.500");
        assert_eq!(drawn(&[0.25; 100]).chars().filter(|c| *c == '▅').count(), SHOWN);
    }
}
