//! `allometry explain`.

use std::fmt::Write as _;
use std::path::PathBuf;

use allometry_analysis::stats::influence::RowMetric;
use allometry_analysis::{Estimate, InputImportance, Options};
use allometry_core::significant::{signed, significant};
use allometry_core::visible::visible;
use allometry_ladder::ScoredPart;
use allometry_report::number::counted;
use allometry_report::words::verdict::no_row_error;
use allometry_session::{ExplainError, ExplainSettings, Explanation, Prepared, cores};
use allometry_trainer::InputName;
use allometry_trainer::checkpoint::Checkpoint;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::ladder_file::{parse_path, parse_setting};
use crate::error::CliError;
use crate::output;

/// Says how much a model uses each feature and part of its window.
///
/// Each row of the test part is predicted with one input taken from another row, in random order, and the
/// command prints by how much the metric gets worse. An input is a feature in all rows of the window, or all
/// features of some neighbouring rows. The other row is so far away that both have no row in common. The
/// result is the mean over the permutations, with an interval that covers new rows of the same mix for this
/// model; it does not say what another model, trained without the input, would lose.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Checkpoint that `allometry train` wrote.
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: PathBuf,

    /// The ladder file of its training, or the folder of a ladder.toml.
    #[arg(value_name = "LADDER", default_value = "ladder.toml", value_parser = parse_path)]
    ladder: PathBuf,

    /// Overrides a setting of the file, such as data.path=other.csv. May be repeated.
    #[arg(short = 'S', long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    set: Vec<(String, String)>,

    /// Rows on which the model is judged. The epoch was chosen on the validation part, which makes its
    /// intervals too optimistic; choices by the test part use it up.
    #[arg(long, value_name = "PART", default_value = "test", value_parser = part_parser())]
    part: ScoredPart,

    /// Metric that gets worse: auc or log_loss; for numbers r2, mse or mae. Default: that of a trial's value.
    #[arg(long, value_name = "NAME", value_parser = metric_parser())]
    metric: Option<RowMetric>,

    /// Number of permutations of each input.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(2..=1000)
    )]
    permutations: u64,

    /// Neighbouring rows of the window that are permuted together. Default: as many as a patch has.
    #[arg(long, value_name = "ROWS")]
    steps: Option<std::num::NonZeroUsize>,

    /// Seed of the permutations.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(self) -> Result<(), CliError> {
        let checkpoint = Checkpoint::load(&self.checkpoint)?;
        let ladder = allometry_study::read_ladder(&self.ladder, &self.set)?;
        let prepared = Prepared::new(&ladder, None)?;
        self.check_metric(&prepared)?;
        let settings = ExplainSettings {
            part: self.part,
            metric: self.metric,
            permutations: self.permutations,
            steps: self.steps.map(std::num::NonZeroUsize::get),
            seed: self.seed,
            threads: cores(),
            options: Options::default(),
        };
        let explained = prepared.explain(&self.checkpoint, &checkpoint, &settings);
        let explanation = explained.map_err(|error| match error {
            ExplainError::Checkpoint(error) => error.into(),
            ExplainError::Session(error) => CliError::Session(error),
            ExplainError::Rows(why) => {
                CliError::NotExplained { part: self.part.as_str(), why: no_row_error(why) }
            }
        })?;
        let text =
            if self.json { format!("{:#}\n", self.document(&explanation)) } else { self.text(&explanation) };
        output::print(&text)
    }

    /// Checks that the metric is one of the ladder's task.
    fn check_metric(&self, prepared: &Prepared<'_>) -> Result<(), CliError> {
        let known = prepared.explaining_metrics();
        match self.metric.filter(|metric| !known.contains(metric)) {
            None => Ok(()),
            Some(metric) => Err(CliError::Usage {
                message: format!("the model has no {}", metric.as_str()),
                hint: Some(format!(
                    "give --metric, one of {}",
                    known.iter().map(|m| name(*m)).collect::<Vec<_>>().join(", ")
                )),
            }),
        }
    }

    fn text(&self, explanation: &Explanation) -> String {
        let Explanation { metric, value, rows, distance, inputs } = explanation;
        let metric_name = metric.as_str();
        let change = if metric.is_better_high() { "loss" } else { "growth" };
        let mut text = format!(
            "{}: {metric_name} {}\n{change} of {metric_name} with an input taken from rows at least \
             {distance} away, mean of {}, 95% interval\n",
            counted(*rows as u64, &format!("{} row", self.part.as_str())),
            with_interval(value, significant),
            counted(self.permutations, "permutation"),
        );
        let mut features: Vec<(&str, &InputImportance)> = Vec::new();
        let mut steps: Vec<(String, &InputImportance)> = Vec::new();
        for (name, importance) in inputs {
            match name {
                InputName::Feature(name) => features.push((name, importance)),
                InputName::Steps { first, last } if first == last => {
                    steps.push((first.to_string(), importance));
                }
                InputName::Steps { first, last } => steps.push((format!("{first} to {last}"), importance)),
            }
        }
        features.sort_by(|a, b| b.1.importance.point.total_cmp(&a.1.importance.point));
        let features: Vec<(String, &InputImportance)> =
            features.into_iter().map(|(name, one)| (visible(name).into_owned(), one)).collect();
        push_table(&mut text, "feature", &features);
        push_table(&mut text, "rows before the newest", &steps);
        let _ = writeln!(
            text,
            "\nEach interval covers by itself: of inputs without any use, one in 20 has an interval without \
             0."
        );
        text
    }

    fn document(&self, explanation: &Explanation) -> Value {
        let mut features: Vec<Value> = Vec::new();
        let mut steps: Vec<Value> = Vec::new();
        for (name, importance) in &explanation.inputs {
            let InputImportance { importance, permutation_error, is_unused } = importance;
            let mut document = json!({
                "importance": importance,
                "permutation_error": permutation_error,
                "unused": is_unused,
            });
            match name {
                InputName::Feature(name) => {
                    document["name"] = json!(name);
                    features.push(document);
                }
                InputName::Steps { first, last } => {
                    document["first"] = json!(first);
                    document["last"] = json!(last);
                    steps.push(document);
                }
            }
        }
        json!({
            "schema": "allometry.explain/1",
            "checkpoint": self.checkpoint,
            "part": self.part.as_str(),
            "rows": explanation.rows,
            "metric": name(explanation.metric),
            "value": explanation.value,
            "permutations": self.permutations,
            "distance": explanation.distance,
            "seed": self.seed,
            "features": features,
            "steps": steps,
        })
    }
}

