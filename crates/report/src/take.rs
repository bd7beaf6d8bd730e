//! The configurations to take, and the values that they are expected to have.

use allometry_analysis::recommendation::RecommendedTrial;
use allometry_analysis::summary::RankedTrial;
use allometry_analysis::{Analysis, Estimate, Method, StudyAnalysis};
use allometry_core::{Params, TrainingCost, TrialNumber};

use crate::brief::parameters::{confirmed, to_take};
use crate::command::{ladder_words, train_command};
use crate::number::{decimals, duration, grouped, interval, quoted};
use crate::words;

/// The configuration to take from a budget.
pub struct Taken<'a> {
    /// The budget's study.
    pub study: &'a StudyAnalysis,
    /// The trial that tried the configuration in the search.
    pub trial: TrialNumber,
    /// The configuration.
    pub params: &'a Params,
}

/// The value of a configuration, by what it was measured or estimated from.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// Mean of the trainings of a confirmation on the test rows.
    OnTestRows(Estimate),
    /// Mean over seeds that a model of the search's trials expects.
    OverSeeds(Estimate),
    /// Value of its trial in the search.
    InSearch(Estimate),
}

/// Returns the configuration to take: that of the budget that the verdict recommends, or that of the only
/// budget. `None` if the verdict prefers no budget.
pub fn chosen(analysis: &Analysis) -> Option<Taken<'_>> {
    let study = match (words::verdict::to_take(analysis), analysis.studies.as_slice()) {
        (Some(take), studies) => studies.iter().find(|study| study.budget.label == take.budget),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    Taken::of(study?, analysis)
}

/// Returns the configuration to take from each budget that has one.
pub fn of_each(analysis: &Analysis) -> impl Iterator<Item = Taken<'_>> {
    analysis.studies.iter().filter_map(|study| Taken::of(study, analysis))
}

impl<'a> Taken<'a> {
    fn of(study: &'a StudyAnalysis, analysis: &'a Analysis) -> Option<Self> {
        let (trial, params) = to_take(study, analysis)?;
        Some(Self { study, trial, params })
    }

    /// Returns its trial where it is the recommended one.
    fn recommended(&self) -> Option<&'a RecommendedTrial> {
        self.study.recommended.trial.as_ref().filter(|one| one.number == self.trial)
    }

    /// Returns its trial where it is among the best ones.
    fn ranked(&self) -> Option<&'a RankedTrial> {
        self.study.summary.best.iter().find(|one| one.number == self.trial)
    }

    /// Returns the exact number of weights of its model, if known.
    pub fn weights(&self) -> Option<u64> {
        let size = self.recommended().map_or_else(|| self.ranked()?.size, |one| one.size);
        Some(size?.total)
    }

    /// Returns the expected value of the configuration, from the best source that knows it.
    pub fn expected(&self, analysis: &Analysis) -> Option<Expected> {
        if let Some(confirmed) = confirmed(self.study, analysis) {
            return Some(Expected::OnTestRows(confirmed.chosen().test));
        }
        if let Some(mean) = self.recommended().and_then(|one| one.mean) {
            return Some(Expected::OverSeeds(mean));
        }
        Some(Expected::InSearch(self.ranked()?.value))
    }

    /// Returns what the training of its trial used, as far as known.
    fn cost(&self) -> TrainingCost {
        let cost = self.recommended().map(|one| one.cost).or_else(|| Some(self.ranked()?.cost));
        cost.unwrap_or_default()
    }

    /// Returns where the trial left its model, if it says so.
    pub fn checkpoint(&self) -> Option<&'a str> {
        let checkpoint = self.recommended().and_then(|one| one.checkpoint.as_deref());
        checkpoint.or_else(|| self.ranked()?.checkpoint.as_deref())
    }

    /// Returns the command that trains the configuration again as its trial did; `None` if the trials come
    /// from another program. `ladder` are the command's arguments that name the ladder; where it is empty,
    /// the command is one for the folder of the ladder file.
    pub fn command(&self, analysis: &Analysis, ladder: &str) -> Option<String> {
        let label = &self.study.budget.label;
        let ladder = ladder_words(analysis, ladder);
        analysis.training.map(|training| train_command(label, self.trial, &ladder, training))
    }

    /// Returns the parameters as one line of JSON, for a program that is no part of the ladder.
    pub fn json(&self) -> String {
        serde_json::to_string(self.params).expect("parameters have text keys")
    }

    /// Returns the sentences on the trial to take, the reason, the expected value and the cost.
    pub(crate) fn sentence(&self, analysis: &Analysis) -> String {
        let advice = words::verdict::take_sentence(analysis);
        let take = advice.unwrap_or_else(|| format!("Take trial {}.", self.trial));
        format!("{take}{}", self.value_and_cost(analysis))
    }

    /// Returns the expected value, the size of the model, the time and the operations of its training, and
    /// its place, as sentences after a space; empty if none is known.
    pub(crate) fn value_and_cost(&self, analysis: &Analysis) -> String {
        let metric = &analysis.metric;
        let value = match self.expected(analysis) {
            Some(Expected::OnTestRows(mean)) => {
                format!(" Its mean {metric} on the test rows is {}{}.", estimated(&mean), scope(&mean))
            }
            Some(Expected::OverSeeds(mean)) => {
                format!(" Its mean {metric} over seeds is probably {}.", estimated(&mean))
            }
            Some(Expected::InSearch(_)) | None => String::new(),
        };
        value + &self.size_and_cost()
    }

    fn size_and_cost(&self) -> String {
        let TrainingCost { seconds, flops, .. } = self.cost();
        let operations = flops.map(|flops| format!("{flops:.1e} floating-point operations"));
        let cost: Vec<String> = seconds.map(duration).into_iter().chain(operations).collect();
        let size = self.weights().map(|weights| format!("model has {} weights", grouped(weights)));
        let cost = (!cost.is_empty()).then(|| format!("training took {}", cost.join(" and ")));
        let numbers = match (size, cost) {
            (Some(size), Some(cost)) => format!(" Its {size}, its {cost}."),
            (Some(one), None) | (None, Some(one)) => format!(" Its {one}."),
            (None, None) => String::new(),
        };
        let place = self.checkpoint().map(|place| format!(" Its model is at {}.", quoted(place)));
        numbers + &place.unwrap_or_default()
    }
}

/// Returns what the interval of a mean on the test rows is for and leaves out; empty without an interval.
fn scope(mean: &Estimate) -> &'static str {
    // The table of budgets has wider intervals, which cover what another search finds.
    match (mean.interval, mean.effective_rows, mean.method) {
        (None, ..) => "",
        (Some(_), None, _) => {
            ", for this configuration alone; the interval covers other seeds and not other test rows, whose \
             error is not known"
        }
        (Some(_), Some(_), Method::Rows) => {
            ", for this configuration alone; the interval covers other test rows and not other seeds"
        }
        (Some(_), Some(_), _) => ", for this configuration alone",
    }
}

/// Returns a value with its interval, if it has one: `0.7432 (90% interval 0.7309 to 0.7546)`.
pub(crate) fn estimated(value: &Estimate) -> String {
    let ends = value.interval.map_or_else(String::new, |ends| {
        format!(" ({:.0}% interval {})", value.level * 100.0, interval(Some(ends)))
    });
    format!("{}{ends}", decimals(value.point))
}
