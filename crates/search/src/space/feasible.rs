//! The feasible set of a budget: its admitted architectures, enumerated once, and their configurations.

use allometry_core::space::{ARCHITECTURE, When, WhenError, ordered};
use allometry_core::{Condition, ModelSize, ParamValue, Params, SearchSpace, SizeBudget, WeightTarget};

use super::axis::Axis;
use super::census::{Census, Counter};
use super::configuration::Configuration;
use super::error::{NoFeasible, SpaceError};
use super::gate::{Gate, INACTIVE};
use super::mixed_constraints::MixedConstraints;
use super::quantities::{Blame, Blames, Measured, Numeric, Quantities};

/// Largest number of architectures that are enumerated.
const MAX_ARCHITECTURES: u64 = 1 << 24;
/// Largest number of combinations that are enumerated where there are conditions.
const MAX_CONDITIONAL: u64 = 1 << 20;

/// The configurations of a search space that a budget admits. The architectures are enumerated, the other
/// parameters are not.
///
/// An architecture is stored as its index in the full grid, in ascending (lexicographic) order: 4 bytes, and
/// 24 for its size.
#[derive(Debug, Clone)]
pub struct Feasible {
    space: SearchSpace,
    budget: SizeBudget,
    /// Architecture parameters, in the order of the space.
    pub(super) architecture: Vec<Axis>,
    /// Other parameters, in the order of the space.
    pub(super) rest: Vec<Axis>,
    /// Whether each parameter of the space is in `architecture`.
    pub(super) is_architecture: Vec<bool>,
    /// Grid indices of the admitted architectures, ascending.
    pub(super) places: Vec<u32>,
    /// Sizes of the admitted architectures.
    sizes: Vec<Option<ModelSize>>,
    /// Cumulative weights of the architectures in uniform sampling; empty where all weights are equal.
    pub(super) shares: Vec<f64>,
    census: Census,
    /// Conditions, each after those it depends on.
    conditions: Vec<When>,
    /// Conditions in terms of indices: the architecture's parameters first, then the others.
    gates: Vec<Gate>,
    /// Numbers, ascending, of the combinations that are distinct configurations; present where there are
    /// conditions, or constraints on other parameters too, and few enough combinations. All other
    /// combinations violate a constraint, or differ from one of these only in inactive parameters.
    pub(super) distinct: Option<Vec<u64>>,
    /// Constraints on other parameters too.
    pub(super) mixed: MixedConstraints,
}

/// An admitted architecture.
#[derive(Debug, Clone, PartialEq)]
pub struct FeasibleArchitecture {
    /// Values of the architecture parameters.
    pub params: Params,
    /// Size of the architecture, where the objective can compute it.
    pub size: Option<ModelSize>,
}

impl Feasible {
    /// Enumerates the architectures of `space` that `budget` admits. `size` is called with only the
    /// architecture parameters. Takes about 0.05 microseconds per architecture, plus the time of `size`.
    ///
    /// # Errors
    /// [`SpaceError`], for example where no architecture is left.
    pub fn new(
        space: &SearchSpace,
        budget: &SizeBudget,
        size: impl Fn(&Params) -> Option<ModelSize>,
    ) -> Result<Self, SpaceError> {
        Self::constrained(space, budget, &[], |params| Measured { size: size(params), flops: None })
    }

    /// The feasible set under constraints: it excludes architectures that violate a constraint, and, for
    /// constraints on other parameters too, such configurations. `measure` is called with only the
    /// architecture parameters.
    ///
    /// # Errors
    /// The errors of [`Self::new`]; [`SpaceError::NoFeasible`] and [`SpaceError::NothingMeets`] name the
    /// constraint that no configuration meets.
    pub fn constrained(
        space: &SearchSpace,
        budget: &SizeBudget,
        constraints: &[Condition],
        measure: impl Fn(&Params) -> Measured,
    ) -> Result<Self, SpaceError> {
        Self::conditional(space, budget, constraints, &[], measure)
    }

    /// The feasible set under constraints and conditions: configurations lack the parameters whose condition
    /// does not hold.
    ///
    /// # Errors
    /// The errors of [`Self::constrained`]; [`SpaceError::When`] for invalid conditions.
    pub fn conditional(
        space: &SearchSpace,
        budget: &SizeBudget,
        constraints: &[Condition],
        conditions: &[When],
        measure: impl Fn(&Params) -> Measured,
    ) -> Result<Self, SpaceError> {
        Self::shaped_by(&ARCHITECTURE, space, budget, constraints, conditions, measure)
    }

