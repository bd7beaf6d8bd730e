//! The distribution of one hyperparameter: the set of its values.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::levels::{Levels, nearest_step};
use crate::param::{ByName, ParamValue};
use crate::python::float_repr;
use crate::shared::Shared;

/// Whether the order of a list's choices has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceOrder {
    /// Numbers whose order matters: neighbours are similar. Samplers treat ranks as equidistant.
    Ordinal,
    /// Names without an order.
    Nominal,
}

/// The set of values of one hyperparameter, with Optuna's fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Distribution {
    /// Real numbers in `[low, high]`.
    Float {
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
        /// Whether distances are measured between logarithms.
        log: bool,
        /// Grid step from `low`, if any; excludes `log`.
        step: Option<f64>,
    },
    /// Integers in `[low, high]`, both included.
    Int {
        /// Smallest value.
        low: i64,
        /// Largest value.
        high: i64,
        /// Whether distances are measured between logarithms.
        log: bool,
        /// Step from `low`; 1 for every integer.
        step: i64,
    },
    /// A list of values.
    Categorical {
        /// The values in the order given.
        choices: Vec<ParamValue>,
        /// Whether the order of the values has a meaning.
        order: ChoiceOrder,
    },
}

/// The distribution that each value of a trial was drawn from, by name. Most trials of a study share the same
/// distributions in memory.
pub type Distributions = Shared<ByName<Distribution>>;

impl Distribution {
    /// A list of values: ordinal if all are numbers, nominal otherwise.
    pub fn list(choices: Vec<ParamValue>) -> Self {
        let numeric = choices.iter().all(|v| matches!(v, ParamValue::Int(_) | ParamValue::Float(_)));
        let order = if numeric { ChoiceOrder::Ordinal } else { ChoiceOrder::Nominal };
        Self::Categorical { choices, order }
    }

    /// The values in order, where they are finitely many; `None` for a continuous range.
    pub fn levels(&self) -> Option<Levels> {
        Some(match self {
            Self::Float { low, high, step: Some(step), .. } => Levels::floats(*low, *high, *step),
            Self::Float { low, high, step: None, .. } if low == high => {
                Levels::list(vec![ParamValue::Float(*low)])
            }
            Self::Float { .. } => return None,
            Self::Int { low, high, step, .. } => Levels::ints(*low, *high, *step),
            Self::Categorical { choices, .. } => Levels::list(choices.clone()),
        })
    }

    /// The value of the set that a text denotes: the choice that prints as the text, or the number. `None`
    /// where it is not in the set.
    pub fn read(&self, text: &str) -> Option<ParamValue> {
        let number = || text.parse::<f64>().ok();
        let value = match self {
            Self::Int { .. } => ParamValue::Int(match text.parse() {
                Ok(whole) => whole,
                Err(_) => ParamValue::Float(number()?).as_i64()?,
            }),
            Self::Float { .. } => ParamValue::Float(number()?),
            Self::Categorical { choices, .. } => {
                // Text that prints like another choice can be given in quotes, so the choice that is not text
                // wins.
                let is_word = |choice: &ParamValue| matches!(choice, ParamValue::Text(_));
                let mut written = choices.iter().filter(|choice| choice.to_string() == text);
                let written = written.clone().find(|choice| !is_word(choice)).or_else(|| written.next());
                let number =
                    text.parse().map(ParamValue::Int).ok().or_else(|| number().map(ParamValue::Float));
                let json = || serde_json::from_str::<ParamValue>(text).ok();
                let equal = |wanted: ParamValue| choices.iter().find(|choice| **choice == wanted);
                written.or_else(|| equal(number?)).or_else(|| equal(json()?))?.clone()
            }
        };
        self.contains(&value).then_some(value)
    }

    /// Whether `value` belongs to the set.
    pub fn contains(&self, value: &ParamValue) -> bool {
        match self {
            Self::Float { low, high, step, .. } => value.as_f64().is_some_and(|x| {
                let on_grid = step.is_none_or(|step| nearest_step((*low, *high, step), x).is_some());
                (*low..=*high).contains(&x) && on_grid
            }),
            Self::Int { low, high, step, .. } => {
                let on_grid = |i: i64| i.abs_diff(*low).checked_rem(step.unsigned_abs()) == Some(0);
                value.as_i64().is_some_and(|i| (*low..=*high).contains(&i) && on_grid(i))
            }
            Self::Categorical { choices, .. } => choices.contains(value),
        }
    }
}

