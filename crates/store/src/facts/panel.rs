//! The series and the time of each scored row of a table with several series.

use allometry_core::PanelRow;
use serde::{Deserialize, Serialize};

/// Most rows that are read back: a few numbers of a damaged store must not fill the memory.
const MOST_ROWS: usize = 1 << 24;

/// The scored rows of a table with several series.
///
/// Rows of one time depend on each other across series, and rows of one series depend on each other in time:
/// errors over rows need to know both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PanelFacts {
    /// Names of the series.
    pub series: Vec<String>,
    /// Rows that follow each other in one series at even distances.
    runs: Vec<Run>,
}

/// Rows of a series at even distances, written as a list of numbers: series, first row, first time, number of
/// rows, distance of the rows, distance of the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Run(u32, u64, u32, u64, i64, i64);

impl Run {
    /// Returns the run with one more row; `None` if the row does not continue it.
    fn with(self, next: PanelRow) -> Option<Self> {
        let Self(series, first, time, count, rows, times) = self;
        let steps = i64::try_from(count).ok()?;
        let (row_step, time_step) = match count {
            1 => (next.row as i64 - first as i64, i64::from(next.time) - i64::from(time)),
            _ => (rows, times),
        };
        let continued = (first as i64 + steps * row_step, i64::from(time) + steps * time_step);
        let is_next = next.series == series && (next.row as i64, i64::from(next.time)) == continued;
        is_next.then_some(Self(series, first, time, count + 1, row_step, time_step))
    }
}

impl PanelFacts {
    /// Makes the facts of rows that are given series after series, in time order within each.
    pub fn new(series: Vec<String>, rows: impl IntoIterator<Item = PanelRow>) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        for row in rows {
            let longer = runs.last().and_then(|last| last.with(row));
            if longer.is_some() {
                runs.pop();
            }
            runs.push(longer.unwrap_or(Run(row.series, row.row, row.time, 1, 0, 0)));
        }
        Self { series, runs }
    }

    /// Returns the rows in the order in which they were given, the first 16,777,216 at most.
    pub fn rows(&self) -> impl Iterator<Item = PanelRow> + '_ {
        let rows = self.runs.iter().flat_map(|&Run(series, row, time, count, rows, times)| {
            (0..i64::try_from(count).unwrap_or(0)).map(move |step| PanelRow {
                series,
                row: row.wrapping_add_signed(step.wrapping_mul(rows)),
                time: (i64::from(time).wrapping_add(step.wrapping_mul(times))) as u32,
            })
        });
        rows.take(MOST_ROWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[(u64, u32, u32)]) -> Vec<PanelRow> {
        of.iter().map(|&(row, series, time)| PanelRow { row, series, time }).collect()
    }

    #[test]
    fn rows_come_back_in_any_layout() {
        let stacked: Vec<_> =
            (0..3).flat_map(|s| (0..9).map(move |t| (u64::from(s * 9 + t), s, t))).collect();
        let mixed: Vec<_> = (0..3).flat_map(|s| (0..9).map(move |t| (u64::from(t * 3 + s), s, t))).collect();
        let backwards: Vec<_> = (0..9).map(|t| (u64::from(20 - 2 * t), 0, t)).collect();
        let uneven = vec![(5, 0, 0), (6, 0, 1), (9, 0, 2), (2, 0, 7), (3, 1, 8), (4, 1, 9)];
        for (given, runs) in [(stacked, 3), (mixed, 3), (backwards, 1), (uneven, 3), (Vec::new(), 0)] {
            let given = rows(&given);
            let facts = PanelFacts::new(vec!["a".into(), "b".into(), "c".into()], given.clone());
            assert_eq!(facts.rows().collect::<Vec<_>>(), given);
            assert_eq!(facts.runs.len(), runs);
            let text = serde_json::to_string(&facts).unwrap();
            assert_eq!(serde_json::from_str::<PanelFacts>(&text).unwrap(), facts);
        }
    }

    #[test]
    fn a_damaged_length_is_not_followed_to_its_end() {
        let text = format!(r#"{{"series": ["a"], "runs": [[0, 0, 0, {}, 1, 1]]}}"#, i64::MAX);
        let facts: PanelFacts = serde_json::from_str(&text).unwrap();
        assert_eq!(facts.rows().count(), MOST_ROWS);
    }
}
