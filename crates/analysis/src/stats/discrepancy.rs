//! Discrepancy: how evenly points fill the unit cube.

/// Returns the squared centred L2 discrepancy (Hickernell 1998, eq. 4.9c). Points are rows of coordinates in
/// [0, 1]. `None` without points or coordinates.
pub fn centered_l2(points: &[Vec<f64>]) -> Option<f64> {
    let dimension = points.first().map(Vec::len).filter(|&dimension| dimension > 0)?;
    let n = points.len() as f64;
    let far: Vec<Vec<f64>> =
        points.iter().map(|point| point.iter().map(|x| (x - 0.5).abs()).collect()).collect();
    let single: f64 =
        far.iter().map(|point| point.iter().map(|z| 1.0 + 0.5 * z - 0.5 * z * z).product::<f64>()).sum();
    let pair = |i: usize, j: usize| {
        let mut product = 1.0;
        for k in 0..dimension {
            product *= 1.0 + 0.5 * (far[i][k] + far[j][k] - (points[i][k] - points[j][k]).abs());
        }
        product
    };
    let mut pairs = 0.0;
    for i in 0..points.len() {
        pairs += pair(i, i);
        for j in 0..i {
            pairs += 2.0 * pair(i, j);
        }
    }
    Some((13.0_f64 / 12.0).powf(dimension as f64) - 2.0 * single / n + pairs / (n * n))
}

/// The distribution of coordinates on one side of the cube, as the expectations of the three factors of
/// [`centered_l2`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    /// Expectation of `1 + |x - 1/2| / 2 - (x - 1/2)^2 / 2`.
    single: f64,
    /// Expectation of `1 + |x - 1/2|`, a point's factor with itself.
    same: f64,
    /// Expectation of `1 + |x - 1/2| / 2 + |y - 1/2| / 2 - |x - y| / 2`, the factor of two points.
    pair: f64,
}

impl Side {
    /// A side with uniform coordinates.
    pub const CONTINUOUS: Self = Self { single: 13.0 / 12.0, same: 1.25, pair: 13.0 / 12.0 };

    /// Returns a side whose coordinates are drawn from a list of pairs (place, probability), with the places
    /// ascending.
    pub fn of_places(places: &[(f64, f64)]) -> Self {
        let mean = |f: fn(f64) -> f64| places.iter().map(|(place, mass)| mass * f(place - 0.5)).sum::<f64>();
        let (far, square) = (mean(f64::abs), mean(|z| z * z));
        let (mut below, mut moment, mut apart) = (0.0, 0.0, 0.0);
        for (place, mass) in places {
            apart += 2.0 * mass * (place * below - moment);
            below += mass;
            moment += mass * place;
        }
        Self { single: 1.0 + 0.5 * far - 0.5 * square, same: 1.0 + far, pair: 1.0 + far - 0.5 * apart }
    }
}

/// Returns the expectation of [`centered_l2`] for independent points with independent coordinates. A share `1
/// / n` of the pairs in its sum are a point with itself. For uniform points it is `((5/4)^d - (13/12)^d) /
/// n`.
pub fn centered_l2_at_random(points: usize, sides: &[Side]) -> f64 {
    let product = |factor: fn(&Side) -> f64| sides.iter().map(factor).product::<f64>();
    let n = points as f64;
    (13.0_f64 / 12.0).powf(sides.len() as f64) - 2.0 * product(|side| side.single)
        + product(|side| side.same) / n
        + product(|side| side.pair) * (n - 1.0) / n
}
