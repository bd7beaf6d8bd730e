//! Tests of properties that all samplers share, and of each sampler's own.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use allometry_core::rng::stream;
use allometry_core::{
    Direction, Distribution, ParamValue, SamplerKind, SamplerSpec, SearchSpace, TrialRecord, TrialState,
};
use proptest::prelude::*;

use super::*;
use crate::space::tests::{any, floats, ints, near, size, space_of};
use crate::space::{Feasible, SpaceError};

mod conditional;
mod constrained;
mod limited;
mod model;
mod several;
mod shared;

/// A space of ordinal parameters, each with the given number of levels, in which all combinations are
/// feasible.
pub(super) fn ordinals(levels: &[i64]) -> Feasible {
    let values = |n: i64| ints(&(0..n).collect::<Vec<_>>());
    unbound(&SearchSpace(levels.iter().enumerate().map(|(i, n)| (format!("x{i}"), values(*n))).collect()))
}

/// The feasible set of a space without a condition on the size.
pub(super) fn unbound(space: &SearchSpace) -> Feasible {
    Feasible::new(space, &any(), |_| None).unwrap()
}

const KINDS: [SamplerKind; 3] = [SamplerKind::Random, SamplerKind::Sobol, SamplerKind::Grid];

fn trial(number: usize, state: TrialState, params: Params) -> FrozenTrial {
    let value = (state == TrialState::Complete).then_some(0.5);
    FrozenTrial::new(number as u64, state, value, params)
}

/// A study that a sampler fills: each trial runs during `lag` more suggestions and then ends in one of
/// several states.
struct Run {
    sampler: Box<dyn Sampler>,
    feasible: Arc<Feasible>,
    spec: SamplerSpec,
    seed: u64,
    lag: usize,
    finished: Vec<FrozenTrial>,
    running: Vec<FrozenTrial>,
}

impl Run {
    fn new(feasible: Feasible, spec: SamplerSpec, seed: u64, lag: usize) -> Self {
        let feasible = Arc::new(feasible);
        let sampler = build(&[Direction::Maximize], spec, Arc::clone(&feasible), seed).unwrap();
        Self { sampler, feasible, spec, seed, lag, finished: Vec::new(), running: Vec::new() }
    }

    fn ask(&mut self) -> Result<Suggestion, SampleError> {
        let view = StudyView { finished: &self.finished, running: &self.running, other_budgets: &[] };
        self.sampler.suggest(&view, &mut stream(self.seed, "sampler", view.len() as u64))
    }

    /// The suggestion of a new sampler that has not seen the study before.
    fn ask_anew(&self) -> Result<Suggestion, SampleError> {
        let view = StudyView { finished: &self.finished, running: &self.running, other_budgets: &[] };
        let mut sampler =
            build(&[Direction::Maximize], self.spec, Arc::clone(&self.feasible), self.seed).unwrap();
        sampler.suggest(&view, &mut stream(self.seed, "sampler", view.len() as u64))
    }

    fn tell(&mut self, params: Params) {
        let number = self.finished.len() + self.running.len();
        self.running.push(trial(number, TrialState::Running, params));
        if self.running.len() > self.lag {
            // Trials do not end in order, because workers overtake each other.
            let mut done = self.running.remove(number % self.running.len());
            done.state = [TrialState::Complete, TrialState::Failed, TrialState::Pruned][number % 3];
            let value = (done.state == TrialState::Complete).then_some((number % 7) as f64);
            done.values = value.into_iter().collect();
            self.finished.push(done);
            self.finished.sort_by_key(|t| t.number);
        }
    }

    fn take(&mut self, n: usize) -> Vec<Suggestion> {
        let mut suggestions = Vec::new();
        for _ in 0..n {
            let Ok(suggestion) = self.ask() else { break };
            self.tell(suggestion.params.clone());
            suggestions.push(suggestion);
        }
        suggestions
    }
}

fn spec(kind: SamplerKind, probes: bool) -> SamplerSpec {
    SamplerSpec { probes, ..SamplerSpec::new(kind) }
}

fn small_space(d_model: usize, n_layers: i64, rest: usize, log: bool) -> SearchSpace {
    space_of(&[
        ("dropout", floats(&[0.0, 0.1, 0.3, 0.5][..rest])),
        ("d_model", ints(&[32, 48, 64, 80, 96][..d_model])),
        ("n_layers", Distribution::Int { low: 1, high: n_layers, log, step: 1 }),
        ("n_heads", ints(&[1, 2, 3])),
    ])
}

