//! `allometry report`.

use std::cell::LazyCell;
use std::io::IsTerminal as _;
use std::path::Path;

use allometry_analysis::{Analysis, LadderTrials, Options, analyze};
use allometry_core::ClassCounts;
use allometry_report::Pictures;
use allometry_report::chart::Figures;
use allometry_session::reach;
use allometry_study::{self, Source};
use clap::{Args, ValueEnum};

use super::lint;
use super::objective::ObjectiveArgs;
use super::smallest_effect::SmallestEffect;
use crate::error::CliError;
use crate::fail_on::{self, FailOn};
use crate::notes;
use crate::output::{self, Destination, Format};
use crate::weights::Counting;

/// Analyses trials and writes the report.
///
/// A SOURCE is a ladder file (or its folder), a storage URL (or database file) with the studies of one ladder, or LABEL=FILE, once per
/// budget in order of size: Optuna's all_trials.json (LABEL=FILE:BEST_PARAMS.json where the best configuration was recorded),
/// a CSV of trials, or an Optuna SQLite or journal file (LABEL=FILE:STUDY where it holds several studies). A
/// FILE of one study needs no label: it is the study's name, or the file's. One study alone gets a report of
/// a single study.
///
/// A SOURCE that ends in .md is a report that a script made, as --template classic writes it: nothing but the report is
/// needed to see which of its conclusions stand. It comes alone; --rows and --weights tell more.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Where the trials are; ladder.toml if nothing is given.
    #[arg(value_name = "SOURCE", default_value = "ladder.toml")]
    sources: Vec<Source>,

    /// File to write, its format by its ending (.md, .html, .json), or - for Markdown on standard output; may be repeated. Beside
    /// a full Markdown file its figures are written as SVG, into the folder NAME-figures. Without this option a terminal gets
    /// a summary, and anything else the Markdown.
    #[arg(short, long = "output", value_name = "FILE")]
    output: Vec<String>,

    /// What the Markdown report holds.
    #[arg(long, value_enum, default_value_t = Template::Full)]
    template: Template,

    /// Names the data set or feature tier in titles.
    #[arg(long)]
    tag: Option<String>,

    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Counts exact weights for trials that lack them: patchtst:features=105,context=80,patch=16,stride=8.
    #[arg(long, value_name = "MODEL")]
    weights: Option<Counting>,

    /// Positive and negative validation rows, such as 76:346; what an AUC is known to follows from them.
    #[arg(long, value_name = "POSITIVES:NEGATIVES", value_parser = parse_rows)]
    rows: Option<ClassCounts>,

    #[command(flatten)]
    smallest_effect: SmallestEffect,

    /// After writing, ends with exit code 7 where a finding has this code (such as too-few-rows, or trend-does-not-stand of a
    /// report), or this severity or a worse one (info, warning, error); may be repeated.
    #[arg(long, value_name = "CODE|SEVERITY")]
    fail_on: Vec<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// Everything that is known, with its uncertainty.
    Full,
    /// The scripts' report that people know, to the byte.
    Classic,
}

