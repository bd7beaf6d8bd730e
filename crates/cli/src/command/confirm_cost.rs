//! The cost of a confirmation, shown by `allometry check` before the search.

use std::fmt::Write as _;

use allometry_core::SamplerKind;
use allometry_ladder::{BudgetSpec, ConfirmSpec, Ladder, ObjectiveSpec};
use allometry_report::number::{counted, duration};
use allometry_search::Feasible;
use allometry_session::cores;
use serde::Serialize;

/// The cost of a confirmation beside that of the search; if the ladder has none, of a usual one.
#[derive(Debug, Serialize)]
pub(super) struct Cost {
    /// Whether the ladder asks for the confirmation.
    asked: bool,
    /// Number of configurations per budget, and of seeds of each.
    top: u64,
    seeds: u64,
    trainings: u64,
    /// Greatest time of the trainings on one core; `None` if unknown.
    seconds: Option<f64>,
    search_trials: u64,
    search_seconds: Option<f64>,
    /// Why a confirmation is worth its cost and how to ask for one; `None` if the ladder asks for it.
    offer: Option<String>,
}

impl Cost {
    /// Estimates the cost from the space of each budget, and the maximum seconds of one of its trainings and
    /// of one of its trials on one core if they are known.
    pub(super) fn new(ladder: &Ladder, spaces: &[Feasible], seconds: &[Option<[f64; 2]>]) -> Self {
        let asked = ladder.confirm.unwrap_or_default();
        let total = |place: usize, count: &dyn Fn(&BudgetSpec, &Feasible) -> u64| {
            let counts: Vec<u64> =
                ladder.budgets.iter().zip(spaces).map(|(spec, space)| count(spec, space)).collect();
            let of_budget = |(count, seconds): (&u64, &Option<[f64; 2]>)| {
                let seconds = (*seconds)?;
                Some(*count as f64 * seconds[place])
            };
            let seconds: Option<f64> = counts.iter().zip(seconds).map(of_budget).sum();
            (counts.iter().sum(), seconds)
        };
        let (trainings, training_seconds) = total(0, &|spec, space| {
            if spec.budget.train.is_some() {
                return 0;
            }
            let distinct = space.configurations().unwrap_or(u64::MAX).min(spec.trials);
            asked.top.min(distinct) * asked.seeds
        });
        let (search_trials, search_seconds) = total(1, &|spec, _| spec.trials);
        Self {
            asked: ladder.confirm.is_some(),
            top: asked.top,
            seeds: asked.seeds,
            trainings,
            seconds: training_seconds,
            search_trials,
            search_seconds,
            offer: ladder.confirm.is_none().then(|| offer(ladder, asked)),
        }
    }

    /// Writes the cost as text.
    pub(super) fn lines(&self, text: &mut String) {
        let time = |seconds: Option<f64>| {
            seconds.map_or_else(String::new, |seconds| format!(", {}", time_words(seconds)))
        };
        let cost = format!(
            "{}{}; the search has {}{}",
            counted(self.trainings, "training"),
            time(self.seconds),
            counted(self.search_trials, "trial"),
            time(self.search_seconds)
        );
        let trained = confirmation_text(ConfirmSpec { top: self.top, seeds: self.seeds });
        let _ = match &self.offer {
            None => writeln!(text, "\nthe confirmation on the test rows trains {trained}\n  it takes {cost}"),
            Some(offer) => writeln!(
                text,
                "\nthe ladder does not ask for a confirmation on the test rows, which trains {trained}\n  it \
                 would take {cost}\n  {offer}"
            ),
        };
    }
}

/// Returns why a confirmation is worth its cost, and how to ask for one.
fn offer(ladder: &Ladder, asked: ConfirmSpec) -> String {
    let sampler = ladder.sampler.kind;
    let why = match sampler {
        SamplerKind::Gp | SamplerKind::Tpe => {
            format!(
                "the sampler `{}` learns from its trials, so only a confirmation decides between budgets",
                sampler.as_str()
            )
        }
        _ => "the best of many trials is partly luck".to_owned(),
    };
    let first = match &ladder.objective {
        ObjectiveSpec::Command(command) if !command.test_part => {
            ", with `test_part = true` in [command] once the command can score test rows"
        }
        _ => "",
    };
    let ConfirmSpec { top, seeds } = asked;
    format!("{why}: [confirm] with top = {top} and seeds = {seeds} asks for it{first}")
}

/// Returns which configurations a confirmation trains, as text.
pub(super) fn confirmation_text(asked: ConfirmSpec) -> String {
    let best = match asked.top {
        1 => "the best configuration".into(),
        top => format!("the best {top} configurations"),
    };
    format!("{best} of each budget with {}", counted(asked.seeds, "seed"))
}

/// Returns how long `seconds` of work on one core take on this machine, as text.
pub(super) fn time_words(seconds: f64) -> String {
    let workers = cores();
    let seconds = (seconds / workers as f64).max(1.0);
    format!("at most about {} with {workers} workers", duration(seconds))
}
