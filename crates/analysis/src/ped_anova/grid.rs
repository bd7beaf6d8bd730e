//! The grid on which densities are estimated.

use allometry_core::{Distribution, ParamValue};

use crate::forest::axis::Axis;

/// Most cells of a range.
const MOST_CELLS: usize = 50;

/// The grid of a parameter. Like Optuna, it treats lists as categorical, even if their values have an order.
#[derive(Debug)]
pub(super) enum Grid {
    /// `cells` points from `low`, `step` apart, on the measured scale.
    Range { low: f64, step: f64, cells: usize, log: bool },
    /// One cell per value.
    Choices { axis: Axis, cells: usize },
}

impl Grid {
    /// Returns the grid of a set; `None` where it has a single value or no measurable values.
    pub(super) fn new(set: &Distribution) -> Option<Self> {
        match set {
            Distribution::Float { low, high, log, step: None } => Self::range(*low, *high, MOST_CELLS, *log),
            Distribution::Float { low, high, step: Some(step), .. } => {
                let steps = ((high - low) / step + 1e-9).floor();
                Self::range(*low, low + steps * step, (steps as usize).saturating_add(1), false)
            }
            Distribution::Int { low, high, log, step } => {
                let (low, high, step) = (*low as f64, *high as f64, *step as f64);
                let steps = ((high - low) / step).floor();
                let cells = if *log { (high - low + 1.0).log2().ceil() } else { steps };
                Self::range(low, low + steps * step, (cells as usize).saturating_add(1), *log)
            }
            Distribution::Categorical { choices, .. } => {
                let axis = Axis::new("", &Distribution::list(choices.clone()))?;
                let cells = axis.atoms()? as usize;
                (cells > 1).then_some(Self::Choices { axis, cells })
            }
        }
    }

    fn range(low: f64, high: f64, cells: usize, log: bool) -> Option<Self> {
        let log = log && low > 0.0;
        let (low, high) = if log { (low.ln(), high.ln()) } else { (low, high) };
        let cells = cells.min(MOST_CELLS);
        (high > low && cells > 1 && (high - low).is_finite()).then(|| Self::Range {
            low,
            step: (high - low) / (cells - 1) as f64,
            cells,
            log,
        })
    }

    pub(super) fn cells(&self) -> usize {
        match self {
            Self::Range { cells, .. } | Self::Choices { cells, .. } => *cells,
        }
    }

    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Self::Range { .. })
    }

    /// Returns the cell of the point nearest to `value`; ties go to the lower cell.
    pub(super) fn cell(&self, value: &ParamValue) -> Option<usize> {
        match self {
            Self::Range { low, step, cells, log } => {
                let x = value.as_f64().filter(|x| !x.is_nan())?;
                let x = if *log { x.max(0.0).ln() } else { x };
                let cell = ((x - low) / step - 0.5).ceil();
                Some(cell.clamp(0.0, (cells - 1) as f64) as usize)
            }
            Self::Choices { axis, .. } => axis.position(value).map(|position| position as usize),
        }
    }
}
