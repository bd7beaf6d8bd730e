//! `allometry check`.

mod attempt;
mod coordinates;
mod found;
mod holes;
mod power;
mod suggestion;
mod text;
mod unseen;

use allometry_analysis::stats;
use allometry_core::{Params, RowCount, SizeBudget};
use allometry_ladder::{
    BudgetSpec, CommandSpec, FoldSpec, Invocation, Ladder, ModelSpec, Normalize, ScoredPart, Task,
};
use allometry_search::{Feasible, FeasibleArchitecture};
use allometry_session::{Evaluator, Prepared, cores, shuffle_control};
use allometry_trainer::data::{self, DataError, Leak, PartName, PartSummary, TableSummary};
use allometry_trainer::{FoldsObjective, PatchTstObjective};
use clap::Args;
use serde_json::json;

use super::confirm_cost::Cost;
use super::ladder_file::LadderFile;
use super::speed::flops_per_second;
use crate::error::CliError;
use crate::output::{self, Destination};
use attempt::Tried;
use coordinates::Coordinates;
use found::{
    Architecture, Budget, CategoricalColumn, ClassWindows, ColumnGaps, ColumnLeftOut, Condition, Extent,
    Folds, Found, FoundLeak, LeftOut, Memory, Part, Precision, Products, Program, SeriesRows, Table,
    TableHoles, TableSeries, Time,
};
pub(super) use holes::{proposed_limit, set_holes};
use power::Power;
pub(super) use text::{dropped_rows, filled_values};
use unseen::UnseenRows;

/// Number of architectures listed per budget without `--all`.
const LISTED: usize = 12;

/// AUC for which the error on the validation part is shown.
const TYPICAL_AUC: f64 = 0.75;

/// Standard error of an AUC above which usual differences between models cannot be detected.
const LARGE_ERROR: f64 = 0.02;

