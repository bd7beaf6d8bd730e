//! Benchmarks of the model-based samplers: fifty suggestions of `gp` in 62,208 points, one of `tpe` after
//! 1,000, 50,000 and, in a space with two ranges, 1,000 and 100,000 trials.

use std::hint::black_box;
use std::sync::Arc;

use allometry_core::{
    Direction, Distribution, FrozenTrial, ParamValue, Params, SamplerKind, SamplerSpec, SearchSpace,
    SizeBudget, TrialState, rng,
};
use allometry_search::{Feasible, Sampler, StudyView};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Nine parameters of a multilayer perceptron: 2 x 2 x 4 x 3 x 3 x 6 x 2 x 6 x 6 points.
fn feasible() -> Arc<Feasible> {
    let ordinal = |n: i64| Distribution::list((0..n).map(ParamValue::Int).collect());
    let words = || Distribution::list(vec!["a".into(), "b".into()]);
    let sets =
        [words(), words(), ordinal(4), ordinal(3), ordinal(3), ordinal(6), words(), ordinal(6), ordinal(6)];
    let named = sets.into_iter().enumerate().map(|(i, set)| (format!("p{i}"), set));
    let budget = SizeBudget::nominal("any");
    Arc::new(Feasible::new(&SearchSpace(named.collect()), &budget, |_| None).expect("every size is admitted"))
}

/// The space of [`feasible`] with two ranges in place of two lists.
fn ranged() -> Arc<Feasible> {
    let mut space = feasible().space().clone();
    let range = |low, high, log| Distribution::Float { low, high, log, step: None };
    space.0.insert("p5".into(), range(0.0, 5.0, false));
    space.0.insert("p7".into(), range(0.1, 10.0, true));
    let budget = SizeBudget::nominal("any");
    Arc::new(Feasible::new(&space, &budget, |_| None).expect("every size is admitted"))
}

fn drawn(feasible: &Feasible, number: u64) -> Params {
    let mut rng = rng::stream(2, "drawn", number);
    let point: Vec<f64> = (0..feasible.dimension()).map(|_| rng::uniform(&mut rng)).collect();
    feasible.params(&feasible.at(&point))
}

fn build(kind: SamplerKind, feasible: &Arc<Feasible>) -> Box<dyn Sampler> {
    let spec = SamplerSpec { random_share: 0.0, ..SamplerSpec::new(kind) };
    allometry_search::build_sampler(&[Direction::Maximize], spec, Arc::clone(feasible), 42)
        .expect("the space suits the sampler")
}

fn value(params: &Params, number: u64) -> f64 {
    let x = |i: usize| params.get(&format!("p{i}")).and_then(ParamValue::as_f64).unwrap_or(0.0);
    -(x(5) - 3.0).powi(2) - 0.3 * (x(7) - x(8)).abs() + (number * 7 % 11) as f64 * 0.02
}

/// Continues the study in `finished` for a number of trials.
fn go_on(sampler: &mut dyn Sampler, finished: &mut Vec<FrozenTrial>, trials: u64) {
    for _ in 0..trials {
        let number = finished.len() as u64;
        let view = StudyView { finished, running: &[], other_budgets: &[] };
        let params =
            sampler.suggest(&view, &mut rng::stream(1, "sampler", number)).expect("a suggestion").params;
        finished.push(FrozenTrial::new(number, TrialState::Complete, Some(value(&params, number)), params));
    }
}

fn benches(criterion: &mut Criterion) {
    let feasible = feasible();
    let mut group = criterion.benchmark_group("sampler");
    group.sample_size(10);
    group.bench_function("50 proposals of gp", |b| {
        b.iter(|| {
            let mut finished = Vec::new();
            go_on(&mut *build(SamplerKind::Gp, &feasible), &mut finished, 50);
            black_box(finished.len())
        });
    });
    group.bench_function("a proposal of gp after 290 trials", |b| {
        let mut finished = Vec::new();
        go_on(&mut *build(SamplerKind::Random, &feasible), &mut finished, 290);
        b.iter_batched(
            || finished.clone(),
            |mut finished| go_on(&mut *build(SamplerKind::Gp, &feasible), &mut finished, 1),
            BatchSize::LargeInput,
        );
    });
    let ranged = ranged();
    let finite = ("", &feasible);
    let infinite = (" in a space with ranges", &ranged);
    for (told, (words, feasible)) in
        [(1_000, finite), (50_000, finite), (1_000, infinite), (100_000, infinite)]
    {
        let mut finished = Vec::new();
        for number in 0..told {
            let params = match feasible.configurations() {
                Some(count) => feasible.params(&feasible.configuration(number * 48_271 % count)),
                None => drawn(feasible, number),
            };
            finished.push(FrozenTrial::new(
                number,
                TrialState::Complete,
                Some(value(&params, number)),
                params,
            ));
        }
        let mut sampler = build(SamplerKind::Tpe, feasible);
        // The first suggestion in a resumed study reads all trials.
        go_on(&mut *sampler, &mut finished, 1);
        let mut asked = told;
        group.bench_function(format!("a proposal of tpe after {told} trials{words}"), |b| {
            b.iter(|| {
                asked += 1;
                let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
                black_box(sampler.suggest(&view, &mut rng::stream(1, "sampler", asked)).ok())
            });
        });
    }
    group.finish();
}

criterion_group!(sampler_benches, benches);
criterion_main!(sampler_benches);
