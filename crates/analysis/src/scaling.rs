//! What more weights buy.

mod paired;
mod resampled;
mod trend;

use allometry_core::{ClassCounts, Direction, ModelSize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use paired::Paired;
pub use paired::paired_gain;
pub use resampled::{CorrectedBest, OrderProbability, RowResamples};
pub use trend::{DECADES_FOR_EXPONENT, PowerLawFit, SIZES_FOR_EXPONENT, SizeTrend, TrendCenter};

use crate::estimate::{Estimate, Method};
use crate::input::LadderTrials;
use crate::options::Options;
use crate::scores::RowScores;
use crate::stats::{auc, holm, normal};
use crate::study::StudyAnalysis;

/// One budget as a point of the scaling picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScalingPoint {
    /// Label of the size budget.
    pub budget: String,
    /// Weights that the label names.
    pub nominal: Option<f64>,
    /// Exact size of the best trial's model.
    pub size: Option<ModelSize>,
    /// Its value. The best of many trials is biased towards better values.
    pub best: Estimate,
}

/// What orders the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SizeOrder {
    /// The exact size of each budget's best model.
    Exact,
    /// The order in which the budgets were given; sizes are not known.
    Given,
}

/// What one budget's best gains over that of a smaller one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Label of the budget whose best model is larger.
    pub larger: String,
    /// Label of the budget whose best model is smaller.
    pub smaller: String,
    /// Gain of the larger: positive where it is better. With the error of two sets of rows, an upper bound.
    pub gain: Estimate,
    /// The same gain at the assumed correlation between metrics on the same rows.
    pub gain_correlated: Estimate,
    /// Correlation between the two metrics over new rows, measured from the scores of both best trials on the same rows
    /// (`DeLong` et al. 1988); `null` without such scores. Where it is known, both gains above have the error it gives.
    #[serde(default)]
    pub measured_correlation: Option<f64>,
    /// Two-sided p-value of the gain, as if independent unless the correlation was measured.
    pub p: Option<f64>,
    /// The same after Holm's adjustment over all differences of the ladder.
    pub p_holm: Option<f64>,
    /// Validation rows of the same mix that would find this gain with the power asked for, at the assumed correlation.
    pub rows_to_detect: Option<f64>,
    /// The same, as if independent.
    pub rows_to_detect_independent: Option<f64>,
    /// Correlation between the two metrics above which this gain would be told from 0, before any adjustment; `null`
    /// without a standard error or where no correlation below 1 does.
    pub deciding_correlation: Option<f64>,
}

/// The best values over sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scaling {
    /// The classic report's verdict, which only looks at the order of three maxima.
    pub naive: Option<NaiveScaling>,
    /// What orders the points.
    pub order: SizeOrder,
    /// The budgets with a usable trial, from the smallest to the largest.
    pub points: Vec<ScalingPoint>,
    /// Every pair of them.
    pub differences: Vec<Difference>,
    /// The metric over exact weights, from every trial; `null` without enough sizes.
    pub trend: Option<SizeTrend>,
    /// What resampled validation rows say of the best values and their order; `null` without stored scores.
    #[serde(default)]
    pub resampled: Option<RowResamples>,
}

impl Scaling {
    /// Compares the best trials of all budgets: where their scores on the same rows are stored, on these very rows, not at an
    /// assumed correlation.
    pub fn new(studies: &[StudyAnalysis], ladder: &LadderTrials, options: &Options) -> Self {
        let best: Option<Vec<f64>> =
            studies.iter().map(|study| Some(study.summary.incumbent()?.value.point)).collect();
        let mut scored: Vec<Scored<'_>> = studies
            .iter()
            .zip(&ladder.studies)
            .filter_map(|(study, trials)| {
                let incumbent = study.summary.incumbent()?;
                let point = ScalingPoint {
                    budget: study.budget.label.clone(),
                    nominal: study.sizes.nominal,
                    size: incumbent.size,
                    best: incumbent.value,
                };
                Some((point, ladder.row_scores(trials, incumbent.number)))
            })
            .collect();
        let exact = !scored.is_empty() && scored.iter().all(|(point, _)| point.size.is_some());
        if exact {
            scored.sort_by_key(|(point, _)| point.size);
        }
        let order = if exact { SizeOrder::Exact } else { SizeOrder::Given };
        let differences = differences(&scored, ladder, options);
        let points = scored.into_iter().map(|(point, _)| point).collect();
        Self {
            naive: best.and_then(|best| naive(&best, ladder.direction)),
            order,
            points,
            differences,
            trend: SizeTrend::new(ladder, options),
            resampled: RowResamples::new(studies, ladder, options),
        }
    }

