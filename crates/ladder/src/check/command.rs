//! Checks of `[command]`.

use std::path::Path;
use std::time::Duration;

use allometry_core::Expression;

use super::super::command::{
    CommandSpec, EnvironmentSpec, Inherit, Invocation, ValueSource, weights_expression,
};
use super::super::document::{Located, Node};
use super::super::problem::ProblemKind;
use super::super::section::{Problems, Section, text_of, wrong_type};
use super::super::template;

const GRACE: Duration = Duration::from_secs(10);
const RETRIES: u64 = 3;
const EXAMPLE: &str = "run = [\"python\", \"train.py\", \"{args}\"]";
const DURATION: &str = "a time such as \"90s\" or \"2h\"";

pub(super) fn command(
    mut section: Section<'_>,
    folder: &Path,
    parameters: &[&str],
    problems: &mut Problems,
) -> Option<CommandSpec> {
    let shell = section.read("shell", problems).is_some_and(|shell| shell.value);
    let run = invocation(&mut section, shell, parameters, problems);
    let inner = section.text("folder", problems).map(|inner| inner.value);
    let timeout = duration(&mut section, "timeout", problems);
    let grace = duration(&mut section, "grace", problems).unwrap_or(GRACE);
    let retries = section.within("retries", RETRIES, (|n| n <= 1000, "at most 1000"), problems);
    let steps = section.node("steps").is_some();
    let steps = steps.then(|| section.within("steps", 1, (|n: u64| n >= 1, "at least 1"), problems));
    let value = section
        .section("value", problems)
        .map_or_else(ValueSource::default, |inner| value(inner, parameters, problems));
    let environment = section
        .section("environment", problems)
        .map_or_else(EnvironmentSpec::default, |inner| environment(inner, problems));
    let weights = weights(&mut section, problems);
    let horizon = section.within("horizon", 1, super::COUNT_FROM_ONE, problems);
    let test_part = section.read("test_part", problems).is_some_and(|can| can.value);
    section.finish(problems);
    let folder = inner.map_or_else(|| folder.to_path_buf(), |inner| folder.join(inner));
    let run = run?;
    Some(CommandSpec {
        run,
        folder,
        environment,
        timeout,
        grace,
        retries,
        value,
        steps,
        weights,
        horizon,
        test_part,
    })
}

fn invocation(
    section: &mut Section<'_>,
    shell: bool,
    parameters: &[&str],
    problems: &mut Problems,
) -> Option<Invocation> {
    let Some(node) = section.node("run") else {
        section.missing("run", EXAMPLE, problems);
        return None;
    };
    if shell {
        let line = text_of("run", node, problems)?;
        check_template(&line, parameters, problems);
        return Some(Invocation::Shell(line.value));
    }
    let Node::List(items) = &node.value else {
        let expected = "a list of the program and its arguments, or text with `shell = true`";
        problems.push(&node.place, wrong_type("run", expected, &node.value));
        return None;
    };
    let words: Vec<Located<String>> =
        items.iter().filter_map(|item| text_of("run", item, problems)).collect();
    if words.first().is_none_or(|program| program.value.trim().is_empty()) {
        problems.push(&node.place, ProblemKind::Empty { key: "run".into() });
        return None;
    }
    for word in &words {
        check_template(word, parameters, problems);
    }
    Some(Invocation::Program(words.into_iter().map(|word| word.value).collect()))
}

/// Reports a `{name}` without a value.
fn check_template(text: &Located<String>, parameters: &[&str], problems: &mut Problems) {
    if let Err(error) = template::check(&text.value, parameters) {
        problems.push(&text.place, ProblemKind::BadTemplate { message: error.to_string() });
    }
}

fn duration(section: &mut Section<'_>, key: &'static str, problems: &mut Problems) -> Option<Duration> {
    let text = section.text(key, problems)?;
    let parsed: Option<Duration> =
        text.value.parse::<jiff::SignedDuration>().ok().and_then(|time| time.try_into().ok());
    if parsed.is_none_or(|time| time.is_zero()) {
        let value = problems.sources.text(&text.place).to_owned();
        problems.push(&text.place, ProblemKind::OutOfRange { key: key.into(), value, allowed: DURATION });
        return None;
    }
    parsed
}

fn value(mut section: Section<'_>, parameters: &[&str], problems: &mut Problems) -> ValueSource {
    let pattern = section.text("pattern", problems);
    let file = section.text("file", problems);
    let place = section.place().clone();
    let source = match (pattern, file) {
        (Some(pattern), None) => {
            let groups = regex::Regex::new(&pattern.value).map(|regex| regex.captures_len());
            let message = match groups {
                Ok(2) => None,
                Ok(groups) => Some(format!("it has {} groups instead of one for the number", groups - 1)),
                Err(regex::Error::Syntax(text)) => {
                    Some(text.lines().last().unwrap_or_default().trim().to_owned())
                }
                Err(error) => Some(error.to_string()),
            };
            if let Some(message) = message {
                problems.push(&pattern.place, ProblemKind::BadPattern { message });
            }
            ValueSource::Output { pattern: pattern.value }
        }
        (None, Some(file)) => {
            check_template(&file, parameters, problems);
            let key = section.required_text("key", "key = \"validation.auc\"", problems);
            ValueSource::File { path: file.value, key: key.map_or_else(String::new, |key| key.value) }
        }
        _ => {
            let expected = "pattern = \"auc=([0-9.]+)\" or file = \"metrics.json\" with key = \"auc\"";
            problems.push(&place, ProblemKind::NotASource { key: "value", expected });
            ValueSource::Report
        }
    };
    section.finish(problems);
    source
}

fn environment(mut section: Section<'_>, problems: &mut Problems) -> EnvironmentSpec {
    let inherit = match section.node("inherit") {
        None => Inherit::All,
        Some(node) => match &node.value {
            Node::Boolean(true) => Inherit::All,
            Node::Boolean(false) => Inherit::Only(Vec::new()),
            Node::List(items) => {
                let names = items.iter().filter_map(|item| text_of("inherit", item, problems));
                Inherit::Only(names.map(|name| name.value).collect())
            }
            other => {
                let expected = "true, false or a list of names";
                problems.push(&node.place, wrong_type("inherit", expected, other));
                Inherit::All
            }
        },
    };
    let mut set = Vec::new();
    if let Some(inner) = section.section("set", problems) {
        for (key, node) in &inner.table().entries {
            let name = &key.value;
            if name.is_empty() || name.contains(['=', '\0']) || name.starts_with("ALLOMETRY_") {
                problems.push(&key.place, ProblemKind::BadVariable { name: name.clone() });
            }
            if let Some(value) = text_of(name, node, problems) {
                set.push((name.clone(), value.value));
            }
        }
    }
    section.finish(problems);
    EnvironmentSpec { inherit, set }
}

fn weights(section: &mut Section<'_>, problems: &mut Problems) -> Option<Expression> {
    let text = section.text("weights", problems)?;
    weights_expression(&text.value)
        .map_err(|error| {
            problems.push(&text.place, ProblemKind::BadExpression { message: error.message });
        })
        .ok()
}
