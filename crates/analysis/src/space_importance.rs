//! Importances over the whole space of a study, beside those of the linear model.

use allometry_core::rng::stream;
use allometry_core::{Origin, Params, SearchSpace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fanova::{FanovaOptions, FanovaOutcome, fanova};
use crate::options::Options;
use crate::ped_anova::{PedAnovaOutcome, ped_anova_tested};
use crate::range_source::RangeSource;
use crate::sample::Sample;

/// Permutations that PED-ANOVA is held against at most.
const PERMUTATIONS: usize = 499;
/// Configurations that a forest is grown on at most, spread evenly over all, so that its time is bounded.
const GROWN_ON: usize = 5_000;

/// What matters anywhere in the space, and what matters among the best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceImportance {
    /// How the space is known; of its parameters the least known.
    pub source: RangeSource,
    /// Shares of the variance of a forest's predictions: non-linear effects and pairs included. A
    /// configuration counts once: its repeats would let trees know what they are tested on.
    pub forest: FanovaOutcome,
    /// What sets the best tenth of the configurations apart.
    pub among_best: PedAnovaOutcome,
}

impl SpaceImportance {
    /// Computes both from the usable trials of a study, whose space is known from a source.
    pub fn new(
        (space, source): (&SearchSpace, RangeSource),
        sample: &Sample<'_>,
        seed_name: &str,
        options: &Options,
    ) -> Self {
        let distinct = sample.distinct();
        let step = distinct.len().div_ceil(GROWN_ON).max(1);
        let grown_on: Vec<(&Params, f64)> = distinct.iter().copied().step_by(step).collect();
        let permutations = PERMUTATIONS.min(options.permutations as usize);
        let mut rng = stream(options.seed, seed_name, 6);
        let among_best = ped_anova_tested(space, &distinct, sample.direction, permutations, &mut rng);
        let is_adaptive = sample.trials.iter().any(|trial| trial.record.origin == Some(Origin::Model));
        Self {
            source,
            forest: fanova(
                space,
                &grown_on,
                &FanovaOptions { level: options.level, ..FanovaOptions::default() },
            ),
            among_best: if is_adaptive { among_best.untested() } else { among_best },
        }
    }
}
