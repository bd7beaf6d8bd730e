//! Tests of the enumeration against nested loops, its counts and errors, and the mapping from the unit cube.

use allometry_core::space::constraint;
use allometry_core::{
    Condition, Distribution, ModelSize, ParamValue, Params, SearchSpace, SizeBudget, WeightTarget,
};
use proptest::prelude::*;

use super::*;

/// The approximate number of a transformer's weights, in place of the trainer's exact count.
fn weights(d_model: i64, n_layers: i64, ratio: i64) -> u64 {
    (d_model * d_model * n_layers * (4 + 2 * ratio)) as u64
}

pub(crate) fn size(params: &Params) -> Option<ModelSize> {
    let get = |name| params.get(name).and_then(ParamValue::as_i64);
    let total = weights(get("d_model")?, get("n_layers")?, get("d_ff_ratio").unwrap_or(4));
    Some(ModelSize { total, non_embedding: total })
}

pub(crate) fn ints(values: &[i64]) -> Distribution {
    Distribution::list(values.iter().copied().map(ParamValue::Int).collect())
}

pub(crate) fn floats(values: &[f64]) -> Distribution {
    Distribution::list(values.iter().copied().map(ParamValue::Float).collect())
}

pub(crate) fn space_of(sets: &[(&str, Distribution)]) -> SearchSpace {
    SearchSpace(sets.iter().map(|(name, set)| ((*name).to_owned(), set.clone())).collect())
}

pub(crate) fn near(weights: u64, tolerance: f64) -> SizeBudget {
    SizeBudget::new("2M", WeightTarget::Near { weights, tolerance })
}

pub(crate) fn any() -> SizeBudget {
    SizeBudget::nominal("any")
}

fn sample() -> SearchSpace {
    space_of(&[
        ("d_model", ints(&[128, 192, 256, 320])),
        ("learning_rate", Distribution::Float { low: 1e-5, high: 5e-4, log: true, step: None }),
        ("n_layers", Distribution::Int { low: 2, high: 6, log: false, step: 1 }),
        ("n_heads", ints(&[2, 3, 8])),
        ("dropout", floats(&[0.1, 0.3])),
        ("d_ff_ratio", ints(&[2, 4])),
    ])
}

#[test]
fn enumeration_is_that_of_nested_loops() {
    let (low, high) = (1_600_000, 2_400_000);
    let mut expected = Vec::new();
    let (mut heads, mut smaller, mut larger) = (0, 0, 0);
    for d_model in [128, 192, 256, 320] {
        for n_layers in 2..=6 {
            for n_heads in [2, 3, 8] {
                for ratio in [2, 4] {
                    let total = weights(d_model, n_layers, ratio);
                    if d_model % n_heads != 0 {
                        heads += 1;
                    } else if total < low {
                        smaller += 1;
                    } else if total > high {
                        larger += 1;
                    } else {
                        expected.push(([d_model, n_layers, n_heads, ratio], total));
                    }
                }
            }
        }
    }
    assert!(!expected.is_empty() && heads > 0 && smaller > 0 && larger > 0);
    let feasible = Feasible::new(&sample(), &near(2_000_000, 0.2), size).unwrap();
    let found: Vec<([i64; 4], u64)> = feasible
        .architectures()
        .map(|a| {
            let names = ["d_model", "n_layers", "n_heads", "d_ff_ratio"];
            (names.map(|name| a.params.get(name).unwrap().as_i64().unwrap()), a.size.unwrap().total)
        })
        .collect();
    assert_eq!(found, expected);
    let census = feasible.census();
    assert_eq!((census.considered, census.feasible), (4 * 5 * 3 * 2, expected.len() as u64));
    assert_eq!(census.removed, Removed { heads, unknown: 0, smaller, larger });
    let (smallest, largest) = census.reach.unwrap();
    assert_eq!((smallest.total, largest.total), (weights(128, 2, 2), weights(320, 6, 4)));
    assert_eq!(feasible.configurations(), None);
    assert_eq!(feasible.continuous(), Some("learning_rate"));
}

#[test]
fn a_finite_space_numbers_its_configurations() {
    let mut space = sample();
    space.0.insert("learning_rate".into(), floats(&[1e-5, 1e-4, 1e-3]));
    let feasible = Feasible::new(&space, &near(2_000_000, 0.2), size).unwrap();
    let count = feasible.configurations().unwrap();
    assert_eq!(count, feasible.architecture_count() as u64 * 3 * 2);
    let all: Vec<Params> = (0..count).map(|i| feasible.params(&feasible.configuration(i))).collect();
    for (i, params) in all.iter().enumerate() {
        let names: Vec<&str> = params.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["d_model", "learning_rate", "n_layers", "n_heads", "dropout", "d_ff_ratio"]);
        assert!(space.contains(params));
        assert_eq!(feasible.find(params).map(|c| feasible.index(&c)), Some(i as u64));
        assert!(!all[..i].contains(params));
    }
    let mut outside = all[0].clone();
    outside.insert("d_model", 100_i64);
    assert_eq!(feasible.find(&outside), None);
    outside.insert("d_model", 128_i64);
    outside.insert("n_layers", 2_i64);
    assert_eq!(feasible.find(&outside), None, "the budget does not admit it");
}

