//! Gradient-boosted trees on single rows (Friedman 2001), with histograms and Newton leaves (Chen &
//! Guestrin 2016). Each round grows one tree, or one tree per class.

use super::targets::Targets;

/// Maximum bins of a feature. The number of a bin fits into a byte.
const MAX_BINS: usize = 64;
/// Maximum splits from the root to a leaf.
const MAX_DEPTH: usize = 3;
/// Maximum number of rounds.
const MAX_ROUNDS: usize = 200;
/// Maximum number of trees in all rounds, which is reached with many classes only.
const MAX_TREES: usize = 1000;
/// Factor of each tree's step.
const SHRINKAGE: f64 = 0.05;
/// Minimum rows in a leaf.
const MIN_LEAF_ROWS: usize = 20;
/// Added to the curvature of a leaf.
const RIDGE: f64 = 1.0;
/// Number of rounds without a lower loss on the held-out rows after which the search for their number stops.
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

/// Predictions of the baseline, and its number of rounds.
pub(super) struct Boosted {
    /// Probabilities or numbers, a row per validation row.
    pub(super) predictions: Vec<f32>,
    /// Number of rounds.
    pub(super) rounds: usize,
}

/// Fits row-major `train` and predicts `validation`.
///
/// The number of rounds is the one with the lowest loss on the rows from `compared` on, after fitting the
/// rows before `fitted`. Then all rows are fitted.
pub(super) fn predict(
    train: &[f32],
    targets: Targets<'_>,
    validation: &[f32],
    features: usize,
    [fitted, compared]: [usize; 2],
) -> Boosted {
    let rounds = choose(train, targets, features, [fitted, compared]);
    let binned = Binned::new(train, features);
    let rows = binned.apply(validation);
    let mut outputs = targets.start().repeat(validation.len() / features);
    boost(&binned.apply(train), targets, &binned, rounds, |trees| {
        add(trees, &rows, features, &mut outputs);
        true
    });
    Boosted { predictions: targets.predictions(&outputs), rounds }
}

fn choose(values: &[f32], targets: Targets<'_>, features: usize, [fitted, compared]: [usize; 2]) -> usize {
    let most = MAX_ROUNDS.min(MAX_TREES / targets.outputs());
    let (learned, judged) = (targets.part(0..fitted), targets.part(compared..targets.rows()));
    if !learned.vary() || judged.rows() == 0 {
        return most / 2;
    }
    let binned = Binned::new(&values[..fitted * features], features);
    let held_out = binned.apply(&values[compared * features..]);
    let mut outputs = learned.start().repeat(judged.rows());
    let (mut best, mut lowest, mut grown) = (0, f64::INFINITY, 0);
    let rows = binned.apply(&values[..fitted * features]);
    boost(&rows, learned, &binned, most, |trees| {
        grown += 1;
        add(trees, &held_out, features, &mut outputs);
        let loss = judged.loss(&judged.predictions(&outputs));
        if loss < lowest {
            (best, lowest) = (grown, loss);
        }
        grown < best + PATIENCE
    });
    best
}

/// Grows rounds of trees one after the other, each on the gradient of the loss after the previous ones, until
/// there are `most` or `each` returns `false`.
fn boost(
    rows: &[u8],
    targets: Targets<'_>,
    binned: &Binned,
    most: usize,
    mut each: impl FnMut(&[Tree]) -> bool,
) {
    let mut outputs = targets.start().repeat(targets.rows());
    for _ in 0..most {
        let trees: Vec<Tree> =
            targets.derivatives(&outputs).iter().map(|sums| grow(rows, sums, binned)).collect();
        add(&trees, rows, binned.features, &mut outputs);
        if !each(&trees) {
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

/// Adds the values of the leaves of a round's trees to the outputs of rows, a column per tree.
fn add(trees: &[Tree], rows: &[u8], features: usize, outputs: &mut [f64]) {
    for (row, outputs) in rows.chunks_exact(features).zip(outputs.chunks_exact_mut(trees.len())) {
        for (tree, output) in trees.iter().zip(outputs) {
            *output += tree.value(row);
        }
    }
}

impl Tree {
    fn value(&self, row: &[u8]) -> f64 {
        let mut place = 0;
        loop {
            match self.nodes[place] {
                Node::Leaf(value) => break value,
                Node::Split { feature, bin, left } => place = left + usize::from(row[feature] > bin),
            }
        }
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::metric;

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
        let boosted = predict(train, Targets::Binary(&labels[..700]), validation, 3, [500, 560]);
        let auc = metric::auc(&labels[700..], &boosted.predictions).unwrap();
        assert!(auc > 0.95, "{auc} with {} trees", boosted.rounds);
    }

    #[test]
    fn one_leaf_is_a_step_of_newton() {
        // Too few rows for a split: the leaf is the sum of residuals over curvature and ridge.
        let labels = [true, false, false, false];
        let binned = Binned::new(&[1.0, 2.0, 3.0, 4.0], 1);
        let mut leaves = Vec::new();
        boost(&binned.apply(&[1.0, 2.0, 3.0, 4.0]), Targets::Binary(&labels), &binned, 1, |trees| {
            leaves.extend(
                trees[0]
                    .nodes
                    .iter()
                    .map(|node| if let Node::Leaf(value) = node { *value } else { f64::NAN }),
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
        let boosted = predict(&values, Targets::Binary(&labels), &values[..40], 2, [700, 800]);
        assert!(boosted.rounds < 60, "{}", boosted.rounds);
        let flat = predict(&[1.0; 200], Targets::Binary(&labels[..200]), &[1.0, 2.0], 1, [100, 150]);
        assert_eq!(flat.predictions[0], flat.predictions[1]);
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        features: usize,
        classes: usize,
        rounds: usize,
        values: Vec<f32>,
        targets: Vec<f32>,
        predictions: Vec<f32>,
    }

    /// Where each feature has at most as many values as there are bins, scikit-learn's bins are these and
    /// its trees differ by rounding alone.
    #[test]
    fn trees_are_those_of_scikit_learn() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../tests/oracle/boosting.json")).expect("oracle is valid");
        for case in &cases {
            let classes: Vec<usize> = case.targets.iter().map(|t| *t as usize).collect();
            let numbers: Vec<f64> = case.targets.iter().map(|t| f64::from(*t)).collect();
            let targets = match case.classes {
                0 => Targets::Numbers(&numbers),
                count => Targets::Classes(&classes, count),
            };
            let binned = Binned::new(&case.values, case.features);
            let rows = binned.apply(&case.values);
            let mut outputs = targets.start().repeat(targets.rows());
            boost(&rows, targets, &binned, case.rounds, |trees| {
                add(trees, &rows, case.features, &mut outputs);
                true
            });
            let predictions = targets.predictions(&outputs);
            assert_eq!(predictions.len(), case.predictions.len(), "{}", case.name);
            for (ours, theirs) in predictions.iter().zip(&case.predictions) {
                assert!((ours - theirs).abs() < 1e-5, "{}: {ours}, scikit-learn {theirs}", case.name);
            }
        }
        assert_eq!(cases.len(), 3);
    }
}
