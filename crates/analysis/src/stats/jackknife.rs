//! The jackknife: standard error and skewness of a statistic from its leave-one-out values, and the interval
//! that they give.

use super::distribution;

/// Spread of a statistic, from its leave-one-out values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jackknife {
    /// Standard error: the root of `(n - 1) / n sum (m - t_i)^2` (Tukey 1958).
    pub standard_error: f64,
    /// Skewness: `sum (m - t_i)^3 / (sum (m - t_i)^2)^(3/2)` (six times the acceleration of Efron 1987).
    pub skewness: f64,
    observations: usize,
}

impl Jackknife {
    /// Computes the spread from leave-one-out values; `None` for fewer than three values, or where all are
    /// equal.
    pub fn new(left_out: &[f64]) -> Option<Self> {
        let n = left_out.len();
        if n < 3 {
            return None;
        }
        let center = left_out.iter().sum::<f64>() / n as f64;
        let (mut squares, mut cubes) = (0.0, 0.0);
        for value in left_out {
            let distance = center - value;
            squares += distance * distance;
            cubes += distance * distance * distance;
        }
        (squares > 0.0).then(|| Self {
            standard_error: (squares * (n - 1) as f64 / n as f64).sqrt(),
            skewness: cubes / squares.powf(1.5),
            observations: n,
        })
    }

    /// Returns a two-sided interval at `level` around the statistic's value `point`.
    ///
    /// A cubic transformation (Hall 1992, *On the removal of skewness by transformation*) makes `T = (point -
    /// truth) / error` symmetric: `T + g T^2 / 3 + g^2 T^3 / 27 + g / 6`, with `g` the skewness. The result
    /// is compared with Student's t with `n - 1` degrees of freedom. `None` where the quantile of t is
    /// undefined.
    pub fn interval(&self, point: f64, level: f64) -> Option<(f64, f64)> {
        let quantile = distribution::t_half_width(level, (self.observations - 1) as f64)?;
        let g = self.skewness;
        let inverse = |y: f64| {
            if g.abs() < 1e-9 { y } else { 3.0 / g * ((1.0 + g * (y - g / 6.0)).cbrt() - 1.0) }
        };
        Some((
            point - self.standard_error * inverse(quantile),
            point - self.standard_error * inverse(-quantile),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_skewness_it_is_students_interval() {
        // The leave-one-out means of 1, 2, 3, 4, 5.
        let jackknife = Jackknife::new(&[3.5, 3.25, 3.0, 2.75, 2.5]).unwrap();
        assert!((jackknife.standard_error - 0.5_f64.sqrt()).abs() < 1e-12);
        assert!(jackknife.skewness.abs() < 1e-12);
        let (lower, upper) = jackknife.interval(3.0, 0.95).unwrap();
        let half = 2.776_445_105_197_793_5 * 0.5_f64.sqrt();
        assert!((lower - 3.0 + half).abs() < 1e-8 && (upper - 3.0 - half).abs() < 1e-8, "{lower} {upper}");
    }

    #[test]
    fn the_longer_side_is_that_of_the_tail() {
        // The leave-one-out means of 0, 0, 0, 0, 10: the truth may lie far above the mean.
        let jackknife = Jackknife::new(&[2.5, 2.5, 2.5, 2.5, 0.0]).unwrap();
        let (lower, upper) = jackknife.interval(2.0, 0.95).unwrap();
        assert!(upper - 2.0 > 2.0 - lower, "{lower} {upper}");
        let transformed = |t: f64| {
            let g = jackknife.skewness;
            t + g * t * t / 3.0 + g * g * t * t * t / 27.0 + g / 6.0
        };
        let t = (2.0 - lower) / jackknife.standard_error;
        assert!((transformed(t) - 2.776_445_105_197_793_5).abs() < 1e-8);
    }

    #[test]
    fn nothing_varies_or_too_few() {
        assert_eq!(Jackknife::new(&[1.0, 2.0]), None);
        assert_eq!(Jackknife::new(&[1.0; 5]), None);
    }
}
