//! Commands of the program as text, for a shell.

use allometry_analysis::{Analysis, Training};
use allometry_core::TrialNumber;

/// Returns the arguments of a command that name the ladder: `given`, or where it is empty the name of a
/// ladder file that is not `ladder.toml`.
pub(crate) fn ladder_words(analysis: &Analysis, given: &str) -> String {
    match &analysis.file {
        Some(file) if given.is_empty() => shell_word(file),
        _ => given.to_owned(),
    }
}

/// Returns the command that repeats a trial of a budget and writes its checkpoint, or keeps its program's
/// files. `ladder` are the arguments that name the ladder.
pub fn train_command(budget: &str, trial: TrialNumber, ladder: &str, training: Training) -> String {
    let space = if ladder.is_empty() { "" } else { " " };
    let budget = shell_word(budget);
    let place = match training {
        Training::Model => "model.safetensors",
        Training::Program => "trained",
    };
    format!("allometry train{space}{ladder} --budget {budget} --trial {trial} -o {place}")
}

/// Returns a word as a shell reads it.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_./=:+,@%-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
