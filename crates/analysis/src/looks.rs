//! Planned looks at the test rows, with their shares of the level.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::options::Options;
use crate::stats::normal::{half_width, upper_tail};

/// The looks at which a plan tests its trainings. Their number is fixed before the first training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Looks {
    /// The look that the planned trainings are for, from 1.
    pub look: u64,
    /// Number of looks.
    pub of: u64,
    /// Cost of all looks, in trainings of every budget.
    pub trainings: u64,
    /// Whether all trainings for this look have ended. Before, nothing is concluded from them.
    pub is_trained: bool,
}

impl Looks {
    /// Largest number of looks.
    pub const MOST: u64 = 4;
    /// Fewest trainings of every budget for one look: two configurations under two seeds.
    pub const FEWEST_TRAININGS: u64 = 4;
    /// Cost of a plan, in trainings of every budget, where none is given.
    pub const TRAININGS: u64 = 16;

    /// Returns the first look of a plan that costs as much as `trainings` trainings of every budget.
    pub fn first(trainings: u64) -> Self {
        Self {
            look: 1,
            of: (trainings / Self::FEWEST_TRAININGS).clamp(1, Self::MOST),
            trainings,
            is_trained: false,
        }
    }

    /// Returns the next look; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        (self.look < self.of).then(|| Self { look: self.look + 1, is_trained: false, ..self })
    }

    /// Returns the share of the plan's cost that may be spent until this look.
    pub fn share(self) -> f64 {
        self.look as f64 / self.of as f64
    }

    /// Returns the significance level of this look, where that of all looks together is `alpha`.
    ///
    /// It is the increment of the spending function of Lan & `DeMets` (1983) that approximates O'Brien &
    /// Fleming (1979), `2 - 2 Phi(z(alpha / 2) / sqrt(t))`. The increments sum to `alpha`, so that by
    /// Bonferroni the looks together err in at most `alpha`, whatever their dependence: rows and searches,
    /// which all looks share, rule out the independent increments of the classic boundaries.
    pub fn alpha(self, alpha: f64) -> f64 {
        let z = half_width(1.0 - alpha);
        let spent = |look: u64| match look {
            0 => 0.0,
            _ => 2.0 * upper_tail(z / (look as f64 / self.of as f64).sqrt()),
        };
        spent(self.look) - spent(self.look - 1)
    }

    /// Returns the quotient of the level `alpha` of all looks and that of this look, by which p-values of
    /// this look are multiplied to hold for all looks.
    pub(crate) fn factor(self, alpha: f64) -> f64 {
        alpha / self.alpha(alpha)
    }

    /// Returns the options with the level of this look.
    pub(crate) fn options(self, options: &Options) -> Options {
        Options { level: 1.0 - self.alpha(1.0 - options.level), ..*options }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `2 * (1 - scipy.stats.norm.cdf(1.959964 / sqrt(t)))` at quarters, and their sum.
    #[test]
    fn the_levels_of_the_looks_sum_to_the_level() {
        let mut looks = Some(Looks::first(16));
        let mut levels = Vec::new();
        while let Some(look) = looks {
            levels.push(look.alpha(0.05));
            looks = look.next();
        }
        let expected = [0.000_088_6, 0.005_486, 0.018_051, 0.026_375];
        assert_eq!(levels.len(), 4);
        for (level, expected) in levels.iter().zip(expected) {
            assert!((level - expected).abs() < 1e-5, "{levels:?}");
        }
        assert!((levels.iter().sum::<f64>() - 0.05).abs() < 1e-12);
    }

    #[test]
    fn a_plan_of_few_trainings_has_fewer_looks() {
        let looks = |trainings| Looks::first(trainings).of;
        assert_eq!([4, 7, 8, 12, 16, 100].map(looks), [1, 1, 2, 3, 4, 4]);
        assert!((Looks::first(4).alpha(0.05) - 0.05).abs() < 1e-12);
    }
}
