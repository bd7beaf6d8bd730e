//! `allometry predict`.

use std::fmt::Write as _;
use std::path::PathBuf;

use allometry_trainer::Predictor;
use clap::Args;

use crate::error::CliError;
use crate::output;

/// Applies a checkpoint to a table: one score for every row that has a whole window before it.
///
/// Writes CSV to standard output: the row's number in the file from 0, its time, and the probability that its label is 1; or
/// the probability of each class, or the predicted number, where the ladder's task says so.
/// The table needs the features of the training, by name; other columns, a label among them, are not read.
#[derive(Debug, Args)]
pub(super) struct Predict {
    /// The checkpoint that `allometry train` wrote.
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,

    /// The table, .csv or .parquet.
    #[arg(value_name = "TABLE")]
    table: PathBuf,

    /// Writes to this file instead.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Predict {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut predictor = Predictor::load(&self.checkpoint)?;
        let predictions = predictor.predict(&self.table)?;
        let time = predictor.description.data.preparation.time.as_deref();
        let mut text = "row".to_owned();
        if let Some(name) = time {
            let _ = write!(text, ",{}", quoted(name));
        }
        match predictor.description.data.preparation.classes {
            0 => text += ",score\n",
            classes => {
                for class in 0..classes {
                    let _ = write!(text, ",class_{class}");
                }
                text.push('\n');
            }
        }
        for prediction in &predictions {
            text += &prediction.row.number.to_string();
            if time.is_some() {
                text.push(',');
                text += &quoted(prediction.row.time.as_deref().unwrap_or_default());
            }
            for score in &prediction.scores {
                let _ = write!(text, ",{score}");
            }
            text.push('\n');
        }
        match &self.output {
            Some(path) => output::write_file(path, text.as_bytes()),
            None => output::print(&text),
        }
    }
}

/// A field of CSV (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
