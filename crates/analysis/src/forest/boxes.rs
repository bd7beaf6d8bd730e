//! The leaves of a tree as boxes of the domain.

use std::iter;
use std::ops::Range;

use crate::forest::axis::Axis;
use crate::forest::tree::{Node, Side, Tree};

/// Cells of one axis, as ascending runs of neighbouring cells.
pub(super) type Cells = Vec<Range<u32>>;

/// A leaf: a product of sets of cells. Axes without a restriction are left out.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) value: f64,
    pub(super) mass: f64,
    /// Axes on which the leaf is restricted, ascending.
    pub(super) sides: Vec<Confined>,
}

/// The extent of a leaf along one axis.
#[derive(Debug, Clone)]
pub(super) struct Confined {
    pub(super) axis: u32,
    pub(super) cells: Cells,
    pub(super) mass: f64,
}

/// The boxes of a tree. All cuts of the tree divide each axis into cells (categories on nominal axes), so
/// that the tree is constant on products of cells.
#[derive(Debug)]
pub(super) struct Boxes {
    /// Masses of the cells of each axis.
    pub(super) cells: Vec<Vec<f64>>,
    pub(super) leaves: Vec<Leaf>,
    /// Cuts between the cells of each axis; none of a nominal axis, whose cells are its categories.
    cuts: Vec<Vec<f64>>,
}

impl Boxes {
    /// Returns the boxes of `tree` with positive mass.
    pub(super) fn new(tree: &Tree, axes: &[Axis]) -> Self {
        let cuts = cuts(tree, axes.len());
        let cells = axes.iter().zip(&cuts).map(|(axis, cuts)| masses(axis, cuts)).collect();
        let mut boxes = Self { cells, leaves: Vec::with_capacity(tree.leaves()), cuts: Vec::new() };
        boxes.walk(tree, &cuts, 0, &mut Vec::new());
        boxes.cuts = cuts;
        boxes
    }

    /// Returns the cell of an axis that holds a position.
    pub(super) fn cell(&self, axis: usize, position: f64) -> usize {
        let cuts = &self.cuts[axis];
        if cuts.is_empty() { position as usize } else { cuts.partition_point(|cut| *cut <= position) }
            .min(self.cells[axis].len() - 1)
    }

    fn walk(&mut self, tree: &Tree, cuts: &[Vec<f64>], node: u32, sides: &mut Vec<Confined>) {
        match &tree.nodes[node as usize] {
            Node::Leaf { value } => {
                let mass: f64 = sides.iter().map(|side| side.mass).product();
                if mass > 0.0 {
                    let mut sides = sides.clone();
                    sides.sort_by_key(|side| side.axis);
                    self.leaves.push(Leaf { value: *value, mass, sides });
                }
            }
            Node::Split { axis, left, children } => {
                let place = sides.iter().position(|side| side.axis == *axis);
                let before = place.map(|place| sides[place].cells.clone());
                let whole = 0..self.cells[*axis as usize].len() as u32;
                let within = before.clone().unwrap_or_else(|| iter::once(whole).collect());
                let parts = part(&within, left, &cuts[*axis as usize]);
                let place = place.unwrap_or_else(|| {
                    sides.push(Confined { axis: *axis, cells: Vec::new(), mass: 0.0 });
                    sides.len() - 1
                });
                for (child, cells) in children.iter().zip(parts) {
                    let mass = self.mass(*axis, &cells);
                    sides[place] = Confined { axis: *axis, cells, mass };
                    self.walk(tree, cuts, *child, sides);
                }
                match before {
                    Some(cells) => {
                        let mass = self.mass(*axis, &cells);
                        sides[place] = Confined { axis: *axis, cells, mass };
                    }
                    None => {
                        sides.pop();
                    }
                }
            }
        }
    }

    fn mass(&self, axis: u32, cells: &Cells) -> f64 {
        let masses = &self.cells[axis as usize];
        cells.iter().flat_map(|run| &masses[run.start as usize..run.end as usize]).sum()
    }
}

/// Returns the cuts of a tree on each axis, ascending and distinct.
fn cuts(tree: &Tree, axes: usize) -> Vec<Vec<f64>> {
    let mut cuts = vec![Vec::new(); axes];
    for node in &tree.nodes {
        if let Node::Split { axis, left: Side::Below(cut), .. } = node {
            cuts[*axis as usize].push(*cut);
        }
    }
    for cuts in &mut cuts {
        cuts.sort_by(f64::total_cmp);
        cuts.dedup();
    }
    cuts
}

/// Returns the masses of an axis's cells.
fn masses(axis: &Axis, cuts: &[f64]) -> Vec<f64> {
    if let Some(count) = axis.categories() {
        return vec![1.0 / count as f64; count];
    }
    let mut ends = vec![0.0];
    ends.extend(cuts.iter().map(|cut| axis.below(*cut)));
    ends.push(1.0);
    ends.windows(2).map(|ends| ends[1] - ends[0]).collect()
}

/// Divides `cells` into those on the left and those on the right of a split.
fn part(cells: &Cells, left: &Side, cuts: &[f64]) -> [Cells; 2] {
    let left: Cells = match left {
        Side::Below(cut) => {
            let last = cuts.partition_point(|other| other < cut) as u32;
            iter::once(0..last + 1).collect()
        }
        Side::Among(runs) => runs.clone(),
    };
    let mut parts = [Vec::new(), Vec::new()];
    for run in cells {
        let mut from = run.start;
        for chosen in left.iter().filter(|chosen| chosen.end > run.start && chosen.start < run.end) {
            let inside = chosen.start.max(run.start)..chosen.end.min(run.end);
            if from < inside.start {
                parts[1].push(from..inside.start);
            }
            from = inside.end;
            parts[0].push(inside);
        }
        if from < run.end {
            parts[1].push(from..run.end);
        }
    }
    parts
}
