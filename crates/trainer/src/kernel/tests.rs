use super::dropout::Dropout;
use super::*;

/// Largest errors of `exponential` and `normal` over a range.
struct Errors {
    relative: fn(f32, f64) -> f64,
    range: [f64; 2],
}

impl Kernel for Errors {
    type Output = [f64; 2];

    #[inline(always)]
    fn run<I: Isa>(self) -> [f64; 2] {
        let [low, high] = self.range;
        let mut worst = [0.0f64; 2];
        for i in 0..=200_000 {
            let x = (low + (high - low) * f64::from(i) / 200_000.0) as f32;
            let wide = f64::from(x);
            worst[0] = worst[0].max((self.relative)(x.exponential::<I>(), wide.exponential::<I>()));
            if wide.abs() > 6.0 {
                continue;
            }
            let (narrow, exact) = (x.normal::<I>(), wide.normal::<I>());
            let error = (f64::from(narrow.0) - exact.0).abs().max((f64::from(narrow.1) - exact.1).abs());
            worst[1] = worst[1].max(error);
        }
        worst
    }
}

#[test]
fn approximations_keep_their_stated_errors() {
    let relative = |a: f32, b: f64| (f64::from(a) / b - 1.0).abs();
    let near = Errors { relative, range: [-6.0, 6.0] };
    let [_, normal] = launch(near);
    assert!(normal <= 3e-7, "normal: {normal:e}");
    assert!(Errors { relative, range: [-6.0, 6.0] }.run::<Baseline>()[1] <= 3e-7);
    let [exp, _] = launch(Errors { relative, range: [-87.0, 0.0] });
    assert!(exp <= 2.5e-7, "exp: {exp:e}");
    assert!(Errors { relative, range: [-87.0, 0.0] }.run::<Baseline>()[0] <= 2.5e-7);
}

#[test]
fn the_double_precision_normal_has_tabulated_values() {
    // Abramowitz & Stegun 1964, table 26.1.
    for (x, cdf) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (2.5, 0.993_790_334_674_224)] {
        assert!((f64::normal::<Baseline>(x).0 - cdf).abs() < 1e-14);
        assert!((f64::normal::<Baseline>(-x).0 - (1.0 - cdf)).abs() < 1e-14);
    }
}

#[test]
fn nan_stays_nan() {
    assert!(Real::exponential::<Baseline>(f32::NAN).is_nan());
    assert!(f32::NAN.normal::<Baseline>().0.is_nan());
    assert_eq!(Real::exponential::<Baseline>(f32::NEG_INFINITY), Real::exponential::<Baseline>(-87.0f32));
}

fn mask(step: u64, site: u64) -> Vec<bool> {
    let dropout = Dropout::<f32>::new(0.3, 11, step, site);
    (0..100_000).map(|i| dropout.factor(i) == 0.0).collect()
}

#[test]
fn dropout_drops_its_share_and_keeps_the_mean() {
    let dropped = mask(0, 0).iter().filter(|d| **d).count() as f64 / 1e5;
    // Five standard deviations.
    assert!((dropped - 0.3).abs() < 5.0 * (0.21f64 / 1e5).sqrt(), "{dropped}");
    let dropout = Dropout::<f64>::new(0.3, 11, 0, 0);
    let kept = (0..100_000).map(|i| dropout.factor(i)).fold(0.0f64, f64::max);
    assert!((kept * 0.7 - 1.0).abs() < 1e-12);
}

#[test]
fn masks_of_neighbours_steps_and_sites_are_unrelated() {
    let joint = |a: &[bool], b: &[bool]| {
        let n = a.len().min(b.len());
        a.iter().zip(b).filter(|(a, b)| **a && **b).count() as f64 / n as f64
    };
    let base = mask(0, 0);
    let tolerance = 5.0 * (0.09 * 0.91 / 1e5f64).sqrt();
    let others =
        [mask(1, 0), mask(0, 1), mask(2, 1), base[1..].to_vec(), base[16..].to_vec(), base[96..].to_vec()];
    for other in others {
        let share = joint(&base, &other);
        assert!((share - 0.09).abs() < tolerance, "{share}");
    }
}

#[test]
fn adamw_follows_its_definition() {
    let (mut w, mut m, mut v) = (vec![1.0f64, -2.0], vec![0.0; 2], vec![0.0; 2]);
    for (step, g) in [(1, [0.5, -4.0]), (2, [-0.25, 1.0])] {
        launch(adamw::AdamW {
            weights: &mut w,
            gradient: &g,
            first: &mut m,
            second: &mut v,
            clip: 0.5,
            learning_rate: 0.1,
            decay: 0.02,
            step,
        });
    }
    // The first step moves by the learning rate against the sign of the gradient; the second is computed by
    // hand.
    for (i, (start, g)) in [(1.0, [0.25, -0.125]), (-2.0f64, [-2.0, 0.5])].into_iter().enumerate() {
        let first = start * 0.98 - 0.1 * f64::signum(g[0]);
        let mean = (0.9 * 0.1 * g[0] + 0.1 * g[1]) / (1.0 - 0.81);
        let square: f64 = (0.999 * 0.001 * g[0] * g[0] + 0.001 * g[1] * g[1]) / (1.0 - 0.999 * 0.999);
        let second = first * 0.98 - 0.1 * mean / square.sqrt();
        assert!((w[i] - second).abs() < 1e-6, "{} and {second}", w[i]);
    }
}

#[test]
fn sums_of_squares_cover_blocks_and_remainders() {
    for n in [0usize, 1, 15, 16, 17, 4096, 4100, 10_001, 16_384, 16_385, 50_001] {
        let values: Vec<f32> = (0..n).map(|i| (i % 7) as f32).collect();
        let expected: f64 = values.iter().map(|x| f64::from(*x).powi(2)).sum();
        assert_eq!(launch(adamw::SumOfSquares { values: &values }), expected);
    }
}
