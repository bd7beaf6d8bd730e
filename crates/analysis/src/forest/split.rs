//! Search for the best split of a node along one axis.

use std::iter;
use std::ops::Range;

use crate::forest::axis::Axis;
use crate::forest::tree::Side;

/// Number of categories up to which a split may form any two sets; above it, a split separates one category
/// from the rest.
const MOST_PARTED: usize = 32;

/// Number of draws and sum of values of a row, a side or a node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Total {
    pub(super) weight: f64,
    pub(super) sum: f64,
}

impl Total {
    pub(super) fn add(&mut self, other: Self) {
        self.weight += other.weight;
        self.sum += other.sum;
    }

    fn minus(self, other: Self) -> Self {
        Self { weight: self.weight - other.weight, sum: self.sum - other.sum }
    }

    /// Returns the contribution of a side to the explained sum of squares, up to a constant of the node.
    fn score(self) -> f64 {
        self.sum * self.sum / self.weight
    }

    fn mean(self) -> f64 {
        self.sum / self.weight
    }
}

/// A split of a node.
#[derive(Debug, Clone)]
pub(super) struct Split {
    /// Explained sum of squares; comparable among splits of one node.
    pub(super) score: f64,
    pub(super) left: Side,
}

/// The rows of a node on one axis.
pub(super) struct View<'a> {
    pub(super) axis: &'a Axis,
    /// Positions of all rows.
    pub(super) column: &'a [f64],
    /// The node's rows, ascending by position.
    pub(super) rows: &'a [u32],
    /// Draws of all rows.
    pub(super) draws: &'a [Total],
    pub(super) node: Total,
    /// Fewest draws on a side.
    pub(super) min_leaf: f64,
}

impl View<'_> {
    /// Returns the split with the largest explained sum of squares, the first among equals; `None` where no
    /// split is possible.
    pub(super) fn best(&self) -> Option<Split> {
        match self.axis.categories() {
            None => self.ordered(),
            Some(count) => self.nominal(count),
        }
    }

    fn position(&self, place: usize) -> f64 {
        self.column[self.rows[place] as usize]
    }

    fn score(&self, left: Total) -> Option<f64> {
        let right = self.node.minus(left);
        (left.weight >= self.min_leaf && right.weight >= self.min_leaf).then(|| left.score() + right.score())
    }

    fn ordered(&self) -> Option<Split> {
        let (first, last) = (self.position(0), self.position(self.rows.len() - 1));
        if first == last {
            return None;
        }
        let mut best: Option<(f64, f64, f64)> = None;
        let mut left = Total::default();
        let mut here = first;
        for (place, row) in self.rows.iter().enumerate() {
            let next = self.column[*row as usize];
            if place > 0 && next > here {
                if let Some(score) = self.score(left)
                    && best.is_none_or(|(most, ..)| score > most)
                {
                    best = Some((score, here, next));
                }
                here = next;
            }
            left.add(self.draws[*row as usize]);
        }
        best.map(|(score, here, next)| Split { score, left: Side::Below(self.axis.cut(here, next)) })
    }

    /// Returns the best split of the categories into two sets. With squared error it is one of those that cut
    /// the categories in the order of their means (Fisher 1958; Breiman et al. 1984, section 9.4). Categories
    /// without a row in the node join the side with more draws.
    fn nominal(&self, count: usize) -> Option<Split> {
        let mut present: Vec<(u32, Total)> = Vec::new();
        for row in self.rows {
            let category = self.column[*row as usize] as u32;
            let draws = self.draws[*row as usize];
            match present.last_mut() {
                Some((last, total)) if *last == category => total.add(draws),
                _ => present.push((category, draws)),
            }
        }
        if present.len() < 2 {
            return None;
        }
        if count > MOST_PARTED {
            return self.one_from_rest(&present);
        }
        present.sort_by(|a, b| a.1.mean().total_cmp(&b.1.mean()));
        let mut best: Option<(f64, usize, f64)> = None;
        let mut left = Total::default();
        for (place, (_, total)) in present[..present.len() - 1].iter().enumerate() {
            left.add(*total);
            if let Some(score) = self.score(left)
                && best.is_none_or(|(most, ..)| score > most)
            {
                best = Some((score, place + 1, left.weight));
            }
        }
        let (score, parted, weight) = best?;
        let absent_left = 2.0 * weight > self.node.weight;
        let mut is_left = vec![absent_left; count];
        for (place, (category, _)) in present.iter().enumerate() {
            is_left[*category as usize] = place < parted;
        }
        Some(Split { score, left: Side::Among(runs(&is_left)) })
    }

    fn one_from_rest(&self, present: &[(u32, Total)]) -> Option<Split> {
        let mut best: Option<(f64, u32)> = None;
        for (category, total) in present {
            if let Some(score) = self.score(*total)
                && best.is_none_or(|(most, _)| score > most)
            {
                best = Some((score, *category));
            }
        }
        best.map(|(score, category)| Split {
            score,
            left: Side::Among(iter::once(category..category + 1).collect()),
        })
    }
}

fn runs(holds: &[bool]) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    for (category, _) in holds.iter().enumerate().filter(|(_, holds)| **holds) {
        let category = category as u32;
        match runs.last_mut() {
            Some(run) if run.end == category => run.end += 1,
            _ => runs.push(category..category + 1),
        }
    }
    runs
}
