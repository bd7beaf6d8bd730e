//! Length of the blocks of rows at which resampled blocks vary as new rows would.

/// Autocorrelations below this many standard errors count as 0 (Politis & White 2004, section 3.2).
const NEGLIGIBLE: f64 = 2.0;

/// Returns the length of circular blocks for the variance of a mean (Politis & White 2004; constants of
/// Patton, Politis & White 2009).
///
/// The length is `(2 G^2 / D)^(1/3) n^(1/3)` with `D = (4/3) g(0)^2`, between 1 and `min(3 sqrt(n), n / 3)`.
/// The autocovariances are weighted by a flat-top lag window, which ends at twice the first lag after which
/// they are negligible. `series` must have mean 0.
pub fn automatic(series: &[f64]) -> f64 {
    let n = series.len();
    let size = n as f64;
    let longest = (3.0 * size.sqrt()).min(size / 3.0).max(1.0);
    let covariance = |lag: usize| series.iter().zip(&series[lag..]).map(|(a, b)| a * b).sum::<f64>() / size;
    let variance = covariance(0);
    if variance <= 0.0 || n < 8 {
        return 1.0;
    }
    let quiet = (size.log10().sqrt().ceil() as usize).max(5);
    let most = (size.sqrt().ceil() as usize + quiet).min(n - 1);
    let bound = NEGLIGIBLE * (size.log10() / size).sqrt();
    let correlations: Vec<f64> = (0..=most).map(|lag| covariance(lag) / variance).collect();
    let is_quiet = |after: usize| {
        let run = correlations.get(after + 1..(after + 1 + quiet).min(most + 1)).unwrap_or(&[]);
        run.iter().all(|r| r.abs() < bound)
    };
    let last = (0..most).find(|&lag| is_quiet(lag)).unwrap_or(most);
    if last == 0 {
        return 1.0;
    }
    let window = (2 * last).min(most);
    let (mut curvature, mut spectrum) = (0.0, correlations[0]);
    for (lag, correlation) in correlations.iter().enumerate().take(window + 1).skip(1) {
        let place = lag as f64 / window as f64;
        let weight = if place <= 0.5 { 1.0 } else { 2.0 * (1.0 - place) };
        spectrum += 2.0 * weight * correlation;
        curvature += 2.0 * weight * lag as f64 * correlation;
    }
    if spectrum <= 0.0 {
        return 1.0;
    }
    let length = (2.0 * curvature * curvature / (4.0 / 3.0 * spectrum * spectrum) * size).cbrt();
    length.clamp(1.0, longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_rows_need_no_blocks_and_long_memories_long_ones() {
        let mut rng = allometry_core::rng::stream(0, "blocks", 0);
        let noise: Vec<f64> = (0..600).map(|_| crate::stats::random::uniform(&mut rng) - 0.5).collect();
        assert!(automatic(&noise) < 4.0, "{}", automatic(&noise));
        let mut smooth = vec![0.0; 600];
        for t in 1..600 {
            smooth[t] = 0.9 * smooth[t - 1] + noise[t];
        }
        let center = smooth.iter().sum::<f64>() / 600.0;
        for value in &mut smooth {
            *value -= center;
        }
        assert!(automatic(&smooth) > 10.0, "{}", automatic(&smooth));
        assert_eq!(automatic(&[0.0; 50]), 1.0);
    }
}
