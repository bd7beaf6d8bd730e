//! `allometry report`.

use std::cell::LazyCell;
use std::io::IsTerminal as _;
use std::ops::Deref;
use std::path::Path;

use allometry_analysis::{Analysis, LadderTrials, Options, analyze};
use allometry_core::{ClassCounts, Direction};
use allometry_report::Pictures;
use allometry_report::chart::Figures;
use allometry_session::reach;
use allometry_study::{self, Source};
use clap::{Args, ValueEnum};

use super::ladder_file::words_of;
use super::lint;
use super::objective::ObjectiveArgs;
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::fail_on::{self, FailOn};
use crate::notes;
use crate::output::{self, Destination, Format};
use crate::weights::WeightCounter;

/// The reports that a run writes.
pub(super) const REPORTS: [(&str, Format); 3] =
    [("report.md", Format::Markdown), ("report.html", Format::Html), ("report.json", Format::Json)];

/// Analyses trials and writes the report.
///
/// A SOURCE is a ladder file (or its folder), a storage URL or database file with the studies of one ladder,
/// or LABEL=FILE, given once per budget in order of size. FILE is Optuna's all_trials.json
/// (LABEL=FILE:BEST_PARAMS.json if the best configuration was saved too), a CSV of trials, or an Optuna
/// SQLite or journal file (LABEL=FILE:STUDY if it holds several studies). A FILE with one study needs no
/// LABEL: the label is then the name of the study or of the file. A single study gets a report without
/// comparisons.
///
/// A SOURCE that ends in .md is a report written by a script, in the form of --template classic. The command
/// then lists which of its conclusions the report's own tables support. Such a SOURCE must be the only one;
/// --rows and --weights allow more checks.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Where the trials are.
    #[arg(value_name = "SOURCE", default_value = "ladder.toml")]
    sources: Vec<Source>,

    /// File to write, in the format of its extension (.md, .html, .json), or - for Markdown on standard
    /// output. May be repeated. The figures of a Markdown report are written as SVG to the folder
    /// NAME-figures next to it. Without this option the command prints a summary to a terminal and Markdown
    /// to a file or pipe.
    #[arg(short, long = "output", value_name = "FILE")]
    output: Vec<String>,

    /// Content of the Markdown report.
    #[arg(long, value_enum, default_value_t = Template::Brief)]
    template: Template,

    /// Name of the data set or feature tier, for titles.
    #[arg(long)]
    tag: Option<String>,

    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Model for which exact weights are counted where trials lack them, such as
    /// patchtst:features=105,context=80,patch=16,stride=8.
    #[arg(long, value_name = "MODEL")]
    weights: Option<WeightCounter>,

    /// Numbers of positive and negative validation rows, such as 76:346. The error of an AUC is computed from
    /// them.
    #[arg(long, value_name = "POSITIVES:NEGATIVES", value_parser = parse_rows)]
    rows: Option<ClassCounts>,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// Exits with code 7, after writing, if a finding has this code (such as too-few-rows, or
    /// trend-does-not-stand for a report) or at least this severity (info, warning, error). May be repeated.
    #[arg(long, value_name = "CODE|SEVERITY")]
    fail_on: Vec<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// The answer, what to take, what matters and what is wrong.
    Brief,
    /// All results with their uncertainty.
    Full,
    /// The report of the former scripts, byte for byte.
    Classic,
}

impl Report {
    pub(super) fn run(self) -> Result<(), CliError> {
        let destinations: Vec<(Destination, Format)> =
            self.destinations().map(Destination::with_format).collect::<Result<_, _>>()?;
        if let [Source::Report(path)] = self.sources.as_slice() {
            return self.lint_report(path, &destinations);
        }
        fail_on::for_trials(&self.fail_on)?;
        let is_auc = self.rows.is_some() || self.template == Template::Classic;
        let mut ladder = notes::read(&self.sources, &self.objective.to_objective(is_auc))?;
        if self.rows.is_some() && !ladder.measures_auc() {
            return Err(CliError::Usage {
                message: format!("--rows is for an AUC, and the metric is `{}`", ladder.metric()),
                hint: Some("leave --rows out, or name the metric: --metric auc --direction maximize".into()),
            });
        }
        if self.template == Template::Classic && ladder.direction() == Direction::Minimize {
            return Err(CliError::Usage {
                message: format!(
                    "--template classic is for an AUC, and smaller values of `{}` are better",
                    ladder.metric()
                ),
                hint: Some("leave it out: the default report takes every metric".into()),
            });
        }
        self.complete(&mut ladder);
        let analysis = LazyCell::new(|| analysis(&ladder, self.template, self.smallest_effect));
        if self.output.is_empty() && self.template == Template::Brief && std::io::stdout().is_terminal() {
            let file = match self.sources.as_slice() {
                [Source::Ladder(path)] => words_of(path),
                _ => String::new(),
            };
            output::print(&allometry_report::terminal(&analysis, output::width(), &file))?;
            output::print(
                "\nMore: allometry report -o report.html (or .md, .json, or - for Markdown here)\n",
            )?;
        } else {
            for (destination, format) in &destinations {
                write(&ladder, &analysis, self.template, destination, *format)?;
            }
        }
        fail_on::check(&self.fail_on, || &analysis.findings)
    }

