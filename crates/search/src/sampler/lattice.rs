//! The search space of the model-based samplers: one coordinate per parameter with more than one value.

use allometry_core::rng::uniform;
use allometry_core::{ChoiceOrder, Distribution, Levels, ParamValue, Params, SearchSpace, TrialRng};
use rand::Rng as _;

use crate::space::{Feasible, Gate, INACTIVE, MOST_LISTED};

/// Coordinate of an inactive parameter, which a configuration does not have.
pub(super) const ABSENT: u64 = INACTIVE;

/// A configuration as coordinates: the rank of each value, the bits of a continuous one, or [`ABSENT`]. Two
/// cells are equal exactly if the configurations are.
pub(super) type Cell = Vec<u64>;

/// The metric of distances along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// The square of the difference of positions in `[0, 1]`.
    Ordered,
    /// 1 between any two different values.
    Nominal,
}

/// A parameter as a coordinate axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    name: String,
    pub(super) scale: Scale,
    set: Distribution,
    /// The values by rank; empty for a continuous range.
    levels: Levels,
    /// The position of each level: in `[0, 1]` on an ordered axis, the rank on a nominal one. Empty where
    /// there are too many levels to list.
    pub(super) positions: Vec<f64>,
}

/// The axes of a space.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    /// Axes of the parameters with more than one value.
    pub(super) axes: Vec<Axis>,
    /// All parameters in order; those without an axis with their only value.
    order: Vec<(String, Option<ParamValue>)>,
    /// Metrics of distances along `axes`.
    scales: Vec<Scale>,
    /// Whether every combination of levels is feasible.
    is_box: bool,
    /// Conditional parameters, each after those it depends on.
    gates: Vec<Gate>,
}

