//! The settings of samplers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sampler of the configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SamplerKind {
    /// Independent random draws.
    Random,
    /// Owen-scrambled Sobol points over ranks.
    Sobol,
    /// All configurations in order.
    Grid,
    /// Bayesian optimization with a Gaussian process; continues as `tpe` after 300 trials.
    #[default]
    Gp,
    /// Tree-structured Parzen estimator.
    Tpe,
}

impl SamplerKind {
    /// The name in ladder files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Sobol => "sobol",
            Self::Grid => "grid",
            Self::Gp => "gp",
            Self::Tpe => "tpe",
        }
    }
}

/// Other studies whose trials a sampler uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// No other study.
    #[default]
    None,
    /// The studies of the ladder's other budgets.
    Budgets,
}

impl Share {
    /// Whether it is [`Self::None`], which is not serialized: earlier versions did not have the setting.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Settings of the sampler.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SamplerSpec {
    /// The sampler.
    pub kind: SamplerKind,
    /// Whether the first trials probe the ends of each architecture parameter.
    pub probes: bool,
    /// Share of the trials that a model-based sampler draws at random, for statistics that need random
    /// trials, in `[0, 1]`.
    #[serde(default = "default_random_share")]
    pub random_share: f64,
    /// Other studies whose trials the sampler uses.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub share: Share,
    /// Exponent of the weights with which the best learning rate changes from budget to budget, where trials
    /// of other budgets are used; `None` for that of the Step Law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_exponent: Option<f64>,
    /// Whether `gp` may suggest a configuration again, with another seed, in a finite space without
    /// constraints of trials. The recommendation gains by it; budgets then have unequal numbers of distinct
    /// configurations.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats: bool,
}

const fn default_random_share() -> f64 {
    0.2
}

impl SamplerSpec {
    /// A sampler with the defaults of the ladder file: probes and a fifth of random trials.
    pub const fn new(kind: SamplerKind) -> Self {
        Self {
            kind,
            probes: true,
            random_share: default_random_share(),
            share: Share::None,
            rate_exponent: None,
            repeats: false,
        }
    }
}
