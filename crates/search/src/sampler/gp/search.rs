//! Maximization of an acquisition function over untried configurations.

use std::collections::HashSet;

use allometry_core::TrialRng;
use allometry_core::rng::uniform;
use rand::Rng as _;

use crate::sampler::lattice::{ABSENT, Cell, Lattice};
use crate::space::Feasible;

/// Largest number of configurations that are searched exhaustively.
const EXHAUSTIVE: u64 = 2048;
/// Number of random cells scored in larger spaces.
const DRAWS: usize = 1024;
/// Number of the best of these from which local searches start.
const CLIMBS: usize = 6;
/// Largest number of steps of a local search.
const STEPS: usize = 24;
/// Largest number of levels of an axis for which a step considers all; otherwise it considers levels nearby.
const FEW_LEVELS: u64 = 12;
/// Number of other architectures that a step considers where some combinations are infeasible.
const ARCHITECTURES: usize = 16;

/// The maximization of a score over untried configurations.
pub(super) struct Search<'a> {
    pub(super) lattice: &'a Lattice,
    pub(super) feasible: &'a Feasible,
    /// Configurations that must not be suggested.
    pub(super) tried: &'a HashSet<Cell>,
}

impl Search<'_> {
    /// The untried cell with the highest score. Small spaces are searched exhaustively. Otherwise random
    /// cells are scored, and local searches start at the best of them and at `starts`; each step moves to the
    /// best cell that differs in one parameter or in the architecture. `None` only where all scored cells
    /// were tried.
    pub(super) fn maximize(
        &self,
        mut score: impl FnMut(&Cell) -> f64,
        starts: &[Cell],
        rng: &mut TrialRng,
    ) -> Option<Cell> {
        let mut best: Option<(f64, Cell)> = None;
        let mut see = |cell: &Cell| {
            let value = score(cell);
            if best.as_ref().is_none_or(|(highest, _)| value > *highest) && !self.tried.contains(cell) {
                best = Some((value, cell.clone()));
            }
            value
        };
        if let Some(count) = self.feasible.configurations().filter(|count| *count <= EXHAUSTIVE) {
            for number in 0..count {
                let params = self.feasible.params(&self.feasible.configuration(number));
                see(&self.lattice.cell(&params).expect("a feasible configuration is in the space"));
            }
            return best.map(|(_, cell)| cell);
        }
        let mut seen: Vec<(f64, Cell)> = (0..DRAWS)
            .map(|_| {
                let cell = self.lattice.draw(self.feasible, rng);
                (see(&cell), cell)
            })
            .collect();
        seen.sort_by(|a, b| b.0.total_cmp(&a.0));
        seen.truncate(CLIMBS);
        seen.extend(starts.iter().map(|cell| (see(cell), cell.clone())));
        for (mut value, mut cell) in seen {
            for _ in 0..STEPS {
                let scored = self.neighbours(&cell, rng).into_iter().map(|next| (see(&next), next));
                let Some(next) = scored.reduce(|a, b| if b.0 > a.0 { b } else { a }) else { break };
                if next.0 <= value {
                    break;
                }
                (value, cell) = next;
            }
        }
        best.map(|(_, cell)| cell)
    }

    /// Feasible cells that differ from `cell` in one parameter or in the architecture.
    fn neighbours(&self, cell: &Cell, rng: &mut TrialRng) -> Vec<Cell> {
        let mut neighbours = Vec::new();
        for (d, axis) in self.lattice.axes.iter().enumerate() {
            if cell[d] == ABSENT {
                continue;
            }
            let mut coordinates: Vec<u64> = match axis.level_count().map(|count| count as u64) {
                Some(count) if count <= FEW_LEVELS => (0..count).collect(),
                Some(count) => {
                    let near = [1, 2, 4]
                        .into_iter()
                        .flat_map(|step| [cell[d].checked_sub(step), Some(cell[d] + step)]);
                    near.flatten().filter(|rank| *rank < count).chain([rng.next_u64() % count]).collect()
                }
                None => {
                    let position = axis.position(cell[d]);
                    let near = [0.2, 0.05, 0.0125].map(|reach| reach * (0.5 + uniform(rng)));
                    near.iter()
                        .flat_map(|step| [axis.at(position - step), axis.at(position + step)])
                        .collect()
                }
            };
            coordinates.retain(|coordinate| *coordinate != cell[d]);
            for coordinate in coordinates {
                let mut next = cell.clone();
                next[d] = coordinate;
                self.lattice.settle(&mut next, rng);
                if self.lattice.admits(&next, self.feasible) {
                    neighbours.push(next);
                }
            }
        }
        if self.lattice.is_bound() {
            for _ in 0..ARCHITECTURES {
                let mut next = self.lattice.draw(self.feasible, rng);
                for (d, axis) in self.lattice.axes.iter().enumerate() {
                    if !self.feasible.is_of_architecture(axis.name()) {
                        next[d] = cell[d];
                    }
                }
                self.lattice.settle(&mut next, rng);
                if next != *cell && self.lattice.admits(&next, self.feasible) {
                    neighbours.push(next);
                }
            }
        }
        neighbours
    }
}
