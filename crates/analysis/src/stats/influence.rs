//! Metrics of multiclass classification and regression, with each row's contribution to them. The
//! contributions give the sampling errors.

use super::moments::mean;
use super::rank::mid_ranks;

/// A metric computed from one prediction per row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowMetric {
    /// Mean over the classes of each class's AUC against the rest.
    MacroAuc,
    /// Mean negative logarithm of the probability of the true class.
    LogLoss,
    /// Share of rows whose true class has the highest probability; ties go to the first class.
    Accuracy,
    /// Share of the targets' variance that the predictions explain.
    R2,
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
}

/// A metric over rows, with each row's influence on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// The metric.
    pub value: f64,
    /// Influence of each row: the change of the metric if the row had more weight, times the number of rows.
    /// The mean is 0. The scale makes [`Influence::standard_error`] the standard error of a mean from its
    /// sample variance, and that of `DeLong` et al. for two classes.
    pub rows: Vec<f64>,
}

impl RowMetric {
    /// Returns the metric that reports call `name`.
    pub fn named(name: &str) -> Option<Self> {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Some(match name.to_ascii_lowercase().as_str() {
            name if crate::metric_name::is_auc(name) => Self::MacroAuc,
            "logloss" => Self::LogLoss,
            "accuracy" => Self::Accuracy,
            "r2" => Self::R2,
            "mse" => Self::Mse,
            "mae" => Self::Mae,
            _ => return None,
        })
    }

    /// Returns the name of the metric in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MacroAuc => "AUC",
            Self::LogLoss => "log loss",
            Self::Accuracy => "accuracy",
            Self::R2 => "R2",
            Self::Mse => "MSE",
            Self::Mae => "MAE",
        }
    }

    /// Whether larger values are better.
    pub fn is_better_high(self) -> bool {
        match self {
            Self::MacroAuc | Self::Accuracy | Self::R2 => true,
            Self::LogLoss | Self::Mse | Self::Mae => false,
        }
    }

    /// Returns the metric of `outputs` with its influences. A row has one output per class, or a single
    /// output in regression; `targets` are class numbers from 0, or the target values. `None` where the
    /// metric does not apply to such outputs or is undefined: `auc` needs at least two rows of each class and
    /// of its rest.
    pub fn influence(self, targets: &[f32], outputs: &[f32]) -> Option<Influence> {
        let n = targets.len();
        if n < 2 || !outputs.len().is_multiple_of(n) || outputs.is_empty() {
            return None;
        }
        let width = outputs.len() / n;
        let of_classes = matches!(self, Self::MacroAuc | Self::LogLoss | Self::Accuracy);
        let is_class = |target: &f32| target.fract() == 0.0 && (0.0..width as f32).contains(target);
        if of_classes != (width > 1) || (of_classes && !targets.iter().all(is_class)) {
            return None;
        }
        let rows = targets.iter().zip(outputs.chunks_exact(width));
        let mean_of = |losses: Vec<f64>| Influence::of_mean(&losses);
        match self {
            Self::MacroAuc => macro_auc(targets, outputs, width),
            Self::LogLoss => {
                mean_of(rows.map(|(t, p)| -f64::from(p[*t as usize].max(f32::EPSILON)).ln()).collect())
            }
            Self::Accuracy => mean_of(
                rows.map(|(t, p)| {
                    let (before, after) = p.split_at(*t as usize);
                    let wins = before.iter().all(|o| *o < after[0]) && after.iter().all(|o| *o <= after[0]);
                    f64::from(u8::from(wins))
                })
                .collect(),
            ),
            Self::Mse => mean_of(squares(targets, outputs)),
            Self::Mae => mean_of(rows.map(|(t, p)| (f64::from(p[0]) - f64::from(*t)).abs()).collect()),
            Self::R2 => r2(targets, outputs),
        }
    }
}

impl Influence {
    /// Returns the mean of values, one for each row; `None` without values.
    pub(crate) fn of_mean(losses: &[f64]) -> Option<Self> {
        let value = mean(losses.iter().copied())?;
        let scale = sample_scale(losses.len());
        Some(Self { value, rows: losses.iter().map(|loss| scale * (loss - value)).collect() })
    }

    /// Returns the standard error of the metric over new rows, for a fixed model.
    pub fn standard_error(&self) -> f64 {
        self.rows.iter().map(|row| row * row).sum::<f64>().sqrt() / self.rows.len() as f64
    }

