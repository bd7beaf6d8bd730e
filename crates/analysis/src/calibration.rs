//! Errors of a model's probabilities without and with a calibration, on rows that did not fit it.

use serde::Serialize;

use crate::estimate::{Estimate, Method};
use crate::options::Options;
use crate::rows::{Dependence, NoRowError, RowErrors};
use crate::series::{RowOrder, Series};
use crate::stats::influence::Influence;
use crate::stats::recalibration::{slope_of_binary, slope_of_classes};

/// Probabilities are kept this far from 0 and 1 where their logarithms are taken, as in stored metrics.
const EDGE: f64 = f32::EPSILON as f64;

/// Probabilities of labelled rows, without and with a calibration.
#[derive(Debug, Clone, Copy)]
pub struct CalibratedRows<'a> {
    /// Number of each row in its table.
    pub rows: &'a [u64],
    /// Class of each row, from 0. Of a binary label 1 is the positive class.
    pub targets: &'a [usize],
    /// Number of classes of each row's probabilities; 1 for the probability of a positive label.
    pub width: usize,
    /// Probabilities without and with the calibration, row after row.
    pub probabilities: [&'a [f32]; 2],
    /// How the rows follow each other in time.
    pub series: Series<'a>,
    /// Costs of wrong decisions for a binary label, if decisions are judged.
    pub costs: Option<Costs>,
}

/// Costs of the two wrong decisions for a binary label, above 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    /// Cost of deciding for 1 where the label is 0.
    pub false_positive: f64,
    /// Cost of deciding for 0 where the label is 1.
    pub false_negative: f64,
}

impl Costs {
    /// Returns the probability from which deciding for 1 costs less on average.
    pub fn threshold(self) -> f64 {
        self.false_positive / (self.false_positive + self.false_negative)
    }

    /// Returns the decision at a probability; at the threshold it is 1.
    pub fn decides_for_positive(self, probability: f32) -> bool {
        f64::from(probability) >= self.threshold()
    }

    /// Returns the cost of a decision.
    fn of(self, is_positive: bool, decision: bool) -> f64 {
        match (is_positive, decision) {
            (false, true) => self.false_positive,
            (true, false) => self.false_negative,
            (false, false) | (true, true) => 0.0,
        }
    }
}

/// A figure of how well probabilities agree with labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMeasure {
    /// Mean negative logarithm of the true class's probability.
    LogLoss,
    /// Mean squared difference of probability and class (Brier 1950); of several classes summed over them.
    Brier,
    /// Mean probability minus the share of positive rows.
    Bias,
    /// Mean highest probability minus the share of rows whose true class has it.
    Overconfidence,
    /// Slope of a logistic regression of the label on the logit of the probability (Cox 1958): 1 if
    /// calibrated, below 1 if the probabilities are too far from each other.
    Slope,
    /// Mean cost of the decisions at the threshold of the costs.
    Cost,
    /// Mean cost of these decisions minus that of deciding alike for all rows, by which is cheaper on them.
    CostAboveConstant,
}

/// A measure without and with a calibration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredCalibration {
    /// The measure.
    pub measure: CalibrationMeasure,
    /// Its value without the calibration.
    pub before: Estimate,
    /// Its value with the calibration.
    pub after: Estimate,
    /// The second minus the first on the same rows; without an interval where all rows agree.
    pub change: Estimate,
}

impl CalibrationMeasure {
    /// Returns the name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::LogLoss => "log loss",
            Self::Brier => "Brier score",
            Self::Bias => "mean - observed",
            Self::Overconfidence => "confidence - accuracy",
            Self::Slope => "slope",
            Self::Cost => "mean cost",
            Self::CostAboveConstant => "cost - best constant",
        }
    }
}

/// Returns every measure that is defined on the rows, with errors over new rows for the fixed model and
/// calibration.
///
/// # Errors
/// [`NoRowError`] if the rows give no errors.
///
/// # Panics
/// If the numbers of rows, targets and probabilities disagree.
pub fn measured_calibration(
    of: &CalibratedRows<'_>,
    options: &Options,
) -> Result<Vec<MeasuredCalibration>, NoRowError> {
    let rows = of.rows.len();
    assert!(of.targets.len() == rows && of.probabilities.iter().all(|p| p.len() == rows * of.width));
    if rows < 2 {
        return Err(NoRowError::Undefined);
    }
    let mut order: Vec<usize> = (0..rows).collect();
    if of.series.order == RowOrder::RowNumbers {
        order.sort_by_key(|&place| of.rows[place]);
    }
    let dependence = Dependence::new(of.rows, &of.series, Some(order))?;
    let measures: &[CalibrationMeasure] = {
        use CalibrationMeasure::{Bias, Brier, Cost, CostAboveConstant, LogLoss, Overconfidence, Slope};
        match (of.width, of.costs) {
            (1, Some(_)) => &[LogLoss, Brier, Bias, Slope, Cost, CostAboveConstant],
            (1, None) => &[LogLoss, Brier, Bias, Slope],
            _ => &[LogLoss, Brier, Overconfidence, Slope],
        }
    };
    let both = |measure: &CalibrationMeasure| {
        let [before, after] = of.probabilities.map(|p| measure.influence(of, p));
        Some((*measure, before?, after?))
    };
    measures.iter().filter_map(both).map(|one| measured(one, &dependence, options)).collect()
}

