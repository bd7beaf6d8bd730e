//! The hypervolume of a set of points.

/// The hypervolume: the volume of the region that dominates `reference` and that some point dominates
/// (Zitzler & Thiele 1998). Points that are not better than the reference in every objective add nothing. The
/// result is exact, computed by slices along the last objective: fast for two objectives; beyond, the time
/// grows as the number of points to the power of the number of objectives less one.
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let inside = |point: &&Vec<f64>| point.iter().zip(reference).all(|(x, limit)| x < limit);
    let inside: Vec<&[f64]> = points.iter().filter(inside).map(Vec::as_slice).collect();
    volume(&inside, reference)
}

fn volume(points: &[&[f64]], reference: &[f64]) -> f64 {
    let Some((limit, others)) = reference.split_last() else { return 0.0 };
    let last = others.len();
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a[last].total_cmp(&b[last]));
    match others {
        [] => sorted.first().map_or(0.0, |best| limit - best[0]),
        [first] => {
            // In ascending order of the second objective, each point adds its improvement in the first.
            let (mut sum, mut reached) = (0.0, *first);
            for point in sorted {
                if point[0] < reached {
                    sum += (reached - point[0]) * (limit - point[1]);
                    reached = point[0];
                }
            }
            sum
        }
        _ => {
            let mut sum = 0.0;
            for (k, point) in sorted.iter().enumerate() {
                let end = sorted.get(k + 1).map_or(*limit, |next| next[last]);
                if end > point[last] {
                    sum += (end - point[last]) * volume(&sorted[..=k], others);
                }
            }
            sum
        }
    }
}
