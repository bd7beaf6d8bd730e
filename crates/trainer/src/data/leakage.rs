//! Features that give the label away.

use std::cmp::Reverse;
use std::fmt;

use allometry_ladder::Task;

use super::dataset::Dataset;

/// Share of the label that a feature may leave unexplained before it counts as a leak.
const UNEXPLAINED: f64 = 0.001;

/// A leak leaves at most this share of what the label's own past leaves.
const OF_PERSISTENCE: f64 = 0.1;

/// Smallest number of changes between a class and the others, below which any trend may separate them.
const FEWEST_CHANGES: usize = 10;

/// Smallest number of rows that are judged.
const FEWEST_ROWS: usize = 20;

/// Largest number of rows that are judged: the last ones of the training part.
const MOST_ROWS: usize = 50_000;

/// Number of categories of a column with learned vectors that are judged: those with the most rows. Only a
/// category with about as many rows as a class can separate it.
const MOST_CATEGORIES: usize = 20;

/// Largest deviation of a copy from the label, in standard deviations of the label.
const COPY: f64 = 1e-4;

/// A feature that gives the label away.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// Column of the feature.
    pub column: String,
    /// Category that the feature stands for; `None` for a column of numbers.
    pub category: Option<String>,
    /// How it does.
    pub evidence: Evidence,
}

/// How a feature gives the label away.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// Up to scale it is the label of the row this many rows later; before, if negative.
    Copy(i64),
    /// Its AUC as the only predictor of a class; `None` for the positive class of a binary label.
    Auc(f64, Option<String>),
    /// Its squared correlation with the label, of values or of ranks.
    R2(f64),
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ", self.column)?;
        if let Some(category) = &self.category {
            write!(f, "(category `{category}`) ")?;
        }
        match &self.evidence {
            Evidence::Copy(0) => f.write_str("is a copy of the label"),
            Evidence::Copy(rows) => {
                let (count, side) = (rows.unsigned_abs(), if *rows > 0 { "after" } else { "before" });
                write!(f, "is the label {count} row{} {side} its own", if count == 1 { "" } else { "s" })
            }
            Evidence::Auc(auc, None) => write!(f, "alone separates the classes (AUC {auc:.4})"),
            Evidence::Auc(auc, Some(class)) => {
                write!(f, "alone separates class `{class}` from the others (AUC {auc:.4})")
            }
            Evidence::R2(r2) => write!(f, "alone predicts the label (R2 {r2:.4})"),
        }
    }
}

/// Returns the columns whose features, in the last row of the training windows, give the label away.
///
/// Such a feature is, up to scale, the label of a row less than `horizon` rows earlier, or up to `horizon` or
/// one less than the context rows later; the label `horizon` rows earlier is known and no leak. If the label
/// repeats itself exactly, rows later than `horizon` are not judged. Or the feature's AUC for a class is
/// above 0.999 or below 0.001, or its squared correlation with a number is above 0.999, and what it leaves
/// unexplained is at most a tenth of what the label `horizon` rows earlier leaves: a slow series predicts
/// itself. Classes that begin or end fewer than ten times are not judged by their AUC.
pub fn leaks(dataset: &Dataset, task: Task, horizon: usize) -> Vec<Leak> {
    let Some(labels) = Labels::new(dataset, task, horizon) else { return Vec::new() };
    let width = dataset.features();
    let values_of = |feature: usize| -> Vec<f64> {
        let rows = labels.first..labels.first + labels.values.len();
        rows.map(|row| f64::from(dataset.values[row * width + feature])).collect()
    };
    let judged = |values: &[f64]| {
        labels.copy(values).map(Evidence::Copy).or_else(|| labels.predicted(values, dataset))
    };
    let with_vectors = dataset.preparation.with_vectors();
    let others = width - with_vectors.len();
    let names = dataset.feature_names.iter().take(others).enumerate();
    let mut found: Vec<Leak> = names
        .filter_map(|(feature, name)| {
            let evidence = judged(&values_of(feature))?;
            let (column, category) = match dataset.preparation.category(feature, width) {
                Some((column, category)) => (column, Some(category)),
                None => (name.as_str(), None),
            };
            Some(Leak { column: column.to_owned(), category: category.map(str::to_owned), evidence })
        })
        .collect();
    for (place, column) in with_vectors.enumerate() {
        let codes = values_of(others + place);
        found.extend(most_frequent(&codes, MOST_CATEGORIES).into_iter().filter_map(|code| {
            let is_of: Vec<f64> = codes.iter().map(|other| f64::from(u8::from(*other == code))).collect();
            let category = column.names.get((code as usize).checked_sub(1)?)?.clone();
            let evidence = judged(&is_of)?;
            Some(Leak { column: column.column.clone(), category: Some(category), evidence })
        }));
    }
    // Categories of one column stand together.
    found.dedup_by(|later, earlier| later.column == earlier.column);
    found
}

