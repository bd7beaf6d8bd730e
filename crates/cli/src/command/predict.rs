//! `allometry predict`.

use std::fmt::Write as _;
use std::path::PathBuf;

use allometry_analysis::Costs;
use allometry_report::number::grouped;
use allometry_trainer::Predictor;
use allometry_trainer::checkpoint::Description;
use clap::Args;

use super::check::{dropped_rows, filled_values, set_holes};
use super::costs;
use crate::error::CliError;
use crate::output;
use crate::styles::Label;

/// Applies a checkpoint to a table and writes the predictions as CSV.
///
/// Each row with enough history for a window gets a line: the number of the row in the file, counted from 0,
/// its series and its time as the table has them, and the probability that its label is 1, in the column
/// `score`. For classes the line has the probability of each class in a column `class_NAME`, with the class's
/// name or number; a binary label with names has the column of its positive class. For regression `score` is
/// the predicted number. The table must have the features of the training under the same names; other
/// columns, such as a label, are not read. Rows that are left out, and categories that the training rows
/// lack, are counted on standard error.
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

    /// Costs of a false positive and a false negative, such as 1,5: adds a column `decision` with the class
    /// that costs less on average at the predicted probability.
    #[arg(long, value_name = "FP,FN", value_parser = costs::parse, allow_hyphen_values = true)]
    costs: Option<Costs>,
}

impl Predict {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut predictor = Predictor::load(&self.checkpoint)?;
        self.check_costs(&predictor.description)?;
        let predictions = predictor.predict(&self.table).map_err(CliError::Input)?;
        let preparation = &predictor.description.data.preparation;
        let mut text = "row".to_owned();
        for name in preparation.series.iter().chain(&preparation.time) {
            let _ = write!(text, ",{}", quoted(name));
        }
        match (preparation.classes, preparation.class_names.as_slice()) {
            (0, [_, positive]) => {
                let _ = write!(text, ",{}", quoted(&format!("class_{positive}")));
            }
            (0, _) => text += ",score",
            (classes, _) => {
                for class in 0..classes {
                    let column = format!("class_{}", preparation.class_name(class));
                    let _ = write!(text, ",{}", quoted(&column));
                }
            }
        }
        if self.costs.is_some() {
            text += ",decision";
        }
        text.push('\n');
        for prediction in &predictions.windows {
            text += &prediction.row.number.to_string();
            for field in prediction.row.series.iter().chain(&prediction.row.time) {
                text.push(',');
                text += &quoted(field);
            }
            for score in &prediction.scores {
                let _ = write!(text, ",{score}");
            }
            if let (Some(costs), Some(score)) = (self.costs, prediction.scores.first()) {
                let class = usize::from(costs.decides_for_positive(*score));
                let _ = write!(text, ",{}", quoted(&preparation.class_name(class)));
            }
            text.push('\n');
        }
        if predictions.dropped > 0 {
            let gaps: Vec<String> = predictions
                .gaps
                .iter()
                .map(|(column, count)| format!("`{column}` in {}", grouped(*count)))
                .collect();
            let message = format!("{}: {}", dropped_rows(predictions.dropped), gaps.join(", "));
            output::tell(Label::Note, &message);
        }
        if let Some(filled) = filled_values(&predictions.filled, preparation.missing) {
            output::tell(Label::Note, &filled);
        }
        if let Some(holes) = predictions.holes.as_ref().and_then(set_holes) {
            output::tell(Label::Note, &holes);
        }
        for unseen in &predictions.unseen {
            output::tell(Label::Warning, &unseen.to_string());
        }
        match &self.output {
            Some(path) => output::write_file(path, text.as_bytes()),
            None => output::print(&text),
        }
    }
}

impl Predict {
    /// Checks that decisions by costs apply to the model, and says their rule.
    fn check_costs(&self, description: &Description) -> Result<(), CliError> {
        let Some(costs) = self.costs else { return Ok(()) };
        costs::check(description.model.task)?;
        output::tell(Label::Note, &format!("decisions are for {}", costs::rule(costs)));
        if description.calibration.is_none() {
            output::tell(
                Label::Warning,
                "the checkpoint's probabilities are not calibrated, and such decisions need true \
                 probabilities (`allometry train` with --calibrate)",
            );
        }
        Ok(())
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
