//! `allometry fit`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use allometry_analysis::law::{LawAnalysis, LawAxis, LawOptions, LawPoint, LawProblem, OPERATIONS, fit_law};
use allometry_analysis::{Estimate, Options, analyze};
use allometry_core::Direction;
use allometry_report::chart::{ladder_figure, law_figure};
use allometry_report::number::{counted, decimals};
use allometry_report::words::{LadderLaws, ladder_laws, law as words, no_ladder_law};
use allometry_store::import::{self, ImportError};
use allometry_study::Source;
use allometry_trainer::data::{self, DataError};
use clap::Args;
use serde_json::{Value, json};

use super::objective::ObjectiveArgs;
use crate::error::CliError;
use crate::notes;
use crate::output::{self, Destination};
use crate::styles::Label;

/// Fits the loss over weights, data or compute, and forecasts it.
///
/// With --value the SOURCE is a table with one row per run. One of --weights, --data and --flops gives a law
/// of one axis, E + A / N^alpha. With --weights and --data, or --weights and --flops, the law is
/// E + A / N^alpha + B / D^beta, where D is the compute divided by 6 N. The loss must be positive. With
/// --direction maximize, as for an accuracy or an AUC, the loss is 1 less the value.
///
/// Without --value the SOURCE is a ladder, as for `allometry report`. Its laws are over the weights, over the
/// operations where trials record them, and over the training rows where it was trained on parts of them.
/// They are fitted to one value per budget, the one that the verdict compares, with its error.
///
/// Every number has its interval. The largest size is held out and forecast from the others, and the next
/// size is predicted. At least five distinct sizes over 1.5 decades are needed.
#[derive(Debug, Args)]
pub(super) struct Fit {
    /// With --value a table with one row per run, as text (CSV, TSV), JSON or Parquet; else the source of a
    /// ladder, or LABEL=FILE for each budget of trials from elsewhere.
    #[arg(value_name = "SOURCE", default_value = "ladder.toml", num_args = 1..)]
    sources: Vec<String>,

    /// Column with the loss of each run; with --direction maximize that of a value of which more is better.
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,

    /// Column with the number of weights.
    #[arg(long, value_name = "COLUMN", requires = "value")]
    weights: Option<String>,

    /// Column with the number of rows or tokens trained on.
    #[arg(long, value_name = "COLUMN", requires = "value", conflicts_with = "flops")]
    data: Option<String>,

    /// Column with the floating-point operations of the training.
    #[arg(long, value_name = "COLUMN", requires = "value")]
    flops: Option<String>,

    /// Fits the best run of each size alone. Use it where runs of a size have other settings, such as
    /// learning rates; the best of many runs is partly luck.
    #[arg(long, requires = "value")]
    best: bool,

    /// Operations for which the best weights and data are given. Without it: as many as the largest run, ten
    /// times and a hundred times as many.
    #[arg(long, value_name = "C", requires = "value", value_parser = operations)]
    compute: Option<f64>,

    #[command(flatten)]
    objective: ObjectiveArgs,

    /// Level of the intervals, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 95.0, value_parser = level)]
    level: f64,

    /// Seed of the resampling.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Writes the numbers as JSON to this file; - is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,

    /// Writes a picture of the law as SVG to this file: the runs around it; for a law over weights and data
    /// the least losses for given compute.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

fn level(text: &str) -> Result<f64, String> {
    let level = text.parse::<f64>().ok().filter(|level| (50.0..=99.9).contains(level));
    level.ok_or_else(|| "expected a number from 50 to 99.9".into())
}

fn operations(text: &str) -> Result<f64, String> {
    let operations =
        text.parse::<f64>().ok().filter(|operations| *operations > 0.0 && operations.is_finite());
    operations.ok_or_else(|| "expected a positive number such as 1e21".into())
}

/// The runs of a table, and what was left out.
struct Runs {
    axes: Vec<LawAxis>,
    points: Vec<LawPoint>,
    /// Row of the table of each run, from 1 below the header.
    rows: Vec<u64>,
    missing: usize,
    /// Names of the columns of the axes.
    names: Vec<String>,
    /// Whether the second axis is the compute divided by 6 N.
    is_divided: bool,
    /// The loss in words: the name of its column, or 1 less that.
    loss: String,
}

impl Runs {
    /// Keeps the run with the smallest loss of each size.
    fn keep_best(&mut self) {
        let mut best: HashMap<Vec<u64>, usize> = HashMap::new();
        for (place, point) in self.points.iter().enumerate() {
            let size = point.sizes.iter().map(|size| size.to_bits()).collect();
            let kept = best.entry(size).or_insert(place);
            if point.loss < self.points[*kept].loss {
                *kept = place;
            }
        }
        let mut places: Vec<usize> = best.into_values().collect();
        places.sort_unstable();
        self.rows = places.iter().map(|place| self.rows[*place]).collect();
        self.points = places.iter().map(|place| self.points[*place].clone()).collect();
    }