fn key(params: &Params) -> String {
    params.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Every configuration of a finite space is suggested exactly once and is feasible; then the sampler
    /// reports the end. A new sampler continues in the same way.
    #[test]
    fn finite_spaces_are_used_up_exactly(
        kind in 0..3_usize, probes: bool, seed: u64, lag in 0..4_usize,
        d_model in 1..=5_usize, n_layers in 1..=4_i64, rest in 1..=4_usize, log: bool, tight: bool,
    ) {
        let space = small_space(d_model, n_layers, rest, log);
        let budget = if tight { near(60_000, 0.6) } else { any() };
        let feasible = Feasible::new(&space, &budget, size);
        prop_assume!(feasible.is_ok());
        let mut run = Run::new(feasible.unwrap(), spec(KINDS[kind], probes), seed, lag);
        let count = run.feasible.configurations().unwrap();
        let mut seen = HashSet::new();
        for i in 0..count {
            let suggestion = run.ask().unwrap();
            if i % 7 == 3 {
                prop_assert_eq!(&run.ask_anew(), &Ok(suggestion.clone()));
            }
            prop_assert!(space.contains(&suggestion.params));
            prop_assert!(budget.admits(size(&suggestion.params).unwrap()));
            prop_assert!(seen.insert(key(&suggestion.params)), "{} twice", suggestion.params);
            run.tell(suggestion.params);
        }
        prop_assert_eq!(run.ask(), Err(SampleError::Exhausted { configurations: count }));
    }

    /// An infinite space never ends or repeats, and only the seed determines the suggestions.
    #[test]
    fn infinite_spaces_never_repeat(kind in 0..2_usize, probes: bool, seed: u64, lag in 0..4_usize) {
        let mut space = small_space(5, 4, 2, false);
        let rate = Distribution::Float { low: 1e-5, high: 1e-2, log: true, step: None };
        space.0.insert("learning_rate".into(), rate);
        let proposed = |lag| {
            let feasible = Feasible::new(&space, &near(60_000, 0.6), size).unwrap();
            let mut run = Run::new(feasible, spec(KINDS[kind], probes), seed, lag);
            run.take(200).into_iter().map(|s| s.params).collect::<Vec<_>>()
        };
        let params = proposed(lag);
        prop_assert_eq!(params.len(), 200);
        prop_assert!(params.iter().all(|p| space.contains(p)));
        prop_assert_eq!(params.iter().map(key).collect::<HashSet<_>>().len(), 200);
        prop_assert_eq!(&proposed(3 - lag), &params, "the order in which trials end decides");
    }

    /// No configuration that is already in the study, in any state, is suggested again.
    #[test]
    fn foreign_trials_count(
        kind in 0..3_usize, seed: u64, picks in prop::collection::vec((0..90_u64, 0..5_usize), 0..40),
    ) {
        let feasible = Feasible::new(&small_space(5, 3, 3, false), &any(), size).unwrap();
        let mut run = Run::new(feasible, spec(KINDS[kind], true), seed, 2);
        let count = run.feasible.configurations().unwrap();
        let mut tried = HashSet::new();
        for (number, (pick, state)) in picks.iter().enumerate() {
            let params = run.feasible.params(&run.feasible.configuration(pick % count));
            tried.insert(key(&params));
            let states = [
                TrialState::Waiting, TrialState::Running, TrialState::Complete, TrialState::Pruned,
                TrialState::Failed,
            ];
            let trials = if states[*state].is_finished() { &mut run.finished } else { &mut run.running };
            trials.push(trial(number, states[*state], params));
        }
        let stranger = Params::from_iter([("d_model", ParamValue::Int(7))]);
        run.finished.push(trial(picks.len(), TrialState::Complete, stranger));
        let suggestions = run.take(1000);
        for suggestion in &suggestions {
            prop_assert!(tried.insert(key(&suggestion.params)));
        }
        prop_assert_eq!(tried.len() as u64, count);
    }
}

#[test]
fn another_study_is_not_taken_for_the_former_one() {
    let feasible = || Feasible::new(&small_space(5, 3, 3, false), &any(), size).unwrap();
    for kind in KINDS {
        let mut one = Run::new(feasible(), spec(kind, false), 1, 0);
        let mut other = Run::new(feasible(), spec(kind, false), 2, 0);
        let first = one.ask().unwrap();
        one.take(30);
        other.take(20);
        std::mem::swap(&mut one.finished, &mut other.finished);
        assert_eq!(one.ask(), one.ask_anew());
        one.finished.clear();
        assert_eq!(one.ask(), Ok(first));
    }
}

