//! Groups of trials by their configuration.

use std::collections::HashMap;

use allometry_core::{ParamValue, Params};
use foldhash::fast::RandomState;

/// Returns the positions of the trials of each distinct configuration, in the order in which the
/// configurations were first tried.
pub(crate) fn by_configuration<'a>(configurations: impl Iterator<Item = &'a Params>) -> Vec<Vec<usize>> {
    let mut keys = Keys::default();
    let mut group_of: HashMap<Key, usize, RandomState> = HashMap::default();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, params) in configurations.enumerate() {
        let group = *group_of.entry(keys.of(params)).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(place);
    }
    groups
}

/// Key that is equal for equal configurations, whatever the order of their parameters. Numbers compare by
/// value, so that 1 and 1.0 are equal.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Index of the configuration's set of parameters.
    parameters: usize,
    /// Values in order of the parameters' names.
    values: Vec<KeyValue>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum KeyValue {
    /// Bits of a number; -0 counts as 0.
    Number(u64),
    /// Any other value, as Python writes it.
    Other(String),
}

/// Maker of keys that can be compared with each other.
#[derive(Debug, Default)]
pub(crate) struct Keys<'a> {
    /// Indexes of the sets of parameters seen so far, by their sorted names.
    known: HashMap<Vec<&'a str>, usize>,
    /// The parameters of the latest configuration in their own order, their indexes in order of the names,
    /// and their set. They are kept because most configurations of a study have equal parameters.
    names: Vec<&'a str>,
    sorted: Vec<usize>,
    set: usize,
}

impl<'a> Keys<'a> {
    /// Returns the key of a configuration.
    pub(crate) fn of(&mut self, params: &'a Params) -> Key {
        if self.set_is_new(params) {
            self.names = params.0.keys().map(String::as_str).collect();
            self.sorted = (0..self.names.len()).collect();
            self.sorted.sort_unstable_by_key(|&place| self.names[place]);
            let sorted: Vec<&str> = self.sorted.iter().map(|&place| self.names[place]).collect();
            let next = self.known.len();
            self.set = *self.known.entry(sorted).or_insert(next);
        }
        let value = |value: &ParamValue| match value.as_f64() {
            Some(number) => KeyValue::Number((number + 0.0).to_bits()),
            None => KeyValue::Other(value.repr()),
        };
        let values = self.sorted.iter().map(|&place| value(&params.0[place])).collect();
        Key { parameters: self.set, values }
    }

    fn set_is_new(&self, params: &Params) -> bool {
        self.known.is_empty() || !params.0.keys().eq(self.names.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_one_whatever_the_order_of_its_parameters() {
        let params = |pairs: &[(&str, ParamValue)]| pairs.iter().cloned().collect::<Params>();
        let configurations = [
            params(&[("a", 1i64.into()), ("b", "x".into())]),
            params(&[("b", "x".into()), ("a", 1.0.into())]),
            params(&[("a", "x".into()), ("b", 1i64.into())]),
            params(&[("a", 1i64.into())]),
            params(&[]),
            params(&[("a", ParamValue::Bool(true))]),
            params(&[]),
        ];
        let expected: [&[usize]; 4] = [&[0, 1], &[2], &[3, 5], &[4, 6]];
        assert_eq!(by_configuration(configurations.iter()), expected);
    }
}
