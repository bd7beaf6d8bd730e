//! Counts of the architectures of a space by constraint.

use allometry_core::{Condition, ModelSize, Params, SizeBudget, WeightTarget};

/// Numbers of architectures that were removed, each counted at the first check that fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// `d_model` is not a multiple of `n_heads`.
    pub heads: u64,
    /// The size is unknown, so that the budget cannot admit it.
    pub unknown: u64,
    /// The size is below the budget's range.
    pub smaller: u64,
    /// The size is above the budget's range.
    pub larger: u64,
}

/// Counts over all architectures of a space.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Census {
    /// Number of architectures in the space, of any size.
    pub considered: u64,
    /// Number of architectures that the budget admits.
    pub feasible: u64,
    /// Numbers of architectures removed by other checks than constraints.
    pub removed: Removed,
    /// Each constraint with the number of architectures for which it is the first that fails; constraints are
    /// checked after the heads and before the size.
    pub constrained: Vec<(String, u64)>,
    /// Each constraint on other parameters too, with the share of the admitted architectures' configurations
    /// for which it is the first that fails. In a space that is not enumerated it is the share of a sample of
    /// evenly spread points.
    pub mixed: Vec<(String, f64)>,
    /// Smallest and largest size in the space under the constraints, regardless of the budget; `None` where
    /// no size is known.
    pub reach: Option<(ModelSize, ModelSize)>,
    /// The architectures just below and just above the budget's range, where they exist.
    pub nearest: Vec<(Params, ModelSize)>,
}

/// Counts architectures during enumeration.
pub(super) struct Counter<'a> {
    budget: &'a SizeBudget,
    pub(super) considered: u64,
    removed: Removed,
    constrained: Vec<u64>,
    reach: Option<(ModelSize, ModelSize)>,
    below: Option<(u32, ModelSize)>,
    above: Option<(u32, ModelSize)>,
}

impl<'a> Counter<'a> {
    pub(super) fn new(budget: &'a SizeBudget, constraints: usize) -> Self {
        Self {
            budget,
            considered: 0,
            removed: Removed::default(),
            constrained: vec![0; constraints],
            reach: None,
            below: None,
            above: None,
        }
    }

    /// Counts an architecture for which `constraint` is the first that fails.
    pub(super) fn violates(&mut self, constraint: usize) {
        self.considered += 1;
        self.constrained[constraint] += 1;
    }

    /// Counts an architecture whose width is not a multiple of the number of heads.
    pub(super) fn heads_do_not_fit(&mut self) {
        self.considered += 1;
        self.removed.heads += 1;
    }

    /// Counts an architecture by its size and returns whether the budget admits it.
    pub(super) fn admits(&mut self, index: u32, size: Option<ModelSize>) -> bool {
        self.considered += 1;
        let Some(size) = size else {
            let admitted = self.budget.target == WeightTarget::Any;
            self.removed.unknown += u64::from(!admitted);
            return admitted;
        };
        let (smallest, largest) = self.reach.unwrap_or((size, size));
        self.reach = Some((
            if size.total < smallest.total { size } else { smallest },
            if size.total > largest.total { size } else { largest },
        ));
        if self.budget.admits(size) {
            return true;
        }
        let WeightTarget::Near { weights, .. } = self.budget.target else { return false };
        if size.total < weights {
            self.removed.smaller += 1;
            if self.below.is_none_or(|(_, nearest)| size.total > nearest.total) {
                self.below = Some((index, size));
            }
        } else {
            self.removed.larger += 1;
            if self.above.is_none_or(|(_, nearest)| size.total < nearest.total) {
                self.above = Some((index, size));
            }
        }
        false
    }

    pub(super) fn finish(
        self,
        feasible: u64,
        constraints: &[Condition],
        params: impl Fn(u32) -> Params,
    ) -> Census {
        let nearest = self.below.into_iter().chain(self.above);
        Census {
            considered: self.considered,
            feasible,
            removed: self.removed,
            constrained: constraints.iter().map(ToString::to_string).zip(self.constrained).collect(),
            mixed: Vec::new(),
            reach: self.reach,
            nearest: nearest.map(|(index, size)| (params(index), size)).collect(),
        }
    }
}
