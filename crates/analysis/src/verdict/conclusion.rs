//! The answer of a verdict and the sources that its error covers.

use super::Outcome;
use crate::confirmation::Confirmation;
use crate::estimate::Estimate;
use crate::options::Options;
use crate::scaling::{Difference, Judgement, LastStep, Quantity, Share, Source, Withheld};
use crate::size::SizeReversal;

/// The answer with its additions.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    /// The answer.
    pub answer: Answer,
    /// The gain of the confirmed configurations alone, if it has another outcome than the answer, which
    /// covers other searches too.
    pub alone: Option<Gain>,
    /// Neighbouring budgets where the larger budget has the smaller best model.
    pub out_of_order: Vec<SizeReversal>,
}

/// The answer to the question whether more weights pay, with its main reason.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// All differences between budgets are below the smallest effect of interest.
    Flat {
        /// The gain.
        gain: Gain,
        /// The smallest difference of interest.
        smallest_effect: f64,
    },
    /// Larger budgets are better.
    Holds {
        /// The gain.
        gain: Gain,
        /// The step to the largest budget, for three budgets or more.
        last_step: Option<LastStep>,
        /// P-value of the lack of fit, where the gain varies over the sizes.
        lack_of_fit: Option<f64>,
    },
    /// Larger budgets, or a single larger budget, are worse.
    Violated {
        /// The gain.
        gain: Gain,
        /// The significantly worse larger budget with the largest difference.
        worst: Option<Box<Difference>>,
        /// The significantly better larger budget with the largest difference.
        best: Option<Box<Difference>>,
    },
    /// The mean trial and the best trial differ between small and large models in opposite directions.
    MeanAgainstBest {
        /// The gain.
        gain: Gain,
    },
    /// The trials do not decide.
    Undecided {
        /// The gain.
        gain: Gain,
        /// Label of the smallest budget.
        smallest: String,
        /// Label of the largest budget.
        largest: String,
    },
    /// The error of the confirmation cannot be estimated.
    ConfirmationWithoutError {
        /// The reason; `None` for lack of seeds and predictions.
        why: Option<Withheld>,
    },
    /// Scaling was not tested.
    NotTested {
        /// The outcome in this case.
        outcome: Outcome,
        /// The reason; `None` where nothing was compared.
        why: Option<Withheld>,
    },
    /// There is no budget.
    NoBudget,
}

/// A gain with its step and the quantity that it measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Gain {
    /// The steps.
    pub step: GainStep,
    /// The gain: positive where larger is better.
    pub estimate: Estimate,
    /// The quantity.
    pub quantity: Quantity,
}

/// The step of a gain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GainStep {
    /// From one budget to another.
    Pair {
        /// Label of the smaller budget.
        smaller: String,
        /// Label of the larger budget.
        larger: String,
    },
    /// A tenfold increase of the weights.
    Decade,
    /// One budget to the next.
    Budget,
}

/// The sources of variation that the error of a verdict covers and leaves out.
#[derive(Debug, Clone, PartialEq)]
pub struct Covers {
    /// The sources that it covers, with their shares of the variance.
    pub shares: Vec<Share>,
    /// The sources that it leaves out.
    pub left_out: Vec<Source>,
    /// Whether the rows are test rows; otherwise they are validation rows.
    pub on_test_rows: bool,
    /// Number of configurations to which unequal searches were cut; `None` without a cut.
    pub cut_to: Option<u64>,
    /// Treatment of the rows; `None` where their error is not known.
    pub rows: Option<RowsCovered>,
    /// Number of eras whose spread the error over rows is at least; `None` without eras.
    pub eras: Option<u64>,
}

/// Treatment of rows in an error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowsCovered {
    /// As dependent rows in time order.
    InOrder {
        /// Number of effective rows, where known.
        effective: Option<f64>,
    },
    /// As rows that depend on those of their time and of their series.
    TwoWay {
        /// Number of effective rows, where known.
        effective: Option<f64>,
    },
    /// As independent rows: their order in time is not known.
    Unordered,
    /// As independent rows that differ between budgets: predictions of the same rows are not stored.
    Apart,
}

/// An outcome with its reasons.
pub(crate) struct Conclusion {
    pub(crate) outcome: Outcome,
    pub(crate) answer: Answer,
    /// The gain of the confirmed configurations alone, if it has another outcome.
    pub(crate) alone: Option<Gain>,
    /// Sources that the error covers; `None` without an error.
    pub(crate) covers: Option<Covers>,
}

