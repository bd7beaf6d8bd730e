//! Shows the event stream of a run: bars on a terminal, one line per trial elsewhere.

mod bars;
mod curve;
mod plain;

use std::io::IsTerminal as _;
use std::sync::mpsc::Receiver;

use allometry_core::StudyEvent;
use allometry_core::event::StopReason;

pub(crate) use curve::Curve;

/// How much a run shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Nothing but errors.
    Quiet,
    /// One line per trial.
    Plain,
    /// Bars that are redrawn.
    Bars,
}

impl Style {
    /// Bars where standard error is a terminal outside CI, lines otherwise.
    pub(crate) fn choose(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if std::io::stderr().is_terminal() && std::env::var_os("CI").is_none() {
            Self::Bars
        } else {
            Self::Plain
        }
    }
}

/// Shows events until the stream ends.
pub(crate) fn show(events: &Receiver<StudyEvent>, style: Style) {
    match style {
        Style::Quiet => events.iter().for_each(drop),
        Style::Plain => {
            for line in events.iter().filter_map(|event| plain::line(&event)) {
                crate::output::say(&line);
            }
        }
        Style::Bars => bars::show(events),
    }
}

/// Why a study ended, as people say it; nothing for the ordinary end.
fn end_words(reason: StopReason) -> Option<String> {
    (reason != StopReason::TrialsReached).then(|| reason.to_string())
}