    /// The feasible set of a model whose size the parameters `architecture` determine, which have no
    /// condition.
    ///
    /// # Errors
    /// The errors of [`Self::conditional`].
    pub fn shaped_by(
        architecture: &[&str],
        space: &SearchSpace,
        budget: &SizeBudget,
        constraints: &[Condition],
        conditions: &[When],
        measure: impl Fn(&Params) -> Measured,
    ) -> Result<Self, SpaceError> {
        if let Some(When { parameter, .. }) =
            conditions.iter().find(|when| architecture.contains(&when.parameter.as_str()))
        {
            return Err(WhenError::Architecture { parameter: parameter.clone() }.into());
        }
        let is_architecture: Vec<bool> = space.iter().map(|(name, _)| architecture.contains(&name)).collect();
        let axes = |wanted: bool| {
            let with_side = space.iter().zip(&is_architecture).filter(move |(_, side)| **side == wanted);
            with_side.map(|((name, set), _)| Axis::new(name, set)).collect::<Vec<_>>()
        };
        let mut feasible = Self {
            architecture: axes(true),
            rest: axes(false),
            space: space.clone(),
            budget: budget.clone(),
            is_architecture,
            places: Vec::new(),
            sizes: Vec::new(),
            shares: Vec::new(),
            census: Census::default(),
            conditions: ordered(space, conditions)?,
            gates: Vec::new(),
            distinct: None,
            mixed: MixedConstraints::default(),
        };
        let numeric = feasible.numeric();
        let (mixed, constraints) = MixedConstraints::split(constraints, &numeric);
        let constraints = constraints.as_slice();
        feasible.mixed = mixed;
        feasible.check_axes()?;
        let axes = || feasible.architecture.iter().chain(&feasible.rest);
        feasible.gates = Gate::all(&feasible.conditions, |name| {
            let (place, axis) = axes().enumerate().find(|(_, axis)| axis.name == name)?;
            Some((place, &axis.levels))
        });
        let quantities = Quantities::new(&feasible.architecture, &numeric);
        feasible.enumerate(constraints, &quantities, &measure);
        feasible.weigh();
        if feasible.places.is_empty() {
            let blames = feasible.blames(constraints, &quantities, &measure);
            let no_feasible = NoFeasible { budget: budget.clone(), census: feasible.census, blames };
            return Err(SpaceError::NoFeasible(Box::new(no_feasible)));
        }
        feasible.distinct = feasible.count_distinct();
        feasible.apply_mixed()?;
        Ok(feasible)
    }

    /// Removes the configurations that violate constraints on other parameters too.
    fn apply_mixed(&mut self) -> Result<(), SpaceError> {
        if self.mixed.is_empty() {
            return Ok(());
        }
        let count = self.combinations().filter(|count| *count <= MAX_CONDITIONAL);
        let remaining = if let Some(count) = count {
            let (numbers, remaining) = match &self.distinct {
                Some(numbers) => self.meeting(numbers.iter().copied()),
                None => self.meeting(0..count),
            };
            self.distinct = Some(numbers);
            remaining
        } else {
            self.sample_mixed()
        };
        let share = |removed: &u64| *removed as f64 / remaining.considered as f64;
        self.census.mixed = self.mixed.texts().zip(remaining.removed.iter().map(share)).collect();
        if remaining.removed.iter().sum::<u64>() < remaining.considered {
            return Ok(());
        }
        let all = || self.mixed.texts().zip(&remaining.removed);
        let alone = all().find(|(_, removed)| **removed == remaining.considered);
        Err(SpaceError::NothingMeets {
            budget: self.budget.label.clone(),
            considered: remaining.considered,
            enumerated: count.is_some(),
            constraints: alone.map_or_else(|| self.mixed.texts().collect(), |(text, _)| vec![text]),
        })
    }

    /// The numbers of the combinations that are distinct configurations; `None` where all combinations are,
    /// or where there are too many.
    fn count_distinct(&self) -> Option<Vec<u64>> {
        let count =
            self.combinations().filter(|count| *count <= MAX_CONDITIONAL && !self.gates.is_empty())?;
        let is_first = |number: &u64| {
            let combination = self.combination(*number);
            let mut settled = combination.clone();
            self.settle(&mut settled);
            combination.rest.iter().zip(&settled.rest).all(|(rank, settled)| rank == settled || *rank == 0)
        };
        Some((0..count).filter(is_first).collect())
    }

