//! The region that no point of a Pareto front dominates, as disjoint boxes.

use allometry_core::pareto::leading;

/// Largest number of boxes.
const MOST: f64 = 20_000.0;

/// The region that dominates a reference point and that no point of a front dominates, as disjoint boxes.
/// Each box is unbounded towards better values or ends at the worse side of another. The boxes are slices
/// along the last objective, divided recursively along the objectives before it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Boxes {
    /// For each objective the coordinates of box sides, ascending from minus infinity to the reference.
    pub(crate) levels: Vec<Vec<f64>>,
    /// For each box and objective the indices in `levels` of its better and its worse side.
    pub(crate) boxes: Vec<Vec<(usize, usize)>>,
}

impl Boxes {
    /// The boxes of a front; of too many points only those with the largest crowding distances are used.
    pub(crate) fn new(points: &[Vec<f64>], reference: &[f64]) -> Self {
        let inside = |point: &Vec<f64>| point.iter().zip(reference).all(|(x, limit)| x < limit);
        let mut points: Vec<Vec<f64>> = points.iter().filter(|point| inside(point)).cloned().collect();
        let most = MOST.powf(1.0 / reference.len().saturating_sub(1).max(1) as f64) as usize;
        points = leading(&points, most).into_iter().map(|i| points[i].clone()).collect();
        let levels: Vec<Vec<f64>> = (0..reference.len())
            .map(|d| {
                let own = points.iter().map(|point| point[d]);
                let mut levels: Vec<f64> = own.chain([f64::NEG_INFINITY, reference[d]]).collect();
                levels.sort_by(f64::total_cmp);
                levels.dedup();
                levels
            })
            .collect();
        let place = |d: usize, x: f64| levels[d].partition_point(|level| *level < x);
        let placed: Vec<Vec<usize>> = points
            .iter()
            .map(|point| point.iter().enumerate().map(|(d, x)| place(d, *x)).collect())
            .collect();
        let ends: Vec<usize> = levels.iter().map(|levels| levels.len() - 1).collect();
        let mut boxes = Vec::new();
        slice(&placed.iter().map(Vec::as_slice).collect::<Vec<_>>(), &ends, &[], &mut boxes);
        Self { levels, boxes }
    }
}

/// Adds the boxes of the region that `points` leave undominated in the first objectives up to `ends`; `outer`
/// are the sides in the later objectives.
fn slice(
    points: &[&[usize]],
    ends: &[usize],
    outer: &[(usize, usize)],
    boxes: &mut Vec<Vec<(usize, usize)>>,
) {
    let with = |side: (usize, usize)| -> Vec<(usize, usize)> {
        std::iter::once(side).chain(outer.iter().copied()).collect()
    };
    let Some((end, others)) = ends.split_last() else { return };
    let last = others.len();
    let mut sorted = points.to_vec();
    sorted.sort_by_key(|point| point[last]);
    if others.is_empty() {
        let reached = sorted.first().map_or(*end, |best| best[0]);
        if reached > 0 {
            boxes.push(with((0, reached)));
        }
        return;
    }
    let mut begin = 0;
    for k in 0..=sorted.len() {
        let next = sorted.get(k).map_or(*end, |point| point[last]);
        if next > begin {
            slice(&sorted[..k], others, &with((begin, next)), boxes);
            begin = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use allometry_core::pareto::{dominates, hypervolume};
    use proptest::prelude::*;

    use super::*;

    fn points(dimension: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
        let coordinate = (0_u8..6).prop_map(f64::from);
        prop::collection::vec(prop::collection::vec(coordinate, dimension), 0..9)
    }

    proptest! {
        /// On a grid of unit cells, each nondominated cell is in exactly one box, and no other cell is in
        /// any.
        #[test]
        fn boxes_are_what_is_not_dominated(
            points in (1_usize..=4).prop_flat_map(points),
            extra in 3_u8..6,
        ) {
            let dimension = points.first().map_or(2, Vec::len);
            let reference = vec![f64::from(extra); dimension];
            let Boxes { levels, boxes } = Boxes::new(&points, &reference);
            let side = usize::from(extra) + 1;
            let mut dominated = 0;
            for cell in 0..side.pow(dimension as u32) {
                let middle: Vec<f64> =
                    (0..dimension).map(|d| (cell / side.pow(d as u32) % side) as f64 - 0.5).collect();
                let is_beaten = points.iter().any(|point| dominates(point, &middle));
                let holds = boxes.iter().filter(|sides| {
                    let inside = |((side, levels), x): ((&(usize, usize), &Vec<f64>), &f64)| {
                        levels[side.0] < *x && *x < levels[side.1]
                    };
                    sides.iter().zip(&levels).zip(&middle).all(inside)
                });
                prop_assert_eq!(holds.count(), usize::from(!is_beaten));
                dominated += usize::from(is_beaten);
            }
            prop_assert!((hypervolume(&points, &reference) - dominated as f64).abs() < 1e-9);
        }
    }
}
