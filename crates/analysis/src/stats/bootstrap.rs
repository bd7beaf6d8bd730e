//! Intervals from resampled statistics.

use super::normal;

/// Returns a quantile of ascending values by linear interpolation (Hyndman & Fan 1996, type 7); `None`
/// without values.
pub fn quantile(ascending: &[f64], p: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let place = p.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let (low, high) = (ascending[below], ascending[(below + 1).min(last)]);
    Some(low + (place - below as f64) * (high - low))
}

/// Returns the percentile interval at a two-sided `level` (Efron 1979). Sorts `replicates`; `None` without
/// them.
pub fn percentile(replicates: &mut [f64], level: f64) -> Option<(f64, f64)> {
    replicates.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    quantile(replicates, tail).zip(quantile(replicates, 1.0 - tail))
}

/// Returns the bias-corrected and accelerated interval (Efron 1987) from replicates, the estimate, and its
/// leave-one-out values.
///
/// Replicates equal to the estimate count half. Sorts `replicates`. `None` without replicates, where all of
/// them lie on one side of the estimate, or where the leave-one-out values are all equal, which leaves the
/// acceleration undefined.
pub fn bca(replicates: &mut [f64], estimate: f64, leave_one_out: &[f64], level: f64) -> Option<(f64, f64)> {
    replicates.sort_by(f64::total_cmp);
    let below = replicates.partition_point(|&x| x < estimate);
    let not_above = replicates.partition_point(|&x| x <= estimate);
    let share = (below + not_above) as f64 / (2 * replicates.len()) as f64;
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let center = super::moments::mean(leave_one_out.iter().copied())?;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in leave_one_out {
        let distance = center - value;
        squares += distance * distance;
        cubes += distance * distance * distance;
    }
    if squares <= 0.0 {
        return None;
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let bias = normal::quantile(share);
    let place = |p: f64| {
        let shifted = bias + normal::quantile(p);
        normal::cdf(bias + shifted / (1.0 - acceleration * shifted))
    };
    let tail = (1.0 - level) / 2.0;
    quantile(replicates, place(tail)).zip(quantile(replicates, place(1.0 - tail)))
}