#[test]
fn a_grid_needs_levels() {
    let space = space_of(&[("x", Distribution::Float { low: 0.0, high: 1.0, log: false, step: None })]);
    let feasible = Arc::new(Feasible::new(&space, &any(), size).unwrap());
    let error = build(&[Direction::Maximize], spec(SamplerKind::Grid, false), feasible, 0).err().unwrap();
    assert_eq!(error, SpaceError::GridOfContinuous { parameter: "x".into() });
    let levels = Distribution::Int { low: 0, high: 99_999, log: false, step: 1 };
    let space = space_of(&["a", "b", "c", "d"].map(|name| (name, levels.clone())));
    let feasible = Arc::new(Feasible::new(&space, &any(), size).unwrap());
    let error = build(&[Direction::Maximize], spec(SamplerKind::Grid, false), feasible, 0).err().unwrap();
    assert_eq!(error, SpaceError::GridTooLarge { budget: "any".into() });
}

/// A space of two parameters with 16 values and a continuous one.
fn wide_space() -> SearchSpace {
    let levels: Vec<i64> = (1..=16).map(|i| 8 * i).collect();
    space_of(&[
        ("d_model", ints(&levels)),
        ("n_layers", Distribution::Int { low: 1, high: 16, log: false, step: 1 }),
        ("dropout", Distribution::Float { low: 0.0, high: 0.8, log: false, step: None }),
    ])
}

/// The coordinates of the suggestions in units of 1/16 of their ranges.
fn sixteenths(kind: SamplerKind, seed: u64, n: usize) -> Vec<[u32; 3]> {
    let feasible = Feasible::new(&wide_space(), &any(), size).unwrap();
    let suggestions = Run::new(feasible, spec(kind, false), seed, 1).take(n);
    let get = |s: &Suggestion, name| s.params.get(name).unwrap().as_f64().unwrap();
    let cells = suggestions.iter().map(|s| {
        [get(s, "d_model") / 8.0 - 1.0, get(s, "n_layers") - 1.0, (get(s, "dropout") / 0.05).floor()]
    });
    cells.map(|cell| cell.map(|x| x as u32)).collect()
}

#[test]
fn sixteen_sobol_points_reach_each_of_sixteen_values_once() {
    for seed in 0..20 {
        let cells = sixteenths(SamplerKind::Sobol, seed, 16);
        for d in 0..3 {
            let distinct: HashSet<u32> = cells.iter().map(|cell| cell[d]).collect();
            assert_eq!(distinct.len(), 16, "seed {seed}, coordinate {d}");
        }
    }
}

#[test]
fn sobol_points_cover_pairs_better_than_random_ones() {
    let quarters = |kind| -> f64 {
        let distinct = (0..40_u64).map(|seed| {
            let cells = sixteenths(kind, seed, 16);
            cells.iter().map(|c| (c[0] / 4, c[1] / 4)).collect::<HashSet<_>>().len() as f64
        });
        distinct.sum::<f64>() / 40.0
    };
    // Sixteen independent points reach 16 (1 - (15/16)^16) = 10.3 of the sixteen cells on average.
    let random = quarters(SamplerKind::Random);
    assert!((random - 10.3).abs() < 0.8, "{random}");
    let sobol = quarters(SamplerKind::Sobol);
    assert!(sobol > 14.0, "{sobol}");
}

#[test]
fn seeds_and_budgets_give_different_sobol_points() {
    let first = sixteenths(SamplerKind::Sobol, 1, 4);
    assert_ne!(first, sixteenths(SamplerKind::Sobol, 2, 4));
    let budget = allometry_core::SizeBudget { label: "other".into(), ..any() };
    let feasible = Feasible::new(&wide_space(), &budget, size).unwrap();
    let other = Run::new(feasible, spec(SamplerKind::Sobol, false), 1, 1).take(1);
    let one =
        Run::new(Feasible::new(&wide_space(), &any(), size).unwrap(), spec(SamplerKind::Sobol, false), 1, 1)
            .take(1);
    assert_ne!(other, one);
}

#[test]
fn random_configurations_are_uniform() {
    let feasible = || Feasible::new(&small_space(4, 2, 2, false), &any(), size).unwrap();
    let count = feasible().configurations().unwrap() as f64;
    let mut hits: BTreeMap<String, u32> = BTreeMap::new();
    let seeds: u32 = 8000;
    for seed in 0..seeds {
        let mut run = Run::new(feasible(), spec(SamplerKind::Random, false), u64::from(seed), 0);
        *hits.entry(key(&run.ask().unwrap().params)).or_default() += 1;
    }
    assert_eq!(hits.len() as f64, count);
    let expected = f64::from(seeds) / count;
    let chi_squared: f64 = hits.values().map(|h| (f64::from(*h) - expected).powi(2) / expected).sum();
    // Mean count - 1, standard deviation sqrt(2 (count - 1)): four deviations above.
    assert!(chi_squared < count - 1.0 + 4.0 * (2.0 * (count - 1.0)).sqrt(), "{chi_squared}");
}