#[test]
fn the_error_of_an_unreachable_budget_has_the_nearest_sizes() {
    let error = Feasible::new(&sample(), &near(20_000_000, 0.25), size).unwrap_err();
    assert_eq!(
        error.to_string(),
        "budget `2M`: none of the 120 architectures of the space has 15.0M to 25.0M weights; \
         they reach from 262k to 7.37M"
    );
    assert_eq!(
        error.hint().unwrap(),
        "nearest: 7.37M with d_model=320 n_layers=6 n_heads=2 d_ff_ratio=4; \
         give the budget other values in [budget.space]"
    );

    let gap = space_of(&[("d_model", ints(&[64, 256])), ("n_layers", ints(&[4])), ("n_heads", ints(&[2]))]);
    let error = Feasible::new(&gap, &near(2_500_000, 0.05), size).unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "nearest: 197k with d_model=64 n_layers=4 n_heads=2 and 3.15M with d_model=256 n_layers=4 n_heads=2; \
         give the budget other values in [budget.space], or tolerance = 0.26"
    );
}

#[test]
fn heads_that_never_fit_and_unknown_sizes_are_errors() {
    let odd = space_of(&[("d_model", ints(&[32, 64])), ("n_layers", ints(&[2])), ("n_heads", ints(&[3, 5]))]);
    let error = Feasible::new(&odd, &any(), size).unwrap_err();
    assert_eq!(
        error.to_string(),
        "budget `any`: `n_heads` divides `d_model` in none of the 4 architectures of the space"
    );
    assert_eq!(error.hint().unwrap(), "give `d_model` multiples of `n_heads`");

    let error = Feasible::new(&sample(), &near(2_000_000, 0.2), |_| None).unwrap_err();
    assert_eq!(error.to_string(), "budget `2M`: the sizes of all 120 architectures of the space are unknown");
    let unsized_any = Feasible::new(&sample(), &any(), |_| None).unwrap();
    assert_eq!((unsized_any.architecture_count(), unsized_any.sizes()), (120 - 3 * 5 * 2, None));
}

#[test]
fn a_space_without_architecture_has_one() {
    let space = space_of(&[("dropout", floats(&[0.1, 0.3])), ("act", Distribution::list(vec!["a".into()]))]);
    let feasible = Feasible::new(&space, &any(), |_| None).unwrap();
    assert_eq!((feasible.architecture_count(), feasible.configurations()), (1, Some(2)));
    let empty = Feasible::new(&SearchSpace::default(), &any(), |_| None).unwrap();
    assert_eq!(empty.configurations(), Some(1));
    assert_eq!(empty.params(&empty.at(&[])), Params::default());
}

#[test]
fn architectures_must_be_countable() {
    let float = Distribution::Float { low: 1.0, high: 4.0, log: false, step: None };
    let error = Feasible::new(&space_of(&[("d_ff_ratio", float)]), &any(), size).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`d_ff_ratio` determines the architecture, but its range { float = [1.0, 4.0] } \
         has infinitely many values"
    );
    let wide = Distribution::Int { low: 1, high: 60_000, log: false, step: 1 };
    let space = space_of(&[("d_model", wide.clone()), ("n_layers", wide)]);
    let error = Feasible::new(&space, &any(), size).unwrap_err();
    assert!(error.to_string().contains("3600000000 architectures are too many"), "{error}");
    let error = Feasible::new(&space_of(&[("d_model", ints(&[]))]), &any(), size).unwrap_err();
    assert_eq!(error, SpaceError::NoValue { parameter: "d_model".into() });
}

proptest! {
    /// Every point of the unit cube gives a feasible configuration, which is found again by its values.
    #[test]
    fn points_are_feasible(point in prop::collection::vec(0.0..1.0_f64, 6)) {
        let feasible = Feasible::new(&sample(), &near(2_000_000, 0.2), size).unwrap();
        let configuration = feasible.at(&point);
        let params = feasible.params(&configuration);
        prop_assert!(feasible.space().contains(&params));
        prop_assert!(feasible.budget().admits(size(&params).unwrap()));
        prop_assert_eq!(feasible.find(&params), Some(configuration));
    }
}

