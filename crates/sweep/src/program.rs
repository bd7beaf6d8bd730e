//! Conversion of a sweep's command.

use serde_json::Value;

use crate::error::SweepError;
use crate::parameter::Parameter;
use crate::words::{as_text, shown};

/// Default command of a sweep.
const DEFAULT_COMMAND: [&str; 4] = ["${env}", "${interpreter}", "${program}", "${args}"];

/// Whether the program receives each parameter as a word that Python writes, and none as JSON.
pub(crate) fn takes_words(command: Option<&Value>) -> bool {
    let Some(words) = command.and_then(Value::as_array) else { return true };
    let has = |wanted: &str| words.iter().filter_map(Value::as_str).any(|word| word.contains(wanted));
    has("${args") && !has("${args_json")
}

/// Returns the words of `run`.
pub(crate) fn run(
    program: Option<Value>,
    command: Option<Value>,
    parameters: &[Parameter],
    notes: &mut Vec<String>,
) -> Result<Vec<String>, SweepError> {
    let program = match program {
        None => None,
        Some(Value::String(program)) => Some(program),
        Some(_) => return Err(SweepError::wrong("program", "the path of a program")),
    };
    let words: Vec<String> = match command {
        None => DEFAULT_COMMAND.map(str::to_owned).into(),
        Some(Value::Array(words)) if !words.is_empty() => words.iter().map(as_text).collect(),
        Some(_) => return Err(SweepError::wrong("command", "a list of words")),
    };
    let program = program.unwrap_or_else(|| {
        if words.iter().any(|word| word.contains("${program}")) {
            notes.push("the sweep has no program: `run` uses train.py instead".into());
        }
        "train.py".into()
    });
    let mut run = Vec::new();
    for word in words {
        match word.as_str() {
            // Programs are found through `PATH` anyway.
            "${env}" | "/usr/bin/env" => {}
            "${args_no_hyphens}" => {
                run.extend(parameters.iter().map(|parameter| format!("{0}={{{0}}}", parameter.name)));
            }
            "${args}" => run.push("{args}".into()),
            "${args_no_boolean_flags}" => {
                notes.push(
                    "${args_no_boolean_flags} has no counterpart: booleans are passed as --NAME True".into(),
                );
                run.push("{args}".into());
            }
            _ => run.push(filled(&word, &program, notes)),
        }
    }
    if run.first().is_none_or(|first| first.trim().is_empty()) {
        return Err(SweepError::wrong("command", "a program to start"));
    }
    let passes_parameters = |word: &String| {
        ["{args}", "{params_json}", "{params_file}"].iter().any(|placeholder| word.contains(placeholder))
            || parameters.iter().any(|parameter| word.contains(&format!("{{{}}}", parameter.name)))
    };
    if !parameters.is_empty() && !run.iter().any(passes_parameters) {
        notes.push(
            "no word of `command` passes the parameters, so they cannot reach the program: add \"${args}\"; \
             a program that reads wandb.config finds them in the file {params_file}"
                .into(),
        );
    }
    if run.iter().any(|word| word == "{args}") {
        notes.push("${args} is --NAME=VALUE in sweeps and --NAME VALUE here; argparse accepts both".into());
    }
    Ok(run)
}

/// Replaces the macros of sweeps in a word by ours and doubles all other braces.
fn filled(word: &str, program: &str, notes: &mut Vec<String>) -> String {
    let braces = |text: &str| text.replace('{', "{{").replace('}', "}}");
    let (mut out, mut rest) = (String::new(), word);
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        out.push_str(&braces(&rest[..start]));
        let name = &rest[start + 2..start + length];
        match name {
            "program" => out.push_str(&braces(program)),
            "interpreter" => out.push_str("python"),
            "args_json" => out.push_str("{params_json}"),
            "args_json_file" => out.push_str("{params_file}"),
            "args" => out.push_str("{args}"),
            _ => {
                let shown = shown(name);
                notes.push(format!("${{{shown}}} has no counterpart: `run` contains it unchanged"));
                out.push_str(&braces(&rest[start..=start + length]));
            }
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(&braces(rest));
    out
}