/// Validates a ladder file and its data; shows each budget's space.
///
/// For each budget the command prints the architectures that fit its weights, with their exact weights and
/// work, the number of distinct configurations, and an estimate of memory and time. A budget without any
/// architecture is an error.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Check {
    #[command(flatten)]
    file: LadderFile,

    /// Lists every feasible architecture.
    #[arg(long)]
    all: bool,

    /// Trains the middle of each space on labels in random order. An AUC other than 0.5 then means that the
    /// features leak the label.
    #[arg(long)]
    shuffle: bool,

    /// Evaluates one trial, with the middle of a budget's space, and prints what `run` would store. Nothing
    /// is stored. The exit code is 6 if the trial fails.
    #[arg(long = "try")]
    tries: bool,

    /// Budget of the trial of --try. Default: the first one.
    #[arg(long, value_name = "LABEL", requires = "tries")]
    budget: Option<String>,

    /// Prints how probably the validation and the test rows show a true difference of EFFECT between two
    /// AUCs, and how many rows would show it in 80% of cases.
    #[arg(long, value_name = "EFFECT")]
    power: Option<f64>,

    /// Prints N budgets at equal ratios over the sizes that the space reaches, as they stand in a ladder
    /// file. The budgets of the ladder are not checked then.
    #[arg(long, value_name = "N", conflicts_with_all = ["tries", "shuffle", "all", "power"])]
    suggest_budgets: Option<u64>,

    /// Trains the middle of the first budget's space for a few steps at several widths, and prints how the
    /// activations of each layer, and what the steps change of them, grow with the width. Budgets are not
    /// checked then.
    #[arg(long, conflicts_with_all = ["tries", "shuffle", "all", "power", "suggest_budgets"])]
    coordinates: bool,

    /// Widths of --coordinates, at least four. Default: those of the budgets, at most six.
    #[arg(long, value_name = "D_MODEL", value_delimiter = ',', requires = "coordinates")]
    widths: Vec<usize>,

    /// Number of seeds of --coordinates.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "coordinates",
        value_parser = clap::value_parser!(u16).range(2..=1000))]
    seeds: u16,

    /// Number of training steps of --coordinates.
    #[arg(long, value_name = "N", default_value_t = 5, requires = "coordinates",
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    steps: u16,

    /// Writes the picture of --coordinates as SVG to this file; - is standard output.
    #[arg(short, long, value_name = "FILE", requires = "coordinates")]
    output: Option<String>,

    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        let ladder = self.file.read()?;
        let evaluator = Evaluator::new(&ladder, self.file.stored_precision(&ladder))?;
        if let Some(count) = self.suggest_budgets {
            let suggested = suggestion::suggest(&ladder, &evaluator, count)?;
            return self.suggest(&suggested, &suggestion::own_lists(&ladder));
        }
        if self.coordinates {
            return self.check_coordinates(&ladder, &evaluator);
        }
        if ladder.confirm.is_some() {
            evaluator.check_test_part()?;
        }
        let mut spaces: Vec<Feasible> = Vec::with_capacity(ladder.budgets.len());
        for spec in &ladder.budgets {
            spaces.push(evaluator.feasible(spec)?);
        }
        let leaks = match &evaluator {
            Evaluator::Model(prepared) => prepared.leaks(),
            Evaluator::Command(..) => Vec::new(),
        };
        let found = self.found(&ladder, &evaluator, &spaces, &leaks)?;
        if self.json {
            let document = serde_json::to_value(&found).expect("the result has no keys but texts");
            output::print_json(&document)?;
        } else {
            output::print(&found.text())?;
        }
        if let (Evaluator::Model(prepared), false) = (&evaluator, leaks.is_empty()) {
            let path = prepared.path().to_owned();
            return Err(DataError::Leaks { path, leaks }.into());
        }
        found.tried.map_or(Ok(()), |tried| tried.conclude())
    }

    fn check_coordinates(&self, ladder: &Ladder, evaluator: &Evaluator<'_>) -> Result<(), CliError> {
        let (seeds, steps) = (usize::from(self.seeds), usize::from(self.steps));
        let found = Coordinates::new(ladder, evaluator, &self.widths, seeds, steps)?;
        if let Some(output) = &self.output {
            Destination::parse(output).write(&found.svg())?;
        }
        if self.json {
            return output::print_json(&found.document());
        }
        if self.output.as_deref() == Some("-") {
            return Ok(());
        }
        output::print(&found.text())
    }

    fn suggest(&self, suggested: &[suggestion::Suggestion], own_lists: &[String]) -> Result<(), CliError> {
        if self.json {
            return output::print_json(&json!({
                "schema": "allometry.budgets/1",
                "budgets": suggested,
                "space": own_lists,
            }));
        }
        let mut text = String::new();
        suggestion::lines(suggested, own_lists, &mut text);
        output::print(text.trim_start())
    }

    fn found(
        &self,
        ladder: &Ladder,
        evaluator: &Evaluator<'_>,
        spaces: &[Feasible],
        leaks: &[Leak],
    ) -> Result<Found, CliError> {
        let (trainer, command) = match evaluator {
            Evaluator::Model(prepared) => {
                let folds = prepared.folds_objective()?;
                (Some(Trainer { objective: prepared.objective()?, folds, model: prepared.model() }), None)
            }
            Evaluator::Command(_, command) => {
                // Fails if the program does not exist.
                evaluator.objective(&self.file.ladder, &[], ScoredPart::Validation)?;
                let gets_parameters = passes_parameters(ladder, command);
                (None, Some(Program { gets_parameters, horizon: command.horizon }))
            }
        };
        let listed = if self.all { usize::MAX } else { LISTED };
        let budgets: Vec<Budget> = ladder
            .budgets
            .iter()
            .zip(spaces)
            .map(|(spec, feasible)| budget(spec, feasible, trainer.as_ref(), listed))
            .collect();
        let seconds = budgets.iter().map(|budget| budget.time.as_ref().map(|time| [time.once, time.seconds]));
        let seconds: Vec<Option<[f64; 2]>> = seconds.collect();
        let device = trainer.as_ref().and_then(|trainer| trainer.objective.device());
        Ok(Found {
            schema: "allometry.check/1",
            table: match evaluator {
                Evaluator::Model(prepared) => Some(table(prepared, leaks)),
                Evaluator::Command(..) => None,
            },
            unseen_rows: trainer.as_ref().map_or_else(Vec::new, |one| UnseenRows::of(spaces, &one.objective)),
            device: device.map(|device| device.name().to_owned()),
            products: trainer
                .as_ref()
                .and_then(|trainer| trainer.objective.products())
                .map(|(precision, set)| Products { precision: precision.as_str(), instructions: set.word() }),
            command,
            budgets,
            confirmation: Cost::new(ladder, spaces, &seconds),
            power: self.power.map(|effect| Power::of_parts(evaluator, effect)).transpose()?,
            shuffle: if self.shuffle { Some(shuffled(ladder, evaluator, spaces)?) } else { None },
            tried: if self.tries {
                Some(Tried::new(ladder, evaluator, self.budget.as_deref())?)
            } else {
                None
            },
        })
    }
}

