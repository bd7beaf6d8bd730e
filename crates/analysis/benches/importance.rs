//! Importances of 1,000 and 10,000 trials of 20 parameters.

use allometry_analysis::fanova::{FanovaOptions, fanova};
use allometry_analysis::ped_anova::ped_anova;
use allometry_core::{Direction, Params};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

mod trials;

fn importance(criterion: &mut Criterion) {
    let space = trials::space();
    for count in [1_000, 10_000] {
        let trials = trials::trials(count);
        let trials: Vec<(&Params, f64)> = trials.iter().map(|(params, value)| (params, *value)).collect();
        let mut group = criterion.benchmark_group("importance");
        group.sample_size(10);
        group.bench_function(BenchmarkId::new("fanova", count), |bencher| {
            bencher.iter(|| fanova(&space, &trials, &FanovaOptions::default()));
        });
        group.bench_function(BenchmarkId::new("ped_anova", count), |bencher| {
            bencher.iter(|| ped_anova(&space, &trials, Direction::Maximize));
        });
    }
}

criterion_group!(benches, importance);
criterion_main!(benches);