    /// Returns the standard error of the difference of two metrics on the same rows, and the correlation
    /// between them.
    pub fn paired(&self, other: &Self) -> (f64, f64) {
        let pairs = || self.rows.iter().zip(&other.rows);
        let error = pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt() / self.rows.len() as f64;
        let covariance = pairs().map(|(a, b)| a * b).sum::<f64>();
        let n = self.rows.len() as f64;
        (error, covariance / (n * n) / (self.standard_error() * other.standard_error()))
    }
}

/// Returns Bessel's correction of a standard deviation.
fn sample_scale(n: usize) -> f64 {
    (n as f64 / (n as f64 - 1.0)).sqrt()
}

fn squares(targets: &[f32], outputs: &[f32]) -> Vec<f64> {
    targets.iter().zip(outputs).map(|(t, p)| (f64::from(*p) - f64::from(*t)).powi(2)).collect()
}

/// Returns `R2 = 1 - m / v`, with `m` the mean squared error and `v` the variance of the targets. By the
/// delta method R2 changes by `-dm / v + m dv / v^2` to first order.
fn r2(targets: &[f32], outputs: &[f32]) -> Option<Influence> {
    let errors = squares(targets, outputs);
    let middle = mean(targets.iter().map(|t| f64::from(*t)))?;
    let spreads: Vec<f64> = targets.iter().map(|t| (f64::from(*t) - middle).powi(2)).collect();
    let (m, v) = (mean(errors.iter().copied())?, mean(spreads.iter().copied())?);
    if v <= 0.0 {
        return None;
    }
    let scale = sample_scale(targets.len());
    let row = |(error, spread): (&f64, &f64)| scale * (-(error - m) / v + m * (spread - v) / (v * v));
    Some(Influence { value: 1.0 - m / v, rows: errors.iter().zip(&spreads).map(row).collect() })
}

/// Returns the AUC of a binary label with each row's placement (DeLong, DeLong & Clarke-Pearson 1988, by
/// mid-ranks as in Sun & Xu 2014). `None` with fewer than two rows of a class, or where the lengths differ.
pub fn auc(labels: &[bool], scores: &[f32]) -> Option<Influence> {
    if labels.len() != scores.len() {
        return None;
    }
    let (own, rest) = (0..labels.len()).partition(|&row| labels[row]);
    let scores: Vec<f64> = scores.iter().map(|score| f64::from(*score)).collect();
    let mut influence = Influence { value: 0.0, rows: vec![0.0; labels.len()] };
    influence.add_auc(&scores, (own, rest), 1.0)?;
    Some(influence)
}

/// Returns the mean over the classes of each class's [`auc`] against the rest. All these AUCs use the same
/// rows.
fn macro_auc(targets: &[f32], outputs: &[f32], classes: usize) -> Option<Influence> {
    let n = targets.len();
    let mut total = Influence { value: 0.0, rows: vec![0.0; n] };
    for class in 0..classes {
        let sides = (0..n).partition(|&row| targets[row] as usize == class);
        let scores: Vec<f64> = (0..n).map(|row| f64::from(outputs[row * classes + class])).collect();
        total.add_auc(&scores, sides, 1.0 / classes as f64)?;
    }
    Some(total)
}

impl Influence {
    /// Adds the AUC of the first rows against the others, weighted by `share`.
    fn add_auc(&mut self, scores: &[f64], (own, rest): (Vec<usize>, Vec<usize>), share: f64) -> Option<()> {
        if own.len() < 2 || rest.len() < 2 {
            return None;
        }
        let pick = |rows: &[usize]| mid_ranks(&rows.iter().map(|&row| scores[row]).collect::<Vec<f64>>());
        let ranks = mid_ranks(scores);
        let beaten = own.iter().zip(pick(&own)).map(|(&row, among)| (ranks[row] - among) / rest.len() as f64);
        let beaten: Vec<f64> = beaten.collect();
        let auc = mean(beaten.iter().copied())?;
        let beats =
            rest.iter().zip(pick(&rest)).map(|(&row, among)| 1.0 - (ranks[row] - among) / own.len() as f64);
        let beats: Vec<f64> = beats.collect();
        for (rows, placements) in [(&own, &beaten), (&rest, &beats)] {
            let scale = sample_scale(rows.len()) * self.rows.len() as f64 / rows.len() as f64 * share;
            for (&row, placement) in rows.iter().zip(placements) {
                self.rows[row] += scale * (placement - auc);
            }
        }
        self.value += auc * share;
        Some(())
    }
}
