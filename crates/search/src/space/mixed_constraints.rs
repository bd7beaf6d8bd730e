//! Constraints on the architecture and other parameters.

use allometry_core::Condition;
use allometry_core::space::QUANTITIES;

use super::axis::Axis;
use super::configuration::Configuration;
use super::gate::INACTIVE;
use super::quantities::Numeric;

/// A constraint on the architecture and other parameters.
#[derive(Debug, Clone)]
pub(super) struct Mixed {
    condition: Condition,
    /// Indices of the other parameters in the constraint.
    uses: Vec<usize>,
}

/// The constraints of a space on other parameters too, with the data to check them.
#[derive(Debug, Clone, Default)]
pub(super) struct MixedConstraints {
    pub(super) constraints: Vec<Mixed>,
    /// The numeric parameters, which follow [`QUANTITIES`] in the values of a constraint.
    numeric: Vec<Numeric>,
    /// Values of the names in constraints that the architecture determines, for each admitted architecture.
    pub(super) quantities: Vec<f64>,
    /// Sampled configurations that meet all constraints, where configurations are not enumerated.
    pub(super) known: Vec<Configuration>,
}

impl MixedConstraints {
    /// Splits the constraints of a space with these numeric parameters; the second part has the constraints
    /// on the architecture alone.
    pub(super) fn split(constraints: &[Condition], numeric: &[Numeric]) -> (Self, Vec<Condition>) {
        let numeric = numeric.to_vec();
        let mut pure = Vec::new();
        let mut own = Vec::new();
        for condition in constraints {
            let used = numeric.iter().enumerate().filter(|(k, _)| condition.uses(QUANTITIES.len() + k));
            let other = |numeric: &Numeric| match *numeric {
                Numeric::Other(place) => Some(place),
                Numeric::Architecture(_) => None,
            };
            let uses: Vec<usize> = used.filter_map(|(_, numeric)| other(numeric)).collect();
            if uses.is_empty() {
                pure.push(condition.clone());
            } else {
                own.push(Mixed { condition: condition.clone(), uses });
            }
        }
        (Self { constraints: own, numeric, ..Self::default() }, pure)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.constraints.is_empty()
    }

    /// The constraints as text.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        self.constraints.iter().map(|one| one.condition.to_string())
    }

    /// Index of the first constraint that a configuration violates. Constraints on inactive parameters are
    /// not checked.
    pub(super) fn violated(&self, configuration: &Configuration, rest: &[Axis]) -> Option<usize> {
        let width = QUANTITIES.len() + self.numeric.len();
        let start = configuration.architecture as usize * width;
        let mut values = self.quantities.get(start..start + width)?.to_vec();
        for (value, numeric) in values[QUANTITIES.len()..].iter_mut().zip(&self.numeric) {
            if let Numeric::Other(place) = *numeric
                && configuration.rest[place] != INACTIVE
            {
                *value = rest[place].value(configuration.rest[place]).as_f64().unwrap_or(f64::NAN);
            }
        }
        self.constraints.iter().position(|one| {
            let exists = one.uses.iter().all(|place| configuration.rest[*place] != INACTIVE);
            exists && !one.condition.holds(&values)
        })
    }
}