    /// Returns the values of `--output`; `-` if there are none.
    fn destinations(&self) -> impl Iterator<Item = &str> {
        let default = self.output.is_empty().then_some("-");
        self.output.iter().map(String::as_str).chain(default)
    }

    /// Checks the conclusions of a script's report instead of analysing trials.
    fn lint_report(&self, path: &Path, to: &[(Destination, Format)]) -> Result<(), CliError> {
        let classic = self.template == Template::Classic;
        let names = [
            ("--template", classic),
            ("--tag", self.tag.is_some()),
            ("--smallest-effect", self.smallest_effect.given().is_some()),
        ];
        let given = names.iter().find(|(_, is_given)| *is_given).map(|(option, _)| *option);
        if let Some(option) = given.or_else(|| self.objective.given()) {
            return Err(CliError::Usage {
                message: format!("`{option}` cannot be used with a report, {}", path.display()),
                hint: Some("it applies to reports that are made from trials".into()),
            });
        }
        fail_on::for_reports(&self.fail_on)?;
        let lint = lint::read(path, self.rows, self.weights)?;
        for (destination, format) in to {
            destination.write(&lint.render(*format))?;
        }
        fail_on::check_report(&self.fail_on, lint.result())
    }

    /// Adds the tag, the class counts and the weights from the command line to the trials.
    fn complete(&self, ladder: &mut LadderTrials) {
        ladder.tag = self.tag.clone().or(ladder.tag.take());
        ladder.rows = self.rows.or(ladder.rows);
        if let Some(counter) = self.weights {
            for study in &mut ladder.studies {
                for trial in &mut study.trials {
                    trial.record.size = trial.record.size.or_else(|| counter.size(&trial.params));
                }
                study.reach = study.reach.or_else(|| {
                    study.space.as_ref().and_then(|space| reach(space, |params| counter.size(params)))
                });
            }
        }
    }
}

/// Writes the reports of a ladder in all formats and returns their analysis.
///
/// # Errors
/// [`CliError::Write`].
pub(super) fn write_all(
    ladder: &LadderTrials,
    folder: &Path,
    smallest_effect: SmallestEffect,
) -> Result<Analysis, CliError> {
    let analysis = analysis(ladder, Template::Brief, smallest_effect);
    for (name, format) in REPORTS {
        write(ladder, &&analysis, Template::Brief, &Destination::File(folder.join(name)), format)?;
    }
    Ok(analysis)
}

fn analysis(ladder: &LadderTrials, template: Template, smallest_effect: SmallestEffect) -> Analysis {
    // The classic report uses no resampling, and its JSON should be as fast.
    let options = match template {
        Template::Brief | Template::Full => Options::default(),
        Template::Classic => Options { permutations: 0, bootstraps: 0, ..Options::default() },
    };
    analyze(ladder, &smallest_effect.over(options))
}

/// Writes a report in a format; the classic one does not need the analysis.
fn write<A: Deref<Target = Analysis>>(
    ladder: &LadderTrials,
    analysis: &A,
    template: Template,
    destination: &Destination,
    format: Format,
) -> Result<(), CliError> {
    let content = match (format, template) {
        (Format::Markdown, Template::Brief) => {
            return write_markdown(ladder, analysis, destination, allometry_report::brief);
        }
        (Format::Markdown, Template::Full) => {
            return write_markdown(ladder, analysis, destination, allometry_report::full);
        }
        (Format::Markdown, Template::Classic) => allometry_report::classic(ladder),
        (Format::Html, Template::Brief | Template::Full) => allometry_report::html(analysis, ladder),
        (Format::Html, Template::Classic) => {
            allometry_report::html_of_markdown(&allometry_report::classic(ladder))
        }
        (Format::Json, _) => allometry_report::json(analysis),
    };
    destination.write(&content)
}

/// Writes a Markdown report; if it goes to a file, also writes its figures.
fn write_markdown(
    ladder: &LadderTrials,
    analysis: &Analysis,
    to: &Destination,
    render: fn(&Analysis, &Pictures<'_>) -> String,
) -> Result<(), CliError> {
    let Destination::File(path) = to else {
        return to.write(&render(analysis, &Pictures::none()));
    };
    let figures = Figures::new(analysis, ladder);
    let stem = path.file_stem().map_or_else(|| "report".into(), |stem| stem.to_string_lossy());
    let folder = format!("{stem}-figures");
    let text = render(analysis, &Pictures::beside(&figures, &folder));
    for figure in figures.iter() {
        let name = format!("{}.svg", figure.id);
        if text.contains(&format!("/{name})")) {
            output::write_file(&path.with_file_name(&folder).join(name), figure.svg().as_bytes())?;
        }
    }
    to.write(&text)
}

fn parse_rows(text: &str) -> Result<ClassCounts, String> {
    let counts =
        text.split_once(':').and_then(|(p, n)| Some((p.trim().parse().ok()?, n.trim().parse().ok()?)));
    match counts {
        Some((positives, negatives)) if positives > 0 && negatives > 0 => {
            Ok(ClassCounts { positives, negatives })
        }
        _ => Err("expected two counts of at least 1, such as 76:346".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_need_both_classes() {
        assert_eq!(parse_rows("76:346"), Ok(ClassCounts { positives: 76, negatives: 346 }));
        for bad in ["76", "0:3", "a:b", "-1:5", "1:2:3"] {
            assert!(parse_rows(bad).is_err(), "{bad}");
        }
    }
}
