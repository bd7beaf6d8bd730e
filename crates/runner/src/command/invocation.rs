//! The command line and environment of a trial's process.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use allometry_core::{ParamValue, RowCount, WeightTarget};
use allometry_ladder::{Inherit, Invocation, template};

use super::attempt::Attempt;
use super::files::Files;
use super::process::REPORT;
use super::program;

/// Variables that nearly all programs need.
const ALWAYS: [&str; 2] = ["PATH", "HOME"];

/// The command of a trial: arguments, working directory, environment, output to the log, and its own process
/// group.
///
/// # Errors
/// Where the file handle of the log cannot be duplicated.
pub(super) fn command(attempt: &Attempt<'_>, files: &Files, log: &File) -> io::Result<Command> {
    let words = words(attempt, files);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(program::folder(attempt.spec)).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    variables(&mut command, attempt, files);
    Ok(command)
}

/// The program and its arguments.
fn words(attempt: &Attempt<'_>, files: &Files) -> Vec<String> {
    let Attempt { trial, ladder, .. } = attempt;
    match &attempt.spec.run {
        Invocation::Program(words) => {
            let mut expanded = Vec::new();
            for word in words {
                if word == "{args}" {
                    expanded.extend(arguments(attempt));
                } else {
                    expanded.push(template::fill(word, |name| match name {
                        "args" => Some(arguments(attempt).join(" ")),
                        name => files.value(name, ladder, trial),
                    }));
                }
            }
            expanded
        }
        Invocation::Shell(line) => {
            let line = template::fill(line, |name| match name {
                "args" => {
                    Some(arguments(attempt).iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
                }
                name => files.value(name, ladder, trial).map(|value| quoted(&value)),
            });
            vec!["sh".into(), "-c".into(), line]
        }
    }
}

/// The arguments `--name value` for all parameters.
fn arguments(attempt: &Attempt<'_>) -> Vec<String> {
    let pairs = attempt.trial.params.iter().map(|(name, value)| {
        let value = match value {
            ParamValue::Bool(b) => b.to_string(),
            other => other.to_string(),
        };
        [format!("--{name}"), value]
    });
    pairs.flatten().collect()
}

/// Quotes a text as one word for a shell.
fn quoted(word: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+".contains(c);
    if !word.is_empty() && word.chars().all(is_safe) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn variables(command: &mut Command, attempt: &Attempt<'_>, files: &Files) {
    let environment = &attempt.spec.environment;
    if let Inherit::Only(names) = &environment.inherit {
        command.env_clear();
        for name in names.iter().map(String::as_str).chain(ALWAYS) {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
    }
    let trial = attempt.trial;
    let target = match trial.budget.target {
        WeightTarget::Near { weights, .. } => Some(weights),
        WeightTarget::Any => None,
    };
    let weights = attempt.size.map(|size| size.total).or(target);
    let (share, rows) = match trial.budget.train.as_ref().map(|part| part.rows) {
        None => ("1".into(), String::new()),
        Some(RowCount::Share(share)) => (share.to_string(), String::new()),
        Some(RowCount::Rows(rows)) => (String::new(), rows.to_string()),
    };
    for (name, value) in [
        ("TRIAL_NUMBER", trial.number.to_string()),
        ("STUDY", format!("{}/{}", attempt.ladder, trial.budget.label)),
        ("BUDGET", trial.budget.label.clone()),
        ("SEED", trial.seed.to_string()),
        ("WEIGHTS", weights.map_or_else(String::new, |weights| weights.to_string())),
        ("TRAIN_SHARE", share),
        ("TRAIN_ROWS", rows),
    ] {
        command.env(format!("ALLOMETRY_{name}"), value);
    }
    command.env("ALLOMETRY_PARAMS", files.params());
    command.env(REPORT, files.report());
    command.env("ALLOMETRY_CHECKPOINT_DIR", files.checkpoints());
    if let Some(device) = attempt.device {
        command.env("CUDA_VISIBLE_DEVICES", device);
    }
    for (name, value) in &environment.set {
        command.env(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_quoted_word_unchanged() {
        for word in ["plain", "two words", "it's", "$(rm -rf x)", "", "a\nb", "*", "ü;|&", "--x=1e-05"] {
            let output =
                Command::new("sh").arg("-c").arg(format!("printf %s {}", quoted(word))).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
