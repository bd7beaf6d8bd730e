//! What the constraints left of a space's architectures.

use crate::expression::Condition;
use crate::param::Params;
use crate::size::{ModelSize, SizeBudget, WeightTarget};

/// Architectures that each constraint removed, in the order in which they are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// `d_model` is no multiple of `n_heads`.
    pub heads: u64,
    /// The size is not known, so that nothing says that the budget admits it.
    pub unknown: u64,
    /// Below the budget's range.
    pub smaller: u64,
    /// Above the budget's range.
    pub larger: u64,
}

/// Counts over all architectures of a space.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Census {
    /// Architectures in the space, whatever their size.
    pub considered: u64,
    /// Those that the budget admits.
    pub feasible: u64,
    /// The others, but for those that a constraint removed.
    pub removed: Removed,
    /// Each constraint with the architectures that it is the first not to hold for; asked after the heads, before the size.
    pub constrained: Vec<(String, u64)>,
    /// Each constraint over more than the architecture with the share of the admitted architectures' configurations that it is the first not to hold for;
    /// of a space that is not enumerated, of points spread over it.
    pub mixed: Vec<(String, f64)>,
    /// Smallest and largest size that the space reaches under the constraints, whatever the budget; `None` where no size is known.
    pub reach: Option<(ModelSize, ModelSize)>,
    /// The architectures just below and just above the budget's range, where there are such.
    pub nearest: Vec<(Params, ModelSize)>,
}

/// Counts architectures one by one.
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

    /// Counts an architecture that a constraint, the first of them, does not hold for.
    pub(super) fn violates(&mut self, constraint: usize) {
        self.considered += 1;
        self.constrained[constraint] += 1;
    }

    /// Counts an architecture that the heads do not fit.
    pub(super) fn heads_do_not_fit(&mut self) {
        self.considered += 1;
        self.removed.heads += 1;
    }

    /// Counts one that they do; whether the budget admits it.
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