impl Axis {
    pub(super) fn new(name: &str, set: &Distribution) -> Self {
        let levels = set.levels().unwrap_or_else(Levels::none);
        let scale = match set {
            Distribution::Categorical { order: ChoiceOrder::Nominal, .. } => Scale::Nominal,
            _ if levels.len() == 1 => Scale::Nominal,
            _ => Scale::Ordered,
        };
        let last = levels.len().saturating_sub(1).max(1) as f64;
        let positions = match (set, scale) {
            _ if levels.len() > MOST_LISTED => Vec::new(),
            (_, Scale::Nominal) => (0..levels.len()).map(|rank| rank as f64).collect(),
            (Distribution::Int { low, high, log: true, .. }, _) => {
                let (low, high) = ((*low as f64).ln(), (*high as f64).ln());
                let position = |v: ParamValue| (v.as_f64().unwrap_or(1.0).ln() - low) / (high - low);
                levels.iter().map(position).collect()
            }
            _ => (0..levels.len()).map(|rank| rank as f64 / last).collect(),
        };
        Self { name: name.into(), scale, set: set.clone(), levels, positions }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Number of values; `None` for an infinite number or too many to list.
    pub(super) fn level_count(&self) -> Option<usize> {
        (!self.positions.is_empty()).then_some(self.positions.len())
    }

    /// The position of a coordinate; NaN where the parameter is inactive.
    pub(super) fn position(&self, coordinate: u64) -> f64 {
        if coordinate == ABSENT {
            return f64::NAN;
        }
        if let Some(position) = self.positions.get(coordinate as usize).filter(|_| !self.levels.is_empty()) {
            return *position;
        }
        let x = if self.levels.is_empty() {
            f64::from_bits(coordinate)
        } else {
            self.levels.number(coordinate).unwrap_or(f64::NAN)
        };
        let Some((low, high, log)) = ends(&self.set) else { return f64::NAN };
        if log { (x.ln() - low.ln()) / (high.ln() - low.ln()) } else { (x - low) / (high - low) }
    }

    /// The coordinate of the value nearest to a position in `[0, 1]` on an ordered axis.
    pub(super) fn at(&self, position: f64) -> u64 {
        let position = position.clamp(0.0, 1.0);
        if let Some(count) = self.level_count() {
            let after = self.positions.partition_point(|p| *p < position);
            let nearer = |a: usize, b: usize| {
                if position - self.positions[a] <= self.positions[b] - position { a } else { b }
            };
            return if after == 0 {
                0
            } else if after == count {
                count - 1
            } else {
                nearer(after - 1, after)
            } as u64;
        }
        let Some((low, high, log)) = ends(&self.set) else { return ABSENT };
        let x = if log {
            (low.ln() + position * (high.ln() - low.ln())).exp()
        } else {
            low + position * (high - low)
        };
        if !self.levels.is_empty() {
            let step = match self.set {
                Distribution::Int { step, .. } => step as f64,
                Distribution::Float { step, .. } => step.unwrap_or(1.0),
                Distribution::Categorical { .. } => 1.0,
            };
            return (((x - low) / step).round().max(0.0) as u64).min(self.levels.len() - 1);
        }
        // Nine digits are readable, and equal on platforms whose logarithms differ in the last bit.
        let rounded: f64 = format!("{x:.8e}").parse().unwrap_or(x);
        (rounded.clamp(low, high) + 0.0).to_bits()
    }

    /// Whether another axis has equal values.
    pub(super) fn has_levels_of(&self, other: &Self) -> bool {
        if self.levels.is_empty() { self.set == other.set } else { self.levels == other.levels }
    }

    /// The position of any number on an ordered axis, also between and beyond its values; NaN where the
    /// values are not numbers in ascending order. Interpolates logarithmically between two positive values.
    pub(super) fn interpolated(&self, x: f64) -> f64 {
        if let Some((low, high, log)) = ends(&self.set).filter(|_| self.positions.is_empty()) {
            return if log { (x.ln() - low.ln()) / (high.ln() - low.ln()) } else { (x - low) / (high - low) };
        }
        let numbers: Option<Vec<f64>> = self.levels.iter().map(|level| level.as_f64()).collect();
        let Some(numbers) = numbers.filter(|v| v.len() > 1 && v.is_sorted_by(|a, b| a < b)) else {
            return f64::NAN;
        };
        let after = numbers.partition_point(|level| *level < x).clamp(1, numbers.len() - 1);
        let (a, b) = (numbers[after - 1], numbers[after]);
        let part = if a > 0.0 && x > 0.0 { (x / a).ln() / (b / a).ln() } else { (x - a) / (b - a) };
        self.positions[after - 1] + part * (self.positions[after] - self.positions[after - 1])
    }

    pub(super) fn coordinate(&self, value: &ParamValue) -> Option<u64> {
        if self.levels.is_empty() {
            return value.as_f64().filter(|_| self.set.contains(value)).map(|x| (x + 0.0).to_bits());
        }
        self.levels.rank(value)
    }

    fn value(&self, coordinate: u64) -> ParamValue {
        if self.levels.is_empty() {
            ParamValue::Float(f64::from_bits(coordinate))
        } else {
            self.levels.get(coordinate).unwrap_or(ParamValue::Null)
        }
    }
}

/// The bounds of a range, and whether its distances are logarithmic.
fn ends(set: &Distribution) -> Option<(f64, f64, bool)> {
    match *set {
        Distribution::Float { low, high, log, .. } => Some((low, high, log)),
        Distribution::Int { low, high, log, .. } => Some((low as f64, high as f64, log)),
        Distribution::Categorical { .. } => None,
    }
}

impl Lattice {
    pub(super) fn new(feasible: &Feasible) -> Self {
        let conditions = feasible.conditions();
        let mut lattice = Self::with(feasible.space(), |name| conditions.iter().any(|c| c.parameter == name));
        lattice.gates = Gate::all(conditions, |name| {
            let (place, axis) = lattice.axes.iter().enumerate().find(|(_, axis)| axis.name == name)?;
            Some((place, &axis.levels))
        });
        let count = |count: u64, axis: &Axis| {
            count.checked_mul(Some(axis.levels.len()).filter(|levels| *levels > 0)?)
        };
        let combinations = lattice.axes.iter().try_fold(1, count);
        lattice.is_box =
            combinations.is_some() && combinations == feasible.configurations() && lattice.gates.is_empty();
        lattice
    }