    /// Marks the parameters whose conditions do not hold as inactive.
    pub(super) fn settle(&self, configuration: &mut Configuration) {
        let first = self.architecture.len();
        for gate in &self.gates {
            if !self.opens(gate, configuration) {
                configuration.rest[gate.axis - first] = INACTIVE;
            }
        }
    }

    fn opens(&self, gate: &Gate, configuration: &Configuration) -> bool {
        let first = self.architecture.len();
        gate.is_open(|place| {
            if place < first {
                self.digit(configuration.architecture as usize, place) as u64
            } else {
                configuration.rest[place - first]
            }
        })
    }

    /// The conditions, each after those it depends on.
    pub fn conditions(&self) -> &[When] {
        &self.conditions
    }

    /// The numeric parameters that constraints can use by their names, in the order of the space.
    fn numeric(&self) -> Vec<Numeric> {
        let (mut architecture, mut rest) = (0..self.architecture.len(), 0..self.rest.len());
        let numeric = self.is_architecture.iter().filter_map(|is_architecture| {
            if *is_architecture {
                let place = architecture.next()?;
                self.architecture[place].is_quantity().then_some(Numeric::Architecture(place))
            } else {
                let place = rest.next()?;
                self.rest[place].is_quantity().then_some(Numeric::Other(place))
            }
        });
        numeric.collect()
    }

    /// Whether a parameter of the space is one of the architecture.
    pub(crate) fn is_of_architecture(&self, name: &str) -> bool {
        self.architecture.iter().any(|axis| axis.name == name)
    }

    fn check_axes(&self) -> Result<(), SpaceError> {
        if let Some(axis) = self.architecture.iter().find(|axis| axis.is_continuous()) {
            let (parameter, range) = (axis.name.clone(), axis.set.to_string());
            return Err(SpaceError::ContinuousArchitecture { parameter, range });
        }
        let mut all = self.architecture.iter().chain(&self.rest);
        if let Some(axis) = all.find(|axis| axis.levels.is_empty() && !axis.is_continuous()) {
            return Err(SpaceError::NoValue { parameter: axis.name.clone() });
        }
        let count: u128 = self.architecture.iter().map(|axis| u128::from(axis.levels.len())).product();
        if count > u128::from(MAX_ARCHITECTURES) {
            let budget = self.budget.label.clone();
            return Err(SpaceError::TooManyArchitectures { budget, count, limit: MAX_ARCHITECTURES });
        }
        Ok(())
    }

