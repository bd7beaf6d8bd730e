//! Benchmarks of enumerating a million architectures, and of ten thousand suggestions of each sampler.

use std::hint::black_box;
use std::sync::Arc;

use allometry_core::space::constraint;
use allometry_core::{
    Direction, Distribution, FrozenTrial, ModelSize, ParamValue, Params, SamplerKind, SamplerSpec,
    SearchSpace, SizeBudget, TrialState, WeightTarget, rng,
};
use allometry_search::{Feasible, Measured, StudyView};
use criterion::{Criterion, criterion_group, criterion_main};

const TRIALS: u64 = 10_000;

/// The weights of a transformer with these parameters, without its embedding.
fn size(params: &Params) -> Option<ModelSize> {
    let get = |name| params.get(name).and_then(ParamValue::as_i64).map(|i| i as u64);
    let (d_model, n_layers, ratio) = (get("d_model")?, get("n_layers")?, get("d_ff_ratio")?);
    let total = n_layers * d_model * ((4 + 2 * ratio) * d_model + 9 + ratio);
    Some(ModelSize { total, non_embedding: total })
}

/// 250 x 50 x 10 x 8 = 1,000,000 architectures, four values of dropout and, optionally, a continuous range.
fn space(learning_rate: bool) -> SearchSpace {
    let int = |low, high, step| Distribution::Int { low, high, log: false, step };
    let floats = |values: &[f64]| Distribution::list(values.iter().copied().map(ParamValue::Float).collect());
    let mut sets = vec![
        ("d_model", int(8, 2000, 8)),
        ("n_layers", int(1, 50, 1)),
        ("n_heads", int(1, 10, 1)),
        ("d_ff_ratio", int(1, 8, 1)),
        ("dropout", floats(&[0.0, 0.1, 0.3, 0.5])),
    ];
    if learning_rate {
        sets.push(("learning_rate", Distribution::Float { low: 1e-5, high: 1e-3, log: true, step: None }));
    }
    SearchSpace(sets.into_iter().map(|(name, set)| (name.to_owned(), set)).collect())
}

fn feasible(learning_rate: bool) -> Feasible {
    let target = WeightTarget::Near { weights: 20_000_000, tolerance: 0.25 };
    let budget = SizeBudget::new("20M", target);
    Feasible::new(&space(learning_rate), &budget, size).expect("the space reaches the budget")
}

/// A feasible set of 250 x 10 x 4 = 10,000 configurations.
fn ten_thousand() -> Feasible {
    let mut space = space(false);
    space.0.retain(|name, _| name != "n_heads" && name != "d_ff_ratio");
    space.0.insert("n_layers".into(), Distribution::Int { low: 1, high: 10, log: false, step: 1 });
    let budget = SizeBudget::nominal("any");
    Feasible::new(&space, &budget, |_| None).expect("every size is admitted")
}

/// Asks for `TRIALS` suggestions and completes each at once.
fn fill(feasible: &Arc<Feasible>, kind: SamplerKind) -> usize {
    let spec = SamplerSpec::new(kind);
    let mut sampler = allometry_search::build_sampler(&[Direction::Maximize], spec, Arc::clone(feasible), 42)
        .expect("the space suits the sampler");
    let mut finished = Vec::new();
    for number in 0..TRIALS {
        let view = StudyView { finished: &finished, running: &[], other_budgets: &[] };
        let mut rng = rng::stream(42, "sampler", number);
        let params = sampler.suggest(&view, &mut rng).expect("there are more configurations").params;
        finished.push(FrozenTrial::new(number, TrialState::Complete, Some(0.5), params));
    }
    finished.len()
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("space");
    group.sample_size(10);
    group.bench_function("enumerate 1,000,000 architectures", |b| b.iter(|| black_box(feasible(true))));
    let conditions: Vec<_> = ["head_dim >= 16 and head_dim <= 256", "flops < 2e9", "d_ff <= 8192"]
        .iter()
        .map(|text| constraint(text, &SearchSpace::default()).expect("the constraint is well written"))
        .collect();
    group.bench_function("enumerate 1,000,000 architectures under three constraints", |b| {
        let measure = |params: &Params| {
            let size = size(params);
            Measured { size, flops: size.map(|size| 6.0 * size.total as f64) }
        };
        let target = WeightTarget::Near { weights: 20_000_000, tolerance: 0.25 };
        let budget = SizeBudget::new("20M", target);
        b.iter(|| black_box(Feasible::constrained(&space(true), &budget, &conditions, measure)));
    });
    let finite = Arc::new(feasible(false));
    let infinite = Arc::new(feasible(true));
    for (name, feasible, kind) in [
        ("random", &infinite, SamplerKind::Random),
        ("sobol", &infinite, SamplerKind::Sobol),
        ("grid", &finite, SamplerKind::Grid),
    ] {
        group.bench_function(format!("10,000 suggestions, {name}"), |b| {
            b.iter(|| black_box(fill(feasible, kind)));
        });
    }
    let all = Arc::new(ten_thousand());
    for (name, kind) in [("random", SamplerKind::Random), ("sobol", SamplerKind::Sobol)] {
        group.bench_function(format!("a space of 10,000 configurations used up, {name}"), |b| {
            b.iter(|| black_box(fill(&all, kind)));
        });
    }
    group.finish();
}

criterion_group!(space_benches, benches);
criterion_main!(space_benches);
