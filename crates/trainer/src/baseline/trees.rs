//! Gradient-boosted trees on single rows (Friedman 2001), with histograms and Newton leaves (Chen &
//! Guestrin 2016).

use crate::metric;

/// Maximum bins of a feature. The number of a bin fits into a byte.
const MAX_BINS: usize = 64;
/// Maximum splits from the root to a leaf.
const MAX_DEPTH: usize = 3;
/// Maximum number of trees.
const MAX_TREES: usize = 200;
/// Factor of each tree's step.
const SHRINKAGE: f64 = 0.05;
/// Minimum rows in a leaf.
const MIN_LEAF_ROWS: usize = 20;
/// Added to the curvature of a leaf.
const RIDGE: f64 = 1.0;
/// Number of trees without a lower loss on the held-out rows after which the search for their number stops.
const PATIENCE: usize = 30;

/// Bins of the features.
struct Binned {
    features: usize,
    /// Upper edges of each feature's bins, except for the last bin.
    edges: Vec<Vec<f32>>,
}

/// A tree. Nodes follow their parents.
struct Tree {
    nodes: Vec<Node>,
}

enum Node {
    /// Sends rows whose bin is at most `bin` to `left`, the others to `left + 1`.
    Split {
        feature: usize,
        bin: u8,
        left: usize,
    },
    Leaf(f64),
}

/// Sums over the rows of a node.
#[derive(Clone, Copy, Default)]
struct Sums {
    gradient: f64,
    curvature: f64,
    rows: usize,
}

impl Sums {
    fn minus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            rows: self.rows - other.rows,
        }
    }

    /// Returns twice the decrease of the loss by a leaf.
    fn score(self) -> f64 {
        self.gradient * self.gradient / (self.curvature + RIDGE)
    }
}

/// Predictions of the baseline, and its number of trees.
pub(super) struct Boosted {
    /// Probabilities.
    pub(super) scores: Vec<f32>,
    /// Number of trees.
    pub(super) trees: usize,
}

/// Fits row-major `train` and predicts `validation`.
///
/// The number of trees is the one with the lowest log loss on the rows from `compared` on, after fitting
/// the rows before `fitted`. Then all rows are fitted.
pub(super) fn predict(
    train: &[f32],
    labels: &[bool],
    validation: &[f32],
    features: usize,
    [fitted, compared]: [usize; 2],
) -> Boosted {
    let trees = choose(train, labels, features, [fitted, compared]);
    let binned = Binned::new(train, features);
    let rows = binned.apply(validation);
    let mut logits = vec![prior(labels); validation.len() / features];
    boost(&binned.apply(train), labels, &binned, trees, |tree| {
        add(tree, &rows, features, &mut logits);
        true
    });
    Boosted { scores: logits.iter().map(|&z| probability(z) as f32).collect(), trees }
}

fn choose(values: &[f32], labels: &[bool], features: usize, [fitted, compared]: [usize; 2]) -> usize {
    let both = labels[..fitted].contains(&true) && labels[..fitted].contains(&false);
    if !both || compared >= labels.len() {
        return MAX_TREES / 2;
    }
    let binned = Binned::new(&values[..fitted * features], features);
    let held_out = binned.apply(&values[compared * features..]);
    let mut logits = vec![prior(&labels[..fitted]); labels.len() - compared];
    let (mut best, mut lowest, mut grown) = (0, f64::INFINITY, 0);
    let rows = binned.apply(&values[..fitted * features]);
    boost(&rows, &labels[..fitted], &binned, MAX_TREES, |tree| {
        grown += 1;
        add(tree, &held_out, features, &mut logits);
        let scores: Vec<f32> = logits.iter().map(|&z| probability(z) as f32).collect();
        let loss = metric::log_loss(&labels[compared..], &scores).unwrap_or(f64::INFINITY);
        if loss < lowest {
            (best, lowest) = (grown, loss);
        }
        grown < best + PATIENCE
    });
    best
}

/// Grows trees one after the other, each on the gradient of the log loss after the previous ones, until
/// there are `most` or `each` returns `false`.
fn boost(rows: &[u8], labels: &[bool], binned: &Binned, most: usize, mut each: impl FnMut(&Tree) -> bool) {
    let mut logits = vec![prior(labels); labels.len()];
    for _ in 0..most {
        let sums: Vec<(f64, f64)> = logits
            .iter()
            .zip(labels)
            .map(|(&z, &label)| {
                let p = probability(z);
                (f64::from(u8::from(label)) - p, p * (1.0 - p))
            })
            .collect();
        let tree = grow(rows, &sums, binned);
        add(&tree, rows, binned.features, &mut logits);
        if !each(&tree) {
            return;
        }
    }
}

fn grow(rows: &[u8], sums: &[(f64, f64)], binned: &Binned) -> Tree {
    let mut nodes = vec![Node::Leaf(0.0)];
    let mut open = vec![(0, 0, (0..sums.len()).collect::<Vec<usize>>())];
    while let Some((node, depth, members)) = open.pop() {
        let mut total = Sums::default();
        for &row in &members {
            total.gradient += sums[row].0;
            total.curvature += sums[row].1;
            total.rows += 1;
        }
        match (depth < MAX_DEPTH).then(|| split(rows, sums, binned, &members, total)).flatten() {
            None => nodes[node] = Node::Leaf(SHRINKAGE * total.gradient / (total.curvature + RIDGE)),
            Some((feature, bin)) => {
                let left = nodes.len();
                nodes[node] = Node::Split { feature, bin, left };
                nodes.extend([Node::Leaf(0.0), Node::Leaf(0.0)]);
                let (low, high) =
                    members.into_iter().partition(|row| rows[row * binned.features + feature] <= bin);
                open.extend([(left, depth + 1, low), (left + 1, depth + 1, high)]);
            }
        }
    }
    Tree { nodes }
}

