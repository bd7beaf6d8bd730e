//! `allometry worker`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use allometry_core::ladder::Ladder;
use allometry_runner::ChangedSpace;
use allometry_store::StudyRecord;
use clap::Args;

use super::ladder_file::{OnDevice, StoredLadder};
use super::run::{HowToRun, Reports, Sharing, parse_duration, run_ladder};
use crate::error::CliError;
use crate::progress::Style;
use crate::source::{attribute, ladder_name};

/// Joins the studies of a ladder that `allometry run` has begun, from another process or machine, until they are done.
///
/// The ladder file itself is read from the store; paths in it are taken from its own folder where this machine has that, else
/// from the working directory.
#[derive(Debug, Args)]
pub(super) struct Worker {
    /// Where the studies are, such as sqlite:///trials.db.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE")]
    storage: String,

    /// The ladder, where the store has several.
    #[arg(long, value_name = "NAME")]
    ladder: Option<String>,

    /// Folder that paths in the ladder file are taken from.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,

    /// Trials evaluated at the same time; as many as there are cores, or devices for a command, if not given.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    device: OnDevice,

    #[command(flatten)]
    sharing: Sharing,

    /// Starts no new trial after this time, such as 90m or 2h.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    until: Option<Duration>,

    /// Shows nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

impl Worker {
    pub(super) fn run(self) -> Result<(), CliError> {
        let started = Instant::now();
        let (ladder, path) = self.stored_ladder()?;
        let how = HowToRun {
            workers: self.workers.map(|n| n as usize),
            devices: self.sharing.devices,
            lease: self.sharing.lease,
            retries: self.sharing.retries,
            deadline: self.until.map(|until| started + until),
            changed: ChangedSpace::Refuse,
            style: Style::choose(self.quiet),
            settings: Vec::new(),
            reports: Reports::Leave,
        };
        run_ladder(&ladder, &self.storage, &how, &path)
    }

    /// The ladder as its studies have it, and where its file would be.
    fn stored_ladder(&self) -> Result<(Ladder, PathBuf), CliError> {
        let store = allometry_store::open_read_only(&self.storage)?;
        let mut studies: Vec<(StudyRecord, StoredLadder)> = store
            .studies()?
            .into_iter()
            .filter_map(|study| Some((attribute(&study, StoredLadder::KEY)?, study)))
            .map(|(ladder, study)| (study, ladder))
            .collect();
        let mut names: Vec<String> = studies.iter().map(|(study, _)| ladder_name(study)).collect();
        names.dedup();
        studies.retain(|(study, _)| self.ladder.as_ref().is_none_or(|wanted| ladder_name(study) == *wanted));
        let Some((first, stored)) = studies.first() else {
            let (message, hint) = match &self.ladder {
                Some(wanted) if !names.is_empty() => {
                    (format!("the store has no ladder `{wanted}`"), format!("it has {}", names.join(", ")))
                }
                _ => (
                    "the store has no ladder that a worker could join".to_owned(),
                    "`allometry run` begins one".to_owned(),
                ),
            };
            return Err(CliError::NotFound { message, hint: Some(hint) });
        };
        if self.ladder.is_none() && names.len() > 1 {
            return Err(CliError::Usage {
                message: format!("the store has {} ladders", names.len()),
                hint: Some(format!("name one with --ladder: {}", names.join(", "))),
            });
        }
        let path = stored.path(self.folder.as_deref());
        let mut ladder = stored.read(&path)?;
        self.device.lay_over(&mut ladder)?;
        ladder.name = ladder_name(first);
        for budget in &mut ladder.budgets {
            let name = format!("{}/{}", ladder.name, budget.budget.label);
            let study = studies.iter().find(|(study, _)| study.name == name);
            // A budget that `run` was not asked for has no study, or one without trials to go.
            budget.trials = study.and_then(|(study, _)| attribute(study, "target_trials")).unwrap_or(0);
        }
        Ok((ladder, path))
    }
}
