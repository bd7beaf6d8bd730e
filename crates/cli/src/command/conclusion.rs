//! The end of a command that ran trials: it writes the reports and prints their summary.

use std::path::Path;

use allometry_analysis::LadderTrials;
use clap::Args;

use super::report::write_all;
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::output::{self, say};
use crate::progress::Style;

/// Options on what a command prints at its end.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct SummaryArgs {
    /// Prints no summary of the report at the end.
    #[arg(long)]
    no_summary: bool,
}

/// What a command does after its trials.
#[derive(Debug)]
pub(super) struct Conclusion {
    /// The smallest effect of the command line.
    pub(super) smallest_effect: SmallestEffect,
    pub(super) summary: SummaryArgs,
    /// The arguments that name the ladder in the command that comes next.
    pub(super) ladder: String,
    pub(super) style: Style,
}

impl Conclusion {
    /// Writes the reports to a folder; prints their summary on standard output and the path of the report on
    /// standard error. An interrupted command prints no summary, because it ends at once.
    ///
    /// # Errors
    /// [`CliError::Write`].
    pub(super) fn report(
        &self,
        trials: &LadderTrials,
        folder: &Path,
        is_interrupted: bool,
    ) -> Result<(), CliError> {
        let analysis = write_all(trials, folder, self.smallest_effect)?;
        if self.style != Style::Quiet && !self.summary.no_summary && !is_interrupted {
            if self.style == Style::Bars {
                // The bars of the trials stay on the screen.
                say("");
            }
            output::print(&allometry_report::terminal(&analysis, output::width(), &self.ladder))?;
        }
        if self.style != Style::Quiet {
            say(&format!("report: {}", folder.join("report.md").display()));
        }
        Ok(())
    }
}
