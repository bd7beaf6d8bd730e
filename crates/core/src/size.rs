//! Sizes of models: the target of a budget and the exact counts of weights.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Target size of the trained models of one study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeBudget {
    /// Name in reports, such as `2M`.
    pub label: String,
    /// Condition on the number of weights.
    pub target: WeightTarget,
}

impl SizeBudget {
    /// A budget that is only a name, as in studies of other programs.
    pub fn nominal(label: &str) -> Self {
        Self { label: label.to_owned(), target: WeightTarget::Any }
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
        let text = self.label.trim();
        let unit = text.chars().next_back()?;
        let factor = match unit.to_ascii_lowercase() {
            'k' => 1e3,
            'm' => 1e6,
            'b' | 'g' => 1e9,
            _ => return None,
        };
        let count: f64 = text[..text.len() - unit.len_utf8()].trim().parse().ok()?;
        (count.is_finite() && count > 0.0).then_some(count * factor)
    }
}

/// A number of weights in at most three digits: `387k`, `1.41M`, `22.0M`.
pub fn human_weights(weights: f64) -> String {
    let (scaled, unit) = match weights {
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
        let nominal =
            |label: &str| SizeBudget { label: label.into(), target: WeightTarget::Any }.nominal_weights();
        assert_eq!(nominal("20M"), Some(20e6));
        assert_eq!(nominal("1.5b"), Some(1.5e9));
        assert_eq!(nominal("400 k"), Some(400e3));
        assert_eq!(nominal("tiny"), None);
        assert_eq!(nominal("-3M"), None);
        assert_eq!(nominal(""), None);
    }

    #[test]
    fn tolerance_is_relative_and_inclusive() {
        let budget =
            SizeBudget { label: "x".into(), target: WeightTarget::Near { weights: 1000, tolerance: 0.25 } };
        for (total, inside) in [(749, false), (750, true), (1250, true), (1251, false)] {
            assert_eq!(budget.admits(ModelSize { total, non_embedding: 0 }), inside);
        }
    }

    #[test]
    fn counts_read_well() {
        for (weights, text) in
            [(386_977.0, "387k"), (1_407_361.0, "1.41M"), (22e6, "22.0M"), (999_600.0, "1.00M"), (12.0, "12")]
        {
            assert_eq!(human_weights(weights), text);
        }
    }
}
