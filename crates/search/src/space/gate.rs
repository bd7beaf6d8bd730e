//! Conditions of parameters in terms of the ranks of their values.

use allometry_core::space::{When, is_listed};
use allometry_core::{Levels, ParamValue};

use super::axis::MOST_LISTED;

/// Coordinate of an inactive parameter, which a configuration does not have.
pub(crate) const INACTIVE: u64 = u64::MAX;

/// A condition in terms of coordinates: the parameter of `axis` is active where all others have an allowed
/// rank.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) axis: usize,
    /// Other axes with their allowed ranks, ascending.
    pub(crate) requires: Vec<(usize, Vec<u64>)>,
}

impl Gate {
    /// The gates of [`ordered`] conditions; `find` returns the index of a parameter and its levels.
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

    /// Whether the parameter is active, given the coordinates of all parameters.
    pub(crate) fn is_open(&self, coordinate: impl Fn(usize) -> u64) -> bool {
        self.requires.iter().all(|(axis, allowed)| {
            let rank = coordinate(*axis);
            rank != INACTIVE && allowed.binary_search(&rank).is_ok()
        })
    }
}

/// The ranks of a listed value; several where values of a list are equal within the tolerance.
fn ranks(levels: &Levels, value: &ParamValue) -> Vec<u64> {
    if levels.len() > MOST_LISTED {
        return levels.rank(value).into_iter().collect();
    }
    let alike =
        |(rank, level): (u64, ParamValue)| is_listed(&level, std::slice::from_ref(value)).then_some(rank);
    (0..).zip(levels.iter()).filter_map(alike).collect()
}

#[cfg(test)]
mod tests;
