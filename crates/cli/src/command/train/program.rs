//! A training by the program of `[command]`.

use std::fmt::Write as _;

use allometry_core::rng::stream_seed;
use allometry_core::significant::significant;
use allometry_core::{
    EpochReport, Objective as _, ObjectiveOutcome, Reporter, Signal, StudyIdentity, TrialNumber, TrialSpec,
    TrialState,
};
use allometry_ladder::CommandSpec;
use allometry_runner::{CommandObjective, Devices, Interrupt};
use allometry_session::{Evaluator, SessionError, runs_folder};
use serde_json::{Value, json};

use super::{Chosen, Taken, Train, document, is_repeated, middle, not_trained, origin, set_parameters};
use crate::error::CliError;
use crate::output::{self, say};
use crate::progress::Style;

/// Shows the steps that a program reports, and interrupts it after a signal.
struct Steps {
    interrupt: Interrupt,
    style: Style,
}

impl Reporter for Steps {
    fn report(&self, epoch: &EpochReport) -> Signal {
        if self.style != Style::Quiet {
            say(&format!("step {}: {}", epoch.step, significant(epoch.value)));
        }
        if self.interrupt.is_asked() { Signal::Interrupt } else { Signal::Continue }
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_asked()
    }
}

impl Train {
    /// Starts the program for the chosen configuration and prints the value that it reports.
    pub(super) fn start(&self, chosen: &Chosen, command: &CommandSpec) -> Result<(), CliError> {
        self.check_options()?;
        let Chosen { ladder, spec, given, taken } = chosen;
        let taken = taken.as_ref();
        let mut params = match taken {
            Some(taken) => taken.trial.params.clone(),
            None => middle(&Evaluator::new(ladder, None)?.feasible(spec)?),
        };
        set_parameters(&mut params, spec, given)?;
        let seed = self.seed.or_else(|| taken.and_then(Taken::seed));
        let number = taken.map_or(TrialNumber(0), |taken| taken.trial.number);
        let trial = TrialSpec {
            study: StudyIdentity { name: "train".into(), ..StudyIdentity::default() },
            budget: spec.budget.clone(),
            number,
            first_attempt: number,
            params,
            seed: seed.unwrap_or_else(|| stream_seed(ladder.seed, "train", 0)),
        };
        let runs = self.checkpoint.clone();
        let runs = runs.unwrap_or_else(|| runs_folder(&self.file.ladder).join("train"));
        let objective = CommandObjective::new(command.clone(), &ladder.name, runs, Devices::default());
        let objective = objective.map_err(SessionError::from)?;
        let style = Style::choose(self.quiet);
        if style != Style::Quiet {
            say(&format!("{}: {}", origin((&trial, false), taken), trial.params));
        }
        let interrupt = Interrupt::listen()
            .map_err(|source| CliError::System { what: "cannot listen to signals", source })?;
        let steps = Steps { interrupt: interrupt.clone(), style };
        match objective.evaluate(&trial, &steps) {
            Ok(outcome) => output::print(&self.program_result((&objective, &trial), taken, &outcome)),
            Err(error) => Err(not_trained(&error, &interrupt)),
        }
    }

    /// Refuses the options that are for the built-in model.
    fn check_options(&self) -> Result<(), CliError> {
        let given = [("--calibrate", self.calibrate.is_some()), ("--restart", self.restart)];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(CliError::Usage {
                message: format!("{option} is for the built-in model, but a program trains this ladder"),
                hint: Some("leave it out".into()),
            }),
            None => Ok(()),
        }
    }

    fn program_result(
        &self,
        (objective, trial): (&CommandObjective, &TrialSpec),
        taken: Option<&Taken>,
        outcome: &ObjectiveOutcome,
    ) -> String {
        let folder = objective.folder(trial);
        let folder = folder.display();
        let is_complete = |taken: &&Taken| taken.trial.state == TrialState::Complete;
        let repeats = taken.filter(is_complete).filter(|taken| is_repeated(trial, taken));
        let stored = |taken: &Taken| taken.trial.value();
        let is_equal =
            repeats.map(|taken| stored(taken).map(f64::to_bits) == Some(outcome.value().to_bits()));
        if self.json {
            let mut document = document(trial, taken, is_equal, outcome);
            document["checkpoint"] = json!(outcome.checkpoint);
            document["files"] = json!(folder.to_string());
            document["calibration"] = Value::Null;
            return format!("{document:#}\n");
        }
        let checkpoint = outcome.checkpoint.as_ref();
        let checkpoint = checkpoint.map_or_else(String::new, |place| format!("; checkpoint {place}"));
        let mut text = format!("value {}; files {folder}{checkpoint}\n", significant(outcome.value()));
        if let Some((taken, is_equal)) = repeats.zip(is_equal) {
            let number = taken.trial.number;
            let _ = if is_equal {
                writeln!(text, "equal to trial {number} in the store")
            } else {
                let value = stored(taken).map_or_else(|| "no value".into(), significant);
                writeln!(
                    text,
                    "trial {number} has {value} in the store: the program or its machine differed, or the \
                     program uses more than its parameters and its seed"
                )
            };
        }
        for (name, value) in &outcome.metrics {
            let _ = writeln!(text, "  {name:<20} {}", significant(*value));
        }
        text
    }
}
