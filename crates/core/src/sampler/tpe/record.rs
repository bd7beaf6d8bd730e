//! The trials that the estimator has taken in.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::sampler::StudyView;
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome;
use crate::trial::{Direction, FrozenTrial, TrialNumber, TrialState};

/// The trials of a view by cell and rank. Only a shortcut: it always equals what a new one would read from the view, but takes in new trials alone
/// where the view is the former one with trials added.
#[derive(Debug)]
pub(super) struct Record {
    direction: Direction,
    /// Ended trials by number.
    rows: Vec<Row>,
    tried: HashSet<Cell>,
    running: Vec<Cell>,
}

#[derive(Debug, Clone)]
struct Row {
    number: TrialNumber,
    bits: Option<u64>,
    /// `None` outside the space.
    cell: Option<Cell>,
    /// Class (0 complete, 1 pruned, 2 without a value), then smaller is better.
    order: (u8, f64, f64),
}

impl Row {
    fn new(trial: &FrozenTrial, lattice: &Lattice, direction: Direction) -> Self {
        let value = outcome::value(trial, direction);
        let order = match value {
            Some(value) if trial.state == TrialState::Pruned => {
                let step = trial.intermediate.keys().next_back().copied().unwrap_or(0);
                (1, -(step as f64), -value)
            }
            Some(value) => (0, -value, 0.0),
            None => (2, 0.0, 0.0),
        };
        Self {
            number: trial.number,
            bits: trial.value.map(f64::to_bits),
            cell: lattice.cell(&trial.params),
            order,
        }
    }

    fn is(&self, trial: &FrozenTrial) -> bool {
        self.number == trial.number && self.bits == trial.value.map(f64::to_bits)
    }
}

fn better(a: &Row, b: &Row) -> Ordering {
    let (x, y) = (&a.order, &b.order);
    x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then(x.2.total_cmp(&y.2)).then(a.number.cmp(&b.number))
}

impl Record {
    pub(super) fn new(direction: Direction) -> Self {
        Self { direction, rows: Vec::new(), tried: HashSet::new(), running: Vec::new() }
    }

    /// Takes in a view.
    pub(super) fn update(&mut self, view: &StudyView<'_>, lattice: &Lattice) {
        // Walks back over both lists; where a known trial is missing or has changed, everything is read anew.
        let mut added: Vec<&FrozenTrial> = Vec::new();
        let mut known = self.rows.len();
        let mut trials = view.finished.iter().rev();
        let missing = view.finished.len().checked_sub(self.rows.len());
        let continues = missing.is_some_and(|missing| {
            while added.len() < missing {
                let Some(trial) = trials.next() else { return false };
                if known > 0 && self.rows[known - 1].is(trial) {
                    known -= 1;
                } else {
                    added.push(trial);
                }
            }
            // One more pair, and the first, tell another study from this one.
            let same = |row: Option<&Row>, trial: Option<&FrozenTrial>| match (row, trial) {
                (Some(row), Some(trial)) => row.is(trial) && row.cell == lattice.cell(&trial.params),
                (None, None) => true,
                _ => false,
            };
            same(self.rows[..known].last(), trials.next())
                && (known == 0 || same(self.rows.first(), view.finished.first()))
        });
        if !continues {
            self.rows = view.finished.iter().map(|trial| Row::new(trial, lattice, self.direction)).collect();
            self.tried = self.rows.iter().filter_map(|row| row.cell.clone()).collect();
        } else if !added.is_empty() {
            for trial in added.into_iter().rev() {
                let row = Row::new(trial, lattice, self.direction);
                self.tried.extend(row.cell.clone());
                let place = self.rows.partition_point(|other| other.number < row.number);
                self.rows.insert(place, row);
            }
        }
        self.running.clear();
        self.running.extend(view.running.iter().filter_map(|trial| lattice.cell(&trial.params)));
    }

    pub(super) fn has(&self, cell: &Cell) -> bool {
        self.tried.contains(cell) || self.running.contains(cell)
    }

    /// Ended trials with a value.
    pub(super) fn ended(&self) -> usize {
        self.rows.iter().filter(|row| row.order.0 < 2).count()
    }

    /// The `count` best cells and at most `most` of the others, running ones last, both in the trials' order, with the weight of each: 1 for the latest 25,
    /// before them rising from `1 / n` (as in Optuna).
    pub(super) fn split(&self, count: usize, most: usize) -> [Vec<(&Cell, f64)>; 2] {
        let mut order: Vec<usize> = (0..self.rows.len())
            .filter(|i| self.rows[*i].cell.is_some() && self.rows[*i].order.0 < 2)
            .collect();
        let count = count.min(order.len());
        if count > 0 && count < order.len() {
            order.select_nth_unstable_by(count - 1, |a, b| better(&self.rows[*a], &self.rows[*b]));
        }
        order.truncate(count);
        order.sort_unstable();
        let others = (0..self.rows.len()).filter(|i| order.binary_search(i).is_err());
        let others: Vec<&Cell> =
            others.filter_map(|i| self.rows[i].cell.as_ref()).chain(&self.running).collect();
        let best: Vec<&Cell> = order.iter().filter_map(|i| self.rows[*i].cell.as_ref()).collect();
        [weighted(&best, usize::MAX), weighted(&others, most)]
    }
}

fn weighted<'a>(cells: &[&'a Cell], most: usize) -> Vec<(&'a Cell, f64)> {
    let n = cells.len();
    let weight = |i: usize| {
        if n < 25 || i >= n - 25 {
            return 1.0;
        }
        let (first, steps) = (1.0 / n as f64, (n - 26).max(1) as f64);
        first + (1.0 - first) * i as f64 / steps
    };
    if n <= most {
        return cells.iter().enumerate().map(|(i, cell)| (*cell, weight(i))).collect();
    }
    (0..most).map(|k| (2 * k + 1) * n / (2 * most)).map(|i| (cells[i], weight(i))).collect()
}
