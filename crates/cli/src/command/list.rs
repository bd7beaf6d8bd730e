//! `allometry list`.

mod listing;

use allometry_core::TrialState;
use allometry_store::each_trial;
use clap::{Args, ValueEnum};

use self::listing::{Form, Listing};
use super::read_args::ReadArgs;
use super::study_args::{label, readable, refusal};
use crate::error::CliError;
use crate::output;

/// Lists the trials of each study.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    study: ReadArgs,

    /// Lists only trials in this state. May be repeated.
    #[arg(long)]
    state: Vec<StateArg>,

    /// Prints one JSON document per trial, each on a line.
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
        let (place, store) = self.study.open()?;
        let store = &*store;
        let studies = self.study.select(&place, store)?;
        let wanted = |state| self.state.is_empty() || self.state.iter().any(|s| s.matches(state));
        let mut listing = Listing::new(self.form());
        for study in &studies {
            listing.begin_study(study);
            let read = readable(&place, study).map_err(CliError::from).and_then(|()| {
                each_trial(store, study.id, |trial| {
                    if wanted(trial.state) { listing.trial(study, &trial) } else { Ok(()) }
                })
            });
            if let Some(why) = refusal(read, &studies)? {
                listing.refused(study, &why)?;
                continue;
            }
            listing.end_study(None)?;
            if self.form() == Form::Text && listing.is_empty() {
                let such = if self.state.is_empty() { "" } else { " in these states" };
                output::say(&format!("note: {}: no trials{such}", label(study)));
            }
        }
        listing.end()
    }

    fn form(&self) -> Form {
        match (self.json, self.json_lines) {
            (true, _) => Form::Json,
            (false, true) => Form::JsonLines,
            (false, false) => Form::Text,
        }
    }
}
