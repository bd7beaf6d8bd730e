//! `allometry worker`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use allometry_core::Secret;
use allometry_runner::ChangedSpace;
use allometry_session::{Join, Trust};
use clap::Args;

use super::ladder_file::{OnDevice, parse_setting};
use super::run::{HowToRun, Reports, run_ladder};
use super::running::{Sharing, parse_duration};
use crate::error::CliError;
use crate::progress::Style;

/// Joins the studies of a ladder that `allometry run` has begun, from another process or machine, until they are done.
///
/// What is run, and on which data, is taken from the ladder file of this machine: the one named, else ladder.toml in --folder or in
/// the working directory. The store says only which trials are wanted. With --trust-store the ladder is taken from the store too, and
/// whoever may write there decides which programs run here.
#[derive(Debug, Args)]
pub(super) struct Worker {
    /// This machine's ladder file, or its folder.
    #[arg(value_name = "LADDER", conflicts_with = "trust_store")]
    file: Option<PathBuf>,

    /// Where the studies are, such as sqlite:///trials.db.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    storage: Secret,

    /// The ladder, where the store has several.
    #[arg(long, value_name = "NAME")]
    ladder: Option<String>,

    /// Folder of the ladder file, which paths in it are taken from.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    folder: Option<PathBuf>,

    /// Takes the ladder, the command that it starts included, as the store has it.
    #[arg(long)]
    trust_store: bool,

    /// Changes a setting of the ladder file, as in `allometry run`; may be repeated.
    #[arg(short = 'S', long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,

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
        let join = Join {
            storage: &self.storage,
            name: self.ladder.as_deref(),
            folder: self.folder.as_deref(),
            file: self.file.as_deref(),
            settings: &self.set,
            trust: if self.trust_store { Trust::Store } else { Trust::OwnFile },
        };
        let (mut ladder, path) = join.ladder()?;
        self.device.lay_over(&mut ladder)?;
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
}
