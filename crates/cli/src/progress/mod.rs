//! Shows the progress of a run: bars on a terminal, one line per trial elsewhere.

mod bars;
mod curve;
mod lines;

use std::io::IsTerminal as _;
use std::sync::mpsc::Receiver;

use allometry_core::{StopReason, StudyEvent};

pub(crate) use curve::Curve;

/// How much a run shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Errors only.
    Quiet,
    /// One line per trial.
    Lines,
    /// Redrawn progress bars.
    Bars,
}

impl Style {
    /// Returns bars if standard error is a terminal outside CI, lines otherwise.
    pub(crate) fn choose(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() && std::env::var_os("CI").is_none() {
            Self::Bars
        } else {
            Self::Lines
        }
    }
}

/// Shows events until the channel is closed.
pub(crate) fn show(events: &Receiver<StudyEvent>, style: Style) {
    match style {
        Style::Quiet => events.iter().for_each(drop),
        Style::Lines => {
            for line in events.iter().filter_map(|event| lines::line(&event)) {
                crate::output::say(&line);
            }
        }
        Style::Bars => bars::show(events),
    }
}

/// Returns why a study ended; `None` if it has all its trials.
fn end_text(reason: StopReason) -> Option<String> {
    (reason != StopReason::TrialsReached).then(|| reason.to_string())
}
