//! `allometry predict`.

use std::path::PathBuf;

use allometry_trainer::Predictor;
use clap::Args;

use crate::error::CliError;
use crate::output;

/// Applies a checkpoint to a table: one score for every row that has a whole window before it.
///
/// Writes CSV to standard output: the row's number in the file from 0, its time, and the probability that its label is 1.
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
        let mut text = match time {
            Some(name) => format!("row,{},score\n", quoted(name)),
            None => "row,score\n".to_owned(),
        };
        for prediction in &predictions {
            text += &prediction.row.number.to_string();
            if time.is_some() {
                text.push(',');
                text += &quoted(prediction.row.time.as_deref().unwrap_or_default());
            }
            text += &format!(",{}\n", prediction.score);
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