impl Report {
    pub(super) fn run(self) -> Result<(), CliError> {
        let destinations: Vec<(Destination, Format)> =
            self.destinations().map(Destination::with_format).collect::<Result<_, _>>()?;
        if let [Source::Report(path)] = self.sources.as_slice() {
            return self.lint(path, &destinations);
        }
        fail_on::for_trials(&self.fail_on)?;
        let is_auc = self.rows.is_some() || self.template == Template::Classic;
        let mut ladder = notes::read(&self.sources, &self.objective.of_an_auc(is_auc))?;
        self.complete(&mut ladder);
        let analysis = LazyCell::new(|| analysis(&ladder, self.template, self.smallest_effect));
        if self.output.is_empty() && self.template == Template::Full && std::io::stdout().is_terminal() {
            output::print(&allometry_report::terminal(&analysis))?;
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

    /// Where to write; standard output where nothing was said.
    fn destinations(&self) -> impl Iterator<Item = &str> {
        let default = self.output.is_empty().then_some("-");
        self.output.iter().map(String::as_str).chain(default)
    }

    /// Weighs a report instead of trials.
    fn lint(&self, path: &Path, to: &[(Destination, Format)]) -> Result<(), CliError> {
        let classic = self.template == Template::Classic;
        let names = [
            ("--template", classic),
            ("--tag", self.tag.is_some()),
            ("--smallest-effect", self.smallest_effect.given().is_some()),
        ];
        let given = names.iter().find(|(_, is_given)| *is_given).map(|(option, _)| *option);
        if let Some(option) = given.or_else(|| self.objective.given()) {
            return Err(CliError::Usage {
                message: format!("`{option}` does not go with a report, {}", path.display()),
                hint: Some("it is for reports that are made from trials".into()),
            });
        }
        fail_on::for_reports(&self.fail_on)?;
        let lint = lint::read(path, self.rows, self.weights)?;
        for (destination, format) in to {
            destination.write(&lint.render(*format))?;
        }
        fail_on::check_report(&self.fail_on, lint.result())
    }

    /// Adds what the command line knows beyond the sources.
    fn complete(&self, ladder: &mut LadderTrials) {
        ladder.tag = self.tag.clone().or(ladder.tag.take());
        ladder.rows = self.rows.or(ladder.rows);
        if let Some(counting) = self.weights {
            for study in &mut ladder.studies {
                for trial in &mut study.trials {
                    trial.record.size = trial.record.size.or_else(|| counting.size(&trial.params));
                }
                study.reach = study.reach.or_else(|| {
                    study.space.as_ref().and_then(|space| reach(space, |params| counting.size(params)))
                });
            }
        }
    }
}

/// Writes a ladder's reports in all formats, as a run does at its end.
///
/// # Errors
/// [`CliError::Write`].
pub(super) fn write_all(
    ladder: &LadderTrials,
    folder: &Path,
    smallest_effect: SmallestEffect,
) -> Result<(), CliError> {
    let analysis = LazyCell::new(|| analysis(ladder, Template::Full, smallest_effect));
    let formats =
        [("report.md", Format::Markdown), ("report.html", Format::Html), ("report.json", Format::Json)];
    for (name, format) in formats {
        write(ladder, &analysis, Template::Full, &Destination::File(folder.join(name)), format)?;
    }
    Ok(())
}

fn analysis(ladder: &LadderTrials, template: Template, smallest_effect: SmallestEffect) -> Analysis {
    // The classic report takes nothing for granted and resamples nothing; its JSON comes as fast.
    let options = match template {
        Template::Full => Options::default(),
        Template::Classic => Options { permutations: 0, bootstraps: 0, ..Options::default() },
    };
    analyze(ladder, &smallest_effect.over(options))
}

fn write<F: FnOnce() -> Analysis>(
    ladder: &LadderTrials,
    analysis: &LazyCell<Analysis, F>,
    template: Template,
    destination: &Destination,
    format: Format,
) -> Result<(), CliError> {
    let content = match (format, template) {
        (Format::Markdown, Template::Full) => return write_markdown(ladder, analysis, destination),
        (Format::Markdown, Template::Classic) => allometry_report::classic(ladder),
        (Format::Html, Template::Full) => allometry_report::html(analysis, ladder),
        (Format::Html, Template::Classic) => {
            allometry_report::html_of_markdown(&allometry_report::classic(ladder))
        }
        (Format::Json, _) => allometry_report::json(analysis),
    };
    destination.write(&content)
}

/// Writes the full report, and beside a file its figures.
fn write_markdown(ladder: &LadderTrials, analysis: &Analysis, to: &Destination) -> Result<(), CliError> {
    let Destination::File(path) = to else {
        return to.write(&allometry_report::full(analysis, &Pictures::none()));
    };
    let figures = Figures::new(analysis, ladder);
    let stem = path.file_stem().map_or_else(|| "report".into(), |stem| stem.to_string_lossy());
    let folder = format!("{stem}-figures");
    let text = allometry_report::full(analysis, &Pictures::beside(&figures, &folder));
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
