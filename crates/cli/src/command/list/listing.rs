//! Writes a list of trials in pieces, so that memory does not grow with the list.

use std::fmt::Write as _;

use allometry_core::FrozenTrial;
use allometry_core::significant::significant;
use allometry_store::StudyRecord;
use serde_json::{Value, json};

use super::super::study_args::label;
use super::super::trial_json::{remark, trial_json};
use crate::error::CliError;
use crate::output;

/// Number of bytes collected before they are written.
const PIECE: usize = 1 << 16;

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text with one line per trial.
    Text,
    /// One JSON document per trial, each on a line.
    JsonLines,
    /// One JSON document.
    Json,
}

/// Approximate number of bytes of a line without its parameters.
const LINE: usize = 64;

/// A trial in the format [`Form::Text`].
#[derive(Debug)]
struct Row {
    label: String,
    number: u64,
    state: &'static str,
    values: Vec<String>,
    remark: String,
    params: String,
}

impl Row {
    fn new(study: &StudyRecord, trial: &FrozenTrial) -> Self {
        Self {
            label: label(study),
            number: trial.number.0,
            state: trial.state.as_str(),
            values: trial.values.iter().map(|value| significant(*value)).collect(),
            remark: remark(trial),
            params: trial.params.to_string(),
        }
    }

    /// Returns the line, with the state padded to `state` characters and each value padded to its `widths`
    /// before and from its decimal point.
    fn line(&self, state: usize, widths: &[(usize, usize)]) -> String {
        let mut outcome = self.state.to_owned();
        for (place, (value, (before, after))) in self.values.iter().zip(widths).enumerate() {
            let room = if place == 0 { state.saturating_sub(self.state.len()) } else { 0 };
            outcome.push_str(if place == 0 { " " } else { ", " });
            let left = room + before - point(value);
            let right = if place + 1 < self.values.len() { after + point(value) - value.len() } else { 0 };
            let _ = write!(outcome, "{:left$}{value}{:right$}", "", "");
        }
        outcome.push_str(&self.remark);
        format!("{:>8} {:>5}  {outcome:<18} {}", self.label, self.number, self.params)
    }
}

/// Returns the number of characters before the decimal point or exponent of a number.
fn point(number: &str) -> usize {
    number.find(['.', 'e']).unwrap_or(number.len())
}

/// A list that is being written to standard output.
#[derive(Debug)]
pub(super) struct Listing {
    form: Form,
    /// Text that is not written yet.
    text: String,
    /// Trials after `text` that are not laid out yet.
    rows: Vec<Row>,
    /// Approximate number of bytes of `rows`.
    held: usize,
    studies: usize,
    /// Number of trials listed of the current study.
    trials: usize,
}

impl Listing {
    pub(super) fn new(form: Form) -> Self {
        let head = "{\n  \"schema\": \"allometry.list/1\",\n  \"studies\": [";
        let text = if form == Form::Json { head.to_owned() } else { String::new() };
        Self { form, text, rows: Vec::new(), held: 0, studies: 0, trials: 0 }
    }

    pub(super) fn begin_study(&mut self, study: &StudyRecord) {
        self.trials = 0;
        if self.form == Form::Json {
            self.text.push_str(if self.studies > 0 { ",\n    {\n" } else { "\n    {\n" });
            let (name, budget) = (json!(study.name).to_string(), json!(label(study)).to_string());
            let (name, budget) = (output::json_text(&name), output::json_text(&budget));
            let _ = write!(self.text, "      \"study\": {name},\n      \"budget\": {budget},\n");
            self.text.push_str("      \"trials\": [");
        }
        self.studies += 1;
    }

    pub(super) fn trial(&mut self, study: &StudyRecord, trial: &FrozenTrial) -> Result<(), CliError> {
        match self.form {
            Form::Text => {
                let row = Row::new(study, trial);
                self.held += row.params.len() + LINE;
                self.rows.push(row);
            }
            Form::JsonLines => {
                let mut line = json!({"schema": "allometry.listed/1", "study": study.name});
                if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), trial_json(trial)) {
                    line.extend(fields);
                }
                self.text.push_str(&output::json_text(&format!("{line}\n")));
            }
            Form::Json => {
                self.text.push_str(if self.trials > 0 { ",\n" } else { "\n" });
                let document = format!("{:#}", trial_json(trial));
                let document = output::json_text(&document);
                for (place, line) in document.lines().enumerate() {
                    self.text.push_str(if place > 0 { "\n        " } else { "        " });
                    self.text.push_str(line);
                }
            }
        }
        self.trials += 1;
        if self.text.len() + self.held >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Ends a study; `unreadable` says why the rest of it could not be read.
    pub(super) fn end_study(&mut self, unreadable: Option<&str>) -> Result<(), CliError> {
        if self.form == Form::Json {
            self.text.push_str(if self.trials > 0 { "\n      ]" } else { "]" });
            if let Some(why) = unreadable {
                let _ = write!(self.text, ",\n      \"unreadable\": {}", json!(why));
            }
            self.text.push_str("\n    }");
        }
        self.flush()
    }

    /// Ends a study that cannot be read, or not to its end, and says why.
    pub(super) fn refused(&mut self, study: &StudyRecord, why: &str) -> Result<(), CliError> {
        match self.form {
            Form::Text => {
                self.lay_out();
                let line = format!("{:>8}        cannot be read: {why}", label(study));
                output::push_line(&mut self.text, &line);
            }
            Form::JsonLines => {
                let line = json!({"schema": "allometry.listed/1", "study": study.name, "unreadable": why});
                self.text.push_str(&output::json_text(&format!("{line}\n")));
            }
            Form::Json => {}
        }
        self.end_study(Some(why))
    }

    /// Whether a study that ended has no listed trials.
    pub(super) fn is_empty(&self) -> bool {
        self.trials == 0
    }

    pub(super) fn end(mut self) -> Result<(), CliError> {
        if self.form == Form::Json {
            self.text.push_str(if self.studies > 0 { "\n  ]\n}\n" } else { "]\n}\n" });
        }
        self.flush()
    }

    /// Appends the held rows to the text, with their decimal points aligned.
    fn lay_out(&mut self) {
        let mut widths: Vec<(usize, usize)> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.values.len()), (0, 0));
            for ((before, after), value) in widths.iter_mut().zip(&row.values) {
                let point = point(value);
                (*before, *after) = ((*before).max(point), (*after).max(value.len() - point));
            }
        }
        let state = self.rows.iter().filter(|row| !row.values.is_empty()).map(|row| row.state.len()).max();
        for row in std::mem::take(&mut self.rows) {
            output::push_line(&mut self.text, &row.line(state.unwrap_or(0), &widths));
        }
        self.held = 0;
    }

    fn flush(&mut self) -> Result<(), CliError> {
        self.lay_out();
        output::print(&std::mem::take(&mut self.text))
    }
}
