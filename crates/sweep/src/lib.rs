//! Conversion of Weights & Biases sweeps to ladder files, with a note for everything that a ladder cannot
//! express.

mod document;
mod error;
mod parameter;
mod program;
mod settings;
mod words;

use std::fmt::Write as _;
use std::path::Path;

use allometry_core::Distribution;
use serde_json::Value;

pub use error::SweepError;

use parameter::Parameter;
use words::quoted;

/// Result of a conversion: a ladder file and notes on what differs from the sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// Text of the ladder file, which is valid.
    pub ladder: String,
    /// One line for each part of the sweep that has no counterpart or a different one.
    pub notes: Vec<String>,
}

/// Number of trials if the sweep has no `run_cap`.
const DEFAULT_TRIALS: u64 = 50;

/// Keys about where runs are shown and who may see them.
const SERVER_KEYS: [&str; 9] =
    ["project", "entity", "description", "controller", "settings", "tags", "imageuri", "job", "scheduler"];

/// Converts a sweep to a ladder of one budget whose trials run a program. `name` is used if the sweep has
/// none.
///
/// # Errors
/// [`SweepError`] if the text is not YAML or not a sweep.
pub fn convert(yaml: &str, name: &str) -> Result<Converted, SweepError> {
    let mut sweep = document::parse(yaml)?;
    let mut notes = Vec::new();
    let mut take = |key: &str| sweep.shift_remove(key).filter(|value| !value.is_null());
    let command = take("command");
    let mut parameters = parameter::all(take("parameters"), &mut notes)?;
    if program::takes_words(command.as_ref()) {
        parameters.iter_mut().for_each(Parameter::as_python_writes);
    }
    let metric = settings::metric(take("metric"), &mut notes)?;
    let method = settings::method(take("method").as_ref(), &parameters, &mut notes)?;
    let pruner = settings::pruner(take("early_terminate").as_ref(), &mut notes)?;
    let run = program::run(take("program"), command, &parameters, &mut notes)?;
    let trials = trials(take("run_cap"), method, &parameters, &mut notes)?;
    let given = take("name");
    for key in SERVER_KEYS {
        if take(key).is_some() {
            notes.push(format!("`{key}` is left out: it is a setting of the W&B server"));
        }
    }
    for key in sweep.keys() {
        notes.push(format!("`{}` is left out: the key is unknown", words::shown(key)));
    }
    notes.push(
        "the program reports to wandb; change it to append {\"step\": 1, \"value\": 0.5} and, at the end, \
         {\"final\": true, \"value\": 0.5} to the file that $ALLOMETRY_REPORT names"
            .into(),
    );
    let name = given.as_ref().and_then(Value::as_str).unwrap_or(name);
    let text = write(&words::safe_name(name), &metric, trials, &run, &parameters, method, pruner.as_deref());
    allometry_ladder::parse(&text, Path::new("ladder.toml")).map_err(|errors| SweepError::NotALadder {
        problems: errors.problems().iter().map(ToString::to_string).collect(),
    })?;
    Ok(Converted { ladder: text, notes })
}

fn write(
    name: &str,
    metric: &settings::Metric,
    trials: u64,
    run: &[String],
    parameters: &[Parameter],
    method: &str,
    pruner: Option<&str>,
) -> String {
    let run: Vec<String> = run.iter().map(|word| quoted(word)).collect();
    let mut text = String::new();
    let _ = writeln!(text, "name = {}", quoted(name));
    let _ = writeln!(text, "metric = {}", quoted(&metric.name));
    let _ = writeln!(text, "direction = \"{}\"", metric.direction);
    let _ = writeln!(text, "trials = {trials}\n\n[command]\nrun = [{}]", run.join(", "));
    if pruner.is_some() {
        let _ = writeln!(text, "# steps = 100                   # most steps that a trial reports");
    }
    let _ = writeln!(text, "\n[space]");
    for parameter in parameters {
        let _ = writeln!(text, "{} = {}", words::key(&parameter.name), parameter.set);
    }
    let _ = writeln!(text, "\n[sampler]\nkind = \"{method}\"");
    if let Some(pruner) = pruner {
        let _ = writeln!(text, "\n[pruner]\n{pruner}");
    }
    let _ =
        writeln!(text, "\n[[budget]]                      # add another to run the sweep at another size");
    let _ = writeln!(text, "label = \"any\"\nweights = \"any\"");
    text
}

/// Returns the number of trials: `run_cap`, or the number of cells of a grid.
fn trials(
    run_cap: Option<Value>,
    method: &str,
    parameters: &[Parameter],
    notes: &mut Vec<String>,
) -> Result<u64, SweepError> {
    if let Some(cap) = run_cap {
        let cap = cap.as_u64().filter(|cap| (1..=1_000_000).contains(cap));
        return cap.ok_or_else(|| SweepError::wrong("run_cap", "a count from 1 to 1000000"));
    }
    let cells = |parameter: &Parameter| parameter.distribution.levels().map_or(0, |levels| levels.len());
    if method == "grid" {
        let all = parameters.iter().map(cells).try_fold(1_u64, u64::checked_mul);
        return all.filter(|all| *all <= 1_000_000).ok_or_else(|| {
            SweepError::wrong("parameters", "a grid of at most 1000000 configurations, or `run_cap`")
        });
    }
    notes.push(format!(
        "the sweep has no `run_cap`, and a ladder needs a number of trials: trials = {DEFAULT_TRIALS}"
    ));
    Ok(DEFAULT_TRIALS)
}

/// Whether a set has infinitely many values.
fn is_continuous(set: &Distribution) -> bool {
    matches!(set, Distribution::Float { step: None, low, high, .. } if low < high)
}

#[cfg(test)]
mod tests;
