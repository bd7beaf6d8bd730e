//! Growth of one tree on a bootstrap sample.

use allometry_core::TrialRng;

use crate::forest::axis::Axis;
use crate::forest::domain::Rows;
use crate::forest::split::{Split, Total, View};
use crate::forest::tree::{Node, Side, Tree};
use crate::stats::random::below;

/// Data and settings that all trees of a forest share.
pub(super) struct Ground<'a> {
    pub(super) axes: &'a [Axis],
    pub(super) rows: &'a Rows,
    /// Row numbers on each axis, ascending by position.
    pub(super) orders: Vec<Vec<u32>>,
    /// Mean of all values, which is subtracted before summing.
    pub(super) center: f64,
    pub(super) min_leaf: f64,
    pub(super) max_depth: u32,
    /// Number of axes tried at each node.
    pub(super) tried: usize,
}

/// A node that is not yet split: its place in the tree and in each axis's order.
struct Open {
    node: usize,
    start: usize,
    end: usize,
    depth: u32,
}

struct Grower<'a> {
    ground: &'a Ground<'a>,
    draws: Vec<Total>,
    /// The drawn rows on each axis; the rows of a node are contiguous and ascend by position.
    orders: Vec<Vec<u32>>,
    goes_left: Vec<bool>,
    scratch: Vec<u32>,
    candidates: Vec<usize>,
    nodes: Vec<Node>,
    open: Vec<Open>,
}

/// Grows a tree on as many draws with replacement as there are rows. Returns the tree and the number of draws
/// of each row.
pub(super) fn grow(ground: &Ground<'_>, rng: &mut TrialRng) -> (Tree, Vec<u32>) {
    let n = ground.rows.values.len();
    let mut counts = vec![0_u32; n];
    for _ in 0..n {
        counts[below(rng, n)] += 1;
    }
    let draws = counts.iter().zip(&ground.rows.values).map(|(count, value)| {
        let weight = f64::from(*count);
        Total { weight, sum: weight * (value - ground.center) }
    });
    let drawn = |order: &Vec<u32>| order.iter().copied().filter(|row| counts[*row as usize] > 0).collect();
    let orders: Vec<Vec<u32>> = ground.orders.iter().map(drawn).collect();
    let end = orders[0].len();
    let mut grower = Grower {
        ground,
        draws: draws.collect(),
        orders,
        goes_left: vec![false; n],
        scratch: Vec::with_capacity(end),
        candidates: (0..ground.axes.len()).collect(),
        nodes: vec![Node::Leaf { value: 0.0 }],
        open: vec![Open { node: 0, start: 0, end, depth: 0 }],
    };
    while let Some(open) = grower.open.pop() {
        grower.settle(&open, rng);
    }
    (Tree { nodes: grower.nodes }, counts)
}

impl Grower<'_> {
    /// Turns an open node into a split with two open children, or into a leaf.
    fn settle(&mut self, open: &Open, rng: &mut TrialRng) {
        let mut node = Total::default();
        for row in &self.orders[0][open.start..open.end] {
            node.add(self.draws[*row as usize]);
        }
        let split = self.may_split(open, node).then(|| self.best_split(open, node, rng)).flatten();
        let Some((axis, split)) = split else {
            self.nodes[open.node] = Node::Leaf { value: self.ground.center + node.sum / node.weight };
            return;
        };
        let middle = open.start + self.part(open, axis, &split.left);
        let first = self.nodes.len() as u32;
        self.nodes[open.node] =
            Node::Split { axis: axis as u32, left: split.left, children: [first, first + 1] };
        for (node, start, end) in [(first, open.start, middle), (first + 1, middle, open.end)] {
            self.nodes.push(Node::Leaf { value: 0.0 });
            self.open.push(Open { node: node as usize, start, end, depth: open.depth + 1 });
        }
    }

    fn may_split(&self, open: &Open, node: Total) -> bool {
        let values = &self.ground.rows.values;
        let mut rows = self.orders[0][open.start..open.end].iter().map(|row| values[*row as usize]);
        node.weight >= 2.0 * self.ground.min_leaf
            && open.depth < self.ground.max_depth
            && rows.next().is_some_and(|first| rows.any(|value| value != first))
    }

    /// Returns the best split over a random choice of axes; tries more axes only if none of these can be
    /// split.
    fn best_split(&mut self, open: &Open, node: Total, rng: &mut TrialRng) -> Option<(usize, Split)> {
        let mut best: Option<(usize, Split)> = None;
        for tried in 0..self.candidates.len() {
            if tried >= self.ground.tried && best.is_some() {
                break;
            }
            let pick = tried + below(rng, self.candidates.len() - tried);
            self.candidates.swap(tried, pick);
            let axis = self.candidates[tried];
            let view = View {
                axis: &self.ground.axes[axis],
                column: &self.ground.rows.columns[axis],
                rows: &self.orders[axis][open.start..open.end],
                draws: &self.draws,
                node,
                min_leaf: self.ground.min_leaf,
            };
            if let Some(split) = view.best()
                && best.as_ref().is_none_or(|(_, most)| split.score > most.score)
            {
                best = Some((axis, split));
            }
        }
        best
    }

    /// Partitions the node's rows in every axis's order, keeping that order on both sides. Returns the number
    /// of rows on the left.
    fn part(&mut self, open: &Open, axis: usize, left: &Side) -> usize {
        let column = &self.ground.rows.columns[axis];
        for row in &self.orders[axis][open.start..open.end] {
            self.goes_left[*row as usize] = left.holds(column[*row as usize]);
        }
        let mut count = 0;
        for order in &mut self.orders {
            let rows = &mut order[open.start..open.end];
            self.scratch.clear();
            count = 0;
            for place in 0..rows.len() {
                let row = rows[place];
                if self.goes_left[row as usize] {
                    rows[count] = row;
                    count += 1;
                } else {
                    self.scratch.push(row);
                }
            }
            rows[count..].copy_from_slice(&self.scratch);
        }
        count
    }
}
