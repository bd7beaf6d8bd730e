//! The cost of a confirmation, shown by `allometry check` before the search.

use std::fmt::Write as _;

use allometry_core::SamplerKind;
use allometry_ladder::{BudgetSpec, ConfirmSpec, Ladder, ObjectiveSpec};
use allometry_report::number::counted;
use allometry_search::Feasible;
use allometry_session::cores;

/// A ladder with the space and the estimated time of each budget.
pub(super) struct Cost<'a> {
    pub(super) ladder: &'a Ladder,
    pub(super) spaces: &'a [Feasible],
    /// Maximum seconds of one trial on one core, per budget; `None` if unknown.
    pub(super) seconds: &'a [Option<f64>],
}

impl Cost<'_> {
    /// Writes the cost of the confirmation, or what one would cost if the ladder has none.
    pub(super) fn lines(&self, text: &mut String) {
        let asked = self.ladder.confirm.unwrap_or_default();
        let trainings = |spec: &BudgetSpec, space: &Feasible| {
            let distinct = space.configurations().unwrap_or(u64::MAX).min(spec.trials);
            asked.top.min(distinct) * asked.seeds
        };
        let (own, own_time) = self.total(trainings);
        let (trials, search_time) = self.total(|spec, _| spec.trials);
        let cost = format!(
            "{}{own_time}; the search has {}{search_time}",
            counted(own, "training"),
            counted(trials, "trial")
        );
        let _ = match self.ladder.confirm {
            Some(_) => {
                writeln!(text, "\nconfirmation on the test rows: {}\n  {cost}", confirmation_text(asked))
            }
            None => writeln!(
                text,
                "\nthe ladder asks for no confirmation on the test rows: {}\n  it would cost {cost}\n  {}",
                confirmation_text(asked),
                self.offer(asked)
            ),
        };
    }

    /// Returns why a confirmation is worth its cost, and how to ask for one.
    fn offer(&self, asked: ConfirmSpec) -> String {
        let sampler = self.ladder.sampler.kind;
        let why = match sampler {
            SamplerKind::Gp | SamplerKind::Tpe => {
                format!(
                    "the sampler `{}` learns from its trials, so only a confirmation decides between budgets",
                    sampler.as_str()
                )
            }
            _ => "the best of many trials is partly luck".to_owned(),
        };
        let first = match &self.ladder.objective {
            ObjectiveSpec::Command(command) if !command.test_part => {
                ", with `test_part = true` in [command] once the command can score test rows"
            }
            _ => "",
        };
        let ConfirmSpec { top, seeds } = asked;
        format!("{why}: [confirm] with top = {top} and seeds = {seeds} asks for it{first}")
    }

    /// Returns the sum of `count` over the budgets, and the time of so many trainings as text.
    fn total(&self, count: impl Fn(&BudgetSpec, &Feasible) -> u64) -> (u64, String) {
        let counts: Vec<u64> =
            self.ladder.budgets.iter().zip(self.spaces).map(|(spec, space)| count(spec, space)).collect();
        let seconds: Option<f64> =
            counts.iter().zip(self.seconds).map(|(count, seconds)| Some(*count as f64 * (*seconds)?)).sum();
        let time = seconds.map_or_else(String::new, |seconds| format!(", {}", time_words(seconds)));
        (counts.iter().sum(), time)
    }
}

/// Returns which configurations a confirmation trains, as text.
pub(super) fn confirmation_text(asked: ConfirmSpec) -> String {
    let best = match asked.top {
        1 => "the best configuration".into(),
        top => format!("the best {top} configurations"),
    };
    format!("{best} of each budget, under {}", counted(asked.seeds, "seed"))
}

/// Returns how long `seconds` of work on one core take on this machine, as text.
pub(super) fn time_words(seconds: f64) -> String {
    let workers = cores();
    format!("at most about {} with {workers} workers", human_time(seconds / workers as f64))
}

fn human_time(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}
