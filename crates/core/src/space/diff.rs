//! What changed between two spaces.

use std::fmt;

use super::SearchSpace;
use crate::distribution::Distribution;
use crate::param::ParamName;

/// One difference between two spaces.
#[derive(Debug, Clone, PartialEq)]
pub enum SpaceChange {
    /// A parameter that was not there.
    Added {
        /// Its name.
        name: ParamName,
        /// Its set.
        set: Distribution,
    },
    /// A parameter that is gone.
    Removed {
        /// Its name.
        name: ParamName,
        /// Its former set.
        set: Distribution,
    },
    /// A parameter with another set.
    Changed {
        /// Its name.
        name: ParamName,
        /// Its former set.
        old: Distribution,
        /// Its set.
        new: Distribution,
    },
}

impl fmt::Display for SpaceChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { name, set } => write!(f, "{name}: new, {set}"),
            Self::Removed { name, set } => write!(f, "{name}: gone, was {set}"),
            Self::Changed { name, old, new } => write!(f, "{name}: was {old}, is {new}"),
        }
    }
}

/// The differences from `old` to `new`, in the order of `new` with what is gone at the end. The order of the parameters
/// themselves is no difference.
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
    let gone = old.iter().filter(|(name, _)| new.get(name).is_none());
    changes.extend(gone.map(|(name, set)| SpaceChange::Removed { name: name.into(), set: set.clone() }));
    changes
}