/// The notation of the ladder file: `[32, 64]`, `{ float = [1e-05, 0.001], log = true }`.
impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = |log: bool| if log { ", log = true" } else { "" };
        match self {
            Self::Float { low, high, log: scale, step } => {
                write!(f, "{{ float = [{}, {}]{}", float_repr(*low), float_repr(*high), log(*scale))?;
                if let Some(step) = step {
                    write!(f, ", step = {}", float_repr(*step))?;
                }
                f.write_str(" }")
            }
            Self::Int { low, high, log: scale, step } => {
                write!(f, "{{ int = [{low}, {high}]{}", log(*scale))?;
                if *step != 1 {
                    write!(f, ", step = {step}")?;
                }
                f.write_str(" }")
            }
            Self::Categorical { choices, .. } => {
                let choices: Vec<String> = choices.iter().map(ParamValue::repr).collect();
                write!(f, "[{}]", choices.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_members() {
        let sets = [
            Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.1) },
            Distribution::Float { low: 0.0, high: 0.7, log: false, step: Some(0.1) },
            Distribution::Int { low: 2, high: 11, log: false, step: 3 },
            Distribution::list(vec![1e-5.into(), 1e-4.into()]),
        ];
        for (set, n) in sets.iter().zip([11, 8, 4, 2]) {
            let levels = set.levels().unwrap();
            assert_eq!(levels.len(), n as u64);
            assert!(levels.iter().all(|v| set.contains(&v)));
        }
        assert!(!sets[2].contains(&3i64.into()));
        assert!(!sets[0].contains(&0.15.into()));
    }

    #[test]
    fn texts_read_as_members() {
        let list = Distribution::list(vec![1e-5.into(), 3i64.into()]);
        assert_eq!(list.read("0.00001"), Some(1e-5.into()));
        assert!(matches!(list.read("3.0"), Some(ParamValue::Int(3))));
        assert_eq!(list.read("4"), None);
        let names = Distribution::list(vec!["gelu".into(), ParamValue::Bool(true), ParamValue::Null]);
        assert_eq!(names.read("True"), Some(ParamValue::Bool(true)));
        assert_eq!(names.read("None"), Some(ParamValue::Null));
        let lists = Distribution::list(serde_json::from_str(r#"[[64], [64, 64], {"a": 1}, "[1]"]"#).unwrap());
        assert_eq!(lists.read("[64,64]").unwrap().to_string(), "[64, 64]");
        assert_eq!(lists.read(r#"{"a": 1.0}"#).unwrap().to_string(), "{'a': 1}");
        assert_eq!(lists.read("[1]"), Some("[1]".into()));
        assert_eq!(lists.read("[65]"), None);
        let wide = Distribution::Int { low: i64::MIN, high: i64::MAX, log: false, step: 1 };
        assert!(matches!(wide.read("9007199254740993"), Some(ParamValue::Int(9_007_199_254_740_993))));
        assert!(wide.contains(&i64::MAX.into()) && wide.contains(&i64::MIN.into()));
        let int = Distribution::Int { low: 2, high: 11, log: false, step: 3 };
        assert!(matches!(int.read("5"), Some(ParamValue::Int(5))));
        assert_eq!((int.read("6"), int.read("5.5"), int.read("five")), (None, None, None));
    }

    #[test]
    fn lists_of_numbers_are_ordinal() {
        let order = |choices| match Distribution::list(choices) {
            Distribution::Categorical { order, .. } => order,
            _ => unreachable!("a list is categorical"),
        };
        assert_eq!(order(vec![1i64.into(), 2.5.into()]), ChoiceOrder::Ordinal);
        assert_eq!(order(vec![1i64.into(), "gelu".into()]), ChoiceOrder::Nominal);
    }
}
