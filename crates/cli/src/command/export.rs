//! `allometry export`.

use allometry_report::number::counted;
use allometry_store::import::{Imported, Note};
use allometry_store::{export, url};
use allometry_study::{self, Source, studies_as_given};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::copy_studies;
use super::objective::ObjectiveArgs;
use crate::error::CliError;
use crate::notes;
use crate::output::{self, Destination};

/// Copies studies to another storage or to a file.
///
/// A copy in a storage is complete. A JSON or CSV file holds one study, with the fields that Optuna has for a
/// trial; `allometry report` and `allometry import` can read it.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// Where the studies are: a ladder file, a storage URL, a database or journal file, or any other SOURCE
    /// of `allometry import`.
    #[arg(
        value_name = "SOURCE",
        default_value = "ladder.toml",
        env = "ALLOMETRY_STORAGE",
        hide_env_values = true
    )]
    source: Source,

    /// Name of the study, or label of its budget. May be repeated. Default: all studies.
    #[arg(long, value_name = "NAME", visible_alias = "budget")]
    study: Vec<String>,

    /// File to write, ending in .json, .csv, .db or .sqlite3; or a storage URL; or - for standard output.
    #[arg(short, long, value_name = "FILE")]
    output: String,

    /// Format of the output, if its name does not tell.
    #[arg(long, value_enum)]
    format: Option<Format>,

    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Prints a summary of the exported studies as one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A list of trials, like Optuna's all_trials.json.
    Json,
    /// A table of trials, like Optuna's trials_dataframe.
    Csv,
    /// A SQLite or PostgreSQL database.
    Store,
}

impl Export {
    pub(super) fn run(self) -> Result<(), CliError> {
        let format = self.format()?;
        if self.json && self.output == "-" {
            return Err(CliError::Usage {
                message: "--json and the trials cannot both go to standard output".into(),
                hint: Some("write the trials to a file".into()),
            });
        }
        let studies = studies_as_given(&self.source, &self.objective.to_objective(false))?;
        let studies = self.select(studies)?;
        let written = match format {
            Format::Store => copy_studies::write("exported", &studies, &self.output.as_str().into())?,
            Format::Json | Format::Csv => vec![self.write(&studies, format)?],
        };
        if self.json {
            let output = url::redact(&self.output);
            return output::print_json(
                &json!({"schema": "allometry.export/1", "output": output, "studies": written}),
            );
        }
        Ok(())
    }

    fn format(&self) -> Result<Format, CliError> {
        let ending = self.output.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let told = match ending.as_deref() {
            _ if self.output.contains("://") => Some(Format::Store),
            _ if self.output == "-" => None,
            Some("json") => Some(Format::Json),
            Some("csv") => Some(Format::Csv),
            Some("db" | "sqlite" | "sqlite3") => Some(Format::Store),
            _ => None,
        };
        match (self.format, told) {
            (Some(Format::Store), _) if self.output == "-" => Err(CliError::Usage {
                message: "a database cannot be written to standard output".into(),
                hint: None,
            }),
            (Some(Format::Json | Format::Csv), _) if self.output.contains("://") => Err(CliError::Usage {
                message: format!("`{}` is a storage", url::redact(&self.output)),
                hint: Some("leave --format out, or name a file".into()),
            }),
            (Some(format), _) | (None, Some(format)) => Ok(format),
            (None, None) => Err(CliError::Usage {
                message: format!("cannot tell the format of `{}`", self.output),
                hint: Some("give --format json, csv or store, or end the name in .json, .csv or .db".into()),
            }),
        }
    }

    /// Returns the studies of `--study`, given by their name or by the part of it after the ladder's name.
    fn select(&self, studies: Vec<Imported>) -> Result<Vec<Imported>, CliError> {
        if self.study.is_empty() {
            return Ok(studies);
        }
        let is = |imported: &Imported, wanted: &str| {
            let name = &imported.study.name;
            name == wanted || name.rsplit_once('/').is_some_and(|(_, label)| label == wanted)
        };
        if let Some(missing) = self.study.iter().find(|wanted| !studies.iter().any(|s| is(s, wanted))) {
            let names: Vec<String> = studies.iter().map(|s| format!("{:?}", s.study.name)).collect();
            return Err(CliError::NotFound {
                message: format!("`{}` has no study {missing:?}", self.source),
                hint: Some(format!("it has {}", names.join(", "))),
            });
        }
        let wanted = |imported: &Imported| self.study.iter().any(|wanted| is(imported, wanted));
        Ok(studies.into_iter().filter(wanted).collect())
    }

    fn write(&self, studies: &[Imported], format: Format) -> Result<serde_json::Value, CliError> {
        let [Imported { study, notes }] = studies else {
            let names: Vec<String> = studies.iter().map(|s| format!("{:?}", s.study.name)).collect();
            return Err(CliError::Usage {
                message: format!("a file has one study, but `{}` holds {}", self.source, studies.len()),
                hint: Some(format!("name one with --study: {}", names.join(", "))),
            });
        };
        let written = match format {
            Format::Csv => export::csv(study),
            _ => export::json(study),
        };
        let text = written.map_err(|source| CliError::NotStorable { study: study.name.clone(), source })?;
        Destination::parse(&self.output).write(&text)?;
        output::say(&format!(
            "exported {} of study {:?}",
            counted(study.trials.len() as u64, "trial"),
            study.name
        ));
        let names: Vec<String> = study.foreign_attributes().map(Into::into).collect();
        let left_out = (!names.is_empty()).then_some(Note::StudyAttributes { names });
        let notes: Vec<Note> = notes.iter().cloned().chain(left_out).collect();
        notes::say(&notes, None);
        Ok(copy_studies::summary(study, &notes))
    }
}
