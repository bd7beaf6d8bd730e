//! Importances over the whole space of a study, in addition to those of the linear model.

use allometry_core::rng::stream;
use allometry_core::{Origin, Params, SearchSpace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fanova::{FanovaOptions, FanovaOutcome, fanova};
use crate::options::Options;
use crate::ped_anova::{PedAnovaOutcome, ped_anova_tested};
use crate::range_source::RangeSource;
use crate::sample::Sample;

/// Most permutations that PED-ANOVA is compared with.
const PERMUTATIONS: usize = 499;
/// Most configurations that a forest is grown on, spread evenly over all of them, to bound its running time.
const GROWN_ON: usize = 5_000;

/// Importances over the whole space and among the best configurations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceImportance {
    /// How the space is known. If its parameters differ in this, the least reliable source counts.
    pub source: RangeSource,
    /// Variance shares of a forest's predictions, including non-linear effects and pairs. Each configuration
    /// counts once, because with repeats the trees would have seen the trials that they are tested on.
    pub forest: FanovaOutcome,
    /// Importances of the parameters that distinguish the best tenth of the configurations.
    pub among_best: PedAnovaOutcome,
}

impl SpaceImportance {
    /// Computes both from the usable trials of a study, with the source of its space.
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
