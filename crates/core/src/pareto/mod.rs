//! Several objectives: the Pareto front, the order of trials by fronts, and the hypervolume.
//!
//! A *point* contains a trial's values as losses, of which smaller ones are better: see [`losses`]. No loss
//! may be NaN.

mod volume;

pub use volume::hypervolume;

use crate::trial::{Direction, FrozenTrial};

/// The values with signs changed such that smaller ones are better.
pub fn losses(values: &[f64], directions: &[Direction]) -> Vec<f64> {
    let loss = |(value, direction): (&f64, &Direction)| match direction {
        Direction::Maximize => -value,
        Direction::Minimize => *value,
    };
    values.iter().zip(directions).map(loss).collect()
}

/// Whether `a` is at least as good as `b` in every objective and better in at least one.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    let pairs = || a.iter().zip(b);
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}

/// The complete trials that no other trial dominates, in their order; of equal trials all are kept. Trials
/// that violate a constraint, lack the value of an objective or have an infinitely good one (that of a model
/// that diverged) are skipped.
pub fn best_trials<'a>(trials: &'a [FrozenTrial], directions: &[Direction]) -> Vec<&'a FrozenTrial> {
    let (complete, points): (Vec<&FrozenTrial>, Vec<Vec<f64>>) = trials
        .iter()
        .filter(|trial| trial.is_eligible())
        .filter_map(|trial| Some((trial, point(trial, directions)?)))
        .filter(|(_, point)| !point.contains(&f64::NEG_INFINITY))
        .unzip();
    leading_front(&points).into_iter().map(|i| complete[i]).collect()
}

/// The point of a trial; `None` where it lacks the value of an objective.
pub fn point(trial: &FrozenTrial, directions: &[Direction]) -> Option<Vec<f64>> {
    let values = &trial.values;
    let is_complete = values.len() == directions.len() && values.iter().all(|value| !value.is_nan());
    is_complete.then(|| losses(values, directions))
}

/// The indices, ascending, of the points that no other point dominates.
pub fn leading_front(points: &[Vec<f64>]) -> Vec<usize> {
    let mut first = fronts(points).next().unwrap_or_default();
    first.sort_unstable();
    first
}

/// The indices of the `count` leading points: complete fronts in order (the first contains the nondominated
/// points, the next those that are nondominated among the rest, and so on), and of the last front the points
/// with the largest [`crowding_distances`] (Deb et al. 2002, sections III A and B); among equals the earlier
/// one. The time grows with the number of points and the sizes of the fronts.
pub fn leading(points: &[Vec<f64>], count: usize) -> Vec<usize> {
    let mut chosen = Vec::with_capacity(count.min(points.len()));
    for mut front in fronts(points) {
        let room = count - chosen.len();
        if front.len() > room {
            let members: Vec<&[f64]> = front.iter().map(|i| points[*i].as_slice()).collect();
            let crowding = crowding_distances(&members);
            let mut order: Vec<usize> = (0..front.len()).collect();
            order.sort_by(|a, b| crowding[*b].total_cmp(&crowding[*a]).then(front[*a].cmp(&front[*b])));
            front = order.into_iter().take(room).map(|k| front[k]).collect();
        }
        chosen.extend(front);
        if chosen.len() >= count {
            break;
        }
    }
    chosen
}

/// The fronts as indices of points, the best front first.
fn fronts(points: &[Vec<f64>]) -> impl Iterator<Item = Vec<usize>> {
    // In lexicographic order no point is dominated by a later one.
    let mut left: Vec<usize> = (0..points.len()).collect();
    let order = |a: &usize, b: &usize| {
        let differing = points[*a].iter().zip(&points[*b]).map(|(a, b)| a.total_cmp(b));
        differing.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(a.cmp(b))
    };
    left.sort_by(order);
    std::iter::from_fn(move || {
        let mut front: Vec<usize> = Vec::new();
        left.retain(|i| {
            // The most recent members are the nearest, so a dominating one is found sooner.
            let is_beaten = front.iter().rev().any(|member| dominates(&points[*member], &points[*i]));
            if !is_beaten {
                front.push(*i);
            }
            is_beaten
        });
        (!front.is_empty()).then_some(front)
    })
}

/// The crowding distance of each point of a front: the sum over the objectives of the distance between the
/// next smaller and the next larger value, relative to the range of the values; infinite at the ends (Deb et
/// al. 2002, section III B).
pub fn crowding_distances(front: &[&[f64]]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    let dimension = front.first().map_or(0, |point| point.len());
    for d in 0..dimension {
        let mut order: Vec<usize> = (0..front.len()).collect();
        order.sort_by(|a, b| front[*a][d].total_cmp(&front[*b][d]));
        let value = |k: usize| front[order[k]][d];
        let finite = || order.iter().map(|i| front[*i][d]).filter(|value| value.is_finite());
        let range = finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min);
        let range = if range > 0.0 { range } else { 1.0 };
        for k in 0..order.len() {
            let before = if k == 0 { f64::NEG_INFINITY } else { value(k - 1) };
            let after = if k + 1 == order.len() { f64::INFINITY } else { value(k + 1) };
            distances[order[k]] += if before == after { 0.0 } else { (after - before) / range };
        }
    }
    distances
}

#[cfg(test)]
mod tests;
