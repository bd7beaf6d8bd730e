//! Trials that benchmarks are run on; `benches/peers/importance.py` draws the same ones.

use allometry_core::{Distribution, ParamValue, Params, SearchSpace};

/// Numbers in `[0, 1)` by a linear congruence (Knuth's MMIX), so that another language can draw the same.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Twenty parameters: five each of words, integers, floats and floats on a log scale.
pub(crate) fn space() -> SearchSpace {
    let words = || Distribution::list(["a", "b", "c", "d"].map(ParamValue::from).to_vec());
    let set = |i: usize| match i % 4 {
        0 => words(),
        1 => Distribution::Int { low: 1, high: 16, log: false, step: 1 },
        2 => Distribution::Float { low: 0.0, high: 1.0, log: false, step: None },
        _ => Distribution::Float { low: 1e-5, high: 1e-1, log: true, step: None },
    };
    SearchSpace((0..20).map(|i| (format!("p{i:02}"), set(i))).collect())
}

/// `count` uniformly drawn trials. The value is additive in the first parameters but for one product, with
/// noise.
pub(crate) fn trials(count: usize) -> Vec<(Params, f64)> {
    let mut draws = Draws(1);
    let one = |_| {
        let u: Vec<f64> = (0..20).map(|_| draws.next()).collect();
        let value = |(i, u): (usize, &f64)| match i % 4 {
            0 => ParamValue::from(["a", "b", "c", "d"][(u * 4.0) as usize]),
            1 => ParamValue::from(1 + (u * 16.0) as i64),
            2 => ParamValue::from(*u),
            _ => ParamValue::from(10_f64.powf(-5.0 + 4.0 * u)),
        };
        let params = u.iter().enumerate().map(|(i, u)| (format!("p{i:02}"), value((i, u)))).collect();
        let peak = -4.0 * (u[3] - 0.6) * (u[3] - 0.6);
        let word = if u[0] < 0.25 { 0.5 } else { 0.0 };
        let noise = 0.2 * (draws.next() - 0.5);
        (params, peak + word + u[1] * u[2] + 0.2 * u[5] + noise)
    };
    (0..count).map(one).collect()
}