    /// Compares best values alone, in the order of `points`, from the smallest model to the largest.
    pub(crate) fn of_points(
        points: Vec<ScalingPoint>,
        order: SizeOrder,
        ladder: &LadderTrials,
        options: &Options,
    ) -> Self {
        let scored: Vec<Scored<'_>> = points.into_iter().map(|point| (point, None)).collect();
        let differences = differences(&scored, ladder, options);
        let points = scored.into_iter().map(|(point, _)| point).collect();
        Self { naive: None, order, points, differences, trend: None, resampled: None }
    }

    /// The difference that is largest in absolute value.
    pub fn largest(&self) -> Option<&Difference> {
        self.differences
            .iter()
            .reduce(|best, next| if next.gain.point.abs() > best.gain.point.abs() { next } else { best })
    }
}

impl Difference {
    /// The budgets with the better one first, and by how much it is better.
    pub fn better_over_worse(&self) -> (&str, &str, f64) {
        if self.gain.point >= 0.0 {
            (&self.larger, &self.smaller, self.gain.point)
        } else {
            (&self.smaller, &self.larger, -self.gain.point)
        }
    }
}

type Scored<'s> = (ScalingPoint, Option<RowScores<'s>>);

fn differences(points: &[Scored<'_>], ladder: &LadderTrials, options: &Options) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (position, (larger, larger_scores)) in points.iter().enumerate() {
        for (smaller, smaller_scores) in &points[..position] {
            let mut difference = compare(smaller, larger, ladder, options);
            if let Some((first, second)) = smaller_scores.zip(*larger_scores) {
                difference.pair(&first, &second, options);
            }
            differences.push(difference);
        }
    }
    let p_values = holm::adjust_known(differences.iter().map(|difference| difference.p));
    for (difference, p) in differences.iter_mut().zip(p_values) {
        difference.p_holm = p;
    }
    differences
}

fn compare(
    smaller: &ScalingPoint,
    larger: &ScalingPoint,
    ladder: &LadderTrials,
    options: &Options,
) -> Difference {
    let gain = match ladder.direction {
        Direction::Maximize => larger.best.point - smaller.best.point,
        Direction::Minimize => smaller.best.point - larger.best.point,
    };
    let mut difference = Difference {
        larger: larger.budget.clone(),
        smaller: smaller.budget.clone(),
        gain: Estimate::observed(gain, options),
        gain_correlated: Estimate::observed(gain, options),
        measured_correlation: None,
        p: None,
        p_holm: None,
        rows_to_detect: None,
        rows_to_detect_independent: None,
        deciding_correlation: None,
    };
    let errors = smaller.best.standard_error.zip(larger.best.standard_error);
    if let (Some(errors), Some(rows)) = (errors, ladder.rows) {
        difference.add_errors(errors, rows, options);
    }
    difference
}

impl Difference {
    fn add_errors(&mut self, (first, second): (f64, f64), rows: ClassCounts, options: &Options) {
        let gain = self.gain.point;
        let independent = auc::difference_error(first, second, 0.0);
        let correlated = auc::difference_error(first, second, options.correlation);
        let total = rows.positives as f64 + rows.negatives as f64;
        let detect = |error| auc::rows_to_detect(gain, error, total, options.level, options.power);
        let largest_error = gain.abs() / normal::half_width(options.level);
        let correlation =
            (first * first + second * second - largest_error * largest_error) / (2.0 * first * second);
        self.gain = Estimate::normal(gain, independent, Method::Independent, options);
        self.gain_correlated = Estimate::normal(gain, correlated, Method::AssumedCorrelation, options);
        self.p = self.gain.z().map(normal::two_sided_p);
        self.rows_to_detect = detect(correlated);
        self.rows_to_detect_independent = detect(independent);
        self.deciding_correlation = Some(correlation.max(0.0)).filter(|r| *r < 1.0);
    }
}

/// The classic report's scaling verdict on three budgets: a comparison of maxima by eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveScaling {
    /// The third is best and the first worst.
    Holds,
    /// The second is best and the third worst.
    Violated,
    /// Any other order.
    Partial,
}

/// The classic verdict on the best values in the order given; `None` unless there are exactly three.
pub fn naive(best: &[f64], direction: Direction) -> Option<NaiveScaling> {
    let &[small, medium, large] = best else { return None };
    let better = |a, b| direction.better(a, b);
    Some(if better(large, medium) && better(medium, small) {
        NaiveScaling::Holds
    } else if better(medium, small) && better(small, large) {
        NaiveScaling::Violated
    } else {
        NaiveScaling::Partial
    })
}