/// Trains the middle of each space on labels in random order, and returns the results in words.
fn shuffled(
    ladder: &Ladder,
    evaluator: &Evaluator<'_>,
    spaces: &[Feasible],
) -> Result<Vec<String>, CliError> {
    let Evaluator::Model(prepared) = evaluator else {
        return Err(CliError::Usage {
            message: "--shuffle trains the built-in model, but the ladder runs a command".into(),
            hint: None,
        });
    };
    let mut results = Vec::new();
    let all = ladder.budgets.iter().zip(spaces).filter(|(spec, _)| spec.budget.train.is_none());
    for (spec, feasible) in all {
        let middle = feasible.params(&feasible.at(&vec![0.5; feasible.dimension()]));
        results.push(shuffle_control(prepared, spec, &middle)?);
    }
    Ok(results)
}

/// Returns whether a command passes parameters to its program in its words.
fn passes_parameters(ladder: &Ladder, command: &CommandSpec) -> bool {
    let words = match &command.run {
        Invocation::Program(words) => words.as_slice(),
        Invocation::Shell(line) => std::slice::from_ref(line),
    };
    let names = ladder.budgets.iter().flat_map(|budget| budget.space.iter().map(|(name, _)| name));
    let carriers = ["args", "params_json", "params_file"].into_iter().chain(names);
    let mut carriers = carriers.map(|name| format!("{{{name}}}")).chain(["ALLOMETRY_PARAMS".to_owned()]);
    carriers.any(|carrier| words.iter().any(|word| word.contains(&carrier)))
}

fn table(prepared: &Prepared<'_>, leaks: &[Leak]) -> Table {
    let summary = prepared.summary();
    let invisible = match prepared.model().normalize {
        Normalize::Revin => prepared.static_columns(),
        Normalize::Standard | Normalize::None => Vec::new(),
    };
    Table {
        path: prepared.path().display().to_string(),
        rows: summary.rows,
        features: summary.features,
        feature_names: prepared.features().to_vec(),
        categories: categories(prepared),
        invisible: invisible.into_iter().map(str::to_owned).collect(),
        columns_left_out: left_out_columns(summary),
        classes: prepared.class_names().to_vec(),
        dropped: summary.dropped,
        gaps: gaps(&summary.gaps),
        filled: gaps(&summary.filled),
        na: prepared.missing(),
        series: summary.series.as_ref().map(series),
        spacing: summary.spacing.map(|spacing| spacing.to_string()),
        holes: summary.holes.as_ref().map(TableHoles::of),
        unlabelled: summary.unlabelled,
        horizon: prepared.horizon() as u64,
        parts: summary.parts.iter().map(|summary| part(summary, prepared)).collect(),
        folds: prepared.fold_spec().map(|spec| folds(spec, prepared)),
        leaks: leaks
            .iter()
            .map(|leak| FoundLeak { column: leak.column.clone(), message: leak.to_string() })
            .collect(),
    }
}

fn folds(spec: FoldSpec, prepared: &Prepared<'_>) -> Folds {
    let FoldSpec { scheme, stopping, .. } = spec;
    let parts = |fold: &[PartSummary; 3]| fold.iter().map(|summary| part(summary, prepared)).collect();
    let (copies, bytes) = prepared.copies();
    Folds { scheme, stopping, parts: prepared.summary().folds.iter().map(parts).collect(), copies, bytes }
}

fn categories(prepared: &Prepared<'_>) -> Vec<CategoricalColumn> {
    let unseen = &prepared.summary().unseen;
    let one = |column: &data::Categories| CategoricalColumn {
        column: column.column.clone(),
        categories: column.names.clone(),
        embedding: column.embedding,
        width: column.width(),
        unseen: unseen.iter().find(|unseen| unseen.column == column.column).map(ToString::to_string),
    };
    prepared.categories().iter().map(one).collect()
}