#[test]
fn an_even_grid_of_points_hits_all_architectures_equally_often() {
    let space = space_of(&[
        ("d_model", ints(&[128, 192, 256, 320])),
        ("n_layers", ints(&[2, 3, 4, 5, 6])),
        ("n_heads", ints(&[2, 3, 8])),
    ]);
    let feasible = Feasible::new(&space, &near(2_000_000, 0.4), size).unwrap();
    let n = feasible.architecture_count();
    // The steps are finer than any conditional share of an architecture; all shares are multiples of 1/n
    // overall.
    let steps = 60;
    let mut hits = vec![0_u32; n];
    let at = |i: u32| (f64::from(i) + 0.5) / f64::from(steps);
    for (a, b, c) in (0..steps).flat_map(|a| (0..steps).flat_map(move |b| (0..steps).map(move |c| (a, b, c))))
    {
        hits[feasible.at(&[at(a), at(b), at(c)]).architecture as usize] += 1;
    }
    let expected = f64::from(steps.pow(3)) / n as f64;
    for hit in hits {
        assert!((f64::from(hit) / expected - 1.0).abs() < 0.15, "{hit} of {expected}");
    }
}

#[test]
fn integers_on_a_log_scale_weigh_by_their_logarithm() {
    let range = Distribution::Int { low: 1, high: 64, log: true, step: 1 };
    let space = space_of(&[("d_model", range), ("n_layers", ints(&[1, 2]))]);
    let feasible = Feasible::new(&space, &any(), size).unwrap();
    let value = |u: f64| feasible.params(&feasible.at(&[u, 0.5])).get("d_model").unwrap().as_i64().unwrap();
    let below_eight = (0..1000).filter(|i| value((f64::from(*i) + 0.5) / 1000.0) < 8).count() as f64 / 1000.0;
    let expected = (7.5_f64 / 0.5).ln() / (64.5_f64 / 0.5).ln();
    assert!((below_eight - expected).abs() < 0.002, "{below_eight} {expected}");
}

fn conditions(texts: &[&str]) -> Vec<Condition> {
    texts.iter().map(|text| constraint(text, &sample()).unwrap()).collect()
}

fn measured(params: &Params) -> Measured {
    Measured { size: size(params), flops: size(params).map(|size| 6.0 * size.total as f64) }
}

#[test]
fn constraints_leave_what_nested_loops_leave() {
    let budget = near(2_000_000, 0.25);
    let texts = ["head_dim >= 64", "flops < 6 * 2.2e6 and d_ff <= 1024", "weights > 1_700_000"];
    let feasible = Feasible::constrained(&sample(), &budget, &conditions(&texts), measured).unwrap();
    let all = Feasible::new(&sample(), &budget, size).unwrap();
    let kept = |a: &FeasibleArchitecture| {
        let get = |name| a.params.get(name).unwrap().as_i64().unwrap();
        let total = a.size.unwrap().total;
        get("d_model") / get("n_heads") >= 64
            && (total < 2_200_000 && get("d_model") * get("d_ff_ratio") <= 1024)
            && total > 1_700_000
    };
    let expected: Vec<FeasibleArchitecture> = all.architectures().filter(kept).collect();
    assert!(!expected.is_empty() && expected.len() < all.architecture_count());
    assert_eq!(feasible.architectures().collect::<Vec<_>>(), expected);
    let census = feasible.census();
    let removed = &census.removed;
    let counted = removed.heads + removed.smaller + removed.larger + removed.unknown + census.feasible;
    let constrained: u64 = census.constrained.iter().map(|(_, count)| count).sum();
    assert_eq!(counted + constrained, census.considered);
    assert!(census.constrained.iter().map(|(text, _)| text.as_str()).eq(texts));
}

#[test]
fn a_constraint_that_leaves_nothing_is_named() {
    let refused = |budget: SizeBudget, texts: &[&str]| {
        let error = Feasible::constrained(&sample(), &budget, &conditions(texts), measured).unwrap_err();
        (error.to_string(), error.hint().unwrap())
    };
    let (message, hint) = refused(near(2_000_000, 0.25), &["d_model < 512", "head_dim > 500"]);
    assert!(message.contains("`head_dim > 500` holds for none of the 120 architectures"), "{message}");
    assert!(hint.contains("without `head_dim > 500` the budget has"), "{hint}");
    let (message, _) = refused(any(), &["d_model < 200", "d_model > 200"]);
    assert!(message.contains("meets all constraints together"), "{message}");
    let (message, hint) = refused(near(2_000_000, 0.01), &["n_layers == 2", "d_model < 300"]);
    assert!(
        message.contains("that meet the constraints has 1.98M to 2.02M weights; they reach from"),
        "{message}"
    );
    assert!(hint.contains("without") || hint.contains("nearest:"), "{hint}");
    let (_, hint) = refused(near(90_000_000, 0.1), &["n_layers >= 2"]);
    assert!(hint.contains("nearest: ") && hint.contains("n_layers=6"), "{hint}");
}