impl Conclusion {
    /// Draws the conclusion from a test of scaling, or from the reason why there is no test.
    pub(crate) fn new(
        judgement: Option<&Judgement>,
        withheld: Option<&Withheld>,
        differences: &[Difference],
        options: &Options,
    ) -> Self {
        let Some(judgement) = judgement else {
            let outcome = withheld.map_or(Outcome::Unknown, Withheld::outcome);
            let answer = Answer::NotTested { outcome, why: withheld.cloned() };
            return Self { outcome, answer, alone: None, covers: None };
        };
        Self {
            outcome: judgement.outcome,
            answer: Answer::new(judgement, differences, options),
            alone: None,
            covers: Some(Covers::new(judgement)),
        }
    }

    /// Draws the conclusion from a confirmation of two budgets or more: *undecided* where its error is not
    /// known, whatever the conclusion of the search.
    pub(super) fn confirmed(confirmation: &Confirmation, options: &Options) -> Option<Self> {
        if confirmation.budgets.len() < 2 {
            return None;
        }
        let Some(of_configurations) = &confirmation.configurations else {
            let answer = Answer::ConfirmationWithoutError { why: confirmation.withheld.clone() };
            return Some(Self { outcome: Outcome::Undecided, answer, alone: None, covers: None });
        };
        let differences = confirmation.differences();
        let Some(of_search) = &confirmation.search else {
            return Some(Self::new(Some(of_configurations), None, &differences, options));
        };
        let judged = Judgement { outcome: confirmation.outcome()?, ..of_search.clone() };
        // The same outcome twice would hide the answer.
        let alone = (of_configurations.outcome != judged.outcome).then(|| Gain::new(of_configurations));
        Some(Self { alone, ..Self::new(Some(&judged), None, &differences, options) })
    }
}

impl Answer {
    fn new(judgement: &Judgement, differences: &[Difference], options: &Options) -> Self {
        let (Some(first), Some(last)) = (judgement.values.first(), judgement.values.last()) else {
            return Self::NoBudget;
        };
        let gain = Gain::new(judgement);
        let alpha = 1.0 - options.level;
        let told = || differences.iter().filter(|d| d.p_holm.is_some_and(|p| p < alpha));
        let by_gain = |a: &&Difference, b: &&Difference| a.gain.point.total_cmp(&b.gain.point);
        let boxed = |one: &Difference| Box::new(one.clone());
        match judgement.outcome {
            Outcome::Flat => Self::Flat { gain, smallest_effect: options.effect() },
            Outcome::Holds => Self::Holds {
                gain,
                last_step: judgement.last_step.clone(),
                lack_of_fit: judgement.lack_of_fit.filter(|_| judgement.departs(options)),
            },
            Outcome::Violated => Self::Violated {
                gain,
                worst: told().filter(|d| d.gain.point < 0.0).min_by(by_gain).map(boxed),
                best: told().filter(|d| d.gain.point > 0.0).max_by(by_gain).map(boxed),
            },
            Outcome::Undecided if judgement.k_decides => Self::MeanAgainstBest { gain },
            Outcome::Undecided | Outcome::Unknown => {
                Self::Undecided { gain, smallest: first.budget.clone(), largest: last.budget.clone() }
            }
        }
    }
}

impl Gain {
    fn new(judgement: &Judgement) -> Self {
        let (step, estimate) = match &judgement.values[..] {
            [first, last] => {
                let (smaller, larger) = (first.budget.clone(), last.budget.clone());
                (GainStep::Pair { smaller, larger }, judgement.whole)
            }
            _ if judgement.is_per_decade => (GainStep::Decade, judgement.slope),
            _ => (GainStep::Budget, judgement.slope),
        };
        Self { step, estimate, quantity: judgement.quantity }
    }
}

impl Covers {
    fn new(judgement: &Judgement) -> Self {
        let effective = judgement.slope.effective_rows.map(|rows| rows.rows);
        Self {
            shares: judgement.shares.clone(),
            left_out: judgement.left_out.clone(),
            on_test_rows: judgement.quantity == Quantity::Confirmed,
            cut_to: judgement.cut_to,
            rows: judgement.same_rows.map(|same| match (same, judgement.rows_in_order) {
                (true, _) if judgement.series.is_some() => RowsCovered::TwoWay { effective },
                (true, true) => RowsCovered::InOrder { effective },
                (true, false) => RowsCovered::Unordered,
                (false, _) => RowsCovered::Apart,
            }),
            eras: judgement.eras,
        }
    }
}
