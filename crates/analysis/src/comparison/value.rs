//! The best values of one budget in two ladders.

use allometry_core::{ClassCounts, Direction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::scaling::Paired;
use crate::scores::RowScores;
use crate::stats::{auc, normal};

/// Which of two is better, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// A is better beyond doubt.
    A,
    /// B is better beyond doubt.
    B,
    /// The difference is smaller than what is of interest.
    Equivalent,
    /// The data do not tell.
    Undecided,
    /// What would be needed to tell was not given.
    Unknown,
}

/// Validation rows, of the same mix as now, that each ladder would need.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowsNeeded {
    /// Those of A.
    pub a: f64,
    /// Those of B.
    pub b: f64,
}

/// The best value of B less that of A.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueDifference {
    /// The difference, in the metric: positive where B's value is larger, be that better or not.
    pub difference: Estimate,
    /// Correlation between the two metrics over new rows, from the predictions of both best trials of the same rows
    /// (of AUCs as `DeLong` et al. 1988); `null` without such scores, where the difference has the error of two sets of rows.
    pub measured_correlation: Option<f64>,
    /// Two-sided p-value of the difference; 1 where both are the same trial, or both models give the
    /// same predictions.
    pub p: Option<f64>,
    /// The same after Holm's adjustment over the budgets of both ladders.
    pub p_holm: Option<f64>,
    /// Rows that would tell this difference from 0 with the power asked for; `null` without a standard error or for no
    /// difference.
    pub rows_to_tell: Option<RowsNeeded>,
    /// Rows that would show it to be smaller than the smallest effect of interest, with that power; `null` where it is not.
    pub rows_to_equate: Option<RowsNeeded>,
}

/// A best value and what is known of how it was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured<'s> {
    pub(super) best: Estimate,
    pub(super) rows: Option<ClassCounts>,
    pub(super) scores: Option<RowScores<'s>>,
}

impl ValueDifference {
    pub(super) fn new(a: &Measured<'_>, b: &Measured<'_>, identical: bool, options: &Options) -> Self {
        let point = b.best.point - a.best.point;
        let mut difference = Self {
            difference: Estimate::observed(point, options),
            measured_correlation: None,
            p: None,
            p_holm: None,
            rows_to_tell: None,
            rows_to_equate: None,
        };
        let scores = a.scores.zip(b.scores);
        let predict_alike = point == 0.0 && scores.is_some_and(|(a, b)| a.are_alike(&b));
        if identical || predict_alike {
            difference.difference = Estimate::normal(0.0, 0.0, Method::Identical, options);
            difference.p = Some(1.0);
        } else if let Some(paired) = scores.and_then(|(a, b)| Paired::new(&a, &b)) {
            difference.measured_correlation = Some(paired.correlation);
            difference.weigh(paired.error, paired.method, (paired.rows, paired.rows), options);
        } else if let (Some((first, second)), Some(rows)) =
            (a.best.standard_error.zip(b.best.standard_error), a.rows.zip(b.rows))
        {
            let error = auc::difference_error(first, second, 0.0);
            let total = |rows: ClassCounts| rows.positives as f64 + rows.negatives as f64;
            difference.weigh(error, Method::Independent, (total(rows.0), total(rows.1)), options);
        }
        difference
    }

    fn weigh(&mut self, error: f64, method: Method, rows: (f64, f64), options: &Options) {
        let point = self.difference.point;
        let needed = |gap: f64, power: f64| {
            let of = |rows| auc::rows_to_detect(gap, error, rows, options.level, power);
            Some(RowsNeeded { a: of(rows.0)?, b: of(rows.1)? })
        };
        self.difference = Estimate::normal(point, error, method, options);
        self.p = self.difference.z().map(normal::two_sided_p);
        self.rows_to_tell = needed(point, options.power);
        let margin = options.effect() - point.abs();
        // Both ends of the interval must stay inside, hence half of the risk for each.
        self.rows_to_equate =
            (margin > 0.0).then(|| needed(margin, f64::midpoint(1.0, options.power))).flatten();
    }

    /// In this order: unknown (no interval), equivalent (interval inside the smallest effect), better (p after Holm's
    /// adjustment below `1 - level`), undecided.
    pub(super) fn preference(&self, direction: Direction, options: &Options) -> Preference {
        match self.difference.interval {
            None => Preference::Unknown,
            Some(interval) if interval.is_within(options.effect()) => Preference::Equivalent,
            Some(_) if self.p_holm.is_some_and(|p| p < 1.0 - options.level) => {
                if direction.better(self.difference.point, 0.0) { Preference::B } else { Preference::A }
            }
            Some(_) => Preference::Undecided,
        }
    }
}