    /// Returns the number of a run that is not positive, with its place.
    fn unsound(&self, run: u64) -> String {
        let point = &self.points[run as usize];
        let is_sound = |x: f64| x > 0.0 && x.is_finite();
        let size = (0..self.names.len()).find(|axis| !is_sound(point.sizes[*axis]));
        let factor = |axis| if self.is_divided && axis == 1 { OPERATIONS * point.sizes[0] } else { 1.0 };
        let (name, number) = size.map_or((self.loss.as_str(), point.loss), |axis| {
            (self.names[axis].as_str(), factor(axis) * point.sizes[axis])
        });
        format!("row {} below the header: `{name}` is {}", self.rows[run as usize], decimals(number))
    }
}

impl Fit {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.value.clone() {
            Some(value) => self.of_table(&value),
            None => self.of_ladder(),
        }
    }

    /// Prints the laws of a ladder.
    fn of_ladder(&self) -> Result<(), CliError> {
        let usage = |message: String| CliError::Usage { message, hint: None };
        let sources: Result<Vec<Source>, String> = self.sources.iter().map(|source| source.parse()).collect();
        let sources = sources.map_err(usage)?;
        if let [path] = self.sources.as_slice()
            && is_table(path)
            && self.objective.given().is_none()
        {
            return Err(CliError::Usage {
                message: format!("{path} is a table, and the column of the loss is not named"),
                hint: Some(
                    "name it with --value, and the sizes with --weights, --data or --flops; a ladder of \
                     tables has one LABEL=FILE for each size"
                        .into(),
                ),
            });
        }
        let ladder = notes::read(&sources, &self.objective.to_objective(false))?;
        // Permutations and resamples are of no use to laws.
        let options = Options {
            level: self.level / 100.0,
            seed: self.seed,
            permutations: 0,
            bootstraps: 0,
            ..Options::default()
        };
        let analysis = analyze(&ladder, &options);
        let Some(text) = ladder_laws(&analysis) else {
            let (message, hint) = no_ladder_law(&analysis);
            let message = format!("{}: {message}", self.sources.join(" "));
            return Err(CliError::NotFound { message, hint: Some(hint) });
        };
        if let (Some(path), Some(figure)) = (&self.picture, ladder_figure(&analysis)) {
            output::write_file(path, figure.svg().as_bytes())?;
        }
        self.write(&ladder_document(&LadderLaws::of(&analysis)), &text)
    }

    /// Writes the numbers and the text where they were asked for.
    fn write(&self, document: &Value, text: &str) -> Result<(), CliError> {
        if let Some(output) = &self.output {
            let json = format!("{document:#}\n");
            Destination::parse(output).write(&output::json_text(&json))?;
        }
        if self.json {
            return output::print_json(document);
        }
        if self.output.as_deref() == Some("-") {
            return Ok(());
        }
        output::print(text)
    }

