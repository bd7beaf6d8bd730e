//! A list of trials as it is written: piece by piece, so that its length takes no memory.
use std::fmt::Write as _;

use allometry_core::FrozenTrial;
use allometry_store::StudyRecord;
use serde_json::{Value, json};

use super::super::study_args::label;
use super::super::trial_json::{outcome, trial_json};
use crate::error::CliError;
use crate::output;

/// Bytes that are collected before they are written.
const PIECE: usize = 1 << 16;

/// What a list is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people, a line a trial.
    Text,
    /// One JSON document a line and trial.
    JsonLines,
    /// One JSON document.
    Json,
}

/// A list that is being written to standard output.
#[derive(Debug)]
pub(super) struct Listing {
    form: Form,
    /// What is not written yet.
    text: String,
    studies: usize,
    /// Those of the study that is being written.
    trials: usize,
}

impl Listing {
    pub(super) fn new(form: Form) -> Self {
        let head = "{\n  \"schema\": \"allometry.list/1\",\n  \"studies\": [";
        let text = if form == Form::Json { head.to_owned() } else { String::new() };
        Self { form, text, studies: 0, trials: 0 }
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
                let (label, outcome) = (label(study), outcome(trial));
                let line = format!("{label:>8} {:>5}  {outcome:<18} {}", trial.number, trial.params);
                output::push_line(&mut self.text, &line);
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
        if self.text.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Ends a study, all of it or up to where it could be read.
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

    /// Says why nobody can read a study, or the rest of it.
    pub(super) fn refused(&mut self, study: &StudyRecord, why: &str) -> Result<(), CliError> {
        match self.form {
            Form::Text => {
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

    pub(super) fn end(mut self) -> Result<(), CliError> {
        if self.form == Form::Json {
            self.text.push_str(if self.studies > 0 { "\n  ]\n}\n" } else { "]\n}\n" });
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), CliError> {
        output::print(&std::mem::take(&mut self.text))
    }
}
