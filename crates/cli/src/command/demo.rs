//! `allometry demo`.

use std::path::{Path, PathBuf};

use allometry_runner::{ChangedSpace, RunOptions};
use allometry_study as source;
use allometry_trainer::generate::generate;
use clap::Args;

use super::conclusion::{Conclusion, SummaryArgs};
use super::ladder_file::words_of;
use super::run::{HowToRun, Reports, run_ladder};
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::output;
use crate::progress::Style;

/// Number of rows of the generated table.
const ROWS: usize = 6_000;

/// Seed of the generated table.
const SEED: u64 = 7;

const LADDER: &str = include_str!("demo_ladder.toml");

/// Runs a ladder of three budgets on generated data.
///
/// The command generates a small data set with a learnable signal, runs the ladder and writes the report.
/// This takes about a minute on two cores. DIR then contains data.csv, ladder.toml (a start for your own),
/// the trials and report/. If it was stopped, run the command again to continue.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder to write to; created if it is missing.
    #[arg(value_name = "DIR", default_value = "allometry-demo")]
    folder: PathBuf,

    /// Number of trials evaluated at the same time, each on one thread. Default: the number of cores.
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    #[command(flatten)]
    summary: SummaryArgs,

    /// Prints errors only.
    #[arg(long, short)]
    quiet: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        let path = self.folder.join("ladder.toml");
        std::fs::create_dir_all(&self.folder)
            .map_err(|source| CliError::Write { path: self.folder.clone(), source })?;
        self.write_if_missing(&self.folder.join("data.csv"), |table| {
            generate(ROWS, SEED)
                .write_csv(table)
                .map_err(|source| CliError::Write { path: table.into(), source })
        })?;
        self.write_if_missing(&path, |ladder| output::write_file(ladder, LADDER.as_bytes()))?;
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
            plan: None,
            reports: Reports::Write(Conclusion {
                schema: "allometry.run/1",
                smallest_effect: self.smallest_effect,
                summary: self.summary,
                ladder: words_of(&path),
                style: Style::choose(self.quiet),
            }),
        };
        run_ladder(&ladder, &url, &how, &path)
    }

    /// Writes a file unless it exists, so that changes by the user are kept.
    fn write_if_missing(
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
