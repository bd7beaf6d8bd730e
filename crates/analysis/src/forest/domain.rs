//! The domain of a forest, and the positions of trials in it.

use allometry_core::{ParamValue, Params, SearchSpace};

use crate::forest::axis::Axis;
use allometry_core::is_usable;

/// The parameters that a forest uses for its predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// One axis per parameter, in the space's order.
    pub axes: Vec<Axis>,
    /// Parameters of the space that are left out: without a measurable set, or absent from more than half of
    /// the trials.
    pub absent: Vec<String>,
}

/// Trials inside a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Positions of the trials on each axis.
    pub columns: Vec<Vec<f64>>,
    /// Values of the trials.
    pub values: Vec<f64>,
    /// Number of trials without a usable value, without one of the parameters, or outside the space.
    pub left_out: u64,
}

impl Domain {
    /// Builds the domain of the parameters of `space` that at least half of the trials have.
    pub fn new(space: &SearchSpace, trials: &[(&Params, f64)]) -> Self {
        let (mut axes, mut absent) = (Vec::new(), Vec::new());
        for (order, (parameter, set)) in space.iter().enumerate() {
            let have = trials.iter().filter(|(params, _)| value(params, parameter, order).is_some()).count();
            match Axis::new(parameter, set) {
                Some(axis) if have > 0 && 2 * have >= trials.len() => axes.push(axis),
                _ => absent.push(parameter.to_owned()),
            }
        }
        Self { axes, absent }
    }

    /// Returns the trials inside the domain that have a usable value.
    pub fn rows(&self, trials: &[(&Params, f64)]) -> Rows {
        let mut columns = vec![Vec::with_capacity(trials.len()); self.axes.len()];
        let mut values = Vec::with_capacity(trials.len());
        let mut point = vec![0.0; self.axes.len()];
        for (params, y) in trials {
            let inside = self.axes.iter().enumerate().zip(&mut point).all(|((order, axis), x)| {
                let position = value(params, &axis.parameter, order).and_then(|value| axis.position(value));
                position.is_some_and(|position| {
                    *x = position;
                    true
                })
            });
            if inside && is_usable(*y) {
                for (column, x) in columns.iter_mut().zip(&point) {
                    column.push(*x);
                }
                values.push(*y);
            }
        }
        let left_out = (trials.len() - values.len()) as u64;
        Rows { columns, values, left_out }
    }
}

/// Returns the value of `parameter`, looking first at its place in the space: trials usually keep the space's
/// order.
pub(crate) fn value<'p>(params: &'p Params, parameter: &str, order: usize) -> Option<&'p ParamValue> {
    match params.0.get_index(order) {
        Some((name, value)) if name == parameter => Some(value),
        _ => params.get(parameter),
    }
}
