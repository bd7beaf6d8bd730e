//! The configurations that meet the constraints on the architecture and other parameters.

use super::configuration::Configuration;
use super::feasible::Feasible;

/// Number of points in a space that is not enumerated from which the share that meets the constraints is
/// estimated.
const POINTS: u32 = 4096;
/// Number of points tried as substitutes of one whose configuration violates a constraint, before a known
/// configuration is used.
const SHIFTS: u32 = 64;

/// Counts of the configurations that remain under constraints on other parameters too.
pub(super) struct Remaining {
    /// For each constraint the number of configurations for which it is the first that fails.
    pub(super) removed: Vec<u64>,
    /// Number of configurations checked.
    pub(super) considered: u64,
}

impl Feasible {
    /// Whether a configuration meets all constraints on other parameters too.
    pub(super) fn meets(&self, configuration: &Configuration) -> bool {
        self.mixed.violated(configuration, &self.rest).is_none()
    }

    /// The numbers of the `candidates` that meet the constraints, and the counts.
    pub(super) fn meeting(&self, candidates: impl Iterator<Item = u64>) -> (Vec<u64>, Remaining) {
        let mut remaining = Remaining { removed: vec![0; self.mixed.constraints.len()], considered: 0 };
        let mut numbers = Vec::new();
        for number in candidates {
            let mut configuration = self.combination(number);
            self.settle(&mut configuration);
            remaining.considered += 1;
            match self.mixed.violated(&configuration, &self.rest) {
                Some(constraint) => remaining.removed[constraint] += 1,
                None => numbers.push(number),
            }
        }
        (numbers, remaining)
    }

    /// Checks evenly spread points of a space that is not enumerated, and stores those that meet the
    /// constraints.
    pub(super) fn sample_mixed(&mut self) -> Remaining {
        let removed = vec![0; self.mixed.constraints.len()];
        let mut remaining = Remaining { removed, considered: POINTS.into() };
        let mut known = Vec::new();
        for k in 0..POINTS {
            let mut configuration = self.combination_at(&shifted(&vec![0.5; self.dimension()], k));
            self.settle(&mut configuration);
            match self.mixed.violated(&configuration, &self.rest) {
                Some(constraint) => remaining.removed[constraint] += 1,
                None => known.push(configuration),
            }
        }
        self.mixed.known = known;
        remaining
    }

    /// A configuration that meets the constraints, for a `point` whose configuration does not. In an
    /// enumerated space all configurations have equal probability at uniform points; otherwise further points
    /// are tried.
    pub(super) fn substitute(&self, point: &[f64]) -> Configuration {
        // The fraction is practically independent of the cell of the point.
        let share = point.iter().zip(1_u32..).map(|(u, d)| u * f64::from(7919 + 2 * d)).sum::<f64>().fract();
        let pick = |count: usize| ((share * count as f64) as usize).min(count - 1);
        if let Some(numbers) = &self.distinct {
            let mut configuration = self.combination(numbers[pick(numbers.len())]);
            self.settle(&mut configuration);
            return configuration;
        }
        let found = (1..=SHIFTS).find_map(|k| {
            let mut configuration = self.combination_at(&shifted(point, k));
            self.settle(&mut configuration);
            self.meets(&configuration).then_some(configuration)
        });
        found.unwrap_or_else(|| self.mixed.known[pick(self.mixed.known.len())].clone())
    }

    /// A configuration of an admitted architecture with the other parameters of a point, mapped as in
    /// [`Self::at`], or of a further point where a constraint does not hold. `None` where none was found.
    pub(crate) fn of_architecture(&self, architecture: u32, point: &[f64]) -> Option<Configuration> {
        (0..=SHIFTS).find_map(|k| {
            let rest = self.combination_at(&shifted(point, k)).rest;
            let mut configuration = Configuration { architecture, rest };
            self.settle(&mut configuration);
            self.meets(&configuration).then_some(configuration)
        })
    }
}

/// The `k`-th point after `point` in a low-discrepancy sequence: each coordinate advances by a power of the
/// inverse root of `x^(d + 1) = x + 1` (Roberts 2018), modulo 1. Returns `point` for 0.
pub(super) fn shifted(point: &[f64], k: u32) -> Vec<f64> {
    if k == 0 {
        return point.to_vec();
    }
    let dimension = point.len() as i32;
    let root = (0..40).fold(2.0_f64, |x, _| (1.0 + x).powf(1.0 / f64::from(dimension + 1)));
    let steps = (1..=dimension).map(|d| root.powi(-d));
    point.iter().zip(steps).map(|(u, step)| (u + f64::from(k) * step).fract()).collect()
}

