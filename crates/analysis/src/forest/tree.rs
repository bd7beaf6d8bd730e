//! One regression tree.

use std::ops::Range;

/// A regression tree over the positions of a domain. The root is node 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Leaf { value: f64 },
    Split { axis: u32, left: Side, children: [u32; 2] },
}

/// The values of an axis that go to the left child.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Side {
    /// Positions below the cut.
    Below(f64),
    /// Runs of neighbouring categories, ascending.
    Among(Vec<Range<u32>>),
}

impl Side {
    pub(crate) fn holds(&self, position: f64) -> bool {
        match self {
            Self::Below(cut) => position < *cut,
            Self::Among(runs) => runs.iter().any(|run| run.contains(&(position as u32))),
        }
    }
}

impl Tree {
    /// Returns the prediction at a point, given by its position on each axis.
    pub fn predict(&self, position: impl Fn(usize) -> f64) -> f64 {
        let mut node = &self.nodes[0];
        loop {
            match node {
                Node::Leaf { value } => return *value,
                Node::Split { axis, left, children } => {
                    let child = children[usize::from(!left.holds(position(*axis as usize)))];
                    node = &self.nodes[child as usize];
                }
            }
        }
    }

    /// Returns the number of leaves.
    pub fn leaves(&self) -> usize {
        self.nodes.len().div_ceil(2)
    }
}
