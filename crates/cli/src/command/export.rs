//! `allometry export`.

use std::path::{Path, PathBuf};

use allometry_report::number::counted;
use allometry_store::import::{Imported, Note};
use allometry_store::{export, url};
use allometry_study::{self, Source, studies_as_given};
use allometry_trainer::{OnnxModel, Predictor};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::copy_studies;
use super::objective::ObjectiveArgs;
use crate::error::CliError;
use crate::notes;
use crate::output::{self, Destination};

/// Copies studies to a storage or file, or a model to an ONNX file.
///
/// A copy in a storage is complete. A JSON or CSV file holds one study, with the fields that Optuna has for a
/// trial; `allometry report` and `allometry import` can read it.
///
/// With --onnx the SOURCE is a checkpoint of `allometry train`. The file takes windows of a table's values
/// and gives what `allometry predict` writes. It is compared with the checkpoint's model before it is
/// written.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// Where the studies are: a ladder file, a storage URL, a database or journal file, or any other SOURCE
    /// of `allometry import`. With --onnx, a checkpoint.
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
    #[arg(short, long, value_name = "FILE", required_unless_present = "onnx")]
    output: Option<String>,

    /// ONNX file to write, with the model of the checkpoint SOURCE.
    #[arg(long, value_name = "FILE", conflicts_with_all = NOT_OF_MODELS)]
    onnx: Option<PathBuf>,

    /// Format of the output, if its name does not tell.
    #[arg(long, value_enum)]
    format: Option<Format>,

    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Prints a summary of the exported studies as one JSON document.
    #[arg(long)]
    json: bool,
}

/// Options that describe the export of studies.
const NOT_OF_MODELS: [&str; 8] =
    ["output", "study", "format", "metric", "direction", "params", "size", "json"];

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
        if let Some(path) = &self.onnx {
            return self.write_onnx(path);
        }
        let output = self.output.as_deref().unwrap_or_default();
        let format = self.format(output)?;
        if self.json && output == "-" {
            return Err(CliError::Usage {
                message: "--json and the trials cannot both go to standard output".into(),
                hint: Some("write the trials to a file".into()),
            });
        }
        let studies = studies_as_given(&self.source, &self.objective.to_objective(false))?;
        let studies = self.select(studies)?;
        let written = match format {
            Format::Store => copy_studies::write("exported", &studies, &output.into())?,
            Format::Json | Format::Csv => vec![self.write(&studies, format, output)?],
        };
        if self.json {
            let output = url::redact(output);
            return output::print_json(
                &json!({"schema": "allometry.export/1", "output": output, "studies": written}),
            );
        }
        Ok(())
    }

    /// Writes the model of a checkpoint as an ONNX file.
    fn write_onnx(&self, path: &Path) -> Result<(), CliError> {
        let Some(checkpoint) = self.checkpoint() else {
            return Err(CliError::Usage {
                message: format!("--onnx takes a checkpoint, not `{}`", self.source),
                hint: Some("`allometry train` writes one: ladder.runs/BUDGET/train.safetensors".into()),
            });
        };
        let mut predictor = Predictor::load(&checkpoint)?;
        let failed = |source| CliError::Onnx { path: path.to_owned(), source };
        let OnnxModel { bytes, windows, largest_difference } = predictor.to_onnx().map_err(failed)?;
        output::write_file(path, &bytes)?;
        output::say(&format!(
            "{}: outputs equal the model's on {}, within {largest_difference:.0e}",
            path.display(),
            counted(windows as u64, "random window")
        ));
        Ok(())
    }

    /// Returns the path of the SOURCE, if it may be a checkpoint's.
    fn checkpoint(&self) -> Option<PathBuf> {
        match &self.source {
            Source::Store(path) if !path.expose().contains("://") => Some(path.expose().into()),
            _ => None,
        }
    }

    fn format(&self, output: &str) -> Result<Format, CliError> {
        let ending = output.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let told = match ending.as_deref() {
            _ if output.contains("://") => Some(Format::Store),
            _ if output == "-" => None,
            Some("json") => Some(Format::Json),
            Some("csv") => Some(Format::Csv),
            Some("db" | "sqlite" | "sqlite3") => Some(Format::Store),
            _ => None,
        };
        match (self.format, told) {
            (Some(Format::Store), _) if output == "-" => Err(CliError::Usage {
                message: "a database cannot be written to standard output".into(),
                hint: None,
            }),
            (Some(Format::Json | Format::Csv), _) if output.contains("://") => Err(CliError::Usage {
                message: format!("`{}` is a storage", url::redact(output)),
                hint: Some("leave --format out, or name a file".into()),
            }),
            (Some(format), _) | (None, Some(format)) => Ok(format),
            (None, None) => Err(CliError::Usage {
                message: format!("cannot tell the format of `{output}`"),
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

    fn write(
        &self,
        studies: &[Imported],
        format: Format,
        output: &str,
    ) -> Result<serde_json::Value, CliError> {
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
        Destination::parse(output).write(&text)?;
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