#[test]
fn the_first_quarter_of_a_grid_is_spread() {
    let space = space_of(&[
        ("d_model", ints(&[32, 48, 64, 80, 96])),
        ("n_layers", ints(&[1, 2, 3, 4])),
        ("dropout", floats(&[0.0, 0.1, 0.3])),
    ]);
    let feasible = Feasible::new(&space, &any(), size).unwrap();
    let mut run = Run::new(feasible, spec(SamplerKind::Grid, false), 9, 0);
    let suggestions = run.take(15);
    for (name, set) in space.iter() {
        let seen: HashSet<String> =
            suggestions.iter().map(|s| s.params.get(name).unwrap().to_string()).collect();
        assert_eq!(seen.len(), set.levels().unwrap().len() as usize, "{name}");
    }
    assert!(suggestions.iter().all(|s| s.origin == Origin::Grid));
}

#[test]
fn probes_sit_on_the_edges_with_the_others_in_the_middle() {
    let space = space_of(&[
        ("d_model", ints(&[32, 48, 64, 80, 96])),
        ("n_layers", Distribution::Int { low: 1, high: 5, log: false, step: 1 }),
        ("d_ff_ratio", ints(&[4])),
        ("learning_rate", Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None }),
        ("dropout", floats(&[0.1, 0.3, 0.5])),
    ]);
    let feasible = Feasible::new(&space, &any(), size).unwrap();
    let mut run = Run::new(feasible, spec(SamplerKind::Sobol, true), 3, 2);
    let suggestions = run.take(6);
    let origins: Vec<Origin> = suggestions.iter().map(|s| s.origin).collect();
    assert_eq!(origins, [vec![Origin::Probe; 4], vec![Origin::Random; 2]].concat());
    let value = |name: &str| -> Vec<f64> {
        suggestions[..4].iter().map(|s| s.params.get(name).unwrap().as_f64().unwrap()).collect()
    };
    assert_eq!(value("d_model"), [32.0, 96.0, 64.0, 64.0]);
    assert_eq!(value("n_layers"), [3.0, 3.0, 1.0, 5.0]);
    assert_eq!(value("d_ff_ratio"), [4.0; 4]);
}

#[test]
fn probes_spread_the_training_parameters() {
    let space = space_of(&[
        ("d_model", ints(&[32, 64, 96])),
        ("n_layers", Distribution::Int { low: 1, high: 5, log: false, step: 1 }),
        ("learning_rate", Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None }),
        ("dropout", floats(&[0.1, 0.3, 0.5, 0.7])),
    ]);
    let probes = |seed| -> Vec<Params> {
        let feasible = Feasible::new(&space, &any(), size).unwrap();
        Run::new(feasible, spec(SamplerKind::Sobol, true), seed, 2)
            .take(4)
            .into_iter()
            .map(|s| s.params)
            .collect()
    };
    let sorted = |probes: &[Params], name: &str| -> Vec<f64> {
        let mut values: Vec<f64> = probes.iter().map(|p| p.get(name).unwrap().as_f64().unwrap()).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let first = probes(3);
    assert_eq!(first, probes(3));
    assert_ne!(first, probes(4));
    assert_eq!(sorted(&first, "dropout"), [0.1, 0.3, 0.5, 0.7]);
    for (rate, eighths) in sorted(&first, "learning_rate").iter().zip([1.0, 3.0, 5.0, 7.0]) {
        let expected = 10.0_f64.powf(-5.0 + 2.0 * eighths / 8.0);
        assert!((rate / expected - 1.0).abs() < 1e-9, "{rate} is not the middle of its quarter, {expected}");
    }
}