    fn enumerate(
        &mut self,
        constraints: &[Condition],
        quantities: &Quantities,
        measure: &impl Fn(&Params) -> Measured,
    ) {
        let mut values = Vec::new();
        let mut counter = Counter::new(&self.budget, constraints.len());
        let (mut places, mut sizes, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let keeps = !self.mixed.is_empty();
        self.walk(|index, digits, params, fits| {
            if !fits {
                counter.heads_do_not_fit();
                return;
            }
            let measured = measure(params);
            if keeps || !constraints.is_empty() {
                quantities.write(digits, measured, &mut values);
                if let Some(violated) = constraints.iter().position(|c| !c.holds(&values)) {
                    counter.violates(violated);
                    return;
                }
            }
            if counter.admits(index, measured.size) {
                places.push(index);
                sizes.push(measured.size);
                if keeps {
                    kept.extend_from_slice(&values);
                }
            }
        });
        let feasible = places.len() as u64;
        self.census = counter.finish(feasible, constraints, |index| self.grid_params(index));
        (self.places, self.sizes, self.mixed.quantities) = (places, sizes, kept);
    }

    /// The effects of the constraints in a budget without feasible architectures.
    fn blames(
        &self,
        constraints: &[Condition],
        quantities: &Quantities,
        measure: &impl Fn(&Params) -> Measured,
    ) -> Vec<Blame> {
        let mut values = Vec::new();
        let mut blames = Blames::new(constraints);
        if constraints.is_empty() {
            return blames.finish();
        }
        self.walk(|_, digits, params, fits| {
            if fits {
                let measured = measure(params);
                quantities.write(digits, measured, &mut values);
                let holds: Vec<bool> = constraints.iter().map(|c| c.holds(&values)).collect();
                let any = self.budget.target == WeightTarget::Any;
                blames.take(&holds, measured.size.map_or(any, |size| self.budget.admits(size)));
            }
        });
        blames.finish()
    }

    /// Visits all architectures of the grid, the last parameter varying fastest. `visit` is called with each
    /// architecture's index, the ranks of its values, the values, and whether the heads divide the width. One
    /// `Params` is changed in place.
    fn walk(&self, mut visit: impl FnMut(u32, &[usize], &Params, bool)) {
        let axes = &self.architecture;
        let count: usize = axes.iter().map(Axis::count).product();
        let position = |name: &str| axes.iter().position(|axis| axis.name == name);
        let heads = position("d_model").zip(position("n_heads"));
        let mut digits = vec![0_usize; axes.len()];
        let mut params = self.grid_params(0);
        for index in 0..count as u32 {
            let fits = heads.is_none_or(|(d_model, n_heads)| {
                divides(&axes[n_heads].level(digits[n_heads]), &axes[d_model].level(digits[d_model]))
            });
            visit(index, &digits, &params, fits);
            for d in (0..axes.len()).rev() {
                digits[d] = (digits[d] + 1) % axes[d].count();
                params.0[d] = axes[d].level(digits[d]);
                if digits[d] > 0 {
                    break;
                }
            }
        }
    }

    fn weigh(&mut self) {
        let weights: Vec<Vec<f64>> = self.architecture.iter().map(Axis::weights).collect();
        if weights.iter().all(Vec::is_empty) {
            return;
        }
        let mut sum = 0.0;
        self.shares = (0..self.places.len())
            .map(|i| {
                let factors = weights.iter().enumerate().filter(|(_, weights)| !weights.is_empty());
                sum += factors.map(|(d, weights)| weights[self.digit(i, d)]).product::<f64>();
                sum
            })
            .collect();
    }

    /// The search space.
    pub fn space(&self) -> &SearchSpace {
        &self.space
    }

    /// The budget.
    pub fn budget(&self) -> &SizeBudget {
        &self.budget
    }

    /// Counts of the enumeration.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Number of admitted architectures, at least 1.
    pub fn architecture_count(&self) -> usize {
        self.places.len()
    }

    /// Admitted architectures in lexicographic order of the values' ranks.
    pub fn architectures(&self) -> impl Iterator<Item = FeasibleArchitecture> + '_ {
        let sized = self.places.iter().zip(&self.sizes);
        sized.map(|(place, size)| FeasibleArchitecture { params: self.grid_params(*place), size: *size })
    }

    /// The smallest and the largest known size of the admitted architectures.
    pub fn sizes(&self) -> Option<(ModelSize, ModelSize)> {
        let known = || self.sizes.iter().flatten().copied();
        known().min_by_key(|size| size.total).zip(known().max_by_key(|size| size.total))
    }

    /// Number of distinct configurations; `None` where it is infinite, exceeds 64 bits, or, with conditions
    /// or constraints on other parameters too, exceeds a million.
    pub fn configurations(&self) -> Option<u64> {
        match &self.distinct {
            Some(numbers) => Some(numbers.len() as u64),
            None => self.combinations().filter(|_| self.gates.is_empty() && self.mixed.is_empty()),
        }
    }

    /// Number of combinations of values, including those that are no distinct configurations.
    fn combinations(&self) -> Option<u64> {
        self.rest.iter().try_fold(self.places.len() as u64, |count, axis| {
            if axis.is_continuous() { None } else { count.checked_mul(axis.levels.len()) }
        })
    }

    /// Name of the first parameter with a continuous range.
    pub fn continuous(&self) -> Option<&str> {
        self.rest.iter().find(|axis| axis.is_continuous()).map(|axis| axis.name.as_str())
    }

    /// The values of a configuration, in the order of the space.
    pub fn params(&self, configuration: &Configuration) -> Params {
        let (mut architecture, mut rest) = (0, 0);
        self.is_architecture
            .iter()
            .filter_map(|is_architecture| {
                if *is_architecture {
                    let axis = &self.architecture[architecture];
                    let digit = self.digit(configuration.architecture as usize, architecture);
                    architecture += 1;
                    Some((axis.name.clone(), axis.level(digit)))
                } else {
                    let axis = &self.rest[rest];
                    let coordinate = configuration.rest[rest];
                    rest += 1;
                    (coordinate != INACTIVE).then(|| (axis.name.clone(), axis.value(coordinate)))
                }
            })
            .collect()
    }

