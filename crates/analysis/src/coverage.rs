//! Which combinations of two parameters were tried.

use crate::level::Level;

/// Trials at each pair of levels: one row per level of the first parameter, one column per level of the second.
pub fn count(rows: &[Level], columns: &[Level]) -> Vec<Vec<u64>> {
    let last = columns.iter().filter_map(|level| level.members.last()).max();
    let mut column_of: Vec<Option<usize>> = vec![None; last.map_or(0, |&position| position + 1)];
    for (column, level) in columns.iter().enumerate() {
        for &position in &level.members {
            column_of[position] = Some(column);
        }
    }
    rows.iter()
        .map(|row| {
            let mut counts = vec![0; columns.len()];
            for &position in &row.members {
                if let Some(Some(column)) = column_of.get(position) {
                    counts[*column] += 1;
                }
            }
            counts
        })
        .collect()
}
