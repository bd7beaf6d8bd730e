//! `allometry fit`.

use std::path::PathBuf;

use allometry_analysis::law::{LawAnalysis, LawAxis, LawOptions, LawPoint, LawProblem, OPERATIONS, fit_law};
use allometry_report::number::counted;
use allometry_report::words::law as words;
use allometry_trainer::data::{DataError, read_numbers};
use clap::Args;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::output::{self, Destination};
use crate::styles::Label;

/// Fits the loss over weights, data or compute, and forecasts it.
///
/// The table has one row per run. One of --weights, --data and --flops gives a law of one axis, E + A /
/// N^alpha. With --weights and --data, or --weights and --flops, the law is E + A / N^alpha + B / D^beta,
/// where D is the compute divided by 6 N. Every number has its interval. The largest size is held out and
/// forecast from the others, and the next size is predicted.
///
/// The loss must be positive, and smaller must be better: fit 1 - accuracy, not the accuracy. At least five
/// distinct sizes over 1.5 decades are needed.
#[derive(Debug, Args)]
pub(super) struct Fit {
    /// The table: a .csv or .parquet file with one row per run.
    #[arg(value_name = "TABLE")]
    table: PathBuf,

    /// Column with the loss of each run.
    #[arg(long, value_name = "COLUMN")]
    value: String,

    /// Column with the number of weights.
    #[arg(long, value_name = "COLUMN", required_unless_present_any = ["data", "flops"])]
    weights: Option<String>,

    /// Column with the number of rows or tokens trained on.
    #[arg(long, value_name = "COLUMN", conflicts_with = "flops")]
    data: Option<String>,

    /// Column with the floating-point operations of the training.
    #[arg(long, value_name = "COLUMN")]
    flops: Option<String>,

    /// Level of the intervals, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0, value_parser = level)]
    level: f64,

    /// Seed of the resampling.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Writes the numbers as JSON to this file; - is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

fn level(text: &str) -> Result<f64, String> {
    let level = text.parse::<f64>().ok().filter(|level| (50.0..=99.9).contains(level));
    level.ok_or_else(|| "expected a number from 50 to 99.9".into())
}

/// The runs of a table, and what was left out.
struct Runs {
    axes: Vec<LawAxis>,
    points: Vec<LawPoint>,
    /// Row of the table of each run, from 1 below the header.
    rows: Vec<u64>,
    missing: usize,
}

impl Fit {
    pub(super) fn run(self) -> Result<(), CliError> {
        let runs = self.read()?;
        if runs.missing > 0 {
            output::tell(
                Label::Note,
                &format!("left out for lack of a number: {}", counted(runs.missing as u64, "row")),
            );
        }
        let options = LawOptions { level: self.level / 100.0, seed: self.seed, ..LawOptions::default() };
        let law = fit_law(&runs.axes, &runs.points, &options).map_err(|problem| {
            let row = |position: u64| runs.rows.get(position as usize).copied().unwrap_or(position);
            let (message, hint) = words::refusal(&problem, row);
            let hint = Some(hint);
            match problem {
                LawProblem::NotPositive { .. } => CliError::Table { path: self.table.clone(), message, hint },
                _ => CliError::NotFound { message: format!("{}: {message}", self.table.display()), hint },
            }
        })?;
        let document = || document(&law);
        if let Some(output) = &self.output {
            let text = format!("{:#}\n", document());
            Destination::parse(output).write(&output::json_text(&text))?;
        }
        if self.json {
            return output::print_json(&document());
        }
        if self.output.as_deref() == Some("-") {
            return Ok(());
        }
        output::print(&words::summary(&law))
    }

    fn read(&self) -> Result<Runs, CliError> {
        let axes =
            [(LawAxis::Weights, &self.weights), (LawAxis::Data, &self.data), (LawAxis::Compute, &self.flops)];
        let axes: Vec<(LawAxis, &str)> =
            axes.into_iter().filter_map(|(axis, column)| Some((axis, column.as_deref()?))).collect();
        let mut names: Vec<&str> = axes.iter().map(|(_, column)| *column).collect();
        names.push(&self.value);
        let mut columns = read_numbers(&self.table, &names).map_err(refused)?;
        let losses = columns.pop().unwrap_or_default();
        let mut axes: Vec<LawAxis> = axes.into_iter().map(|(axis, _)| axis).collect();
        if axes == [LawAxis::Weights, LawAxis::Compute] {
            axes[1] = LawAxis::Data;
            let (weights, compute) = columns.split_at_mut(1);
            for (compute, weights) in compute[0].iter_mut().zip(&weights[0]) {
                *compute /= OPERATIONS * weights;
            }
        }
        let mut runs = Runs { axes, points: Vec::new(), rows: Vec::new(), missing: 0 };
        for (row, loss) in losses.into_iter().enumerate() {
            let sizes: Vec<f64> = columns.iter().map(|column| column[row]).collect();
            if loss.is_nan() || sizes.iter().any(|size| size.is_nan()) {
                runs.missing += 1;
                continue;
            }
            runs.points.push(LawPoint { sizes, loss });
            runs.rows.push(row as u64 + 1);
        }
        Ok(runs)
    }
}

/// Returns the error of a table, with a hint for a cell that is no number.
fn refused(error: DataError) -> CliError {
    match error {
        DataError::NotANumber { path, location, column, value } => CliError::Table {
            path,
            message: format!("{location}: column `{column}` has `{value}`, which is not a number"),
            hint: Some("correct the value; leave the cell of a missing one empty".into()),
        },
        other => other.into(),
    }
}

/// Returns the document of a law: `alpha` and `a` of the first axis, `beta` and `b` of the second, `e` and
/// `objective`, then the whole analysis.
fn document(law: &LawAnalysis) -> Value {
    let mut document = json!({ "schema": "allometry.fit/1", "e": law.floor, "objective": law.objective });
    for (axis, (exponent, amplitude)) in law.axes.iter().zip([("alpha", "a"), ("beta", "b")]) {
        document[exponent] = json!(axis.exponent);
        document[amplitude] = json!(axis.amplitude);
    }
    document["law"] = json!(law);
    document
}
