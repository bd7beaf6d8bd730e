//! Budgets that were searched with unequal numbers of trials.

use super::contrast::BudgetPart;
use super::judgement::Judgement;
use super::search::{Configuration, configurations, kind};
use super::{Difference, LastStep};
use crate::estimate::Estimate;
use crate::input::{LadderTrials, StudyTrials};
use crate::outcome::Outcome;
use crate::stats::best_of;

/// What the best of each search owes to trials that the shortest search did not have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Excess {
    /// Distinct configurations of the shortest search.
    pub(crate) fewest: u64,
    /// By how much the best observed value of each study would be lower after as many, in gains; the studies
    /// in the order given.
    pub(crate) gains: Vec<f64>,
}

impl Excess {
    /// `None` where no study owes anything to more trials than another has.
    pub(crate) fn new(studies: &[&StudyTrials], ladder: &LadderTrials) -> Option<Self> {
        let found: Vec<Vec<Configuration<'_>>> =
            studies.iter().map(|study| configurations(study, ladder, |_| true)).collect();
        let fewest = found.iter().map(Vec::len).min().filter(|fewest| *fewest > 0)?;
        let gains: Vec<f64> = found
            .iter()
            .zip(studies)
            .map(|(found, study)| excess(found, fewest, kind(study, ladder).is_independent()))
            .collect();
        gains.iter().any(|gain| *gain > 0.0).then_some(Self { fewest: fewest as u64, gains })
    }

    /// The values of the studies, in their order, without what they owe to more trials.
    pub(crate) fn cut<'a>(&self, mut parts: Vec<BudgetPart<'a>>) -> Vec<BudgetPart<'a>> {
        for (part, gain) in parts.iter_mut().zip(&self.gains) {
            part.value -= gain;
        }
        parts
    }
}

/// What the best of all has over the best of `fewest`: of as many drawn from them, and, where later trials
/// were chosen by earlier ones, at least over the best of the first.
fn excess(found: &[Configuration<'_>], fewest: usize, is_independent: bool) -> f64 {
    let values: Vec<f64> = found.iter().map(Configuration::mean).collect();
    let best = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut ascending = values.clone();
    ascending.sort_by(f64::total_cmp);
    let of_as_many = best_of::without_replacement(&ascending, fewest).unwrap_or_else(|| best(&values));
    let by_number = best(&values) - of_as_many;
    if is_independent { by_number } else { by_number.max(best(&values) - best(&values[..fewest])) }
}

impl Judgement {
    /// What this one and `other` both say, `other` being the same with every search cut to `fewest`
    /// configurations.
    ///
    /// The value of a chosen configuration owes to the number of trials a share of what the observed best
    /// owes to it; the rest is luck that is gone once it is trained again. The share is not known, and the
    /// test is monotone in it: what is told at none and at all of it is told at any.
    pub(crate) fn at_equal_effort(mut self, other: &Self, fewest: u64) -> Self {
        let place = |one: &Self| self.values.iter().position(|value| value.budget == one.sufficient);
        if place(other) < place(&self) {
            self.sufficient.clone_from(&other.sufficient);
        }
        if self.outcome != other.outcome {
            self.outcome = Outcome::Undecided;
        }
        self.slope = either(self.slope, other.slope);
        self.whole = either(self.whole, other.whole);
        self.p = larger(self.p, other.p);
        self.lack_of_fit = larger(self.lack_of_fit, other.lack_of_fit);
        if let (Some(step), Some(other)) = (&mut self.last_step, &other.last_step) {
            *step = LastStep {
                gain: either(step.gain, other.gain),
                p: larger(step.p, other.p),
                is_told: step.is_told && other.is_told,
                ..step.clone()
            };
        }
        self.cut_to = Some(fewest);
        self
    }
}

impl Difference {
    /// What this one and `other`, of the same budgets at equal effort, both say.
    pub(crate) fn at_equal_effort(self, other: &Self) -> Self {
        let differ = self.gain.point * other.gain.point < 0.0;
        Self {
            gain: either(self.gain, other.gain),
            p: if differ { Some(1.0) } else { larger(self.p, other.p) },
            p_holm: if differ { Some(1.0) } else { larger(self.p_holm, other.p_holm) },
            ..self
        }
    }
}

/// The first of two estimates with an interval that holds both of theirs.
fn either(one: Estimate, other: Estimate) -> Estimate {
    let interval = one.interval.zip(other.interval);
    Estimate {
        standard_error: larger(one.standard_error, other.standard_error),
        interval: interval.map(|(a, b)| (a.lower.min(b.lower), a.upper.max(b.upper)).into()),
        ..one
    }
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.zip(other).map(|(one, other)| one.max(other))
}