/// Returns the mean cost of the decisions, less that of one decision for all rows if it is given.
fn cost(costs: Costs, targets: &[usize], probabilities: &[f32], constant: Option<bool>) -> Option<Influence> {
    let of = |(target, p): (&usize, &f32)| {
        let is_positive = *target == 1;
        let own = costs.of(is_positive, costs.decides_for_positive(*p));
        own - constant.map_or(0.0, |decision| costs.of(is_positive, decision))
    };
    Influence::of_mean(&targets.iter().zip(probabilities).map(of).collect::<Vec<f64>>())
}

/// Returns the decision for all rows that costs less.
fn constant(costs: Costs, targets: &[usize]) -> bool {
    let positives = targets.iter().filter(|target| **target == 1).count() as f64;
    positives * costs.false_negative > (targets.len() as f64 - positives) * costs.false_positive
}

fn measured(
    (measure, before, after): (CalibrationMeasure, Influence, Influence),
    dependence: &Dependence,
    options: &Options,
) -> Result<MeasuredCalibration, NoRowError> {
    let values = [before.value, after.value];
    let errors = RowErrors::of_influences(vec![before, after], dependence.clone());
    let estimate = |point: f64, weights: [f64; 2], method: Method| {
        let error = errors.of_sum(&weights)?;
        let estimate = Estimate::of_rows(point, &error, method, false, options);
        Ok::<_, NoRowError>(estimate.unwrap_or_else(|| Estimate::observed(point, options)))
    };
    Ok(MeasuredCalibration {
        measure,
        before: estimate(values[0], [1.0, 0.0], Method::Rows)?,
        after: estimate(values[1], [0.0, 1.0], Method::Rows)?,
        change: estimate(values[1] - values[0], [-1.0, 1.0], Method::PairedRows)?,
    })
}

impl CalibrationMeasure {
    /// Returns the measure of probabilities with each row's influence; `None` where it is undefined.
    fn influence(self, of: &CalibratedRows<'_>, probabilities: &[f32]) -> Option<Influence> {
        let CalibratedRows { targets, width, costs, .. } = *of;
        let rows = || targets.iter().copied().zip(probabilities.chunks_exact(width));
        let binary = |p: &[f32]| f64::from(p[0]);
        match self {
            Self::LogLoss => {
                let of = |(target, p): (usize, &[f32])| {
                    let p = match (width, target) {
                        (1, 0) => 1.0 - binary(p),
                        (1, _) => binary(p),
                        _ => f64::from(p[target]),
                    };
                    -p.clamp(EDGE, 1.0).ln()
                };
                Influence::of_mean(&rows().map(of).collect::<Vec<f64>>())
            }
            Self::Brier => {
                let of = |(target, p): (usize, &[f32])| {
                    if width == 1 {
                        return (binary(p) - target as f64).powi(2);
                    }
                    let truth = |class: usize| f64::from(u8::from(class == target));
                    p.iter().enumerate().map(|(class, p)| (f64::from(*p) - truth(class)).powi(2)).sum()
                };
                Influence::of_mean(&rows().map(of).collect::<Vec<f64>>())
            }
            Self::Bias => {
                let of = |(target, p): (usize, &[f32])| binary(p) - target as f64;
                Influence::of_mean(&rows().map(of).collect::<Vec<f64>>())
            }
            Self::Overconfidence => {
                let of = |(target, p): (usize, &[f32])| {
                    // With equal probabilities, the first class is the predicted one.
                    let first = |best: usize, class: usize| if p[class] > p[best] { class } else { best };
                    let predicted = (0..width).fold(0, first);
                    f64::from(p[predicted]) - f64::from(u8::from(predicted == target))
                };
                Influence::of_mean(&rows().map(of).collect::<Vec<f64>>())
            }
            Self::Slope if width == 1 => {
                let logit = |p: &f32| {
                    let p = f64::from(*p).clamp(EDGE, 1.0 - EDGE);
                    (p / (1.0 - p)).ln()
                };
                slope_of_binary(&probabilities.iter().map(logit).collect::<Vec<f64>>(), targets)
            }
            Self::Slope => {
                let logit = |p: &f32| f64::from(*p).max(EDGE).ln();
                slope_of_classes(&probabilities.iter().map(logit).collect::<Vec<f64>>(), targets, width)
            }
            Self::Cost => cost(costs?, targets, probabilities, None),
            Self::CostAboveConstant => {
                let constant = constant(costs?, targets);
                cost(costs?, targets, probabilities, Some(constant))
            }
        }
    }
}
