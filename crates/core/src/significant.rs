//! Numbers of any magnitude as text for people.

/// A value with four decimals, so that most values align. Below 0.001 it has three significant digits, and
/// five where it has more than six digits before the point: `0.0000081` is `8.1e-6` and not `0.0000`.
pub fn significant(x: f64) -> String {
    match x.abs() {
        0.0 => "0.0000".into(),
        size if size < 1e-4 => scientific(x, 2),
        size if size < 1e-3 => format!("{x:.6}"),
        size if size >= 1e6 && x.is_finite() => scientific(x, 4),
        _ => format!("{x:.4}"),
    }
}

/// Two values as [`significant`] writes them, or with as many more digits as tell unequal values apart.
pub fn apart(a: f64, b: f64) -> [String; 2] {
    let shown = [a, b].map(significant);
    if shown[0] != shown[1] || a == b || a.is_nan() || b.is_nan() {
        return shown;
    }
    // Sixteen digits after the first one tell all numbers apart.
    let with = |digits: usize| {
        [a, b].map(|x| match x.abs() {
            size if (1e-3..1e6).contains(&size) => format!("{x:.digits$}"),
            size if (1e-4..1e-3).contains(&size) => format!("{x:.0$}", digits + 2),
            _ => scientific(x, digits),
        })
    };
    (5..=20).map(with).find(|[a, b]| a != b).unwrap_or(shown)
}

/// A difference with its sign and four decimals, or with two significant digits where all four decimals would
/// be 0.
pub fn signed(x: f64) -> String {
    let sign = if x >= 0.0 { "+" } else { "" };
    match x.abs() {
        size if size > 0.0 && size < 5e-5 => format!("{sign}{}", scientific(x, 1)),
        size if size >= 1e6 && x.is_finite() => format!("{sign}{}", scientific(x, 4)),
        _ => format!("{x:+.4}"),
    }
}

/// Scientific notation with at most `digits` digits after the point.
fn scientific(x: f64, digits: usize) -> String {
    let text = format!("{x:.digits$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa =
        if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    format!("{mantissa}e{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unequal_values_are_told_apart() {
        for (a, b, expected) in [
            (0.79, 0.77, ["0.7900", "0.7700"]),
            (0.755_12, 0.755_08, ["0.75512", "0.75508"]),
            (0.5, 0.500_000_1, ["0.5000000", "0.5000001"]),
            (0.5, 0.5, ["0.5000", "0.5000"]),
            (1.2341e-7, 1.2339e-7, ["1.2341e-7", "1.2339e-7"]),
            (0.000_500_01, 0.0005, ["0.00050001", "0.00050000"]),
            (12_345_678.0, 12_345_679.0, ["1.2345678e7", "1.2345679e7"]),
            (0.3, 0.1 + 0.2, ["0.29999999999999999", "0.30000000000000004"]),
            (f64::NAN, f64::NAN, ["NaN", "NaN"]),
        ] {
            assert_eq!(apart(a, b), expected);
        }
    }

    #[test]
    fn small_and_large_values_keep_their_digits() {
        for (x, expected) in [
            (0.71783, "0.7178"),
            (0.0, "0.0000"),
            (8.1e-6, "8.1e-6"),
            (-1.234e-5, "-1.23e-5"),
            (1e-300, "1e-300"),
            (0.000_812_3, "0.000812"),
            (123_456.789, "123456.7890"),
            (1e308, "1e308"),
            (12_345_678.0, "1.2346e7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(significant(x), expected);
        }
        let differences = [0.0123, -0.0004, 0.0, 3.21e-6, -4e-5].map(signed);
        assert_eq!(differences, ["+0.0123", "-0.0004", "+0.0000", "+3.2e-6", "-4e-5"]);
    }
}