#[test]
fn probes_are_feasible_and_reach_every_admitted_edge() {
    let space = space_of(&[
        ("d_model", ints(&[32, 64, 96, 128, 192, 256, 384])),
        ("n_layers", Distribution::Int { low: 1, high: 8, log: false, step: 1 }),
        ("n_heads", ints(&[2, 4, 6, 8])),
        ("d_ff_ratio", ints(&[1, 2, 4])),
    ]);
    let feasible = Feasible::new(&space, &near(1_000_000, 0.3), size).unwrap();
    let architectures: Vec<Params> = feasible.architectures().map(|a| a.params).collect();
    let mut run = Run::new(feasible, spec(SamplerKind::Random, true), 3, 2);
    let probes: Vec<Params> =
        run.take(20).into_iter().filter(|s| s.origin == Origin::Probe).map(|s| s.params).collect();
    assert!(probes.len() <= 8 && probes.iter().all(|p| architectures.contains(p)));
    for (name, _) in space.iter() {
        let values = |all: &[Params]| -> Vec<i64> {
            all.iter().map(|p| p.get(name).unwrap().as_i64().unwrap()).collect()
        };
        let (admitted, probed) = (values(&architectures), values(&probes));
        assert_eq!(probed.iter().min(), admitted.iter().min(), "{name}");
        assert_eq!(probed.iter().max(), admitted.iter().max(), "{name}");
    }
}

#[test]
fn a_range_of_two_numbers_ends() {
    let high = f64::from_bits(1.0_f64.to_bits() + 1);
    let space = space_of(&[("x", Distribution::Float { low: 1.0, high, log: false, step: None })]);
    for kind in [SamplerKind::Random, SamplerKind::Sobol] {
        let feasible = Feasible::new(&space, &any(), size).unwrap();
        let mut run = Run::new(feasible, spec(kind, true), 3, 0);
        assert_eq!(run.take(10).len(), 2);
        assert_eq!(run.ask(), Err(SampleError::Exhausted { configurations: 2 }));
    }
}

#[test]
fn a_retry_is_no_new_configuration() {
    let feasible = Feasible::new(&small_space(2, 1, 1, false), &any(), size).unwrap();
    let mut run = Run::new(feasible, spec(SamplerKind::Sobol, false), 3, 0);
    let count = run.feasible.configurations().unwrap() as usize;
    let first = run.take(1).remove(0).params;
    let record = TrialRecord { origin: Some(Origin::Retry), ..TrialRecord::default() };
    run.finished.push(FrozenTrial { record, ..trial(1, TrialState::Complete, first) });
    assert_eq!(run.take(100).len(), count - 1);
}

#[test]
fn trials_of_other_programs_ask_for_no_random_ones_to_catch_up() {
    let spec = SamplerSpec::new(SamplerKind::Gp);
    let trial = |number: u64, origin: Option<Origin>| {
        let mut trial = FrozenTrial::new(number, TrialState::Complete, Some(0.5), Params::default());
        trial.record.origin = origin;
        trial
    };
    let foreign: Vec<FrozenTrial> = (0..50).map(|number| trial(number, None)).collect();
    let ours: Vec<FrozenTrial> = (0..50).map(|number| trial(number, Some(Origin::Model))).collect();
    let wants = |finished: &[FrozenTrial]| {
        let view = StudyView { finished, running: &[], other_budgets: &[] };
        let mut model_free = model_free::ModelFree::new(spec, Arc::new(ordinals(&[4, 4, 4])), 3).unwrap();
        model_free.suggest(&view, &mut stream(3, "sampler", 50)).unwrap();
        model_free.wants_random(&view, &spec, 3)
    };
    assert!(!wants(&foreign));
    assert!(wants(&ours));
}

/// Ranges with too many values to list are searched.
#[test]
fn ranges_of_any_width_are_searched() {
    let int = |low, high, log, step| Distribution::Int { low, high, log, step };
    let space = space_of(&[
        ("seed", int(0, i64::MAX, false, 1)),
        ("any", int(i64::MIN, i64::MAX, false, 7)),
        ("log", int(1, i64::MAX, true, 1)),
        ("fine", Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(1e-9) }),
    ]);
    for kind in [SamplerKind::Sobol, SamplerKind::Random, SamplerKind::Tpe, SamplerKind::Gp] {
        let feasible = Feasible::new(&space, &any(), size).unwrap();
        let mut run = Run::new(feasible, spec(kind, false), 3, 0);
        let suggestions = run.take(16);
        assert_eq!(suggestions.len(), 16, "{kind:?}");
        for Suggestion { params, .. } in &suggestions {
            for (name, value) in params.iter() {
                assert!(space.get(name).unwrap().contains(value), "{kind:?}: {name} = {value}");
            }
            assert!(run.feasible.find(params).is_some(), "{kind:?}: {params}");
        }
        let distinct: HashSet<String> = suggestions.iter().map(|found| key(&found.params)).collect();
        assert_eq!(distinct.len(), 16, "{kind:?}");
    }
}
