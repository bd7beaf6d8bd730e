//! Why a space cannot be searched.

use std::fmt;

use super::census::Census;
use super::constraint::Blame;
use super::when::WhenError;
use crate::size::{ModelSize, SizeBudget, WeightTarget, human_weights};

/// Why a space cannot be searched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SpaceError {
    /// The budget admits no architecture.
    #[error(transparent)]
    NoFeasible(Box<NoFeasible>),
    /// No configuration meets the constraints over more than the architecture.
    #[error(
        "budget `{budget}`: none of {} meets {}",
        if *enumerated { format!("its {considered} configurations") } else { format!("{considered} configurations spread over it") },
        constraints.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" and ")
    )]
    NothingMeets {
        /// Label of the budget.
        budget: String,
        /// Configurations looked at.
        considered: u64,
        /// Whether these are all.
        enumerated: bool,
        /// The constraint that alone leaves nothing, or all of them.
        constraints: Vec<String>,
    },
    /// The conditions make no sense.
    #[error(transparent)]
    When(#[from] WhenError),
    /// An architecture parameter has infinitely many values.
    #[error("`{parameter}` decides the architecture, but its range {range} has no end of values")]
    ContinuousArchitecture {
        /// Its name.
        parameter: String,
        /// Its set.
        range: String,
    },
    /// A parameter has no value.
    #[error("`{parameter}` has no value")]
    NoValue {
        /// Its name.
        parameter: String,
    },
    /// There are too many architectures to enumerate.
    #[error("budget `{budget}`: {count} architectures are too many to enumerate; {limit} can be")]
    TooManyArchitectures {
        /// Label of the budget.
        budget: String,
        /// Architectures of the space.
        count: u128,
        /// The most that are enumerated.
        limit: u64,
    },
    /// A grid over a continuous range.
    #[error("a grid needs finitely many values, but `{parameter}` is a continuous range")]
    GridOfContinuous {
        /// Its name.
        parameter: String,
    },
    /// A grid of more configurations than can be numbered.
    #[error("budget `{budget}`: the grid has more configurations than can be numbered")]
    GridTooLarge {
        /// Label of the budget.
        budget: String,
    },
}

impl SpaceError {
    /// What the user can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFeasible(error) => error.hint(),
            Self::When(error) => Some(error.hint()),
            Self::ContinuousArchitecture { .. } => {
                Some("list its values, or give { int = [low, high] } or a step".into())
            }
            Self::NothingMeets { .. } => {
                Some("loosen or leave out a constraint, or widen the parameters that it speaks of".into())
            }
            Self::NoValue { .. } => None,
            Self::GridOfContinuous { .. } => {
                Some("list its values or give it a step, or choose another sampler".into())
            }
            Self::GridTooLarge { .. } => Some("choose another sampler, or fewer values".into()),
            Self::TooManyArchitectures { .. } => {
                Some("take larger steps in the architecture parameters".into())
            }
        }
    }
}

/// A budget that no architecture of its space reaches.
#[derive(Debug, Clone, PartialEq)]
pub struct NoFeasible {
    /// The budget.
    pub budget: SizeBudget,
    /// What was looked at, with the nearest sizes and the whole reach.
    pub census: Census,
    /// What each constraint costs.
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
                None => write!(f, "no architecture of the {n} of the space meets all constraints together"),
            };
        }
        let constrained = if left < n - census.removed.heads { " that meet the constraints" } else { "" };
        match (census.reach, range(budget)) {
            (Some((smallest, largest)), Some((low, high))) => write!(
                f,
                "none of the {} architectures of the space{constrained} has {} to {} weights; they reach from {smallest} to {largest}",
                if constrained.is_empty() { n } else { left },
                human_weights(low),
                human_weights(high),
            ),
            _ => write!(f, "the size of none of the {n} architectures of the space is known"),
        }
    }
}

impl std::error::Error for NoFeasible {}

impl NoFeasible {
    /// What the user can do.
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
            return Some("loosen or leave out a constraint, or widen the architecture's parameters".into());
        }
        let nearest: Vec<String> =
            self.census.nearest.iter().map(|(params, size)| format!("{size} with {params}")).collect();
        if nearest.is_empty() {
            return Some("write weights = \"any\" where sizes cannot be counted".into());
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

/// The weights that the budget admits, smallest and largest.
fn range(budget: &SizeBudget) -> Option<(f64, f64)> {
    let WeightTarget::Near { weights, tolerance } = budget.target else { return None };
    let weights = weights as f64;
    Some(((weights * (1.0 - tolerance)).max(0.0), weights * (1.0 + tolerance)))
}

/// The smallest tolerance that admits something, rounded up; `None` where it would mean nothing any more.
fn nearest_tolerance<P>(nearest: &[(P, ModelSize)], weights: u64) -> Option<f64> {
    let off = |size: &ModelSize| (size.total as f64 - weights as f64).abs() / weights as f64;
    let least = nearest.iter().map(|(_, size)| off(size)).fold(f64::INFINITY, f64::min);
    let rounded = (least * 100.0).ceil() / 100.0;
    (rounded <= 0.5).then_some(rounded)
}