fn left_out_columns(summary: &TableSummary) -> Vec<ColumnLeftOut> {
    let one = |(column, why): &(String, data::LeftOut)| ColumnLeftOut {
        column: column.clone(),
        why: why.to_string(),
    };
    summary.left_out.iter().map(one).collect()
}

fn series(summary: &data::SeriesSummary) -> TableSeries {
    let one = |(series, rows): &(String, u64)| SeriesRows { series: series.clone(), rows: *rows };
    TableSeries {
        count: summary.count,
        shortest: one(&summary.shortest),
        longest: one(&summary.longest),
        short: summary.short.iter().map(one).collect(),
    }
}

fn gaps(counts: &[(String, u64)]) -> Vec<ColumnGaps> {
    counts.iter().map(|(column, rows)| ColumnGaps { column: column.clone(), rows: *rows }).collect()
}

fn part(summary: &PartSummary, prepared: &Prepared<'_>) -> Part {
    let is_binary = prepared.model().task == Task::Binary;
    let class = |(class, windows): (usize, &u64)| ClassWindows {
        class: prepared.class_name(class),
        windows: *windows,
    };
    let name = match summary.name {
        PartName::Train => "training",
        PartName::Stopping => "stopping",
        PartName::Validation => "validation",
        PartName::Test => "test",
    };
    let error = || stats::auc::hanley_mcneil(TYPICAL_AUC, summary.counts);
    // Rows of several series depend on each other in ways that counts do not tell.
    let is_alone = summary.series.is_none() && prepared.fold_spec().is_none();
    let judges = is_binary && summary.name == PartName::Validation && is_alone;
    let error = judges.then(error).flatten();
    Part {
        name,
        windows: summary.windows(),
        positives: is_binary.then_some(summary.counts.positives),
        classes: summary.classes.iter().enumerate().map(class).collect(),
        first: summary.first.clone(),
        last: summary.last.clone(),
        rows: summary.series.map(|part| part.rows),
        series: summary.series.map(|part| part.series),
        precision: error.map(|standard_error| Precision {
            auc: TYPICAL_AUC,
            standard_error,
            is_low: standard_error > LARGE_ERROR,
        }),
    }
}

/// The built-in model of a ladder without a command.
struct Trainer<'a> {
    objective: PatchTstObjective<'a>,
    /// Objective of the trials of a ladder with folds.
    folds: Option<FoldsObjective<'a>>,
    /// Settings of the ladder.
    model: &'a ModelSpec,
}

impl Trainer<'_> {
    /// Returns the parameters of an architecture with the values of a budget's other parameters that cost the
    /// most memory.
    fn largest(&self, spec: &BudgetSpec, architecture: &Params) -> Params {
        let mut params = architecture.clone();
        if spec.space.get("batch_size").is_some() {
            let fixed = self.model.batch_size(0) as f64;
            params.insert("batch_size", spec.largest_setting("batch_size", fixed) as i64);
        }
        params
    }

    /// Returns the work of an epoch in all folds of a trial.
    fn flops_per_epoch(&self, params: &Params, rows: Option<RowCount>) -> f64 {
        let cost = match &self.folds {
            Some(folds) => folds.cost(params, rows),
            None => self.objective.cost(params, rows),
        };
        cost.map_or(0.0, |cost| cost.flops_per_epoch as f64)
    }

    /// Returns the largest number of epochs of a budget's trials.
    fn epochs(&self, spec: &BudgetSpec) -> usize {
        spec.largest_setting("epochs", self.model.epochs as f64) as usize
    }
}

/// Returns what the space of a budget contains, with at most `listed` of its architectures.
fn budget(spec: &BudgetSpec, feasible: &Feasible, trainer: Option<&Trainer<'_>>, listed: usize) -> Budget {
    let census = feasible.census();
    let conditions = feasible
        .conditions()
        .iter()
        .map(|when| Condition { parameter: when.parameter.clone(), when: when.to_string() });
    Budget {
        size: spec.budget.clone(),
        trials: spec.trials,
        considered: census.considered,
        feasible: census.feasible,
        weights: feasible.sizes().map(|(smallest, largest)| (smallest.total, largest.total)),
        left_out: left_out(feasible),
        conditions: conditions.collect(),
        configurations: feasible.configurations(),
        continuous: feasible.continuous().map(ToOwned::to_owned),
        memory: trainer.and_then(|trainer| memory(spec, feasible, trainer)),
        time: trainer.and_then(|trainer| time(spec, feasible, trainer)),
        windows: spec
            .budget
            .train
            .as_ref()
            .zip(trainer)
            .map(|(part, trainer)| trainer.objective.train_windows(Some(part.rows)) as u64),
        architectures: feasible
            .architectures()
            .take(listed)
            .map(|one| architecture(one, spec, trainer))
            .collect(),
        unlisted: feasible.architecture_count().saturating_sub(listed),
    }
}