/// Appends a table of inputs, one per line.
fn push_table(text: &mut String, title: &str, inputs: &[(String, &InputImportance)]) {
    let longest = inputs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let width = longest.max(title.chars().count());
    let _ = writeln!(text, "\n{title}");
    for (name, one) in inputs {
        let room = width - name.chars().count();
        let shown =
            if one.is_unused { "not used".to_owned() } else { with_interval(&one.importance, signed) };
        let _ = writeln!(text, "  {name}{:room$}  {shown}", "");
    }
}

/// Returns a number with its interval: `0.7712 (0.7201 to 0.8155)`.
fn with_interval(estimate: &Estimate, write: fn(f64) -> String) -> String {
    let interval = estimate
        .interval
        .map_or_else(String::new, |ends| format!(" ({} to {})", write(ends.lower), write(ends.upper)));
    format!("{}{interval}", write(estimate.point))
}

/// Returns the name of a metric on the command line.
fn name(metric: RowMetric) -> &'static str {
    METRICS.iter().find(|(_, one)| *one == metric).map_or("", |(name, _)| name)
}

/// The metrics by their names on the command line.
const METRICS: [(&str, RowMetric); 5] = [
    ("auc", RowMetric::MacroAuc),
    ("log_loss", RowMetric::LogLoss),
    ("r2", RowMetric::R2),
    ("mse", RowMetric::Mse),
    ("mae", RowMetric::Mae),
];

fn metric_parser() -> impl TypedValueParser<Value = RowMetric> {
    PossibleValuesParser::new(METRICS.map(|(name, _)| name)).map(|name| {
        let found = METRICS.iter().find(|(one, _)| *one == name);
        found.expect("clap accepts only the possible values").1
    })
}

fn part_parser() -> impl TypedValueParser<Value = ScoredPart> {
    let parts = [ScoredPart::Validation, ScoredPart::Test];
    PossibleValuesParser::new(parts.map(ScoredPart::as_str)).map(move |name| {
        let found = parts.into_iter().find(|part| part.as_str() == name);
        found.expect("clap accepts only the possible values")
    })
}