/// Returns the `most` most frequent values, the smaller first among equally frequent ones.
pub(crate) fn most_frequent(values: &[f64], most: usize) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut counts: Vec<(usize, f64)> =
        sorted.chunk_by(|a, b| a == b).map(|equal| (equal.len(), equal[0])).collect();
    counts.sort_by_key(|(count, _)| Reverse(*count));
    counts.into_iter().take(most).map(|(_, value)| value).collect()
}

/// Labels of consecutive rows of the training part.
struct Labels {
    task: Task,
    horizon: usize,
    /// Index of the first row in [`Dataset::values`].
    first: usize,
    /// Label of each row; NaN where it is unknown.
    values: Vec<f64>,
    /// Series of each row.
    series: Vec<usize>,
    deviation: f64,
    /// Number of rows between the first one and the first other label.
    constant: usize,
    /// Largest number of rows by which a copy of the label may be shifted from it.
    reach: i64,
    /// What the label `horizon` rows earlier leaves unexplained of each target.
    persistence: Vec<f64>,
}

impl Labels {
    fn new(dataset: &Dataset, task: Task, horizon: usize) -> Option<Self> {
        let mut windows = dataset.train.windows.clone();
        // The rows of a series stand together, and so do the last ones of those of several series.
        windows.sort_by_key(|window| window.last);
        let windows = &windows[windows.len().saturating_sub(MOST_ROWS)..];
        let (first, last) = (windows.first()?.last, windows.last()?.last);
        let mut values = vec![f64::NAN; last - first + 1];
        let series = (first..=last).map(|row| dataset.series_of(row)).collect();
        for window in windows {
            values[window.last - first] = f64::from(window.target);
        }
        let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        let deviation = variance(&known).sqrt();
        if known.len() < FEWEST_ROWS || deviation == 0.0 {
            return None;
        }
        let is_other = |value: &f64| !value.is_nan() && Some(value) != known.first();
        let constant = values.iter().position(is_other).unwrap_or_default();
        let (reach, persistence) = (horizon as i64, Vec::new());
        let mut labels =
            Self { task, horizon, first, values, series, deviation, constant, reach, persistence };
        let context = dataset.context as i64;
        let repeats = (reach..reach + context).any(|rows| labels.is_copy(&labels.values, -rows));
        if !repeats {
            labels.reach = labels.reach.max(context - 1);
        }
        let past: Vec<f64> = (0..labels.values.len()).map(|row| labels.at(row, -(horizon as i64))).collect();
        labels.persistence = (0..labels.targets(dataset))
            .map(|target| {
                let past = match task {
                    Task::Classes => past.iter().map(|value| indicator(*value, target as f64)).collect(),
                    Task::Binary | Task::Regression => past.clone(),
                };
                labels.score(&past, target).map_or(1.0, |score| labels.unexplained(score))
            })
            .collect();
        Some(labels)
    }

    /// Returns the number of targets: one for each class, or one.
    fn targets(&self, dataset: &Dataset) -> usize {
        if self.task == Task::Classes { dataset.preparation.classes } else { 1 }
    }

    /// Returns the label of the row this many rows after a row of its series; NaN if it is unknown.
    fn at(&self, row: usize, shift: i64) -> f64 {
        let other = usize::try_from(row as i64 + shift).ok();
        let other = other.filter(|other| self.series.get(*other) == self.series.get(row));
        other.and_then(|other| self.values.get(other)).copied().unwrap_or(f64::NAN)
    }

    /// Returns by how many rows a feature is shifted from the label of which it is a copy.
    fn copy(&self, feature: &[f64]) -> Option<i64> {
        // The label of the row itself first, then the closest ones.
        let shifts = (0..=self.reach).flat_map(|rows| [rows, -rows]);
        shifts.filter(|rows| *rows > -(self.horizon as i64)).find(|rows| self.is_copy(feature, *rows))
    }

