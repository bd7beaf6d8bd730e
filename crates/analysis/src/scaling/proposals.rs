//! Distances of configurations to the best ones of a study.

use allometry_core::{ParamValue, Params};

/// Number of configurations, the first of a study, whose distances are computed.
const MOST: usize = 500;
/// Ratio of the largest to the smallest positive value from which the scale is taken to be logarithmic.
const LOGARITHMIC: f64 = 100.0;

/// The value of one parameter in one configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Coordinate<'a> {
    /// The configuration does not have the parameter.
    Absent,
    /// Position of a number between the smallest value (0) and the largest (1).
    Number(f64),
    /// A value that is not a number.
    Other(&'a ParamValue),
}

impl Coordinate<'_> {
    fn distance(self, other: Self) -> f64 {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a - b).abs(),
            (a, b) => f64::from(u8::from(a != b)),
        }
    }
}

/// Returns the distance of each configuration to the nearest other configuration in the best quarter. A
/// distance is a sum over the parameters: for numbers, the difference as a share of their span (of
/// logarithms, where the values span two decades or more); for other values, 1 where they differ. `gains` are
/// the values of the configurations; larger is better.
///
/// For configurations drawn independently from one distribution, the distances are exchangeable, and a rank
/// test of their order keeps its level. A search that learns draws its later configurations near good ones.
pub(super) fn to_the_best(configurations: &[&Params], gains: &[f64]) -> Vec<f64> {
    let kept = &configurations[..configurations.len().min(MOST)];
    let mut names: Vec<&str> = Vec::new();
    for name in kept.iter().flat_map(|params| params.iter().map(|(name, _)| name)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let axes: Vec<Vec<Coordinate<'_>>> = names.iter().map(|name| axis(name, kept)).collect();
    let distance = |a: usize, b: usize| axes.iter().map(|axis| axis[a].distance(axis[b])).sum::<f64>();
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by(|&a, &b| gains[b].total_cmp(&gains[a]));
    let best = &order[..kept.len().div_ceil(4)];
    let nearest =
        |a: usize| best.iter().filter(|b| **b != a).map(|&b| distance(a, b)).fold(f64::INFINITY, f64::min);
    (0..kept.len()).map(nearest).collect()
}

fn axis<'a>(name: &str, kept: &[&'a Params]) -> Vec<Coordinate<'a>> {
    let values: Vec<Option<&ParamValue>> = kept.iter().map(|params| params.get(name)).collect();
    let numbers: Option<Vec<f64>> = values.iter().flatten().map(|value| value.as_f64()).collect();
    let Some(numbers) = numbers else {
        return values.into_iter().map(|value| value.map_or(Coordinate::Absent, Coordinate::Other)).collect();
    };
    let (low, high) = ends(&numbers);
    let scale = |x: f64| if low > 0.0 && high / low >= LOGARITHMIC { x.ln() } else { x };
    let (start, span) = (scale(low), scale(high) - scale(low));
    let share = |x: f64| if span > 0.0 { (scale(x) - start) / span } else { 0.0 };
    let coordinate = |value: Option<&ParamValue>| value.and_then(ParamValue::as_f64).map(share);
    values.into_iter().map(|value| coordinate(value).map_or(Coordinate::Absent, Coordinate::Number)).collect()
}

fn ends(numbers: &[f64]) -> (f64, f64) {
    numbers.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rate: f64, width: i64, kind: &str) -> Params {
        let params = [("rate", ParamValue::from(rate)), ("width", width.into()), ("kind", kind.into())];
        params.into_iter().collect()
    }

    #[test]
    fn distances_are_sums_of_shares_and_of_words_that_differ() {
        let (a, b, c) = (of(1e-4, 16, "x"), of(1e-2, 16, "x"), of(1e-3, 32, "y"));
        let found = to_the_best(&[&a, &b, &c], &[1.0, 2.0, 3.0]);
        let expected = [0.5 + 1.0 + 1.0, 0.5 + 1.0 + 1.0, f64::INFINITY];
        assert!(found.iter().zip(expected).all(|(one, x)| *one == x || (one - x).abs() < 1e-12), "{found:?}");
        let bare = Params::default();
        assert_eq!(to_the_best(&[&bare, &a], &[1.0, 0.0])[1], 3.0, "what one of them lacks differs");
    }
}
