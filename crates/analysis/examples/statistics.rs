//! `statistics TRIALS`: functions of `stats` on that many trials, as JSON: seconds of the fastest of five
//! calls each, and what they gave. `benches/peers/statistics_of_scipy.py` runs it beside `SciPy` and
//! scikit-learn.

use std::hint::black_box;
use std::time::Instant;

use allometry_analysis::stats::bootstrap::percentile;
use allometry_analysis::stats::isotonic::{Monotone, isotonic};
use allometry_analysis::stats::random::below;
use allometry_analysis::stats::{delong, kendall, permutation, two_sample};
use allometry_core::rng::stream;
use serde_json::{Map, Value, json};

/// Permutations of a test.
const PERMUTATIONS: usize = 10_000;
/// Timed calls: of several on a busy machine the fastest says most.
const CALLS: usize = 5;
/// Resamples behind an interval.
const RESAMPLES: usize = 2_000;

/// The same numbers as those of the script: a linear congruence (Knuth's MMIX).
fn draws(count: usize) -> Vec<f64> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| next()).collect()
}

fn main() {
    let count: usize =
        std::env::args().nth(1).and_then(|count| count.parse().ok()).expect("statistics TRIALS");
    let drawn = draws(3 * count);
    let x: Vec<f64> = drawn[..count].iter().map(|u| (u * 20.0).floor()).collect();
    let y: Vec<f64> = drawn[count..2 * count].iter().zip(&x).map(|(u, x)| u + 0.01 * x).collect();
    let labels: Vec<bool> = drawn[2 * count..].iter().map(|u| *u < 0.2).collect();
    let codes: Vec<usize> = x.iter().map(|x| (*x / 4.0) as usize).collect();
    let (first, second): (Vec<f64>, Vec<f64>) =
        (y[..count / 2].to_vec(), y[count / 2..].iter().map(|y| y + 0.02).collect());
    let ones = vec![1.0; count];
    let mut out = Map::new();
    let mut time = |name: &str, call: &dyn Fn() -> Value| {
        let result = black_box(call());
        let timed = |_| {
            let started = Instant::now();
            black_box(call());
            started.elapsed().as_secs_f64()
        };
        let fastest = (0..CALLS).map(timed).fold(f64::INFINITY, f64::min);
        out.insert(name.to_owned(), json!({ "seconds": fastest, "result": result }));
    };
    time("kendall", &|| json!(kendall::kendall(&x, &y).map(|one| one.tau_b)));
    time("mann_whitney", &|| json!(two_sample::mann_whitney(&first, &second).map(|one| one.p)));
    time("isotonic", &|| json!(isotonic(&y, &ones, Monotone::Increasing).iter().sum::<f64>()));
    time("delong", &|| json!(delong::delong(&labels, &[&y]).map(|one| one.auc[0])));
    time("permutation", &|| {
        let factors = [(codes.as_slice(), 5)];
        json!(permutation::one_way(&y, &factors, PERMUTATIONS, &mut stream(0, "statistics", 0))[0])
    });
    time("bootstrap", &|| {
        let mut rng = stream(0, "statistics", 1);
        let mut resample = || (0..count).map(|_| y[below(&mut rng, count)]).sum::<f64>() / count as f64;
        let mut replicates: Vec<f64> = (0..RESAMPLES).map(|_| resample()).collect();
        json!(percentile(&mut replicates, 0.95).map(|(lower, _)| lower))
    });
    println!("{}", Value::Object(out));
}
