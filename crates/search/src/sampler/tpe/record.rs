//! The trials that the estimator has read.

use std::cmp::Ordering;
use std::collections::HashSet;

use allometry_core::{Direction, FrozenTrial, TrialNumber, TrialState, pareto};

use super::MOST_BETTER;
use crate::sampler::StudyView;
use crate::sampler::lattice::{Cell, Lattice};
use crate::sampler::outcome;

/// The trials of a view by cell and rank. It is a cache: it always equals a record read again from the view,
/// but reads only the new trials where the view extends the previous one.
#[derive(Debug)]
pub(super) struct Record {
    directions: Vec<Direction>,
    /// Ended trials by number.
    rows: Vec<Row>,
    /// Indices in `rows` of the trials inside the space.
    inside: Vec<usize>,
    /// Number of ended trials with a value.
    valued: usize,
    /// Indices in `rows` of the best trials with a value inside the space, best first, at most as many as
    /// [`Self::split`] uses.
    best: Vec<usize>,
    tried: HashSet<Cell>,
    running: Vec<Cell>,
}

#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) number: TrialNumber,
    bits: Option<u64>,
    /// Cell of the trial; `None` outside the space.
    pub(super) cell: Option<Cell>,
    /// Sort key, smaller being better: the class (0 complete, 1 pruned, 2 without a value), then the values.
    pub(super) order: (u8, f64, f64),
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
            bits: trial.value().map(f64::to_bits),
            cell: lattice.cell(&trial.params),
            order,
        }
    }

    fn is_unchanged(&self, trial: &FrozenTrial) -> bool {
        self.number == trial.number && self.bits == trial.value().map(f64::to_bits)
    }
}

pub(super) fn better(a: &Row, b: &Row) -> Ordering {
    let (x, y) = (&a.order, &b.order);
    x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then(x.2.total_cmp(&y.2)).then(a.number.cmp(&b.number))
}

impl Record {
    pub(super) fn new(directions: Vec<Direction>) -> Self {
        Self {
            directions,
            rows: Vec::new(),
            inside: Vec::new(),
            valued: 0,
            best: Vec::new(),
            tried: HashSet::new(),
            running: Vec::new(),
        }
    }

    /// Reads a view.
    pub(super) fn update(&mut self, view: &StudyView<'_>, lattice: &Lattice) {
        // Compares both lists from the end; where a known trial is missing or has changed, all are read
        // again.
        let mut added: Vec<&FrozenTrial> = Vec::new();
        let mut known = self.rows.len();
        let mut trials = view.finished.iter().rev();
        let missing = view.finished.len().checked_sub(self.rows.len());
        let continues = missing.is_some_and(|missing| {
            while added.len() < missing {
                let Some(trial) = trials.next() else { return false };
                if known > 0 && self.rows[known - 1].is_unchanged(trial) {
                    known -= 1;
                } else {
                    added.push(trial);
                }
            }
            // The next pair and the first pair distinguish another study from this one.
            let same = |row: Option<&Row>, trial: Option<&FrozenTrial>| match (row, trial) {
                (Some(row), Some(trial)) => {
                    row.is_unchanged(trial) && row.cell == lattice.cell(&trial.params)
                }
                (None, None) => true,
                _ => false,
            };
            same(self.rows[..known].last(), trials.next())
                && (known == 0 || same(self.rows.first(), view.finished.first()))
        });
        // With several objectives a new trial can change the ranks of all.
        let moves = self.directions.len() > 1 && !added.is_empty();
        if !continues || moves {
            self.rows =
                view.finished.iter().map(|trial| Row::new(trial, lattice, self.directions[0])).collect();
            if self.directions.len() > 1 {
                self.rank(view.finished);
            }
            self.index();
        } else if !added.is_empty() {
            for trial in added.into_iter().rev() {
                let row = Row::new(trial, lattice, self.directions[0]);
                let place = self.rows.partition_point(|other| other.number < row.number);
                // Workers end their trials out of order, so later indices shift.
                let behind = self.inside.partition_point(|other| *other < place);
                let moved = self.inside[behind..].iter_mut().chain(&mut self.best);
                moved.filter(|other| **other >= place).for_each(|other| *other += 1);
                self.rows.insert(place, row);
                self.add(place);
            }
        }
        self.running.clear();
        self.running.extend(view.running.iter().filter_map(|trial| lattice.cell(&trial.params)));
    }

    /// Orders the rows by rank in all objectives. Trials that lack a value or violate a constraint are in the
    /// class of failed trials.
    fn rank(&mut self, finished: &[FrozenTrial]) {
        let (places, points): (Vec<usize>, Vec<Vec<f64>>) = finished
            .iter()
            .enumerate()
            .filter(|(_, trial)| trial.is_eligible())
            .filter_map(|(place, trial)| Some((place, pareto::point(trial, &self.directions)?)))
            .unzip();
        for row in &mut self.rows {
            row.order = (2, 0.0, 0.0);
        }
        for place in &places {
            self.rows[*place].order = (0, f64::INFINITY, 0.0);
        }
        for (rank, leader) in pareto::leading(&points, MOST_BETTER).into_iter().enumerate() {
            self.rows[places[leader]].order.1 = rank as f64;
        }
    }

    /// Builds the indices of all rows.
    fn index(&mut self) {
        (self.inside, self.valued, self.best) = (Vec::new(), 0, Vec::new());
        self.tried.clear();
        (0..self.rows.len()).for_each(|place| self.add(place));
    }