    /// Whether a feature is, up to scale, the label `shift` rows later.
    fn is_copy(&self, feature: &[f64], shift: i64) -> bool {
        let pairs = |first: usize| {
            let pairs = feature.iter().enumerate().skip(first);
            pairs.map(|(row, x)| (*x, self.at(row, shift))).filter(|(x, y)| !x.is_nan() && !y.is_nan())
        };
        // Few pairs, between which the label changes, tell most others.
        let change = usize::try_from(self.constant as i64 - shift - 32).unwrap_or(0);
        let few: Vec<(f64, f64)> = pairs(change).take(64).collect();
        let all = || pairs(0).collect::<Vec<_>>();
        few.len() >= FEWEST_ROWS && self.is_line(&few, false) && self.is_line(&all(), true)
    }

    /// Whether the label is a linear function of the feature. A constant label counts if not `informative`.
    fn is_line(&self, pairs: &[(f64, f64)], informative: bool) -> bool {
        let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let (spread, covariance) = (variance(&xs), covariance(&xs, &ys));
        if informative && (spread == 0.0 || covariance == 0.0) {
            return false;
        }
        let slope = if spread == 0.0 { 0.0 } else { covariance / spread };
        let (x, y) = (mean(&xs), mean(&ys));
        pairs.iter().all(|pair| (pair.1 - y - slope * (pair.0 - x)).abs() <= COPY * self.deviation)
    }

    /// Returns how a feature predicts the label, if it does nearly perfectly.
    fn predicted(&self, feature: &[f64], dataset: &Dataset) -> Option<Evidence> {
        (0..self.targets(dataset)).find_map(|target| {
            let score = self.score(feature, target)?;
            let left = self.unexplained(score);
            if left >= UNEXPLAINED || left > OF_PERSISTENCE * self.persistence[target] {
                return None;
            }
            Some(match self.task {
                Task::Regression => Evidence::R2(score),
                Task::Binary => Evidence::Auc(score, None),
                Task::Classes => Evidence::Auc(score, Some(dataset.preparation.class_name(target))),
            })
        })
    }

    /// Returns 1 minus an R2, or 1 minus an AUC in the direction in which it is above a half.
    fn unexplained(&self, score: f64) -> f64 {
        let best = if self.task == Task::Regression { score } else { score.max(1.0 - score) };
        1.0 - best
    }

    /// Returns the AUC of a feature for a class, or its squared correlation with a number; `None` for labels
    /// that change too rarely to be judged.
    fn score(&self, feature: &[f64], target: usize) -> Option<f64> {
        let known = feature.iter().zip(&self.values).filter(|(x, y)| !x.is_nan() && !y.is_nan());
        let (xs, ys): (Vec<f64>, Vec<f64>) = known.unzip();
        if xs.len() < FEWEST_ROWS {
            return None;
        }
        let class = if self.task == Task::Classes { target as f64 } else { 1.0 };
        if self.task == Task::Regression {
            let ranked = squared_correlation(&ranks(&xs), &ranks(&ys));
            return Some(squared_correlation(&xs, &ys).max(ranked));
        }
        let positive: Vec<bool> = ys.iter().map(|y| *y == class).collect();
        let changes = positive.windows(2).filter(|pair| pair[0] != pair[1]).count();
        (changes >= FEWEST_CHANGES).then(|| auc(&xs, &positive))
    }
}

fn indicator(value: f64, class: f64) -> f64 {
    if value.is_nan() { value } else { f64::from(u8::from(value == class)) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(xs: &[f64], ys: &[f64]) -> f64 {
    let (x, y) = (mean(xs), mean(ys));
    xs.iter().zip(ys).map(|(a, b)| (a - x) * (b - y)).sum::<f64>() / xs.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    covariance(values, values)
}

/// Returns the squared correlation; 0 for a constant.
fn squared_correlation(xs: &[f64], ys: &[f64]) -> f64 {
    let spread = variance(xs) * variance(ys);
    if spread == 0.0 { 0.0 } else { covariance(xs, ys).powi(2) / spread }
}

/// Returns the rank of each value, from 1; equal values have their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + f64::midpoint(equal.len() as f64, 1.0);
        for &place in equal {
            ranks[place] = rank;
        }
        before += equal.len();
    }
    ranks
}

/// Returns the area under the ROC curve from the ranks (Mann & Whitney 1947).
fn auc(values: &[f64], positive: &[bool]) -> f64 {
    let positives = positive.iter().filter(|is| **is).count() as f64;
    let negatives = positive.len() as f64 - positives;
    let sum: f64 = ranks(values).iter().zip(positive).filter(|(_, is)| **is).map(|(rank, _)| rank).sum();
    (sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}