/// Returns the feature and the bin after which a split lowers the loss most, or `None` if no split does.
/// The first of equal splits is returned.
fn split(
    rows: &[u8],
    sums: &[(f64, f64)],
    binned: &Binned,
    members: &[usize],
    total: Sums,
) -> Option<(usize, u8)> {
    let mut histogram = vec![[Sums::default(); MAX_BINS]; binned.features];
    for &row in members {
        let bins = &rows[row * binned.features..][..binned.features];
        for (bins_of, &bin) in histogram.iter_mut().zip(bins) {
            let sum = &mut bins_of[usize::from(bin)];
            sum.gradient += sums[row].0;
            sum.curvature += sums[row].1;
            sum.rows += 1;
        }
    }
    let mut best = None;
    let mut most = total.score() + 1e-9;
    for (feature, bins) in histogram.iter().enumerate() {
        let mut low = Sums::default();
        for (bin, sum) in bins.iter().enumerate().take(binned.edges[feature].len()) {
            low.gradient += sum.gradient;
            low.curvature += sum.curvature;
            low.rows += sum.rows;
            let high = total.minus(low);
            if low.rows.min(high.rows) < MIN_LEAF_ROWS {
                continue;
            }
            let score = low.score() + high.score();
            if score > most {
                most = score;
                best = Some((feature, bin as u8));
            }
        }
    }
    best
}

/// Adds the values of a tree's leaves to the logits of rows.
fn add(tree: &Tree, rows: &[u8], features: usize, logits: &mut [f64]) {
    for (row, logit) in rows.chunks_exact(features).zip(logits) {
        let mut place = 0;
        *logit += loop {
            match tree.nodes[place] {
                Node::Leaf(value) => break value,
                Node::Split { feature, bin, left } => place = left + usize::from(row[feature] > bin),
            }
        };
    }
}

impl Binned {
    /// Chooses bins with about equally many rows each.
    fn new(values: &[f32], features: usize) -> Self {
        let edges = (0..features).map(|feature| {
            let mut column: Vec<f32> = values.iter().skip(feature).step_by(features).copied().collect();
            column.sort_by(f32::total_cmp);
            let place = |bin: usize| column[bin * (column.len() - 1) / MAX_BINS];
            let mut edges: Vec<f32> = (1..MAX_BINS).map(place).collect();
            edges.dedup();
            edges
        });
        Self { features, edges: edges.collect() }
    }

    fn apply(&self, values: &[f32]) -> Vec<u8> {
        let row = |row: &[f32]| -> Vec<u8> {
            row.iter()
                .zip(&self.edges)
                .map(|(x, edges)| edges.partition_point(|edge| edge < x) as u8)
                .collect()
        };
        values.chunks_exact(self.features).flat_map(row).collect()
    }
}

/// Returns the logit of the share of positives.
fn prior(labels: &[bool]) -> f64 {
    let positives = labels.iter().filter(|l| **l).count() as f64;
    (positives / (labels.len() as f64 - positives)).ln()
}

fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small deterministic pseudo-random number in (0, 1).
    fn number(index: usize) -> f32 {
        let x = ((index as f64 + 1.0) * 12.989_8).sin() * 43_758.545;
        (x - x.floor()) as f32
    }

    #[test]
    fn trees_learn_an_exclusive_or() {
        let values: Vec<f32> = (0..3000).map(number).collect();
        let labels: Vec<bool> = values.chunks(3).map(|r| (r[0] > 0.5) != (r[1] > 0.5)).collect();
        let (train, validation) = values.split_at(3 * 700);
        let boosted = predict(train, &labels[..700], validation, 3, [500, 560]);
        let auc = metric::auc(&labels[700..], &boosted.scores).unwrap();
        assert!(auc > 0.95, "{auc} with {} trees", boosted.trees);
    }

    #[test]
    fn one_leaf_is_a_step_of_newton() {
        // Too few rows for a split: the leaf is the sum of residuals over curvature and ridge.
        let labels = [true, false, false, false];
        let binned = Binned::new(&[1.0, 2.0, 3.0, 4.0], 1);
        let mut leaves = Vec::new();
        boost(&binned.apply(&[1.0, 2.0, 3.0, 4.0]), &labels, &binned, 1, |tree| {
            leaves.extend(
                tree.nodes.iter().map(|node| if let Node::Leaf(value) = node { *value } else { f64::NAN }),
            );
            true
        });
        assert_eq!(leaves.len(), 1);
        assert!(leaves[0].abs() < 1e-12, "the prior leaves no residual: {leaves:?}");
        let sums: Vec<(f64, f64)> = labels.iter().map(|&l| (f64::from(u8::from(l)) - 0.5, 0.25)).collect();
        let tree = grow(&[0, 1, 2, 3], &sums, &binned);
        let [Node::Leaf(value)] = tree.nodes[..] else { panic!("one leaf") };
        assert!((value + SHRINKAGE / (1.0 + RIDGE)).abs() < 1e-12);
    }

    #[test]
    fn noise_grows_few_trees_and_constant_features_none() {
        let values: Vec<f32> = (0..2000).map(number).collect();
        let labels: Vec<bool> = (0..1000).map(|i| number(i + 5000) > 0.5).collect();
        let boosted = predict(&values, &labels, &values[..40], 2, [700, 800]);
        assert!(boosted.trees < 60, "{}", boosted.trees);
        let flat = predict(&[1.0; 200], &labels[..200], &[1.0, 2.0], 1, [100, 150]);
        assert_eq!(flat.scores[0], flat.scores[1]);
    }
}
