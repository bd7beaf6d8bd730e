//! Tables of Ray Tune with a row for each iteration of a trial.

use std::collections::{BTreeMap, BTreeSet};

use allometry_core::{FrozenTrial, TrialNumber};

use super::Table;
use super::ends::End;
use super::note::Note;

/// Merges the rows of each trial: their values become its intermediate values, and the newest one its value.
/// Returns the ends of the newest rows.
pub(super) fn join(table: &mut Table, iterations: &[(String, i64)], ends: Vec<End>) -> Vec<End> {
    let ids: BTreeSet<&str> = iterations.iter().map(|(id, _)| id.as_str()).collect();
    if ids.len() == iterations.len() {
        return ends;
    }
    let mut last = Vec::new();
    let rows = std::mem::take(&mut table.trials);
    table.notes.push(Note::Iterations { rows: rows.len(), trials: ids.len() });
    // Position of each trial, and the iteration of its newest row.
    let mut places: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for ((mut row, (id, step)), end) in rows.into_iter().zip(iterations).zip(ends) {
        let mut intermediate: BTreeMap<i64, f64> =
            row.value().map(|value| (*step, value)).into_iter().collect();
        match places.get_mut(id.as_str()) {
            None => {
                row.number = TrialNumber(table.trials.len() as u64);
                row.intermediate = intermediate;
                places.insert(id, (table.trials.len(), *step));
                table.trials.push(row);
                last.push(end);
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
                    last[*place] = end;
                    let (number, started) = (trial.number, trial.started);
                    row.intermediate = std::mem::take(&mut trial.intermediate);
                    *trial = FrozenTrial { number, started: started.or(row.started), ..row };
                }
            }
        }
    }
    last
}
