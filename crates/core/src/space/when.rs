//! Conditions: a parameter that exists only where others have given values.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::axis::{Axis, MOST_LISTED};
use super::{ARCHITECTURE, SearchSpace};
use crate::levels::Levels;
use crate::param::{ParamName, ParamValue, Params};

/// Coordinate of a parameter that a configuration does not have.
pub const INACTIVE: u64 = u64::MAX;

/// A parameter exists only where others have one of the values listed for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// The parameter.
    pub parameter: ParamName,
    /// For each parameter that it depends on the values with which it exists.
    pub requires: IndexMap<ParamName, Vec<ParamValue>>,
}

/// As the ladder file writes it: `{ dropout = [0.1, 0.3] }`.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |(on, values): (&ParamName, &Vec<ParamValue>)| {
            let values: Vec<String> = values.iter().map(ParamValue::repr).collect();
            format!("{on} = [{}]", values.join(", "))
        };
        let parts: Vec<String> = self.requires.iter().map(part).collect();
        write!(f, "{{ {} }}", parts.join(", "))
    }
}

/// Whether a value is the one that a condition lists; floats on a grid carry rounding errors.
fn is_listed(value: &ParamValue, values: &[ParamValue]) -> bool {
    let close = |other: &ParamValue| match (value.as_f64(), other.as_f64()) {
        _ if matches!((value, other), (ParamValue::Int(_), ParamValue::Int(_))) => value == other,
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => value == other,
    };
    values.iter().any(close)
}

/// The ranks of a listed value; several where a list has values that are alike.
fn ranks(levels: &Levels, value: &ParamValue) -> Vec<u64> {
    if levels.len() > MOST_LISTED {
        return levels.rank(value).into_iter().collect();
    }
    let alike =
        |(rank, level): (u64, ParamValue)| is_listed(&level, std::slice::from_ref(value)).then_some(rank);
    (0..).zip(levels.iter()).filter_map(alike).collect()
}

/// Why conditions make no sense. Each names the parameter whose condition it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// The condition is of, or on, a parameter that the space does not have.
    #[error("`{parameter}` depends on `{on}`, which the space does not have")]
    Unknown {
        /// The parameter.
        parameter: ParamName,
        /// What it depends on.
        on: ParamName,
    },
    /// Every model has the parameter.
    #[error("`{parameter}` decides the architecture, so that every configuration has it")]
    Architecture {
        /// The parameter.
        parameter: ParamName,
    },
    /// The condition is on a range without steps, which no list of values describes.
    #[error("`{parameter}` depends on `{on}`, whose range has no end of values")]
    Continuous {
        /// The parameter.
        parameter: ParamName,
        /// What it depends on.
        on: ParamName,
    },
    /// A value that the other parameter never has.
    #[error("`{parameter}` exists where `{on}` is {value}, which `{on}` never is")]
    NotAValue {
        /// The parameter.
        parameter: ParamName,
        /// What it depends on.
        on: ParamName,
        /// The value.
        value: String,
    },
    /// The parameter depends on itself.
    #[error("conditions go in a circle: {}", .0.join(" depends on "))]
    Cycle(Vec<ParamName>),
    /// What the condition and those of the parameters that it depends on ask for never comes together.
    #[error(
        "`{parameter}` never exists: no value of `{on}` meets its condition and those of the parameters that it depends on"
    )]
    Never {
        /// The parameter.
        parameter: ParamName,
        /// The parameter that would have to have two values.
        on: ParamName,
    },
}

impl WhenError {
    /// The parameter whose condition is wrong.
    pub fn parameter(&self) -> &str {
        match self {
            Self::Unknown { parameter, .. }
            | Self::Architecture { parameter }
            | Self::Continuous { parameter, .. }
            | Self::NotAValue { parameter, .. }
            | Self::Never { parameter, .. } => parameter,
            Self::Cycle(circle) => &circle[0],
        }
    }

    /// The same by other names of the parameters.
    #[must_use]
    pub fn renamed(self, name: impl Fn(&str) -> ParamName) -> Self {
        match self {
            Self::Unknown { parameter, on } => Self::Unknown { parameter: name(&parameter), on: name(&on) },
            Self::Architecture { parameter } => Self::Architecture { parameter: name(&parameter) },
            Self::Continuous { parameter, on } => {
                Self::Continuous { parameter: name(&parameter), on: name(&on) }
            }
            Self::NotAValue { parameter, on, value } => {
                Self::NotAValue { parameter: name(&parameter), on: name(&on), value }
            }
            Self::Cycle(circle) => Self::Cycle(circle.iter().map(|parameter| name(parameter)).collect()),
            Self::Never { parameter, on } => Self::Never { parameter: name(&parameter), on: name(&on) },
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } => "name a parameter of the same space".into(),
            Self::Architecture { .. } => "condition parameters of the training alone".into(),
            Self::Continuous { on, .. } => format!("give `{on}` a list of values, or a step"),
            Self::NotAValue { on, .. } => format!("list values of `{on}`"),
            Self::Cycle(_) => "remove one of these conditions".into(),
            Self::Never { .. } => "remove the condition, or one of those that contradict it".into(),
        }
    }
}

