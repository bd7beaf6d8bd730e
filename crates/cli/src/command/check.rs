//! `allometry check`.

use std::fmt::Write as _;

use allometry_analysis::stats;
use allometry_core::{ClassCounts, SizeBudget, WeightTarget, human_weights};
use allometry_ladder::{BudgetSpec, CommandSpec, Invocation, Ladder, ScoredPart, Task};
use allometry_search::{Feasible, FeasibleArchitecture};
use allometry_session::{Evaluator, Prepared, cores, shuffle_control};
use allometry_trainer::PatchTstObjective;
use allometry_trainer::data::{PartName, TableSummary};
use clap::Args;

use super::confirm_cost::{Cost, time_words};
use super::ladder_file::LadderFile;
use super::speed::flops_per_second;
use crate::error::CliError;
use crate::output;

/// Number of architectures listed per budget without `--all`.
const LISTED: usize = 12;

/// AUC for which the error on the validation part is shown.
const TYPICAL_AUC: f64 = 0.75;

/// Standard error of an AUC above which usual differences between models cannot be detected.
const LARGE_ERROR: f64 = 0.02;

/// Validates a ladder file and its data, and shows what the search space of each budget contains.
///
/// For each budget the command prints the architectures that fit its weights, with their exact weights and
/// work, the number of distinct configurations, and an estimate of memory and time. A budget without any
/// architecture is an error.
#[derive(Debug, Args)]
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
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        let ladder = self.file.read()?;
        let evaluator = Evaluator::new(&ladder)?;
        if ladder.confirm.is_some() {
            evaluator.check_test_part()?;
        }
        let mut spaces: Vec<Feasible> = Vec::with_capacity(ladder.budgets.len());
        for spec in &ladder.budgets {
            spaces.push(evaluator.feasible(spec)?);
        }
        let mut text = String::new();
        let trainer = match &evaluator {
            Evaluator::Model(prepared) => {
                table_lines(&mut text, prepared);
                let objective = prepared.objective()?;
                if let Some(device) = objective.device() {
                    let _ = writeln!(text, "trials are trained on {}", device.name());
                }
                Some(Trainer { objective, epochs: prepared.model().epochs })
            }
            Evaluator::Command(_, command) => {
                // Fails if the program does not exist.
                evaluator.objective(&self.file.ladder, &[], ScoredPart::Validation)?;
                let _ = writeln!(text, "trials are evaluated by the ladder's command");
                if !passes_parameters(&ladder, command) {
                    let _ = writeln!(
                        text,
                        "  note: `run` passes no parameter; the program must read the file that \
                         $ALLOMETRY_PARAMS names, or `run` can pass {{args}}, --NAME VALUE of each parameter"
                    );
                }
                if command.horizon > 1 {
                    let _ = writeln!(text, "labels look {} rows ahead", command.horizon);
                }
                None
            }
        };
        let listed = if self.all { usize::MAX } else { LISTED };
        let mut seconds = Vec::new();
        for (spec, feasible) in ladder.budgets.iter().zip(&spaces) {
            seconds.push(Budget { feasible, trainer: trainer.as_ref(), spec }.lines(&mut text, listed));
        }
        let cost = Cost { ladder: &ladder, spaces: &spaces, seconds: &seconds };
        cost.lines(&mut text);
        if self.shuffle {
            let Evaluator::Model(prepared) = &evaluator else {
                return Err(CliError::Usage {
                    message: "--shuffle trains the built-in model, but the ladder runs a command".into(),
                    hint: None,
                });
            };
            let _ = writeln!(text);
            for (spec, feasible) in ladder.budgets.iter().zip(&spaces) {
                let middle = feasible.params(&feasible.at(&vec![0.5; feasible.dimension()]));
                let _ = writeln!(text, "{}", shuffle_control(prepared, spec, &middle)?);
            }
        }
        output::print(&text)
    }
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

fn table_lines(text: &mut String, prepared: &Prepared<'_>) {
    let summary = prepared.summary();
    let TableSummary { rows, features, dropped, .. } = summary;
    let _ = writeln!(text, "{}: {rows} rows, {features} features", prepared.path().display());
    if *dropped > 0 {
        let _ = writeln!(text, "  {dropped} rows with missing or infinite features are left out");
    }
    let ahead = match prepared.horizon() {
        1 => "one row ahead (set `horizon` in [data] if it is more)".into(),
        rows => format!("{rows} rows ahead; as many rows are left out between the parts"),
    };
    let _ = writeln!(text, "  labels look {ahead}");
    for part in &summary.parts {
        let name = match part.name {
            PartName::Train => "training",
            PartName::Validation => "validation",
            PartName::Test => "test",
        };
        let span = match (&part.first, &part.last) {
            (Some(first), Some(last)) => format!(", {first} to {last}"),
            _ => String::new(),
        };
        let (windows, positives) = (part.windows(), part.counts.positives);
        let _ = write!(text, "  {name:<10} {windows:>7} windows");
        let binary = prepared.model().task == Task::Binary;
        if binary {
            let share = 100.0 * positives as f64 / windows.max(1) as f64;
            let _ = write!(text, ", {positives} positive ({share:.1}%)");
        }
        let _ = writeln!(text, "{span}");
        if binary && part.name == PartName::Validation {
            validation_line(text, part.counts);
        }
    }
}

fn validation_line(text: &mut String, counts: ClassCounts) {
    let Some(error) = stats::auc::hanley_mcneil(TYPICAL_AUC, counts) else { return };
    let warning = if error > LARGE_ERROR { "  warning:" } else { "  " };
    let _ = writeln!(
        text,
        "{warning} with {} positives, one AUC of {TYPICAL_AUC} is known to +-{:.3} (95%)",
        counts.positives,
        1.96 * error
    );
}

