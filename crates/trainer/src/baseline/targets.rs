//! What baselines predict, and the losses by which they are fitted and compared.

use std::ops::Range;

use crate::metric;

/// Targets of rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Targets<'a> {
    /// Labels that are true or false. The output of a model is a logit.
    Binary(&'a [bool]),
    /// Numbers of classes, and the number of classes. The outputs are a logit per class.
    Classes(&'a [usize], usize),
    /// Numbers. The output is a number.
    Numbers(&'a [f64]),
}

impl<'a> Targets<'a> {
    /// Returns the number of rows.
    pub(super) fn rows(self) -> usize {
        match self {
            Self::Binary(labels) => labels.len(),
            Self::Classes(labels, _) => labels.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Returns the number of outputs of a model for a row.
    pub(super) fn outputs(self) -> usize {
        if let Self::Classes(_, classes) = self { classes } else { 1 }
    }

    /// Returns the targets of some rows.
    pub(super) fn part(self, rows: Range<usize>) -> Targets<'a> {
        match self {
            Self::Binary(labels) => Targets::Binary(&labels[rows]),
            Self::Classes(labels, classes) => Targets::Classes(&labels[rows], classes),
            Self::Numbers(numbers) => Targets::Numbers(&numbers[rows]),
        }
    }

    /// Whether not all targets are equal.
    pub(super) fn vary(self) -> bool {
        match self {
            Self::Binary(labels) => labels.contains(&true) && labels.contains(&false),
            Self::Classes(labels, _) => labels.iter().any(|label| *label != labels[0]),
            Self::Numbers(numbers) => numbers.iter().any(|number| *number != numbers[0]),
        }
    }

    /// Returns the outputs of the best constant model: logits of shares, or the mean.
    pub(super) fn start(self) -> Vec<f64> {
        let rows = self.rows() as f64;
        match self {
            Self::Binary(labels) => {
                let positives = labels.iter().filter(|label| **label).count() as f64;
                vec![(positives / (rows - positives)).ln()]
            }
            Self::Classes(labels, classes) => {
                let count = |class| labels.iter().filter(|label| **label == class).count() as f64;
                (0..classes).map(|class| (count(class) / rows).ln()).collect()
            }
            Self::Numbers(numbers) => vec![numbers.iter().sum::<f64>() / rows.max(1.0)],
        }
    }

    /// Returns the negative gradient and the curvature of the loss at the outputs of each row, by output.
    ///
    /// The losses are the log loss and half the squared error. Of the curvatures for several classes only the
    /// diagonal is used (Friedman 2001, section 4.6).
    pub(super) fn derivatives(self, outputs: &[f64]) -> Vec<Vec<(f64, f64)>> {
        let of_share = |is_own: bool, p: f64| (f64::from(u8::from(is_own)) - p, p * (1.0 - p));
        match self {
            Self::Binary(labels) => {
                let rows = outputs.iter().zip(labels);
                vec![rows.map(|(&z, &label)| of_share(label, probability(z))).collect()]
            }
            Self::Classes(labels, classes) => {
                let mut derivatives = vec![Vec::with_capacity(labels.len()); classes];
                let mut shares = vec![0.0; classes];
                for (row, &label) in outputs.chunks_exact(classes).zip(labels) {
                    softmax(row, &mut shares);
                    for (class, (of_class, &p)) in derivatives.iter_mut().zip(&shares).enumerate() {
                        of_class.push(of_share(class == label, p));
                    }
                }
                derivatives
            }
            Self::Numbers(numbers) => {
                vec![outputs.iter().zip(numbers).map(|(output, number)| (number - output, 1.0)).collect()]
            }
        }
    }

    /// Returns the predictions of outputs: probabilities, or the numbers themselves.
    pub(super) fn predictions(self, outputs: &[f64]) -> Vec<f32> {
        match self {
            Self::Binary(_) => outputs.iter().map(|&z| probability(z) as f32).collect(),
            Self::Classes(_, classes) => {
                let mut shares = vec![0.0; classes];
                let row = |row: &[f64]| {
                    softmax(row, &mut shares);
                    shares.iter().map(|p| *p as f32).collect::<Vec<f32>>()
                };
                outputs.chunks_exact(classes).flat_map(row).collect()
            }
            Self::Numbers(_) => outputs.iter().map(|number| *number as f32).collect(),
        }
    }

    /// Returns the mean log loss or squared error of predictions; infinite without rows.
    pub(super) fn loss(self, predictions: &[f32]) -> f64 {
        let loss = match self {
            Self::Binary(labels) => metric::log_loss(labels, predictions),
            Self::Classes(labels, _) => {
                metric::evaluate_classes(labels, predictions).get("log_loss").copied()
            }
            Self::Numbers(numbers) => metric::evaluate_numbers(numbers, predictions).get("mse").copied(),
        };
        loss.unwrap_or(f64::INFINITY)
    }
}

fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Writes the probabilities of logits, of which at least one is finite.
fn softmax(logits: &[f64], shares: &mut [f64]) {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for (share, logit) in shares.iter_mut().zip(logits) {
        *share = (logit - most).exp();
        sum += *share;
    }
    for share in shares {
        *share /= sum;
    }
}