/// The conditions of a space in an order in which each comes after those it depends on.
///
/// # Errors
/// [`WhenError`] for the first that makes no sense.
pub fn ordered(space: &SearchSpace, conditions: &[When]) -> Result<Vec<When>, WhenError> {
    let find = |name: &str| conditions.iter().find(|when| when.parameter == name);
    for When { parameter, requires } in conditions {
        let parameter = || parameter.clone();
        if space.get(&parameter()).is_none() {
            return Err(WhenError::Unknown { parameter: parameter(), on: parameter() });
        }
        if ARCHITECTURE.contains(&parameter().as_str()) {
            return Err(WhenError::Architecture { parameter: parameter() });
        }
        for (on, values) in requires {
            let Some(set) = space.get(on) else {
                return Err(WhenError::Unknown { parameter: parameter(), on: on.clone() });
            };
            if Axis::new(on, set).is_continuous() {
                return Err(WhenError::Continuous { parameter: parameter(), on: on.clone() });
            }
            if let Some(value) = values.iter().find(|value| !set.contains(value)) {
                return Err(WhenError::NotAValue {
                    parameter: parameter(),
                    on: on.clone(),
                    value: value.repr(),
                });
            }
        }
    }
    let mut order: Vec<When> = Vec::new();
    for when in conditions {
        follow(when, &find, &mut Vec::new(), &mut order)?;
    }
    for when in &order {
        let mut all: IndexMap<ParamName, Vec<ParamValue>> = IndexMap::new();
        gather(when, &find, &mut all);
        if let Some((on, _)) = all.iter().find(|(_, values)| values.is_empty()) {
            return Err(WhenError::Never { parameter: when.parameter.clone(), on: on.clone() });
        }
    }
    Ok(order)
}

fn follow<'a>(
    when: &'a When,
    find: &impl Fn(&str) -> Option<&'a When>,
    path: &mut Vec<ParamName>,
    order: &mut Vec<When>,
) -> Result<(), WhenError> {
    if let Some(start) = path.iter().position(|name| *name == when.parameter) {
        let circle = path[start..].iter().chain([&when.parameter]).cloned().collect();
        return Err(WhenError::Cycle(circle));
    }
    if order.iter().any(|other| other.parameter == when.parameter) {
        return Ok(());
    }
    path.push(when.parameter.clone());
    for parent in when.requires.keys().filter_map(|on| find(on)) {
        follow(parent, find, path, order)?;
    }
    path.pop();
    order.push(when.clone());
    Ok(())
}

/// All values that a condition and those it depends on leave to each parameter.
fn gather<'a>(
    when: &When,
    find: &impl Fn(&str) -> Option<&'a When>,
    all: &mut IndexMap<ParamName, Vec<ParamValue>>,
) {
    for (on, values) in &when.requires {
        match all.get_mut(on) {
            Some(left) => left.retain(|value| is_listed(value, values)),
            None => {
                all.insert(on.clone(), values.clone());
            }
        }
        if let Some(parent) = find(on) {
            gather(parent, find, all);
        }
    }
}

/// Whether a configuration has exactly the parameters of a space that exist in it, each inside its set. `conditions` are [`ordered`].
pub fn contains(space: &SearchSpace, conditions: &[When], params: &Params) -> bool {
    let mut inactive: Vec<&str> = Vec::new();
    for When { parameter, requires } in conditions {
        let holds = requires.iter().all(|(on, values)| {
            !inactive.contains(&on.as_str()) && params.get(on).is_some_and(|value| is_listed(value, values))
        });
        if !holds {
            inactive.push(parameter);
        }
    }
    space.iter().all(|(name, set)| match params.get(name) {
        Some(value) => !inactive.contains(&name) && set.contains(value),
        None => inactive.contains(&name),
    }) && params.iter().all(|(name, _)| space.get(name).is_some())
}

/// A condition by coordinates: that of `axis` exists where each of the others has an allowed one.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) axis: usize,
    /// Another axis, and those of its ranks that are allowed, ascending.
    pub(crate) requires: Vec<(usize, Vec<u64>)>,
}

impl Gate {
    /// Of [`ordered`] conditions; `find` gives the place of a parameter and its values by rank.
    pub(crate) fn all<'a>(
        conditions: &[When],
        find: impl Fn(&str) -> Option<(usize, &'a Levels)>,
    ) -> Vec<Self> {
        let gate = |when: &When| {
            let (axis, _) = find(&when.parameter)?;
            let requires = when.requires.iter().filter_map(|(on, values)| {
                let (place, levels) = find(on)?;
                let mut allowed: Vec<u64> = values.iter().flat_map(|value| ranks(levels, value)).collect();
                allowed.sort_unstable();
                Some((place, allowed))
            });
            Some(Self { axis, requires: requires.collect() })
        };
        conditions.iter().filter_map(gate).collect()
    }

    /// Whether the parameter exists, by the coordinates of all.
    pub(crate) fn is_open(&self, coordinate: impl Fn(usize) -> u64) -> bool {
        self.requires.iter().all(|(axis, allowed)| {
            let rank = coordinate(*axis);
            rank != INACTIVE && allowed.binary_search(&rank).is_ok()
        })
    }
}

#[cfg(test)]
mod tests;
