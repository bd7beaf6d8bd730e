//! `allometry compare`.

use allometry_analysis::{Analysis, Comparison, LadderTrials, Options, Side, analyze};
use allometry_report::html_of_markdown;
use allometry_study::{Objective, Source};
use clap::Args;

use super::objective::ObjectiveArgs;
use super::smallest_effect::SmallestEffect;
use crate::compared::{Compared, is_report, read_report};
use crate::error::CliError;
use crate::fail_on::{self, FailOn};
use crate::notes;
use crate::output::{Destination, Format};

/// Compares two ladders, such as before and after a change.
///
/// A and B are each a ladder file, a storage URL or database file with the studies of one ladder, a database,
/// journal or table of one study, LABEL=FILE:STUDY with the trials of one budget, or a report.json written by
/// `allometry report` or `allometry run`. If another program ran several budgets, write a report first:
/// allometry report LABEL=FILE... -o report.json. Budgets with equal labels are compared; two files with one
/// study each are compared whatever their labels. A difference is the value of B minus that of A.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// The first ladder, such as the one before a change.
    #[arg(value_name = "A")]
    a: Compared,

    /// The second ladder.
    #[arg(value_name = "B")]
    b: Compared,

    /// File to write, in the format of its extension (.md, .json), or - for Markdown on standard output. May
    /// be repeated.
    #[arg(short, long = "output", value_name = "FILE", default_value = "-")]
    output: Vec<String>,

    #[command(flatten)]
    objective: ObjectiveArgs,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// Exits with code 7, after writing, if a finding that B has and A lacks has this code (such as
    /// too-few-rows) or at least this severity (info, warning, error). May be repeated.
    #[arg(long, value_name = "CODE|SEVERITY")]
    fail_on: Vec<FailOn>,
}

/// The content of one side.
enum Read {
    Report(Box<Analysis>),
    Trials(Box<LadderTrials>),
}

impl Compare {
    pub(super) fn run(self) -> Result<(), CliError> {
        let destinations: Vec<(Destination, Format)> =
            self.output.iter().map(|text| Destination::with_format(text)).collect::<Result<_, _>>()?;
        fail_on::for_trials(&self.fail_on)?;
        self.refuse_effect_of_reports()?;
        let objective = self.objective.to_objective(false);
        let with = |other: &Compared, own: &Compared| {
            read(own, &Objective { elsewhere: other.label(), ..objective.clone() })
        };
        let (mut a, mut b) = (with(&self.b, &self.a)?, with(&self.a, &self.b)?);
        let are_named = !self.a.names_no_budget() && !self.b.names_no_budget();
        match_only(&mut a, &mut b, are_named);
        let options = self.smallest_effect.over(options(&a, &b));
        let (analysis_a, analysis_b) = (analysis(&a, &options), analysis(&b, &options));
        let (source_a, source_b) = (self.a.to_string(), self.b.to_string());
        let comparison =
            Comparison::new(&side(&source_a, &analysis_a, &a), &side(&source_b, &analysis_b, &b));
        for (destination, format) in &destinations {
            destination.write(&match format {
                Format::Markdown => allometry_report::comparison(&comparison),
                Format::Html => html_of_markdown(&allometry_report::comparison(&comparison)),
                Format::Json => allometry_report::comparison_json(&comparison),
            })?;
        }
        fail_on::check(&self.fail_on, || &comparison.findings.appeared)
    }
}

impl Compare {
    /// Refuses `--smallest-effect` for a report, because its verdict was made with a smallest effect of its
    /// own.
    ///
    /// # Errors
    /// [`CliError::Usage`] if both are given.
    fn refuse_effect_of_reports(&self) -> Result<(), CliError> {
        let is_report = |side: &&Compared| matches!(side, Compared::Report(path) if is_report(path));
        let report = [&self.a, &self.b].into_iter().find(is_report);
        let (Some(report), Some(_)) = (report, self.smallest_effect.given()) else { return Ok(()) };
        Err(CliError::Usage {
            message: format!("`--smallest-effect` cannot be used with a report, {report}"),
            hint: Some("write the report again: allometry report --smallest-effect X -o report.json".into()),
        })
    }
}

/// Gives the only study of each side the same label, if neither is of a ladder: that of A, or both labels if
/// the user names them.
fn match_only(a: &mut Read, b: &mut Read, are_named: bool) {
    let (Read::Trials(a), Read::Trials(b)) = (a, b) else { return };
    if let ([of_a], [of_b]) = (a.studies.as_mut_slice(), b.studies.as_mut_slice())
        && a.name.is_none()
        && b.name.is_none()
    {
        if are_named && of_a.budget.label != of_b.budget.label {
            of_a.budget.label = format!("{}, {}", of_a.budget.label, of_b.budget.label);
        }
        of_b.budget = of_a.budget.clone();
    }
}

fn read(compared: &Compared, objective: &Objective<'_>) -> Result<Read, CliError> {
    Ok(match compared {
        Compared::Report(path) if is_report(path) => Read::Report(Box::new(read_report(path)?)),
        Compared::Report(path) => {
            let source = Source::Store(path.display().to_string().into());
            Read::Trials(Box::new(notes::read(&[source], objective)?))
        }
        Compared::Trials(source) => {
            Read::Trials(Box::new(notes::read(std::slice::from_ref(source), objective)?))
        }
    })
}

/// Returns the options for analysing trials: those of the report that they are compared with, except for the
/// resampling, which a report may have skipped to be fast.
fn options(a: &Read, b: &Read) -> Options {
    let defaults = Options::default();
    let written = [a, b].into_iter().find_map(|read| match read {
        Read::Report(analysis) => Some(analysis.options),
        Read::Trials(_) => None,
    });
    let Options { permutations, bootstraps, .. } = defaults;
    Options { permutations, bootstraps, ..written.unwrap_or(defaults) }
}

fn analysis(read: &Read, options: &Options) -> Analysis {
    match read {
        Read::Report(analysis) => Analysis::clone(analysis),
        Read::Trials(ladder) => analyze(ladder, options),
    }
}

fn side<'s>(source: &'s str, analysis: &'s Analysis, read: &'s Read) -> Side<'s> {
    let trials = match read {
        Read::Report(_) => None,
        Read::Trials(ladder) => Some(&**ladder),
    };
    Side { source, analysis, trials }
}
