//! Prints notes on what was inferred or left out when a source was read.

use allometry_analysis::LadderTrials;
use allometry_store::import::Note;
use allometry_study::{Objective, Source};

use crate::error::CliError;
use crate::output;
use crate::styles::Label;

/// Reads the trials of sources and prints the notes on them.
///
/// # Errors
/// The errors of [`allometry_study::read`].
pub(crate) fn read(sources: &[Source], objective: &Objective<'_>) -> Result<LadderTrials, CliError> {
    let read = allometry_study::read(sources, objective)?;
    for (label, note) in &read.notes {
        say(std::slice::from_ref(note), Some(label));
    }
    Ok(read.trials)
}

/// Prints notes on standard error, one per line, each after the label of its source.
pub(crate) fn say(notes: &[Note], label: Option<&str>) {
    for note in notes {
        let label = label.map_or_else(String::new, |label| format!("{label}: "));
        // Names and values come from files and may contain control characters.
        let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
        let line: String = note.to_string().chars().map(escaped).collect();
        output::tell(Label::Note, &format!("{label}{line}"));
    }
}
