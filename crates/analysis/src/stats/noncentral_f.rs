//! The noncentral F distribution, and intervals of its noncentrality from an observed F.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::ln_gamma;

/// Relative size of a term below which the remaining Poisson weights are left out.
const NEGLIGIBLE: f64 = 1e-17;
/// Number of bisections of a bracket, enough for its ends to agree in double precision.
const HALVINGS: usize = 200;
/// Largest noncentrality of the search.
const MOST: f64 = 1e7;

/// Returns the probability that a noncentral F with `numerator` and `denominator` degrees of freedom is at
/// most `f` (Patnaik 1949): a mixture of central distributions with Poisson weights of mean `noncentrality /
/// 2`. The recurrence `I_x(a + 1, b) = I_x(a, b) - x^a (1 - x)^b / (a B(a, b))` (NIST Handbook, equation
/// 8.17.20) gives its terms.
///
/// `None` for degrees of freedom that are not positive, a negative noncentrality, or NaN.
pub fn cdf(f: f64, numerator: f64, denominator: f64, noncentrality: f64) -> Option<f64> {
    let is_defined = numerator > 0.0 && denominator > 0.0 && noncentrality >= 0.0;
    if !is_defined || f.is_nan() || !noncentrality.is_finite() {
        return None;
    }
    if f <= 0.0 {
        return Some(0.0);
    }
    if f.is_infinite() {
        return Some(1.0);
    }
    let x = numerator * f / (numerator * f + denominator);
    let (a, b) = (numerator / 2.0, denominator / 2.0);
    let mean = noncentrality / 2.0;
    if mean == 0.0 {
        return Some(beta_reg(a, b, x));
    }
    let mode = mean.floor();
    let at_mode = beta_reg(a + mode, b, x);
    // Logarithm of the decrease of I_x from one count to the next: x^a (1 - x)^b / (a B(a, b)).
    let from = a + mode;
    let fall_at_mode =
        from * x.ln() + b * (-x).ln_1p() + ln_gamma(from + b) - ln_gamma(from + 1.0) - ln_gamma(b);
    let weight = (mode * mean.ln() - mean - ln_gamma(mode + 1.0)).exp();
    let mut sum = weight * at_mode;
    let (mut up, mut central, mut fall, mut count) = (weight, at_mode, fall_at_mode, mode);
    while up > NEGLIGIBLE * weight && central > 0.0 {
        central = (central - fall.exp()).max(0.0);
        count += 1.0;
        up *= mean / count;
        sum += up * central;
        fall += (x * (a + count - 1.0 + b) / (a + count)).ln();
    }
    let (mut down, mut central, mut fall, mut count) = (weight, at_mode, fall_at_mode, mode);
    while count > 0.0 && down > NEGLIGIBLE * weight {
        fall -= (x * (a + count - 1.0 + b) / (a + count)).ln();
        down *= count / mean;
        count -= 1.0;
        central = (central + fall.exp()).min(1.0);
        sum += down * central;
    }
    Some(sum.clamp(0.0, 1.0))
}

/// Returns the ends of the noncentralities at which an observed `f` lies in neither tail of `(1 - level) / 2`
/// (Steiger 2004, section "noncentrality interval estimation"). An end is 0 where even the central F has `f`
/// in that tail.
///
/// `None` where undefined, for example for an infinite `f`.
pub fn noncentrality(f: f64, numerator: f64, denominator: f64, level: f64) -> Option<(f64, f64)> {
    if f.is_infinite() || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let at = |noncentrality: f64| cdf(f, numerator, denominator, noncentrality);
    // The probability falls as the noncentrality grows.
    let crossing = |probability: f64| -> Option<f64> {
        if at(0.0)? <= probability {
            return Some(0.0);
        }
        let (mut low, mut high) = (0.0, 1.0);
        while at(high)? > probability {
            (low, high) = (high, 2.0 * high);
            if high > MOST {
                return None;
            }
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if at(middle)? > probability {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(low)
    };
    let tail = (1.0 - level) / 2.0;
    crossing(1.0 - tail).zip(crossing(tail))
}
