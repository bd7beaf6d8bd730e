//! Conditions of parameters that exist only for given values of other parameters.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{ARCHITECTURE, SearchSpace};
use crate::distribution::Distribution;
use crate::param::{ParamName, ParamValue, Params};

/// A condition: a parameter exists only where other parameters have one of the listed values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct When {
    /// Conditional parameter.
    pub parameter: ParamName,
    /// For each parameter that it depends on, the values for which it exists.
    pub requires: IndexMap<ParamName, Vec<ParamValue>>,
}

/// The notation of the ladder file: `{ dropout = [0.1, 0.3] }`.
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

/// Whether a condition lists a value. Floats are compared with a tolerance, because floats on a grid have
/// rounding errors.
pub fn is_listed(value: &ParamValue, values: &[ParamValue]) -> bool {
    let close = |other: &ParamValue| match (value.as_f64(), other.as_f64()) {
        _ if matches!((value, other), (ParamValue::Int(_), ParamValue::Int(_))) => value == other,
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
        _ => value == other,
    };
    values.iter().any(close)
}

/// Why conditions are invalid. Each error names the conditional parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// The condition refers to a parameter that is not in the space.
    #[error("`{parameter}` depends on `{on}`, which the space does not have")]
    Unknown {
        /// Conditional parameter.
        parameter: ParamName,
        /// Parameter that it depends on.
        on: ParamName,
    },
    /// The parameter belongs to the architecture, which every configuration has.
    #[error("`{parameter}` determines the architecture and cannot have a condition")]
    Architecture {
        /// Conditional parameter.
        parameter: ParamName,
    },
    /// The condition depends on a range without steps, which has no list of values.
    #[error("`{parameter}` depends on `{on}`, whose range has infinitely many values")]
    Continuous {
        /// Conditional parameter.
        parameter: ParamName,
        /// Parameter that it depends on.
        on: ParamName,
    },
    /// The condition lists a value that the other parameter cannot have.
    #[error("the condition of `{parameter}` requires the value {value}, which `{on}` cannot have")]
    NotAValue {
        /// Conditional parameter.
        parameter: ParamName,
        /// Parameter that it depends on.
        on: ParamName,
        /// The value that is not possible.
        value: String,
    },
    /// The parameter depends on itself, directly or through other conditions.
    #[error("conditions form a cycle: {}", .0.join(" depends on "))]
    Cycle(Vec<ParamName>),
    /// The condition contradicts the conditions of the parameters that it depends on.
    #[error(
        "`{parameter}` never exists: no value of `{on}` meets its condition and the conditions of the \
         parameters that it depends on"
    )]
    Never {
        /// Conditional parameter.
        parameter: ParamName,
        /// Parameter that would need two values.
        on: ParamName,
    },
}

impl WhenError {
    /// The parameter whose condition is invalid.
    pub fn parameter(&self) -> &str {
        match self {
            Self::Unknown { parameter, .. }
            | Self::Architecture { parameter }
            | Self::Continuous { parameter, .. }
            | Self::NotAValue { parameter, .. }
            | Self::Never { parameter, .. } => parameter,
            Self::Cycle(cycle) => &cycle[0],
        }
    }

    /// The error with other names of the parameters.
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
            Self::Cycle(cycle) => Self::Cycle(cycle.iter().map(|parameter| name(parameter)).collect()),
            Self::Never { parameter, on } => Self::Never { parameter: name(&parameter), on: name(&on) },
        }
    }

    /// Advice for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } => "use the name of a parameter of the same space".into(),
            Self::Architecture { .. } => "conditions are possible only for training parameters".into(),
            Self::Continuous { on, .. } => format!("give `{on}` a list of values, or a step"),
            Self::NotAValue { on, .. } => format!("list values of `{on}`"),
            Self::Cycle(_) => "remove one of these conditions".into(),
            Self::Never { .. } => "remove the condition, or one of those that contradict it".into(),
        }
    }
}

/// The conditions of a space, each after those it depends on.
///
/// # Errors
/// [`WhenError`] for the first invalid condition.
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
            if is_continuous(set) {
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

/// Whether a set is a range of real numbers without ranks.
fn is_continuous(set: &Distribution) -> bool {
    matches!(set, Distribution::Float { .. }) && set.levels().is_none_or(|levels| levels.is_empty())
}

fn follow<'a>(
    when: &'a When,
    find: &impl Fn(&str) -> Option<&'a When>,
    path: &mut Vec<ParamName>,
    order: &mut Vec<When>,
) -> Result<(), WhenError> {
    if let Some(start) = path.iter().position(|name| *name == when.parameter) {
        let cycle = path[start..].iter().chain([&when.parameter]).cloned().collect();
        return Err(WhenError::Cycle(cycle));
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

/// Intersects the values that a condition and those it depends on allow for each parameter.
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

/// Whether a configuration has exactly the parameters of a space that are active in it, each with a value of
/// its set. `conditions` are [`ordered`].
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
