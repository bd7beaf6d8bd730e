//! Tables of Ray Tune with a row for each iteration of a trial.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{FrozenTrial, TrialNumber};

use super::Table;
use super::note::Note;

/// Merges the rows of each trial: their values become its intermediate values, and the newest one its value.
/// `unended` contains the iterations of rows that did not end their trial; returns those of the newest rows.
pub(super) fn join(
    table: &mut Table,
    iterations: &[(String, i64)],
    unended: Vec<Option<i64>>,
) -> Vec<Option<i64>> {
    let ids: BTreeSet<&str> = iterations.iter().map(|(id, _)| id.as_str()).collect();
    if ids.len() == iterations.len() {
        return unended;
    }
    let mut last = Vec::new();
    let rows = std::mem::take(&mut table.trials);
    table.notes.push(Note::Iterations { rows: rows.len(), trials: ids.len() });
    // Position of each trial, and the iteration of its newest row.
    let mut places: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for ((mut row, (id, step)), unended) in rows.into_iter().zip(iterations).zip(unended) {
        let mut intermediate: BTreeMap<i64, f64> =
            row.value().map(|value| (*step, value)).into_iter().collect();
        match places.get_mut(id.as_str()) {
            None => {
                row.number = TrialNumber(table.trials.len() as u64);
                row.intermediate = intermediate;
                places.insert(id, (table.trials.len(), *step));
                table.trials.push(row);
                last.push(unended);
            }
            Some((place, newest)) => {
                let trial = &mut table.trials[*place];
                // A restored trial repeats iterations; their later rows are the newer ones.
                let is_newest = *newest <= *step;
                if is_newest || !trial.intermediate.contains_key(step) {
                    trial.intermediate.append(&mut intermediate);
                }
                if is_newest {
                    *newest = *step;
                    last[*place] = unended;
                    let (number, started) = (trial.number, trial.started);
                    row.intermediate = std::mem::take(&mut trial.intermediate);
                    *trial = FrozenTrial { number, started: started.or(row.started), ..row };
                }
            }
        }
    }
    last
}
