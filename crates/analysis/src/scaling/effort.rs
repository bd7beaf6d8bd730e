//! Correction for budgets that were searched with unequal numbers of trials.

use super::contrast::BudgetPart;
use super::judgement::Judgement;
use super::search::{Configuration, configurations, kind};
use super::{Difference, LastStep};
use crate::input::{LadderTrials, StudyTrials};
use crate::outcome::Outcome;
use crate::stats::best_of;

/// The part of each search's best value that comes from having more trials than the shortest search.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Excess {
    /// Number of distinct configurations of the shortest search.
    pub(crate) fewest: u64,
    /// Drop of each study's best observed value if its search ended after `fewest` configurations, in gains,
    /// in the order of the studies.
    pub(crate) gains: Vec<f64>,
}

impl Excess {
    /// Computes the excess; `None` where no study gains from having more trials.
    pub(crate) fn new(studies: &[&StudyTrials], ladder: &LadderTrials) -> Option<Self> {
        Self::beyond(studies, ladder, 0)
    }

    /// Computes the excess over searches of `least` configurations, or over the shortest search if that is
    /// longer.
    pub(crate) fn beyond(studies: &[&StudyTrials], ladder: &LadderTrials, least: u64) -> Option<Self> {
        let found: Vec<Vec<Configuration<'_>>> =
            studies.iter().map(|study| configurations(study, ladder, |_| true)).collect();
        let shortest = found.iter().map(Vec::len).min().filter(|fewest| *fewest > 0)?;
        let fewest = shortest.max(least as usize);
        let gains: Vec<f64> = found
            .iter()
            .zip(studies)
            .map(|(found, study)| excess(found, fewest, kind(study, ladder).is_independent()))
            .collect();
        gains.iter().any(|gain| *gain > 0.0).then_some(Self { fewest: fewest as u64, gains })
    }

    /// Returns the parts of the studies, in their order, with the excess subtracted from the values.
    pub(crate) fn cut<'a>(&self, mut parts: Vec<BudgetPart<'a>>) -> Vec<BudgetPart<'a>> {
        for (part, gain) in parts.iter_mut().zip(&self.gains) {
            part.value -= gain;
        }
        parts
    }
}

/// Returns how much the best of all values exceeds the best of `fewest`, drawn from all of them. For a
/// dependent search it is at least the excess over the best of the first `fewest`.
fn excess(found: &[Configuration<'_>], fewest: usize, is_independent: bool) -> f64 {
    if found.len() <= fewest {
        return 0.0;
    }
    let values: Vec<f64> = found.iter().map(Configuration::mean).collect();
    let best = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut ascending = values.clone();
    ascending.sort_by(f64::total_cmp);
    let of_as_many = best_of::without_replacement(&ascending, fewest).unwrap_or_else(|| best(&values));
    let by_number = best(&values) - of_as_many;
    if is_independent { by_number } else { by_number.max(best(&values) - best(&values[..fewest])) }
}

impl Judgement {
    /// Combines this judgement with `other`, the judgement with every search cut to `fewest` configurations,
    /// and keeps only conclusions that both support.
    ///
    /// More trials raise the observed best. An unknown share of this gain remains in the value of the chosen
    /// configuration when it is trained again; the rest is luck. The test is monotone in this share, so that
    /// a conclusion that holds at shares of 0 and 1 holds at any share.
    pub(crate) fn at_equal_effort(mut self, other: &Self, fewest: u64) -> Self {
        let place = |one: &Self| self.values.iter().position(|value| value.budget == one.sufficient);
        if place(other) < place(&self) {
            self.sufficient.clone_from(&other.sufficient);
        }
        if self.outcome != other.outcome {
            self.outcome = Outcome::Undecided;
        }
        self.slope = self.slope.or_wider(other.slope);
        self.whole = self.whole.or_wider(other.whole);
        self.p = larger(self.p, other.p);
        self.lack_of_fit = larger(self.lack_of_fit, other.lack_of_fit);
        if let (Some(step), Some(other)) = (&mut self.last_step, &other.last_step) {
            *step = LastStep {
                gain: step.gain.or_wider(other.gain),
                p: larger(step.p, other.p),
                is_told: step.is_told && other.is_told,
                ..step.clone()
            };
        }
        let laws = [(&mut self.law, &other.law), (&mut self.law_of_compute, &other.law_of_compute)];
        for (law, other) in laws {
            if let (Some(law), Some(other)) = (law, other) {
                law.widen(other);
            }
        }
        self.cut_to = Some(fewest);
        self
    }
}

impl Difference {
    /// Combines this difference with `other`, the difference of these budgets at equal effort, keeping what
    /// both support.
    pub(crate) fn at_equal_effort(self, other: &Self) -> Self {
        let differ = self.gain.point * other.gain.point < 0.0;
        Self {
            gain: self.gain.or_wider(other.gain),
            p: if differ { Some(1.0) } else { larger(self.p, other.p) },
            p_holm: if differ { Some(1.0) } else { larger(self.p_holm, other.p_holm) },
            ..self
        }
    }
}

fn larger(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.zip(other).map(|(one, other)| one.max(other))
}
