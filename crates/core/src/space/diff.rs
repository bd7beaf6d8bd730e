//! Differences between two search spaces.

use std::fmt;

use super::SearchSpace;
use crate::distribution::Distribution;
use crate::param::ParamName;

/// One difference between two search spaces.
#[derive(Debug, Clone, PartialEq)]
pub enum SpaceChange {
    /// A new parameter.
    Added {
        /// Name of the parameter.
        name: ParamName,
        /// Distribution of the parameter.
        set: Distribution,
    },
    /// A removed parameter.
    Removed {
        /// Name of the parameter.
        name: ParamName,
        /// Former distribution of the parameter.
        set: Distribution,
    },
    /// A parameter with another distribution.
    Changed {
        /// Name of the parameter.
        name: ParamName,
        /// Former distribution of the parameter.
        old: Distribution,
        /// New distribution of the parameter.
        new: Distribution,
    },
}

impl fmt::Display for SpaceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { name, set } => write!(f, "{name}: new, {set}"),
            Self::Removed { name, set } => write!(f, "{name}: removed, was {set}"),
            Self::Changed { name, old, new } => write!(f, "{name}: was {old}, is {new}"),
        }
    }
}

/// The differences from `old` to `new`, in the order of `new` with removed parameters at the end. A different
/// order of the parameters is not a difference.
pub fn diff(old: &SearchSpace, new: &SearchSpace) -> Vec<SpaceChange> {
    let mut changes = Vec::new();
    for (name, set) in new.iter() {
        let (name, set) = (name.to_owned(), set.clone());
        match old.get(&name) {
            None => changes.push(SpaceChange::Added { name, set }),
            Some(before) if *before != set => {
                changes.push(SpaceChange::Changed { name, old: before.clone(), new: set });
            }
            Some(_) => {}
        }
    }
    let removed = old.iter().filter(|(name, _)| new.get(name).is_none());
    changes.extend(removed.map(|(name, set)| SpaceChange::Removed { name: name.into(), set: set.clone() }));
    changes
}
