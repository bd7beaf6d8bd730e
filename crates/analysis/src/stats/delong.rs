//! AUC and its sampling error from scores.

use super::rank::mid_ranks;

/// AUC of several models scored on the same rows, with their covariance over new rows.
#[derive(Debug, Clone, PartialEq)]
pub struct DeLong {
    /// AUC of each model.
    pub auc: Vec<f64>,
    /// Covariance matrix of the AUCs, row by row.
    pub covariance: Vec<Vec<f64>>,
}

impl DeLong {
    /// Returns the standard error of one AUC.
    pub fn standard_error(&self, model: usize) -> f64 {
        self.covariance[model][model].max(0.0).sqrt()
    }

    /// Returns the AUC of the first model less that of the second, and the standard error of this difference.
    pub fn difference(&self, first: usize, second: usize) -> (f64, f64) {
        let variance = self.covariance[first][first] + self.covariance[second][second]
            - 2.0 * self.covariance[first][second];
        (self.auc[first] - self.auc[second], variance.max(0.0).sqrt())
    }
}

/// Returns the AUCs and their covariance as estimated by DeLong, DeLong & Clarke-Pearson (1988), in `O(n log
/// n)` per model by mid-ranks (Sun & Xu 2014, alg. 2). `scores` has one list per model, each as long as
/// `labels`. `None` with fewer than two rows of a class.
pub fn delong(labels: &[bool], scores: &[&[f64]]) -> Option<DeLong> {
    let positives: Vec<usize> = (0..labels.len()).filter(|&row| labels[row]).collect();
    let negatives: Vec<usize> = (0..labels.len()).filter(|&row| !labels[row]).collect();
    let (m, n) = (positives.len() as f64, negatives.len() as f64);
    if m < 2.0 || n < 2.0 || scores.iter().any(|scores| scores.len() != labels.len()) {
        return None;
    }
    let mut auc = Vec::with_capacity(scores.len());
    let (mut above, mut below) = (Vec::new(), Vec::new());
    for scores in scores {
        let pick = |rows: &[usize]| rows.iter().map(|&row| scores[row]).collect::<Vec<f64>>();
        let ranks = mid_ranks(scores);
        let (own_positive, own_negative) = (mid_ranks(&pick(&positives)), mid_ranks(&pick(&negatives)));
        // Share of the rows of the other class that score lower than a row.
        let beaten: Vec<f64> =
            positives.iter().zip(&own_positive).map(|(&row, own)| (ranks[row] - own) / n).collect();
        let beats: Vec<f64> =
            negatives.iter().zip(&own_negative).map(|(&row, own)| 1.0 - (ranks[row] - own) / m).collect();
        auc.push(super::moments::mean(beaten.iter().copied())?);
        above.push(beaten);
        below.push(beats);
    }
    let covariance = (0..scores.len())
        .map(|i| {
            let entry =
                |j: usize| covariance(&above[i], &above[j]) / m + covariance(&below[i], &below[j]) / n;
            (0..scores.len()).map(entry).collect()
        })
        .collect();
    Some(DeLong { auc, covariance })
}

fn covariance(first: &[f64], second: &[f64]) -> f64 {
    let mean = |values: &[f64]| super::moments::mean(values.iter().copied()).unwrap_or(0.0);
    let (a, b) = (mean(first), mean(second));
    first.iter().zip(second).map(|(x, y)| (x - a) * (y - b)).sum::<f64>() / (first.len() - 1) as f64
}