    /// Prints the law of a table.
    fn of_table(&self, value: &str) -> Result<(), CliError> {
        if let Some(option) = self.objective.given().filter(|option| *option != "--direction") {
            return Err(CliError::Usage {
                message: format!("{option} is for ladders, and --value for tables"),
                hint: Some("name the column of the loss with --value".into()),
            });
        }
        let [source] = self.sources.as_slice() else {
            return Err(CliError::Usage {
                message: format!("--value is for one table, and {} are given", self.sources.len()),
                hint: Some("leave --value out for a ladder of several sources LABEL=FILE".into()),
            });
        };
        let path = Path::new(source);
        let runs = self.read(path, value)?;
        if runs.missing > 0 {
            output::tell(
                Label::Note,
                &format!("left out for lack of a number: {}", counted(runs.missing as u64, "row")),
            );
        }
        if self.compute.is_some() && runs.axes.len() < 2 {
            return Err(CliError::Usage {
                message: "--compute is for a law over weights and data".into(),
                hint: Some("name the columns with --weights and --data or --flops".into()),
            });
        }
        for note in doubtful_columns(value, &[&self.weights, &self.data, &self.flops]) {
            output::tell(Label::Warning, &note);
        }
        let options = LawOptions {
            level: self.level / 100.0,
            seed: self.seed,
            compute: self.compute,
            ..LawOptions::default()
        };
        let law = fit_law(&runs.axes, &runs.points, &options).map_err(|problem| {
            let (message, hint) = words::refusal(&problem, &runs.loss, |run| runs.unsound(run));
            let is_percent = runs.loss != value && matches!(problem, LawProblem::NotPositive { .. });
            let hint = if is_percent { PERCENT.to_owned() } else { hint };
            let hint = Some(hint);
            match problem {
                LawProblem::NotPositive { .. } => CliError::Table { path: path.to_owned(), message, hint },
                _ => CliError::NotFound { message: format!("{source}: {message}"), hint },
            }
        })?;
        if let Some(path) = &self.picture {
            output::write_file(path, law_figure(&law, &runs.points).svg().as_bytes())?;
        }
        self.write(&document(&law), &words::summary(&law, &runs.loss))
    }

    /// Whether larger values of a table are better.
    fn is_maximized(&self) -> Result<bool, CliError> {
        match self.objective.direction.as_slice() {
            [] => Ok(false),
            [one] if one.parts().0.is_none() => Ok(*one.parts().1 == Direction::Maximize),
            _ => Err(CliError::Usage {
                message: "a table has one value, and so one --direction without a label".into(),
                hint: None,
            }),
        }
    }

    fn read(&self, path: &Path, value: &str) -> Result<Runs, CliError> {
        let is_maximized = self.is_maximized()?;
        let axes =
            [(LawAxis::Weights, &self.weights), (LawAxis::Data, &self.data), (LawAxis::Compute, &self.flops)];
        let axes: Vec<(LawAxis, &str)> =
            axes.into_iter().filter_map(|(axis, column)| Some((axis, column.as_deref()?))).collect();
        let mut names: Vec<&str> = axes.iter().map(|(_, column)| *column).collect();
        if axes.is_empty() {
            return Err(CliError::Usage {
                message: "a table needs the column of an axis".into(),
                hint: Some("name it with --weights, --data or --flops".into()),
            });
        }
        names.push(value);
        if let Some(twice) = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name)) {
            return Err(CliError::Usage {
                message: format!("column `{}` is named twice", twice.1),
                hint: Some("sizes and the loss are in columns of their own".into()),
            });
        }
        let mut columns = if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
            data::read_numbers(path, &names).map_err(refused)?
        } else {
            import::read_numbers(path, &names).map_err(|error| malformed(error, path))?
        };
        let losses = columns.pop().unwrap_or_default();
        let mut axes: Vec<LawAxis> = axes.into_iter().map(|(axis, _)| axis).collect();
        let is_divided = axes == [LawAxis::Weights, LawAxis::Compute];
        if is_divided {
            axes[1] = LawAxis::Data;
            let (weights, compute) = columns.split_at_mut(1);
            for (compute, weights) in compute[0].iter_mut().zip(&weights[0]) {
                *compute /= OPERATIONS * weights;
            }
        }
        names.pop();
        let names = names.into_iter().map(str::to_owned).collect();
        let loss = if is_maximized { format!("1 - {value}") } else { value.to_owned() };
        let (points, rows) = (Vec::new(), Vec::new());
        let mut runs = Runs { axes, points, rows, missing: 0, names, is_divided, loss };
        for (row, loss) in losses.into_iter().enumerate() {
            let sizes: Vec<f64> = columns.iter().map(|column| column[row]).collect();
            if loss.is_nan() || sizes.iter().any(|size| size.is_nan()) {
                runs.missing += 1;
                continue;
            }
            runs.points.push(LawPoint { sizes, loss: if is_maximized { 1.0 - loss } else { loss } });
            runs.rows.push(row as u64 + 1);
        }
        if self.best {
            runs.keep_best();
        }
        Ok(runs)
    }
}