/// The built-in model of a ladder without a command.
struct Trainer<'a> {
    objective: PatchTstObjective<'a>,
    epochs: usize,
}

struct Budget<'a> {
    spec: &'a BudgetSpec,
    feasible: &'a Feasible,
    trainer: Option<&'a Trainer<'a>>,
}

impl Budget<'_> {
    /// Writes the lines on the budget. Returns the maximum seconds of one trial on one core, if known.
    fn lines(&self, text: &mut String, listed: usize) -> Option<f64> {
        let Self { feasible, spec, .. } = self;
        let census = feasible.census();
        let _ = writeln!(text, "\n{} ({})", spec.budget.label, target_words(&spec.budget));
        let _ = write!(text, "  {} of {} architectures", census.feasible, census.considered);
        if let Some((smallest, largest)) = feasible.sizes() {
            let _ = write!(text, ", {} to {} weights", smallest.total, largest.total);
        }
        let _ = writeln!(text);
        let removed = &census.removed;
        for (count, why) in [
            (removed.heads, "n_heads does not divide d_model"),
            (removed.smaller, "too small"),
            (removed.larger, "too large"),
        ] {
            if count > 0 {
                let _ = writeln!(text, "  {count} left out: {why}");
            }
        }
        for (constraint, count) in &census.constrained {
            let _ = writeln!(text, "  {count} left out: not {constraint}");
        }
        for (constraint, share) in &census.mixed {
            let _ =
                writeln!(text, "  {:.0}% of the configurations left out: not {constraint}", 100.0 * share);
        }
        for when in feasible.conditions() {
            let _ = writeln!(text, "  `{}` exists when {when}", when.parameter);
        }
        let configurations = match (feasible.configurations(), feasible.continuous()) {
            (Some(n), _) if n < spec.trials => {
                format!("{n} distinct configurations, fewer than {} trials", spec.trials)
            }
            (Some(n), _) => format!("{n} distinct configurations"),
            (None, Some(parameter)) => format!("infinitely many configurations ({parameter} is continuous)"),
            (None, None) => "more configurations than can be numbered".into(),
        };
        let _ = writeln!(text, "  {configurations}");
        let seconds = self.trainer.and_then(|trainer| {
            self.memory_line(text, &trainer.objective);
            self.time_line(text, trainer)
        });
        for architecture in feasible.architectures().take(listed) {
            let size = architecture.size.map_or_else(|| "?".into(), |size| size.total.to_string());
            let cost = self.trainer.and_then(|trainer| trainer.objective.cost(&architecture.params).ok());
            let work = cost.map_or_else(String::new, |cost| {
                let gigaflop = cost.flops_per_epoch as f64 / 1e9;
                let mebibytes = cost.memory_bytes as f64 / f64::from(1 << 20);
                format!("  {gigaflop:>8.2} GFLOP an epoch  {mebibytes:>5.0} MiB")
            });
            let _ = writeln!(text, "  {size:>10} weights{work}  {}", architecture.params);
        }
        let more = feasible.architecture_count().saturating_sub(listed);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more (--all lists them)");
        }
        seconds
    }

    /// Writes the memory of a trial of the largest architecture, and whether it fits.
    fn memory_line(&self, text: &mut String, objective: &PatchTstObjective<'_>) {
        let bytes = |a: FeasibleArchitecture| objective.cost(&a.params).map_or(0, |cost| cost.memory_bytes);
        if objective.device().is_some() {
            return;
        }
        let Some(most) = self.feasible.architectures().map(bytes).max() else { return };
        let workers = cores() as u64;
        let fits = match PatchTstObjective::available_memory() {
            Some(available) if most > available => {
                format!("; warning: only {} MiB are free, so such trials would fail", available >> 20)
            }
            Some(available) if most * workers > available => {
                format!("; warning: only {} MiB are free for {workers} workers", available >> 20)
            }
            _ => String::new(),
        };
        let _ = writeln!(text, "  at most {} MiB of memory a trial{fits}", most.div_ceil(1 << 20));
    }

    /// Writes the maximum time of the trials, estimated from a few training steps of a medium architecture.
    /// Returns the seconds of one trial.
    fn time_line(&self, text: &mut String, trainer: &Trainer<'_>) -> Option<f64> {
        let Trainer { objective, epochs } = trainer;
        let count = self.feasible.architecture_count();
        let flops =
            |a: &FeasibleArchitecture| objective.cost(&a.params).map_or(0.0, |c| c.flops_per_epoch as f64);
        let mean = self.feasible.architectures().map(|a| flops(&a)).sum::<f64>() / count as f64;
        let middle = self.feasible.architectures().nth(count / 2)?;
        let rate = flops_per_second(objective, &self.spec.budget, &middle.params)?;
        let seconds = mean / rate * *epochs as f64;
        let _ = writeln!(
            text,
            "  {} trials of {} epochs: {}",
            self.spec.trials,
            epochs,
            time_words(seconds * self.spec.trials as f64)
        );
        Some(seconds)
    }
}

fn target_words(budget: &SizeBudget) -> String {
    match budget.target {
        WeightTarget::Any => "any number of weights; the label is only a name".into(),
        WeightTarget::Near { weights, tolerance } => {
            format!("{} weights +-{:.0}%", human_weights(weights as f64), 100.0 * tolerance)
        }
    }
}
