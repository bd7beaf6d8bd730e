//! Metrics of several classes and of numbers with what each row contributes, from which their sampling errors
//! follow.

use super::moments::mean;
use super::rank::mid_ranks;

/// A metric of predictions of one row each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowMetric {
    /// Mean over the classes of the AUC of each against the rest.
    MacroAuc,
    /// Mean negative logarithm of the probability of the true class.
    LogLoss,
    /// Share of rows whose class has the highest probability, the first of equals.
    Accuracy,
    /// Share of the targets' variance that is explained.
    R2,
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
}

/// A metric over some rows and the influence of each on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// The metric.
    pub value: f64,
    /// By how much it would move, times the number of rows, if there were more of a row: mean 0. Scaled so
    /// that [`Influence::standard_error`] is that of a mean from its sample variance, and of `DeLong` et al.
    /// for two classes.
    pub rows: Vec<f64>,
}

impl RowMetric {
    /// The metric that reports write as `name`.
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

    /// How reports write it.
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

    /// The metric of `outputs`, with as many numbers a row as there are classes, or one where numbers are
    /// predicted; `targets` are the classes from 0, or the numbers. `None` where the metric is not one of
    /// such outputs or is undefined: with fewer than two rows, for `auc` of a class or of its rest.
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
    fn of_mean(losses: &[f64]) -> Option<Self> {
        let value = mean(losses.iter().copied())?;
        let scale = sample_scale(losses.len());
        Some(Self { value, rows: losses.iter().map(|loss| scale * (loss - value)).collect() })
    }

    /// Standard error of the metric over new rows, the model being fixed.
    pub fn standard_error(&self) -> f64 {
        self.rows.iter().map(|row| row * row).sum::<f64>().sqrt() / self.rows.len() as f64
    }

    /// Standard error of the difference of two metrics on the same rows, and the correlation between them.
    pub fn paired(&self, other: &Self) -> (f64, f64) {
        let pairs = || self.rows.iter().zip(&other.rows);
        let error = pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt() / self.rows.len() as f64;
        let covariance = pairs().map(|(a, b)| a * b).sum::<f64>();
        let n = self.rows.len() as f64;
        (error, covariance / (n * n) / (self.standard_error() * other.standard_error()))
    }
}

/// Bessel's correction of a deviation.
fn sample_scale(n: usize) -> f64 {
    (n as f64 / (n as f64 - 1.0)).sqrt()
}

fn squares(targets: &[f32], outputs: &[f32]) -> Vec<f64> {
    targets.iter().zip(outputs).map(|(t, p)| (f64::from(*p) - f64::from(*t)).powi(2)).collect()
}

/// `R2 = 1 - m / v` of the mean squared error `m` and the variance `v` of the targets, so that to first order
/// (the delta method) it moves by `-dm / v + m dv / v^2`.
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

/// The AUC of a binary label and each row's placement (DeLong, DeLong & Clarke-Pearson 1988, by mid-ranks as
/// Sun & Xu 2014). `None` with fewer than two rows of a class, or where the lengths differ.
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

/// The mean over the classes of each class's [`auc`] against the rest; the AUCs depend on the same rows.
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
    /// Adds `share` of the AUC of the first rows against the others.
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