/// Returns what the space of a budget does not admit, and why.
fn left_out(feasible: &Feasible) -> Vec<LeftOut> {
    let census = feasible.census();
    let removed = &census.removed;
    let removed = [
        (removed.heads, "n_heads does not divide d_model"),
        (removed.smaller, "too small"),
        (removed.larger, "too large"),
    ];
    let removed = removed.into_iter().filter(|(count, _)| *count > 0);
    let removed = removed.map(|(count, why)| (Extent::Architectures(count), why.to_owned()));
    let constrained = census
        .constrained
        .iter()
        .map(|(constraint, count)| (Extent::Architectures(*count), format!("not {constraint}")));
    let mixed =
        census.mixed.iter().map(|(constraint, share)| (Extent::Share(*share), format!("not {constraint}")));
    removed.chain(constrained).chain(mixed).map(|(extent, why)| LeftOut { extent, why }).collect()
}

fn architecture(one: FeasibleArchitecture, spec: &BudgetSpec, trainer: Option<&Trainer<'_>>) -> Architecture {
    let rows = spec.budget.train.as_ref().map(|part| part.rows);
    let cost = |trainer: &Trainer<'_>| trainer.objective.cost(&trainer.largest(spec, &one.params), rows).ok();
    let cost = trainer.and_then(cost);
    Architecture {
        weights: one.size.map(|size| size.total),
        flops_per_epoch: cost.as_ref().map(|cost| cost.flops_per_epoch),
        memory_bytes: cost.as_ref().map(|cost| cost.memory_bytes),
        params: one.params,
    }
}

/// Returns the memory of the largest trial; `None` for a trial on another device.
fn memory(spec: &BudgetSpec, feasible: &Feasible, trainer: &Trainer<'_>) -> Option<Memory> {
    if trainer.objective.device().is_some() {
        return None;
    }
    let bytes = |a: FeasibleArchitecture| {
        let cost = trainer.objective.cost(&trainer.largest(spec, &a.params), None);
        cost.map_or(0, |cost| cost.memory_bytes)
    };
    Some(Memory {
        bytes: feasible.architectures().map(bytes).max()?,
        available: PatchTstObjective::available_memory(),
        workers: cores() as u64,
    })
}

/// Returns the greatest time of a trial, estimated from a few training steps of a medium architecture.
fn time(spec: &BudgetSpec, feasible: &Feasible, trainer: &Trainer<'_>) -> Option<Time> {
    let objective = &trainer.objective;
    let count = feasible.architecture_count();
    let rows = spec.budget.train.as_ref().map(|part| part.rows);
    let once =
        |a: &FeasibleArchitecture| objective.cost(&a.params, rows).map_or(0.0, |c| c.flops_per_epoch as f64);
    let mean = |flops: &dyn Fn(&FeasibleArchitecture) -> f64| {
        feasible.architectures().map(|a| flops(&a)).sum::<f64>() / count as f64
    };
    let (once, all) = (mean(&once), mean(&|a| trainer.flops_per_epoch(&a.params, rows)));
    let middle = feasible.architectures().nth(count / 2)?.params;
    let middle = feasible.complete(&middle, &vec![0.5; feasible.dimension()]).unwrap_or(middle);
    // A part of the rows may be too small for the steps that are timed.
    let whole = SizeBudget { train: None, ..spec.budget.clone() };
    let rate = flops_per_second(objective, &whole, &middle)?;
    let epochs = trainer.epochs(spec);
    let seconds = |flops: f64| flops / rate * epochs as f64;
    let folds = trainer.folds.as_ref().map(FoldsObjective::folds);
    Some(Time { epochs, folds, seconds: seconds(all), once: seconds(once) })
}
