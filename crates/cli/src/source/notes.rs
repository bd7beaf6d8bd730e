//! Saying what was guessed of a source, and what was left out.

use allometry_store::import::Note;

use super::Objective;

/// Prints the notes of a source. Where an option speaks of an AUC, columns without a mark are what they
/// always were there: the tables of the scripts whose report `--template classic` writes.
pub(super) fn say_of(notes: &[Note], label: &str, objective: &Objective<'_>) {
    let is_said = |note: &&Note| !(objective.is_auc && matches!(note, Note::Guessed { .. }));
    let notes: Vec<Note> = notes.iter().filter(is_said).cloned().collect();
    say(&notes, Some(label));
}

/// Prints notes on standard error, a line each, after the label of their source.
pub(crate) fn say(notes: &[Note], label: Option<&str>) {
    for note in notes {
        let label = label.map_or_else(String::new, |label| format!("{label}: "));
        // Names and values come from files.
        let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
        let line: String = note.to_string().chars().map(escaped).collect();
        crate::output::say(&format!("note: {label}{line}"));
    }
}
