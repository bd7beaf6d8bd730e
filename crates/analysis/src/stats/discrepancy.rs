//! How evenly points fill the unit cube.

/// Centred L2 discrepancy, squared (Hickernell 1998, eq. 4.9c); points are rows of coordinates in [0, 1]. `None` without
/// points or coordinates.
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

/// Expectation of [`centered_l2`] for independent uniform points: `((5/4)^d - (13/12)^d) / n`.
pub fn centered_l2_at_random(points: usize, dimension: usize) -> f64 {
    let power = |base: f64| base.powf(dimension as f64);
    (power(1.25) - power(13.0 / 12.0)) / points as f64
}
