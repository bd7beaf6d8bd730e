//! Proposals of the model-based samplers: fifty of `gp` in 62,208 points, one of `tpe` after 1,000 and after 50,000 told trials.

use std::hint::black_box;
use std::sync::Arc;

use allometry_core::ladder::{SamplerKind, SamplerSpec};
use allometry_core::space::Feasible;
use allometry_core::trial::TrialState;
use allometry_core::{
    Direction, Distribution, FrozenTrial, ParamValue, Params, Sampler, SearchSpace, SizeBudget, StudyView,
    WeightTarget, rng, sampler,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Nine parameters as of a tuned multilayer perceptron: 2 x 2 x 4 x 3 x 3 x 6 x 2 x 6 x 6 points.
fn feasible() -> Arc<Feasible> {
    let ordinal = |n: i64| Distribution::list((0..n).map(ParamValue::Int).collect());
    let words = || Distribution::list(vec!["a".into(), "b".into()]);
    let sets =
        [words(), words(), ordinal(4), ordinal(3), ordinal(3), ordinal(6), words(), ordinal(6), ordinal(6)];
    let named = sets.into_iter().enumerate().map(|(i, set)| (format!("p{i}"), set));
    let budget = SizeBudget { label: "any".into(), target: WeightTarget::Any };
    Arc::new(Feasible::new(&SearchSpace(named.collect()), &budget, |_| None).expect("every size is admitted"))
}

fn build(kind: SamplerKind, feasible: &Arc<Feasible>) -> Box<dyn Sampler> {
    let spec = SamplerSpec { random_share: 0.0, ..SamplerSpec::new(kind) };
    sampler::build(Direction::Maximize, spec, Arc::clone(feasible), 42).expect("the space suits the sampler")
}

fn value(params: &Params, number: u64) -> f64 {
    let x = |i: usize| params.get(&format!("p{i}")).and_then(ParamValue::as_f64).unwrap_or(0.0);
    -(x(5) - 3.0).powi(2) - 0.3 * (x(7) - x(8)).abs() + (number * 7 % 11) as f64 * 0.02
}

/// Asks and tells from where `finished` is.
fn go_on(sampler: &mut dyn Sampler, finished: &mut Vec<FrozenTrial>, trials: u64) {
    for _ in 0..trials {
        let number = finished.len() as u64;
        let view = StudyView { finished, running: &[] };
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
    for told in [1_000, 50_000] {
        let mut finished = Vec::new();
        for number in 0..told {
            let configuration = feasible.configuration(number * 48_271 % 62_208);
            let params = feasible.params(&configuration);
            finished.push(FrozenTrial::new(
                number,
                TrialState::Complete,
                Some(value(&params, number)),
                params,
            ));
        }
        let mut sampler = build(SamplerKind::Tpe, &feasible);
        let view = StudyView { finished: &finished, running: &[] };
        let mut asked = told;
        let mut ask = || {
            asked += 1;
            sampler.suggest(&view, &mut rng::stream(1, "sampler", asked))
        };
        // The first proposal of a resumed study reads all trials.
        black_box(ask().ok());
        group.bench_function(format!("a proposal of tpe after {told} trials"), |b| {
            b.iter(|| black_box(ask().ok()));
        });
    }
    group.finish();
}

criterion_group!(sampler_benches, benches);
criterion_main!(sampler_benches);