/// Advice for a value of 1 or more where more is better.
const PERCENT: &str = "a value of which more is better lies below 1: write 93% as 0.93; take rows of failed \
                       runs out";

/// Whether a source is a file of a table, by the ending of its name.
fn is_table(source: &str) -> bool {
    let name = source.strip_suffix(".gz").unwrap_or(source);
    let endings = ["csv", "tsv", "parquet"];
    let ending = Path::new(name).extension();
    !source.contains('=') && ending.is_some_and(|own| endings.iter().any(|one| own.eq_ignore_ascii_case(one)))
}

/// Words in the name of a column of sizes that are not single ones.
const MULTIPLES: [&str; 9] =
    ["billion", "million", "(b)", "(m)", "_in_b", "_in_m", "pf-days", "petaflop", "log"];

/// Returns warnings of columns whose names say that they hold something else.
fn doubtful_columns(value: &str, sizes: &[&Option<String>]) -> Vec<String> {
    let mut notes = Vec::new();
    let lower = value.to_lowercase();
    if lower.contains("ppl") || lower.contains("perplexity") {
        notes.push(format!(
            "column `{value}` seems to hold perplexities; a law is one of the loss, their natural logarithm"
        ));
    }
    for name in sizes.iter().filter_map(|name| name.as_deref()) {
        let lower = name.to_lowercase();
        if let Some(word) = MULTIPLES.iter().find(|word| lower.contains(**word)) {
            notes.push(format!(
                "column `{name}` has `{word}` in its name; amplitudes, best sizes and forecasts need single \
                 weights, rows and operations, not their multiples or logarithms"
            ));
        }
    }
    notes
}

/// Returns the error of a table as text or JSON.
fn malformed(error: ImportError, path: &Path) -> CliError {
    match error {
        ImportError::Malformed { place, message, hint, .. } => {
            CliError::Table { path: path.to_owned(), message: format!("{place}: {message}"), hint }
        }
        other => other.into(),
    }
}

/// Returns the error of a Parquet file, with a hint for a value that is no number.
fn refused(error: DataError) -> CliError {
    match error {
        DataError::NotANumber { path, location, column, value } => CliError::Table {
            path,
            message: format!("{location}: column `{column}` has `{value}`, which is not a number"),
            hint: Some(import::number_hint(&value)),
        },
        other => other.into(),
    }
}

/// Returns the document of a ladder's laws: `alpha`, `a` and `e` of the law over the weights, or of that over
/// weights and rows, which has `beta` and `b` too; then the laws.
fn ladder_document(laws: &LadderLaws<'_>) -> Value {
    let number = |estimate: &Estimate| {
        let ends = estimate.interval;
        json!({
            "point": estimate.point,
            "lower": ends.map(|ends| ends.lower),
            "upper": ends.map(|ends| ends.upper),
        })
    };
    let mut document = json!({ "schema": "allometry.fit/1" });
    if let Some(law) = laws.grid {
        let parts =
            [("alpha", &law.alpha), ("beta", &law.beta), ("a", &law.a), ("b", &law.b), ("e", &law.floor)];
        for (key, estimate) in parts {
            document[key] = number(estimate);
        }
        document["objective"] = json!(law.objective);
    } else if let Some(law) = laws.weights {
        for (key, estimate) in [("alpha", &law.exponent), ("a", &law.amplitude), ("e", &law.limit)] {
            document[key] = number(estimate);
        }
    }
    document["laws"] = json!({
        "weights": laws.weights, "compute": laws.compute, "rows": laws.rows, "weights_and_rows": laws.grid,
    });
    document
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
