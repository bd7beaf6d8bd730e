//! `allometry list`.

use std::fmt::Write as _;

use allometry_core::TrialState;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::study_args::{StudyArgs, label};
use super::trial_json::{outcome, trial_json};
use crate::error::CliError;
use crate::output;

/// Lists the trials of each study.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    study: StudyArgs,

    /// Only trials in this state; may be repeated.
    #[arg(long)]
    state: Vec<StateArg>,

    /// Prints one JSON document per line and trial.
    #[arg(long)]
    json_lines: bool,

    /// Prints one JSON document.
    #[arg(long, conflicts_with = "json_lines")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateArg {
    Waiting,
    Running,
    Complete,
    Pruned,
    Failed,
}

impl StateArg {
    fn matches(self, state: TrialState) -> bool {
        let own = match self {
            Self::Waiting => TrialState::Waiting,
            Self::Running => TrialState::Running,
            Self::Complete => TrialState::Complete,
            Self::Pruned => TrialState::Pruned,
            Self::Failed => TrialState::Failed,
        };
        own == state
    }
}

impl List {
    pub(super) fn run(self) -> Result<(), CliError> {
        let place = self.study.place()?;
        let store = place.read()?;
        let store = &*store;
        let (mut text, mut lines, mut documents) = (String::new(), String::new(), Vec::new());
        for study in self.study.select(&place, store)? {
            let mut trials = store.trials(study.id)?;
            trials.retain(|t| self.state.is_empty() || self.state.iter().any(|s| s.matches(t.state)));
            for trial in &trials {
                let mut line = json!({"schema": "allometry.listed/1", "study": study.name});
                let fields = trial_json(trial);
                if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
                    line.extend(fields);
                }
                let _ = writeln!(lines, "{line}");
                let _ = writeln!(
                    text,
                    "{:>8} {:>5}  {:<18} {}",
                    label(&study),
                    trial.number,
                    outcome(trial),
                    trial.params
                );
            }
            let trials: Vec<_> = trials.iter().map(trial_json).collect();
            documents.push(json!({"study": study.name, "budget": label(&study), "trials": trials}));
        }
        if self.json {
            return output::print_json(&json!({"schema": "allometry.list/1", "studies": documents}));
        }
        output::print(if self.json_lines { &lines } else { &text })
    }
}
