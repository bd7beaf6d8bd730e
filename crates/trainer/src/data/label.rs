//! Targets of rows.

use super::rows::Targets;

/// Returns the class or number of each row, in the order given, or `None` where it is unknown.
///
/// With a threshold, the class of a row is 1 if `of`, `horizon` rows later in that order, is at least
/// `1 + rise` times `over` in the row. The comparison is in `f64`.
pub(super) fn targets(
    targets: &Targets,
    threshold: Option<(f64, usize)>,
    order: &[usize],
) -> Vec<Option<f32>> {
    match (targets, threshold) {
        (Targets::Rise { of, over }, Some((rise, horizon))) => (0..order.len())
            .map(|i| {
                let reached = of[*order.get(i.checked_add(horizon)?)?];
                let wanted = (1.0 + rise) * over[order[i]];
                (!reached.is_nan() && !wanted.is_nan()).then_some(f32::from(u8::from(reached >= wanted)))
            })
            .collect(),
        (Targets::Named(_), _) => unreachable!("names are numbered after reading"),
        (Targets::None(_), _) => vec![None; order.len()],
        (Targets::Class(classes) | Targets::Rise { of: classes, .. }, _) => {
            order.iter().map(|&row| (!classes[row].is_nan()).then_some(classes[row] as f32)).collect()
        }
    }
}
