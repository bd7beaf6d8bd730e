//! The evidence for a verdict.

use super::{Evidence, EvidenceBasis};
use crate::estimate::Estimate;
use crate::scaling::{Difference, Judgement, OrderProbability, Scaling, SizeTrend};
use crate::statement::Statement;
use crate::stats::power_law::EXPONENTS;

/// A piece of evidence with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum EvidenceReason {
    /// The difference of two budgets.
    Difference(Difference),
    /// The slope over all budgets.
    Slope {
        /// Number of budgets.
        budgets: u64,
        /// The slope.
        slope: Estimate,
        /// Whether the slope is per tenfold weights; otherwise it is per budget.
        is_per_decade: bool,
        /// P-value of the slope for zero.
        p: Option<f64>,
    },
    /// The departure of the values from a straight line.
    LackOfFit {
        /// P-value of the lack of fit.
        p: f64,
    },
    /// The gain per tenfold weights with the sizes as units.
    SizesAsUnits {
        /// The gain.
        gain: Estimate,
        /// Number of distinct sizes.
        sizes: u64,
    },
    /// The interval of a power law's exponent reaches an end of the search range.
    ExponentNotIdentified {
        /// The search range.
        range: (f64, f64),
    },
    /// The exponent of a saturating power law.
    Exponent(Estimate),
    /// The sizes are too few for an exponent.
    NoExponent {
        /// Number of distinct sizes.
        sizes: u64,
        /// Decades that they span.
        decades: f64,
    },
    /// Change with tenfold weights among the configurations of one budget.
    WithinBudgets(Estimate),
    /// The most probable order of the best trials on new rows.
    Order(OrderProbability),
}

impl EvidenceReason {
    fn basis(&self) -> EvidenceBasis {
        match self {
            Self::Difference(_) => EvidenceBasis::Difference,
            Self::Order(_) => EvidenceBasis::Rows,
            _ => EvidenceBasis::Trend,
        }
    }
}

/// Returns the evidence for the conclusion.
pub(super) fn evidence(scaling: &Scaling) -> Vec<Evidence> {
    let differences = scaling.differences.iter().cloned().map(EvidenceReason::Difference);
    let slope = scaling.judgement.iter().map(|judgement| EvidenceReason::Slope {
        budgets: judgement.values.len() as u64,
        slope: judgement.slope,
        is_per_decade: judgement.is_per_decade,
        p: judgement.p,
    });
    let departure = scaling.judgement.iter().filter_map(|judgement| judgement.lack_of_fit);
    let likeliest = scaling.resampled.iter().filter_map(|resampled| resampled.orders.first());
    differences
        .chain(slope)
        .chain(departure.map(|p| EvidenceReason::LackOfFit { p }))
        .chain(scaling.trend.iter().flat_map(|trend| of_trend(trend, scaling.judgement.as_ref())))
        .chain(scaling.within_budgets.map(EvidenceReason::WithinBudgets))
        .chain(likeliest.cloned().map(EvidenceReason::Order))
        .map(|reason| Evidence { basis: reason.basis(), statement: Statement::Reason(reason) })
        .collect()
}

/// Returns the gain with the sizes as units, and the exponent.
fn of_trend(trend: &SizeTrend, judgement: Option<&Judgement>) -> [EvidenceReason; 2] {
    let gain = EvidenceReason::SizesAsUnits { gain: trend.gain_per_decade, sizes: trend.sizes };
    let exponent = match judgement.and_then(|judgement| judgement.law.as_ref()) {
        Some(fit) if fit.is_open() => EvidenceReason::ExponentNotIdentified { range: EXPONENTS },
        Some(fit) => EvidenceReason::Exponent(fit.exponent),
        None => EvidenceReason::NoExponent { sizes: trend.sizes, decades: trend.decades },
    };
    [gain, exponent]
}
