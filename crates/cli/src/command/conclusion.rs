//! The end of a command that ran trials: it writes the reports, and prints their summary or a JSON document.

use std::path::Path;

use allometry_analysis::{Analysis, Estimate, LadderTrials};
use allometry_report::next::next_step;
use allometry_report::take::{Expected, Taken, chosen, of_each};
use allometry_report::words;
use allometry_runner::{RunSummary, StudyOutcome};
use clap::Args;
use serde_json::{Value, json};

use super::report::{REPORTS, write_all};
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

    /// Prints one JSON document at the end instead of the summary: how each study ended, the verdict, the
    /// configuration to take from each budget and the next command.
    #[arg(long)]
    json: bool,
}

/// What a command does after its trials.
#[derive(Debug)]
pub(super) struct Conclusion {
    /// Name and version of the JSON document.
    pub(super) schema: &'static str,
    /// The smallest effect of the command line.
    pub(super) smallest_effect: SmallestEffect,
    pub(super) summary: SummaryArgs,
    /// The arguments that name the ladder in the command that comes next.
    pub(super) ladder: String,
    pub(super) style: Style,
}

/// How the trials of a command ended.
pub(super) struct Ended<'a> {
    pub(super) studies: &'a RunSummary,
    /// The trainings of a confirmation after the search.
    pub(super) confirmation: Option<&'a RunSummary>,
    pub(super) is_interrupted: bool,
}

impl Conclusion {
    /// Writes the reports to a folder; prints their summary or the JSON document on standard output, and the
    /// path of the report on standard error. An interrupted command prints no summary, because it ends at
    /// once.
    ///
    /// # Errors
    /// [`CliError::Write`].
    pub(super) fn report(
        &self,
        trials: &LadderTrials,
        folder: &Path,
        ended: &Ended<'_>,
    ) -> Result<(), CliError> {
        let analysis = write_all(trials, folder, self.smallest_effect)?;
        let SummaryArgs { no_summary, json } = self.summary;
        let is_quiet = self.style == Style::Quiet;
        if json {
            output::print_json(&self.document(&analysis, folder, ended))?;
        } else if !is_quiet && !no_summary && !ended.is_interrupted {
            if self.style == Style::Bars {
                // The bars of the trials stay on the screen.
                say("");
            }
            output::print(&allometry_report::terminal(&analysis, output::width(), &self.ladder))?;
        }
        if !is_quiet {
            say(&format!("report: {}", folder.join("report.md").display()));
        }
        Ok(())
    }

    fn document(&self, analysis: &Analysis, folder: &Path, ended: &Ended<'_>) -> Value {
        let reports = REPORTS.map(|(name, _)| {
            let ending = name.rsplit('.').next().unwrap_or(name);
            (ending.to_owned(), json!(folder.join(name).display().to_string()))
        });
        let studies = |summary: &RunSummary| summary.studies.iter().map(study).collect::<Vec<Value>>();
        let configurations: Vec<Value> =
            of_each(analysis).map(|taken| configuration(&taken, analysis, &self.ladder)).collect();
        json!({
            "schema": self.schema,
            "studies": studies(ended.studies),
            "confirmation": ended.confirmation.map(studies),
            "reports": serde_json::Map::from_iter(reports),
            "verdict": {
                "outcome": analysis.verdict.outcome,
                "sentence": words::verdict::sentence(analysis),
            },
            "take": chosen(analysis).map(|taken| taken.study.budget.label.clone()),
            "configurations": configurations,
            "next": next_step(analysis, &self.ladder)
                .map(|next| json!({"sentence": next.sentence, "command": next.command})),
        })
    }
}

fn study(outcome: &StudyOutcome) -> Value {
    json!({
        "budget": outcome.label,
        "complete": outcome.complete,
        "pruned": outcome.pruned,
        "failed": outcome.failed,
        "ended": outcome.reason,
    })
}

fn configuration(taken: &Taken<'_>, analysis: &Analysis, ladder: &str) -> Value {
    let expected = taken.expected(analysis).map(|expected| match expected {
        Expected::OnTestRows(value) => estimate("test_rows", &value),
        Expected::OverSeeds(value) => estimate("seeds", &value),
        Expected::InSearch(value) => estimate("search", &value),
    });
    json!({
        "budget": taken.study.budget.label,
        "trial": taken.trial,
        "params": taken.params,
        "weights": taken.weights(),
        "checkpoint": taken.checkpoint(),
        "command": taken.command(analysis, ladder),
        "expected": expected,
    })
}

fn estimate(of: &str, value: &Estimate) -> Value {
    json!({"of": of, "value": value.point, "interval": value.interval, "level": value.level})
}
