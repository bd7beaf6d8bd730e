//! `allometry demo`.

use std::path::{Path, PathBuf};

use allometry_runner::{ChangedSpace, RunOptions};
use allometry_study as source;
use allometry_trainer::generate::generate;
use clap::Args;

use super::run::{HowToRun, Reports, run_ladder};
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::output;
use crate::progress::Style;

/// Rows of the generated table.
const ROWS: usize = 6_000;

/// Seed of the generated table.
const SEED: u64 = 7;

const LADDER: &str = include_str!("demo_ladder.toml");

/// Generates a small data set with a signal to be learned, runs a ladder of three budgets on it and writes the report.
///
/// Takes about a minute on two cores. In DIR are then data.csv, ladder.toml (to start from for your own), the trials and
/// report/. Running it again goes on where it was stopped.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder to write to; made where it is missing.
    #[arg(value_name = "DIR", default_value = "allometry-demo")]
    folder: PathBuf,

    /// Trials evaluated at the same time, each on one thread; as many as there are cores if not given.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// Shows nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        let path = self.folder.join("ladder.toml");
        std::fs::create_dir_all(&self.folder)
            .map_err(|source| CliError::Write { path: self.folder.clone(), source })?;
        self.unless_there(&self.folder.join("data.csv"), |table| {
            generate(ROWS, SEED)
                .write_csv(table)
                .map_err(|source| CliError::Write { path: table.into(), source })
        })?;
        self.unless_there(&path, |ladder| output::write_file(ladder, LADDER.as_bytes()))?;
        let ladder = allometry_study::read_ladder(&path, &[])?;
        let url = source::storage_url(&ladder, None, &path);
        let how = HowToRun {
            workers: self.workers.map(|n| n as usize),
            devices: Vec::new(),
            lease: RunOptions::LEASE,
            retries: RunOptions::RETRIES,
            deadline: None,
            changed: ChangedSpace::Refuse,
            style: Style::choose(self.quiet),
            settings: Vec::new(),
            reports: Reports::Write(self.smallest_effect),
        };
        run_ladder(&ladder, &url, &how, &path)
    }

    /// Writes a file unless it is there: what the user changed stays changed.
    fn unless_there(
        &self,
        path: &Path,
        write: impl FnOnce(&Path) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        if path.exists() {
            return Ok(());
        }
        write(path)?;
        if !self.quiet {
            output::say(&format!("wrote {}", path.display()));
        }
        Ok(())
    }
}