    /// Adds a row to the indices.
    fn add(&mut self, place: usize) {
        let row = &self.rows[place];
        let has_value = row.order.0 < 2;
        self.valued += usize::from(has_value);
        let Some(cell) = &row.cell else { return };
        let behind = self.inside.partition_point(|other| *other < place);
        self.inside.insert(behind, place);
        self.tried.insert(cell.clone());
        if has_value {
            let rank = self.best.partition_point(|other| better(&self.rows[*other], row) == Ordering::Less);
            self.best.insert(rank, place);
            self.best.truncate(MOST_BETTER);
        }
    }

    pub(super) fn has(&self, cell: &Cell) -> bool {
        self.tried.contains(cell) || self.running.contains(cell)
    }

    /// Ended trials by number, including those outside the space.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Cells of running trials.
    pub(super) fn running(&self) -> &[Cell] {
        &self.running
    }

    /// Number of ended trials with a value.
    pub(super) fn ended(&self) -> usize {
        self.valued
    }

    /// The `count` best cells, at most [`MOST_BETTER`], and at most `most` of the others with running ones
    /// last, both in the order of the trials. Each cell has a weight: 1 for the latest 25, before them rising
    /// from `1 / n` (as in Optuna). The time depends only on these numbers.
    pub(super) fn split(&self, count: usize, most: usize) -> [Vec<(&Cell, f64)>; 2] {
        let mut best: Vec<usize> = self.best.iter().take(count).copied().collect();
        best.sort_unstable();
        let cell =
            |place: usize| self.rows[place].cell.as_ref().expect("places inside the space have a cell");
        let skipped: Vec<usize> =
            best.iter().filter_map(|place| self.inside.binary_search(place).ok()).collect();
        let ended = self.inside.len() - skipped.len();
        let other = |i: usize| {
            if i >= ended {
                return &self.running[i - ended];
            }
            // Binary search for the number of skipped ranks below the i-th other cell: skipped[k] - k others
            // are before skipped[k].
            let (mut low, mut high) = (0, skipped.len());
            while low < high {
                let middle = low.midpoint(high);
                if skipped[middle] - middle <= i {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            cell(self.inside[i + low])
        };
        [
            weighted(best.len(), usize::MAX, |i| cell(best[i])),
            weighted(ended + self.running.len(), most, other),
        ]
    }
}

/// The `n` cells with the weights of [`Record::split`], subsampled at an even stride where there are more
/// than `most`.
pub(super) fn weighted<'a>(n: usize, most: usize, cell: impl Fn(usize) -> &'a Cell) -> Vec<(&'a Cell, f64)> {
    let weight = |i: usize| {
        if n < 25 || i >= n - 25 {
            return 1.0;
        }
        let (first, steps) = (1.0 / n as f64, (n - 26).max(1) as f64);
        first + (1.0 - first) * i as f64 / steps
    };
    if n <= most {
        return (0..n).map(|i| (cell(i), weight(i))).collect();
    }
    (0..most).map(|k| (2 * k + 1) * n / (2 * most)).map(|i| (cell(i), weight(i))).collect()
}

#[cfg(test)]
mod tests {
    use allometry_core::rng::{stream, uniform};

    use super::*;
    use crate::sampler::tests::ordinals;

    /// Trials end out of order; some are outside the space, without a value, or equal to others in value.
    #[test]
    fn the_split_is_that_of_all_trials_sorted() {
        let feasible = ordinals(&[9, 9]);
        let lattice = Lattice::new(&feasible);
        let mut rng = stream(5, "test", 0);
        let mut pick = |n: usize| (uniform(&mut rng) * n as f64) as usize;
        let mut record = Record::new(vec![Direction::Minimize]);
        let (mut finished, mut running): (Vec<FrozenTrial>, Vec<FrozenTrial>) = (Vec::new(), Vec::new());
        for number in 0..120 {
            let mut params = feasible.params(&feasible.configuration(pick(81) as u64));
            if number % 17 == 3 {
                params.insert("x0", 99_i64);
            }
            running.push(FrozenTrial::new(number, TrialState::Running, None, params));
            if running.len() > 4 {
                let mut trial = running.remove(pick(4));
                let value = (pick(8) > 0).then(|| pick(30) as f64);
                trial.state = if value.is_some() { TrialState::Complete } else { TrialState::Failed };
                trial.values = value.into_iter().collect();
                let place = finished.partition_point(|other| other.number < trial.number);
                finished.insert(place, trial);
            }
            record
                .update(&StudyView { finished: &finished, running: &running, other_budgets: &[] }, &lattice);
            let rows: Vec<Row> =
                finished.iter().map(|trial| Row::new(trial, &lattice, Direction::Minimize)).collect();
            let valued = rows.iter().filter(|row| row.order.0 < 2).count();
            assert_eq!(record.ended(), valued);
            for count in [1, 7, 25] {
                let mut best: Vec<&Row> =
                    rows.iter().filter(|row| row.order.0 < 2 && row.cell.is_some()).collect();
                best.sort_by(|a, b| better(a, b));
                best.truncate(count);
                let is_best = |row: &&Row| best.iter().any(|other| other.number == row.number);
                let cells = |wanted: bool| -> Vec<Cell> {
                    rows.iter()
                        .filter(|row| is_best(row) == wanted)
                        .filter_map(|row| row.cell.clone())
                        .collect()
                };
                let pending = running.iter().filter_map(|trial| lattice.cell(&trial.params));
                let expected = [cells(true), cells(false).into_iter().chain(pending).collect()];
                let found = record.split(count, usize::MAX);
                for (found, expected) in found.iter().zip(&expected) {
                    assert!(found.iter().map(|(cell, _)| *cell).eq(expected), "{number} {count}");
                }
                let some = &record.split(count, 10)[1];
                assert_eq!(some.len(), expected[1].len().min(10));
            }
        }
    }
}
