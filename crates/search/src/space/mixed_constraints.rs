//! Constraints on the architecture and other parameters.

use allometry_core::Condition;
use allometry_core::space::QUANTITIES;

use super::axis::Axis;
use super::configuration::Configuration;
use super::gate::INACTIVE;

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
    /// Indices of the numeric other parameters, which follow [`QUANTITIES`] in the values of a constraint.
    numeric: Vec<usize>,
    /// Values of [`QUANTITIES`] for each admitted architecture.
    pub(super) quantities: Vec<[f64; QUANTITIES.len()]>,
    /// Sampled configurations that meet all constraints, where configurations are not enumerated.
    pub(super) known: Vec<Configuration>,
}

impl MixedConstraints {
    /// Splits the constraints of a space with other parameters `rest`; the second part has the constraints on
    /// the architecture alone.
    pub(super) fn split(constraints: &[Condition], rest: &[Axis]) -> (Self, Vec<Condition>) {
        let numeric: Vec<usize> = (0..rest.len()).filter(|i| rest[*i].is_quantity()).collect();
        let mut pure = Vec::new();
        let mut own = Vec::new();
        for condition in constraints {
            let used = numeric.iter().enumerate().filter(|(k, _)| condition.uses(QUANTITIES.len() + k));
            let uses: Vec<usize> = used.map(|(_, place)| *place).collect();
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
        let quantities = self.quantities.get(configuration.architecture as usize)?;
        let number = |place: &usize| match configuration.rest[*place] {
            INACTIVE => f64::NAN,
            coordinate => rest[*place].value(coordinate).as_f64().unwrap_or(f64::NAN),
        };
        let values: Vec<f64> = quantities.iter().copied().chain(self.numeric.iter().map(number)).collect();
        self.constraints.iter().position(|one| {
            let exists = one.uses.iter().all(|place| configuration.rest[*place] != INACTIVE);
            exists && !one.condition.holds(&values)
        })
    }
}