    /// The lattice of a space regardless of feasibility.
    pub(super) fn of_space(space: &SearchSpace) -> Self {
        Self::with(space, |_| false)
    }

    /// The lattice of a space in which a parameter with one value also has an axis where configurations may
    /// lack it.
    fn with(space: &SearchSpace, may_lack: impl Fn(&str) -> bool) -> Self {
        let mut axes: Vec<Axis> = Vec::new();
        let mut order = Vec::new();
        for (name, set) in space.iter() {
            let axis = Axis::new(name, set);
            let only = (axis.levels.len() == 1 && !may_lack(name)).then(|| axis.levels.get(0)).flatten();
            if only.is_none() {
                axes.push(axis);
            }
            order.push((name.to_owned(), only));
        }
        let scales = axes.iter().map(|axis: &Axis| axis.scale).collect();
        Self { axes, order, scales, is_box: false, gates: Vec::new() }
    }

    /// Whether some combinations of levels are infeasible, or a parameter is continuous.
    pub(super) fn is_bound(&self) -> bool {
        !self.is_box
    }

    /// Metrics of distances along each axis.
    pub(super) fn scales(&self) -> &[Scale] {
        &self.scales
    }

    /// Number of axes.
    pub(super) fn dimension(&self) -> usize {
        self.axes.len()
    }

    /// The cell of a configuration; `None` where a value is not in its set.
    pub(super) fn cell(&self, params: &Params) -> Option<Cell> {
        let coordinate = |axis: &Axis| match params.get(&axis.name) {
            None => Some(ABSENT),
            Some(value) => axis.coordinate(value),
        };
        self.axes.iter().map(coordinate).collect()
    }

    /// The configuration of a cell.
    pub(super) fn params(&self, cell: &[u64]) -> Params {
        let mut coordinates = self.axes.iter().zip(cell);
        let mut params = Params::default();
        params.0.reserve(self.order.len());
        for (name, only) in &self.order {
            if let Some(value) = only {
                params.insert(name.clone(), value.clone());
            } else if let Some((axis, coordinate)) = coordinates.next()
                && *coordinate != ABSENT
            {
                params.insert(name.clone(), axis.value(*coordinate));
            }
        }
        params
    }

    /// The positions of a cell, one per axis.
    pub(super) fn positions(&self, cell: &[u64]) -> Vec<f64> {
        self.axes.iter().zip(cell).map(|(axis, coordinate)| axis.position(*coordinate)).collect()
    }

    /// Whether the configuration of `cell` is feasible.
    pub(super) fn admits(&self, cell: &[u64], feasible: &Feasible) -> bool {
        self.is_box || feasible.find(&self.params(cell)).is_some()
    }

    /// Removes the parameters whose conditions do not hold, and draws values for active parameters that are
    /// missing.
    pub(super) fn settle(&self, cell: &mut Cell, rng: &mut TrialRng) {
        for gate in &self.gates {
            let is_open = gate.is_open(|place| cell[place]);
            if !is_open {
                cell[gate.axis] = ABSENT;
            } else if cell[gate.axis] == ABSENT {
                let (axis, u) = (&self.axes[gate.axis], uniform(rng));
                let rank = |count: usize| ((u * count as f64) as u64).min(count as u64 - 1);
                cell[gate.axis] = axis.level_count().map_or_else(|| axis.at(u), rank);
            }
        }
    }

    /// Draws a feasible cell uniformly.
    pub(super) fn draw(&self, feasible: &Feasible, rng: &mut TrialRng) -> Cell {
        if self.is_box {
            let rank = |axis: &Axis, rng: &mut TrialRng| {
                ((u128::from(rng.next_u64()) * u128::from(axis.levels.len())) >> 64) as u64
            };
            return self.axes.iter().map(|axis| rank(axis, rng)).collect();
        }
        let point: Vec<f64> = (0..feasible.dimension()).map(|_| uniform(rng)).collect();
        let params = feasible.params(&feasible.at(&point));
        self.cell(&params).expect("a feasible configuration is in the space")
    }
}