    /// The indices of a configuration; `None` where a value is not in the space, a parameter is missing, or
    /// the budget does not admit it. Values of inactive parameters are ignored.
    pub fn find(&self, params: &Params) -> Option<Configuration> {
        let mut place = 0;
        for axis in &self.architecture {
            place = place * axis.count() + usize::try_from(axis.rank(params.get(&axis.name)?)?).ok()?;
        }
        let architecture = self.places.binary_search(&(place as u32)).ok()? as u32;
        let first = self.architecture.len();
        let has_gate = |i: usize| self.gates.iter().any(|gate| gate.axis == first + i);
        let coordinates = self.rest.iter().enumerate().map(|(i, axis)| match params.get(&axis.name) {
            Some(value) => axis.coordinate(value),
            None => has_gate(i).then_some(INACTIVE),
        });
        let mut found = Configuration { architecture, rest: coordinates.collect::<Option<_>>()? };
        for gate in &self.gates {
            let coordinate = found.rest[gate.axis - first];
            match self.opens(gate, &found) {
                true if coordinate == INACTIVE => return None,
                true => {}
                false => found.rest[gate.axis - first] = INACTIVE,
            }
        }
        Some(found).filter(|found| self.meets(found))
    }

    /// The index of a configuration below [`Self::configurations`], where their number is finite. The other
    /// parameters vary faster than the architecture.
    pub fn index(&self, configuration: &Configuration) -> u64 {
        let digits = self.rest.iter().zip(&configuration.rest);
        let combination = digits.fold(u64::from(configuration.architecture), |index, (axis, digit)| {
            index * axis.levels.len() + if *digit == INACTIVE { 0 } else { *digit }
        });
        match &self.distinct {
            Some(numbers) => numbers.partition_point(|number| *number < combination) as u64,
            None => combination,
        }
    }

    /// The configuration with an index below [`Self::configurations`].
    pub fn configuration(&self, index: u64) -> Configuration {
        let number = self.distinct.as_ref().map_or(index, |numbers| numbers[index as usize]);
        let mut configuration = self.combination(number);
        self.settle(&mut configuration);
        configuration
    }

    pub(super) fn combination(&self, mut index: u64) -> Configuration {
        let mut rest = vec![0; self.rest.len()];
        for (digit, axis) in rest.iter_mut().zip(&self.rest).rev() {
            let levels = axis.levels.len();
            *digit = index % levels;
            index /= levels;
        }
        Configuration { architecture: index as u32, rest }
    }

    /// The smallest and the largest rank of each architecture parameter among the admitted architectures.
    pub(crate) fn admitted_ranks(&self) -> Vec<(usize, usize)> {
        let range = |d: usize| {
            let digits = (0..self.places.len()).map(|i| self.digit(i, d));
            digits.fold((usize::MAX, 0), |(low, high), digit| (low.min(digit), high.max(digit)))
        };
        (0..self.architecture.len()).map(range).collect()
    }

    /// The rank of the value of architecture parameter `d` in admitted architecture `i`.
    pub(crate) fn digit(&self, i: usize, d: usize) -> usize {
        let faster: usize = self.architecture[d + 1..].iter().map(Axis::count).product();
        self.places[i] as usize / faster % self.architecture[d].count()
    }

    fn grid_params(&self, place: u32) -> Params {
        let mut place = place as usize;
        let mut values: Vec<(&str, ParamValue)> = Vec::with_capacity(self.architecture.len());
        for axis in self.architecture.iter().rev() {
            values.push((&axis.name, axis.level(place % axis.count())));
            place /= axis.count();
        }
        values.into_iter().rev().collect()
    }
}

/// Whether `d_model` is a multiple of `n_heads`; true where they are not integers, which only the objective
/// can judge.
fn divides(n_heads: &ParamValue, d_model: &ParamValue) -> bool {
    match (n_heads.as_i64(), d_model.as_i64()) {
        (Some(n_heads), Some(d_model)) => n_heads != 0 && d_model % n_heads == 0,
        _ => true,
    }
}
