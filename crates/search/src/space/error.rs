//! Errors of search spaces.

use std::fmt;

use allometry_core::space::WhenError;
use allometry_core::{ModelSize, SizeBudget, WeightTarget, human_weights};

use super::census::Census;
use super::quantities::Blame;

/// Why a search space cannot be searched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SpaceError {
    /// The budget admits no architecture.
    #[error(transparent)]
    NoFeasible(Box<NoFeasible>),
    /// No configuration meets the constraints on other parameters too.
    #[error(
        "budget `{budget}`: none of {} meets {}",
        if *enumerated {
            format!("its {considered} configurations")
        } else {
            format!("{considered} configurations spread over it")
        },
        constraints.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" and ")
    )]
    NothingMeets {
        /// Label of the budget.
        budget: String,
        /// Number of configurations checked.
        considered: u64,
        /// Whether these are all configurations.
        enumerated: bool,
        /// The constraint that no configuration meets, or all constraints.
        constraints: Vec<String>,
    },
    /// The conditions are invalid.
    #[error(transparent)]
    When(#[from] WhenError),
    /// An architecture parameter has infinitely many values.
    #[error("`{parameter}` determines the architecture, but its range {range} has infinitely many values")]
    ContinuousArchitecture {
        /// Name of the parameter.
        parameter: String,
        /// Distribution of the parameter.
        range: String,
    },
    /// A parameter has no value.
    #[error("`{parameter}` has no value")]
    NoValue {
        /// Name of the parameter.
        parameter: String,
    },
    /// There are too many architectures to enumerate.
    #[error("budget `{budget}`: {count} architectures are too many to enumerate; the limit is {limit}")]
    TooManyArchitectures {
        /// Label of the budget.
        budget: String,
        /// Number of architectures of the space.
        count: u128,
        /// Largest number that is enumerated.
        limit: u64,
    },
    /// A grid was requested over a continuous range.
    #[error("a grid needs finitely many values, but `{parameter}` is a continuous range")]
    GridOfContinuous {
        /// Name of the parameter.
        parameter: String,
    },
    /// A grid has more configurations than a 64-bit number can index.
    #[error("budget `{budget}`: the grid has more configurations than can be numbered")]
    GridTooLarge {
        /// Label of the budget.
        budget: String,
    },
}

impl SpaceError {
    /// Advice for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFeasible(error) => error.hint(),
            Self::When(error) => Some(error.hint()),
            Self::ContinuousArchitecture { .. } => {
                Some("list its values, or give { int = [low, high] } or a step".into())
            }
            Self::NothingMeets { .. } => {
                Some("relax or remove a constraint, or extend the ranges of its parameters".into())
            }
            Self::NoValue { .. } => None,
            Self::GridOfContinuous { .. } => {
                Some("list its values or give it a step, or choose another sampler".into())
            }
            Self::GridTooLarge { .. } => Some("choose another sampler, or fewer values".into()),
            Self::TooManyArchitectures { .. } => {
                Some("use larger steps in the architecture parameters".into())
            }
        }
    }
}

/// A budget that admits no architecture of its search space.
#[derive(Debug, Clone, PartialEq)]
pub struct NoFeasible {
    /// The budget.
    pub budget: SizeBudget,
    /// Counts of the enumeration, with the nearest sizes and the smallest and largest size.
    pub census: Census,
    /// Effects of the constraints.
    pub blames: Vec<Blame>,
}

impl fmt::Display for NoFeasible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budget, census, blames } = self;
        write!(f, "budget `{}`: ", budget.label)?;
        let n = census.considered;
        if census.removed.heads == n {
            return write!(f, "`n_heads` divides `d_model` in none of the {n} architectures of the space");
        }
        let left = n - census.removed.heads - census.constrained.iter().map(|(_, count)| count).sum::<u64>();
        if left == 0 {
            return match blames.iter().find(|blame| blame.holds == 0) {
                Some(blame) => {
                    write!(f, "`{}` holds for none of the {n} architectures of the space", blame.constraint)
                }
                None => {
                    write!(f, "none of the {n} architectures of the space meets all constraints together")
                }
            };
        }
        let constrained = if left < n - census.removed.heads { " that meet the constraints" } else { "" };
        match (census.reach, range(budget)) {
            (Some((smallest, largest)), Some((low, high))) => write!(
                f,
                "none of the {} architectures of the space{constrained} has {} to {} weights; \
                 they reach from {smallest} to {largest}",
                if constrained.is_empty() { n } else { left },
                human_weights(low),
                human_weights(high),
            ),
            _ => write!(f, "the sizes of all {n} architectures of the space are unknown"),
        }
    }
}

impl std::error::Error for NoFeasible {}

impl NoFeasible {
    /// Advice for the user.
    pub fn hint(&self) -> Option<String> {
        if self.census.removed.heads == self.census.considered {
            return Some("give `d_model` multiples of `n_heads`".into());
        }
        let freed: Vec<String> = self
            .blames
            .iter()
            .filter(|blame| blame.without > 0)
            .map(|blame| {
                format!("without `{}` the budget has {} architectures", blame.constraint, blame.without)
            })
            .collect();
        if !freed.is_empty() {
            return Some(freed.join("; "));
        }
        if !self.blames.is_empty() && self.census.reach.is_none() {
            let hint = "relax or remove a constraint, or extend the ranges of the architecture's parameters";
            return Some(hint.into());
        }
        let nearest: Vec<String> =
            self.census.nearest.iter().map(|(params, size)| format!("{size} with {params}")).collect();
        if nearest.is_empty() {
            return Some("write weights = \"any\" where sizes are unknown".into());
        }
        let tolerance = match self.budget.target {
            WeightTarget::Near { weights, .. } => nearest_tolerance(&self.census.nearest, weights),
            WeightTarget::Any => None,
        };
        let enough = tolerance.map_or_else(String::new, |t| format!(", or tolerance = {t:.2}"));
        Some(format!(
            "nearest: {}; give the budget other values in [budget.space]{enough}",
            nearest.join(" and ")
        ))
    }
}

/// The smallest and the largest number of weights that the budget admits.
fn range(budget: &SizeBudget) -> Option<(f64, f64)> {
    let WeightTarget::Near { weights, tolerance } = budget.target else { return None };
    let weights = weights as f64;
    Some(((weights * (1.0 - tolerance)).max(0.0), weights * (1.0 + tolerance)))
}

/// The smallest tolerance that admits an architecture, rounded up; `None` where it would be too large to be
/// useful.
fn nearest_tolerance<P>(nearest: &[(P, ModelSize)], weights: u64) -> Option<f64> {
    let off = |size: &ModelSize| (size.total as f64 - weights as f64).abs() / weights as f64;
    let least = nearest.iter().map(|(_, size)| off(size)).fold(f64::INFINITY, f64::min);
    let rounded = (least * 100.0).ceil() / 100.0;
    (rounded <= 0.5).then_some(rounded)
}
