//! The variance of a tree's predictions over the domain, divided among single parameters and pairs.

use crate::forest::boxes::{Boxes, Confined, Leaf};
use crate::forest::domain::Domain;
use crate::forest::tree::Tree;

/// Functional ANOVA of one tree (Hutter, Hoos & Leyton-Brown 2014) under the domain's measure.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeVariance {
    /// Variance of the prediction at a random point of the domain.
    pub total: f64,
    /// `V_i = Var(E[f | x_i])` of each axis.
    pub singles: Vec<f64>,
    /// `V_ij = Var(E[f | x_i, x_j]) - V_i - V_j` for axes `i < j`, ascending; pairs on which no leaf is
    /// restricted are left out.
    pub pairs: Vec<((u32, u32), f64)>,
    /// `E[f | x_i]` at the positions of the grid of each axis.
    pub marginals: Vec<Vec<f64>>,
}

/// Divides the variance of `tree` among single parameters and pairs.
///
/// The result is exact. The leaves are boxes, and a box of mass `M`, value `v` and side masses `m` adds `v M
/// prod_S (1[x_i in side] / m_i - 1)` to the component of the set `S` of parameters. Only boxes restricted in
/// all of `S` contribute. Each component is integrated directly, which avoids differences of large numbers.
/// Sums follow the order of the leaves. Time and memory of a pair grow with the product of the numbers of
/// cuts on the two axes.
///
/// `grids` holds the positions on each axis at which the marginal predictions are wanted.
pub fn decompose(tree: &Tree, domain: &Domain, grids: &[Vec<f64>]) -> TreeVariance {
    let mut boxes = Boxes::new(tree, &domain.axes);
    let mean: f64 = boxes.leaves.iter().map(|leaf| leaf.value * leaf.mass).sum();
    for leaf in &mut boxes.leaves {
        leaf.value -= mean;
    }
    let total = boxes.leaves.iter().map(|leaf| leaf.value * leaf.value * leaf.mass).sum();
    let components = components(&boxes);
    let singles = boxes.cells.iter().zip(&components).map(|(masses, heights)| {
        masses.iter().zip(heights).map(|(mass, height)| mass * height * height).sum()
    });
    let marginals = components.iter().zip(grids).enumerate().map(|(axis, (heights, grid))| {
        grid.iter().map(|position| mean + heights[boxes.cell(axis, *position)]).collect()
    });
    TreeVariance { total, singles: singles.collect(), pairs: pairs(&boxes), marginals: marginals.collect() }
}

/// Returns `E[f | x_i] - E[f]` in each cell of each axis.
fn components(boxes: &Boxes) -> Vec<Vec<f64>> {
    let mut steps: Vec<Vec<f64>> = boxes.cells.iter().map(|cells| vec![0.0; cells.len() + 1]).collect();
    let mut constants = vec![0.0; boxes.cells.len()];
    for leaf in &boxes.leaves {
        let weight = leaf.value * leaf.mass;
        for side in &leaf.sides {
            constants[side.axis as usize] -= weight;
            raise(&mut steps[side.axis as usize], side, weight / side.mass);
        }
    }
    for (steps, constant) in steps.iter_mut().zip(constants) {
        steps.pop();
        let mut height = constant;
        for step in steps {
            height += *step;
            *step = height;
        }
    }
    steps
}

/// A leaf restricted on both axes of a pair, with the places of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Joint {
    axes: (u32, u32),
    leaf: u32,
    sides: (u16, u16),
}

fn pairs(boxes: &Boxes) -> Vec<((u32, u32), f64)> {
    let mut joints = Vec::new();
    for (leaf, Leaf { sides, .. }) in boxes.leaves.iter().enumerate() {
        for (second, b) in sides.iter().enumerate() {
            for (first, a) in sides[..second].iter().enumerate() {
                let (axes, sides) = ((a.axis, b.axis), (first as u16, second as u16));
                joints.push(Joint { axes, leaf: leaf as u32, sides });
            }
        }
    }
    joints.sort_unstable();
    let mut grid = Vec::new();
    joints
        .chunk_by(|a, b| a.axes == b.axes)
        .map(|joints| (joints[0].axes, pair(boxes, joints, &mut grid)))
        .collect()
}

/// Returns the variance of one pair's component. `grid` holds the steps of a function of two variables, one
/// row per cell of the first axis.
fn pair(boxes: &Boxes, joints: &[Joint], grid: &mut Vec<f64>) -> f64 {
    let (a, b) = joints[0].axes;
    let (rows, columns) = (&boxes.cells[a as usize], &boxes.cells[b as usize]);
    let width = columns.len() + 1;
    grid.clear();
    grid.resize((rows.len() + 1) * width, 0.0);
    let mut row_steps = vec![0.0; rows.len() + 1];
    let mut column_steps = vec![0.0; width];
    let mut constant = 0.0;
    for joint in joints {
        let leaf = &boxes.leaves[joint.leaf as usize];
        let (first, second) = (&leaf.sides[joint.sides.0 as usize], &leaf.sides[joint.sides.1 as usize]);
        let weight = leaf.value * leaf.mass;
        constant += weight;
        raise(&mut row_steps, first, -weight / first.mass);
        raise(&mut column_steps, second, -weight / second.mass);
        let height = weight / first.mass / second.mass;
        for run in &first.cells {
            for (row, sign) in [(run.start, 1.0), (run.end, -1.0)] {
                let row = row as usize * width;
                raise(&mut grid[row..row + width], second, sign * height);
            }
        }
    }
    // The first row holds the part of the columns alone, which is added to every row.
    for (cell, step) in grid.iter_mut().zip(&column_steps) {
        *cell += step;
    }
    let mut steps = vec![0.0; width];
    let mut base = constant;
    let mut variance = 0.0;
    for ((mass, step), row) in rows.iter().zip(&row_steps).zip(grid.chunks_exact(width)) {
        base += step;
        let mut height = base;
        let mut squares = 0.0;
        for ((step, change), mass) in steps.iter_mut().zip(row).zip(columns) {
            *step += change;
            height += *step;
            squares += mass * height * height;
        }
        variance += mass * squares;
    }
    variance
}

/// Adds the steps of a function that is `height` higher inside the cells of `side`.
fn raise(steps: &mut [f64], side: &Confined, height: f64) {
    for run in &side.cells {
        steps[run.start as usize] += height;
        steps[run.end as usize] -= height;
    }
}
