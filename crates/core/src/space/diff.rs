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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::ParamValue;

    fn ints(values: &[i64]) -> Distribution {
        Distribution::list(values.iter().copied().map(ParamValue::Int).collect())
    }

    fn floats(values: &[f64]) -> Distribution {
        Distribution::list(values.iter().copied().map(ParamValue::Float).collect())
    }

    fn space_of(sets: &[(&str, Distribution)]) -> SearchSpace {
        SearchSpace(sets.iter().map(|(name, set)| ((*name).to_owned(), set.clone())).collect())
    }

    #[test]
    fn differences_are_listed_in_the_files_words() {
        let old = space_of(&[
            ("d_model", ints(&[32, 64])),
            ("dropout", floats(&[0.1, 0.3])),
            ("learning_rate", Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None }),
            ("n_layers", Distribution::Int { low: 2, high: 6, log: false, step: 2 }),
        ]);
        let new = space_of(&[
            ("n_layers", Distribution::Int { low: 2, high: 6, log: false, step: 1 }),
            ("learning_rate", Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None }),
            ("d_model", ints(&[32, 64])),
            ("weight_decay", Distribution::Float { low: 0.0, high: 0.5, log: false, step: Some(0.1) }),
        ]);
        let lines: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "n_layers: was { int = [2, 6], step = 2 }, is { int = [2, 6] }",
                "weight_decay: new, { float = [0.0, 0.5], step = 0.1 }",
                "dropout: removed, was [0.1, 0.3]",
            ]
        );
        assert!(diff(&old, &old).is_empty());
    }
}