#[cfg(test)]
mod tests {
    use allometry_core::rng::{stream, uniform};
    use allometry_core::space::{When, WhenError, constraint};
    use allometry_core::{
        Condition, Distribution, ModelSize, ParamValue, Params, SearchSpace, SizeBudget, WeightTarget,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::space::tests::{any, floats, ints, size, space_of};
    use crate::space::{Measured, SpaceError};

    fn grid() -> SearchSpace {
        space_of(&[
            ("d_model", ints(&[8, 12, 16])),
            ("learning_rate", floats(&[0.02, 0.05, 0.1, 0.2])),
            ("n_heads", ints(&[2, 4])),
            ("dropout", floats(&[0.0, 0.1, 0.3])),
        ])
    }

    fn range() -> SearchSpace {
        let rate = Distribution::Float { low: 1e-4, high: 1.0, log: true, step: None };
        space_of(&[
            ("d_model", ints(&[8, 12, 16])),
            ("learning_rate", rate),
            ("dropout", floats(&[0.0, 0.1, 0.3])),
        ])
    }

    fn feasible(space: &SearchSpace, texts: &[&str], conditions: &[When]) -> Result<Feasible, SpaceError> {
        let constraints: Vec<Condition> = texts.iter().map(|text| constraint(text, space).unwrap()).collect();
        let measure = |params: &Params| Measured { size: size(params), flops: None };
        Feasible::conditional(space, &any(), &constraints, conditions, measure)
    }

    fn get(params: &Params, name: &str) -> f64 {
        params.get(name).unwrap().as_f64().unwrap()
    }

    #[test]
    fn configurations_are_those_of_nested_loops() {
        let texts = ["learning_rate * d_model < 1", "d_model > 8 or dropout < 0.2", "n_heads <= 4"];
        let feasible = feasible(&grid(), &texts, &[]).unwrap();
        let all = super::super::Feasible::new(&grid(), &any(), size).unwrap();
        let meets = |params: &Params| {
            get(params, "learning_rate") * get(params, "d_model") < 1.0
                && (get(params, "d_model") > 8.0 || get(params, "dropout") < 0.2)
        };
        let of = |feasible: &Feasible| -> Vec<Params> {
            let count = feasible.configurations().unwrap();
            (0..count).map(|number| feasible.params(&feasible.configuration(number))).collect()
        };
        let expected: Vec<Params> = of(&all).into_iter().filter(meets).collect();
        assert_eq!(of(&feasible), expected);
        for (number, params) in expected.iter().enumerate() {
            assert_eq!(feasible.index(&feasible.find(params).unwrap()), number as u64);
        }
        assert!(of(&all).iter().all(|params| feasible.find(params).is_some() == meets(params)));
        let census = feasible.census();
        let left = expected.len() as f64 / all.configurations().unwrap() as f64;
        let removed: f64 = census.mixed.iter().map(|(_, share)| share).sum();
        assert!((1.0 - left - removed).abs() < 1e-12 && census.mixed.len() == 2, "{census:?}");
        assert_eq!(census.constrained, [("n_heads <= 4".to_owned(), 0)]);
    }

    /// Constraints on parameters of the architecture that are no quantities of their own, alone and with
    /// others.
    #[test]
    fn parameters_that_shape_a_model_are_enumerated_with_it() {
        let space = space_of(&[
            ("batch", ints(&[16, 64])),
            ("context", ints(&[8, 16, 32])),
            ("d_model", ints(&[8, 16])),
            ("patch", ints(&[4, 16])),
        ]);
        let total = |params: &Params| (get(params, "d_model") * get(params, "context")) as u64;
        let measure = |params: &Params| {
            let total = total(params);
            Measured { size: Some(ModelSize { total, non_embedding: total }), flops: None }
        };
        let texts = ["patch <= context", "batch * context <= 1024"];
        let constraints: Vec<Condition> =
            texts.iter().map(|text| constraint(text, &space).unwrap()).collect();
        let shape = ["d_model", "context", "patch"];
        let budget = SizeBudget::new("b", WeightTarget::Near { weights: 256, tolerance: 0.0 });
        let feasible = Feasible::shaped_by(&shape, &space, &budget, &constraints, &[], measure).unwrap();
        let all: Vec<String> = (0..feasible.configurations().unwrap())
            .map(|number| feasible.params(&feasible.configuration(number)).to_string())
            .collect();
        assert_eq!(
            all,
            [
                "batch=16 context=16 d_model=16 patch=4",
                "batch=64 context=16 d_model=16 patch=4",
                "batch=16 context=16 d_model=16 patch=16",
                "batch=64 context=16 d_model=16 patch=16",
                "batch=16 context=32 d_model=8 patch=4",
                "batch=16 context=32 d_model=8 patch=16",
            ]
        );
        let census = feasible.census();
        assert_eq!((census.considered, census.feasible), (12, 4));
        assert_eq!(census.constrained, [("patch <= context".to_owned(), 2)]);
        assert_eq!(census.mixed, [("batch * context <= 1024".to_owned(), 0.25)]);
        let when = When {
            parameter: "context".into(),
            requires: [("d_model".to_owned(), vec![ParamValue::Int(8)])].into_iter().collect(),
        };
        let error = Feasible::shaped_by(&shape, &space, &budget, &constraints, &[when], measure).unwrap_err();
        assert!(matches!(error, SpaceError::When(WhenError::Architecture { .. })), "{error}");
    }

    #[test]
    fn uniform_points_give_every_configuration_its_chance() {
        let feasible = feasible(&grid(), &["learning_rate * d_model < 0.5"], &[]).unwrap();
        let count = feasible.configurations().unwrap() as usize;
        let mut hits = vec![0.0_f64; count];
        let mut rng = stream(1, "test", 0);
        let draws = 400 * count;
        for _ in 0..draws {
            let point: Vec<f64> = (0..feasible.dimension()).map(|_| uniform(&mut rng)).collect();
            hits[feasible.index(&feasible.at(&point)) as usize] += 1.0;
        }
        // Each is hit 400 times on average, with a standard deviation of 20.
        assert!(hits.iter().all(|hits| (hits - 400.0).abs() < 100.0), "{hits:?}");
    }

    #[test]
    fn a_constraint_on_an_inactive_parameter_is_not_checked() {
        let requires = [("dropout".to_owned(), vec![0.0.into()])].into_iter().collect();
        let when = When { parameter: "learning_rate".into(), requires };
        let feasible = feasible(&grid(), &["learning_rate * d_model < 0.5"], &[when]).unwrap();
        let count = feasible.configurations().unwrap();
        let lacking = (0..count).filter(|number| {
            let params = feasible.params(&feasible.configuration(*number));
            let rate = params.get("learning_rate").and_then(allometry_core::ParamValue::as_f64);
            assert!(rate.is_none_or(|rate| rate * get(&params, "d_model") < 0.5));
            rate.is_none()
        });
        // 6 architectures by the two dropouts without a rate.
        assert_eq!(lacking.count(), 12);
    }

    #[test]
    fn the_constraint_that_nothing_meets_is_named() {
        let refused =
            |space: &SearchSpace, texts: &[&str]| feasible(space, texts, &[]).unwrap_err().to_string();
        let message = refused(&grid(), &["dropout >= 0", "learning_rate > 0.3"]);
        assert!(message.ends_with("none of its 72 configurations meets `learning_rate > 0.3`"), "{message}");
        let message = refused(&grid(), &["learning_rate > 0.1", "learning_rate < 0.1"]);
        assert!(message.ends_with("`learning_rate > 0.1` and `learning_rate < 0.1`"), "{message}");
        let message = refused(&range(), &["learning_rate > 1"]);
        assert!(message.contains("none of 4096 configurations spread over it meets"), "{message}");
        let words = space_of(&[("act", Distribution::list(vec!["relu".into(), "tanh".into()]))]);
        assert!(constraint("act > 1", &words).unwrap_err().to_string().contains("unknown name `act`"));
    }

    proptest! {
        #[test]
        fn points_of_an_infinite_space_meet_the_constraints(u in prop::collection::vec(0.0..1.0_f64, 3)) {
            let texts = ["learning_rate * d_model > 2", "d_model * dropout < 1"];
            let narrow = feasible(&range(), &texts, &[]).unwrap();
            let params = narrow.params(&narrow.at(&u));
            prop_assert!(get(&params, "learning_rate") * get(&params, "d_model") > 2.0, "{}", params);
            prop_assert!(narrow.find(&params).is_some());
            prop_assert_eq!(narrow.configurations(), None);
            let fixed: Params = [("d_model", 16_i64)].into_iter().collect();
            let completed = narrow.complete(&fixed, &u).unwrap();
            prop_assert!(narrow.find(&completed).is_some() && get(&completed, "d_model") == 16.0);
            let impossible: Params = [("learning_rate", 0.001)].into_iter().collect();
            prop_assert_eq!(narrow.complete(&impossible, &u), None);
        }
    }
}
