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

/// Evaluates trials of a ladder that `allometry run` runs elsewhere.
///
/// That may be another process or another machine. The command ends when the studies are done.
///
/// The model or command and the data come from a ladder file on this machine: LADDER, or else ladder.toml in
/// --folder or in the working directory. The storage only says which trials to run. With --trust-store the
/// ladder comes from the storage too; whoever can write to the storage then decides which programs run here.
#[derive(Debug, Args)]
pub(super) struct Worker {
    /// The ladder file on this machine, or the folder of a ladder.toml.
    #[arg(value_name = "LADDER", conflicts_with = "trust_store")]
    file: Option<PathBuf>,

    /// Storage of the studies, such as sqlite:///trials.db.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    storage: Secret,

    /// Name of the ladder, if the storage holds several.
    #[arg(long, value_name = "NAME")]
    ladder: Option<String>,

    /// Folder of the ladder file; relative paths in the file start from it.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    folder: Option<PathBuf>,

    /// Takes the ladder from the storage, including the command that it runs.
    #[arg(long)]
    trust_store: bool,

    /// Overrides a setting of the ladder file, such as model.epochs=20. May be repeated.
    #[arg(short = 'S', long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,

    /// Number of trials evaluated at the same time. Default: the number of cores, or of --devices for a
    /// command.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    device: OnDevice,

    #[command(flatten)]
    sharing: Sharing,

    /// Starts no new trial after this time, such as 90m or 2h.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    until: Option<Duration>,

    /// Prints errors only.
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
        self.device.apply(&mut ladder)?;
        let how = HowToRun {
            plan: None,
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
