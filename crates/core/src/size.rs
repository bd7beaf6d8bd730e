//! Sizes of models: the target of a budget and the exact counts of weights.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::significant::significant;

/// Exact number of trainable weights of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ModelSize {
    /// All trainable weights.
    pub total: u64,
    /// Trainable weights outside the input embedding and the learned positions.
    pub non_embedding: u64,
}

/// Exact sizes of the smallest and the largest architecture of a search space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeReach {
    /// Fewest weights.
    pub smallest: ModelSize,
    /// Most weights.
    pub largest: ModelSize,
}

/// The condition of a budget on the number of a model's weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum WeightTarget {
    /// No condition: the label is only a name, and every architecture is allowed.
    Any,
    /// Total weights within `weights * (1 +- tolerance)`.
    Near {
        /// Target number of trainable weights.
        weights: u64,
        /// Relative half-width of the accepted range.
        tolerance: f64,
    },
}

/// A number of training rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowCount {
    /// Share of all training rows, in (0, 1].
    Share(f64),
    /// Number of rows, at least 1.
    Rows(u64),
}

impl RowCount {
    /// The number of rows out of `all`: at least the share, and at most all.
    pub fn of(self, all: usize) -> usize {
        // A share such as 0.29 of 100 is 29 rows, regardless of binary rounding.
        const SLACK: f64 = 1e-6;
        match self {
            Self::Share(share) => ((all as f64 * share - SLACK).ceil().max(0.0) as usize).min(all),
            Self::Rows(rows) => usize::try_from(rows).unwrap_or(all).min(all),
        }
    }
}

/// `25%`, or `5000` for a number of rows.
impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(f, "{}%", (share * 1e6).round() / 1e4),
            Self::Rows(rows) => rows.fmt(f),
        }
    }
}

/// The part of the training rows that the trials of a study are trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrainPart {
    /// Label of the budget that trains on all rows.
    pub of: String,
    /// Number of rows.
    pub rows: RowCount,
}

/// Target size of the trained models of one study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeBudget {
    /// Name in reports, such as `2M`.
    pub label: String,
    /// Condition on the number of weights.
    pub target: WeightTarget,
    /// Part of the training rows that is used; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<TrainPart>,
}

impl SizeBudget {
    /// A budget that trains on all rows.
    pub fn new(label: impl Into<String>, target: WeightTarget) -> Self {
        Self { label: label.into(), target, train: None }
    }

    /// A budget that is only a name, as in studies of other programs.
    pub fn nominal(label: &str) -> Self {
        Self::new(label, WeightTarget::Any)
    }

    /// The budget with trials that are trained on a part of the training rows. Its label is that of the
    /// budget and the part, such as `2M@25%`.
    #[must_use]
    pub fn trained_on(&self, rows: RowCount) -> Self {
        let train = TrainPart { of: self.label.clone(), rows };
        Self { label: format!("{}@{rows}", self.label), target: self.target, train: Some(train) }
    }

    /// Whether a model of `size` belongs to the budget.
    pub fn admits(&self, size: ModelSize) -> bool {
        match self.target {
            WeightTarget::Any => true,
            WeightTarget::Near { weights, tolerance } => {
                (size.total as f64 - weights as f64).abs() <= tolerance * weights as f64
            }
        }
    }

    /// The number of weights that the label names (`20M` is 20,000,000, `1.5B`, `400k`), where it reads as a
    /// count.
    pub fn nominal_weights(&self) -> Option<f64> {
        if let WeightTarget::Near { weights, .. } = self.target {
            return Some(weights as f64);
        }
        let label = self.train.as_ref().map_or(&self.label, |part| &part.of);
        let text = label.trim();
        let unit = text.chars().next_back()?;
        let factor = match unit.to_ascii_lowercase() {
            'k' => 1e3,
            'm' => 1e6,
            'b' | 'g' => 1e9,
            't' => 1e12,
            _ => return None,
        };
        let count: f64 = text[..text.len() - unit.len_utf8()].trim().parse().ok()?;
        (count.is_finite() && count > 0.0).then_some(count * factor)
    }
}

/// A number of weights in at most three digits: `387k`, `1.41M`, `22.0M`. A number below ten that is not
/// whole, as in a table that counts in billions, keeps its decimals.
pub fn human_weights(weights: f64) -> String {
    let (scaled, unit) = match weights {
        w if w > 0.0 && w < 0.995 => return significant(w),
        w if w < 9.995 && w.fract() != 0.0 => return format!("{w:.2}"),
        w if w >= 999.5e9 => (w / 1e12, "T"),
        w if w >= 999.5e6 => (w / 1e9, "B"),
        w if w >= 999.5e3 => (w / 1e6, "M"),
        w if w >= 999.5 => (w / 1e3, "k"),
        w => (w, ""),
    };
    let digits = if scaled >= 99.95 || unit.is_empty() {
        0
    } else if scaled >= 9.995 {
        1
    } else {
        2
    };
    format!("{scaled:.digits$}{unit}")
}

/// The total in at most three digits.
impl fmt::Display for ModelSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&human_weights(self.total as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_as_counts() {
        let nominal = |label: &str| SizeBudget::nominal(label).nominal_weights();
        assert_eq!(nominal("20M"), Some(20e6));
        assert_eq!(nominal("1.5b"), Some(1.5e9));
        assert_eq!(nominal("2T"), Some(2e12));
        assert_eq!(nominal("400 k"), Some(400e3));
        assert_eq!(nominal("tiny"), None);
        assert_eq!(nominal("-3M"), None);
        assert_eq!(nominal(""), None);
    }

    #[test]
    fn tolerance_is_relative_and_inclusive() {
        let budget = SizeBudget::new("x", WeightTarget::Near { weights: 1000, tolerance: 0.25 });
        for (total, inside) in [(749, false), (750, true), (1250, true), (1251, false)] {
            assert_eq!(budget.admits(ModelSize { total, non_embedding: 0 }), inside);
        }
    }

    #[test]
    fn parts_of_the_rows_are_counted_and_named() {
        for (count, all, rows, name) in [
            (RowCount::Share(0.25), 10, 3, "25%"),
            (RowCount::Share(0.29), 100, 29, "29%"),
            (RowCount::Share(0.125), 8, 1, "12.5%"),
            (RowCount::Share(1.0), 7, 7, "100%"),
            (RowCount::Share(1e-9), 7, 0, "0%"),
            (RowCount::Rows(5), 7, 5, "5"),
            (RowCount::Rows(9), 7, 7, "9"),
        ] {
            assert_eq!((count.of(all), count.to_string().as_str()), (rows, name));
        }
        let part = SizeBudget::nominal("2M").trained_on(RowCount::Share(0.5));
        assert_eq!((part.label.as_str(), part.nominal_weights()), ("2M@50%", Some(2e6)));
    }

    #[test]
    fn counts_read_well() {
        for (weights, text) in
            [(386_977.0, "387k"), (1_407_361.0, "1.41M"), (22e6, "22.0M"), (999_600.0, "1.00M"), (12.0, "12")]
        {
            assert_eq!(human_weights(weights), text);
        }
        for (weights, text) in [
            (318e9, "318B"),
            (2.242e12, "2.24T"),
            (0.0573, "0.0573"),
            (6.7956, "6.80"),
            (7.0, "7"),
            (12.4, "12"),
            (0.0, "0"),
        ] {
            assert_eq!(human_weights(weights), text);
        }
    }
}
