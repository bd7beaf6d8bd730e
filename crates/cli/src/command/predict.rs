//! `allometry predict`.

use std::fmt::Write as _;
use std::path::PathBuf;

use allometry_trainer::Predictor;
use clap::Args;

use crate::error::CliError;
use crate::output;

/// Applies a checkpoint to a table and writes the predictions as CSV.
///
/// Each row with enough history for a window gets a line: the number of the row in the file, counted from 0,
/// its time, and the probability that its label is 1. For classes the line has the probability of each class,
/// for regression the predicted number. The table must have the features of the training under the same
/// names; other columns, such as a label, are not read.
#[derive(Debug, Args)]
pub(super) struct Predict {
    /// Checkpoint that `allometry train` wrote.
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,

    /// The table, .csv or .parquet.
    #[arg(value_name = "TABLE")]
    table: PathBuf,

    /// File to write. Default: standard output.
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

/// Returns a field of CSV, quoted if necessary (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
