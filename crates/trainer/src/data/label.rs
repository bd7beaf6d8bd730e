//! Targets of rows.

use super::rows::Targets;
use super::series::Sequence;

/// Returns the class or number of each row, in the order of the sequence, or `None` where it is unknown.
///
/// With a threshold, the class of a row is 1 if `of`, `horizon` rows later in its series, is at least
/// `1 + rise` times `over` in the row. The comparison is in `f64`.
pub(super) fn targets(
    targets: &Targets,
    threshold: Option<(f64, usize)>,
    sequence: &Sequence,
) -> Vec<Option<f32>> {
    let rows = &sequence.rows;
    match (targets, threshold) {
        (Targets::Rise { of, over }, Some((rise, horizon))) => {
            let class = |place: usize, end: usize| {
                let later = place.checked_add(horizon).filter(|later| *later < end)?;
                let (reached, wanted) = (of[rows[later]], (1.0 + rise) * over[rows[place]]);
                (!reached.is_nan() && !wanted.is_nan()).then_some(f32::from(u8::from(reached >= wanted)))
            };
            sequence.spans().flat_map(|span| span.clone().map(move |place| class(place, span.end))).collect()
        }
        (Targets::Named(_), _) => unreachable!("names are numbered after reading"),
        (Targets::None(_), _) => vec![None; rows.len()],
        (Targets::Class(classes) | Targets::Rise { of: classes, .. }, _) => {
            rows.iter().map(|&row| (!classes[row].is_nan()).then_some(classes[row] as f32)).collect()
        }
    }
}
