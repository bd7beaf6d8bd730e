//! AUC on many resamples of the same rows.

/// A model's rows sorted by score, for any number of resamples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedRows {
    /// Rows by ascending score, each with its class.
    rows: Vec<(u32, bool)>,
    /// Whether each row has the same score as the row before it.
    is_tied: Vec<bool>,
}

impl SortedRows {
    /// Sorts the rows. `labels` and `scores` have the same length; scores are finite.
    pub fn new(labels: &[bool], scores: &[f32]) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        let score = |row: u32| scores[row as usize];
        order.sort_by(|&a, &b| score(a).total_cmp(&score(b)));
        let is_tied = (0..order.len())
            .map(|place| place > 0 && score(order[place]) == score(order[place - 1]))
            .collect();
        Self { rows: order.into_iter().map(|row| (row, labels[row as usize])).collect(), is_tied }
    }

    /// Returns the AUC where row `r` has the weight `weights[r]` and ties count half; `None` where a class
    /// has no weight. Takes time linear in the number of rows.
    pub fn auc(&self, weights: &[f64]) -> Option<f64> {
        let (mut won, mut negatives, mut positives) = (0.0, 0.0, 0.0);
        let (mut tied_negatives, mut tied_positives) = (0.0, 0.0);
        for (&(row, is_positive), &is_tied) in self.rows.iter().zip(&self.is_tied) {
            if !is_tied {
                won += tied_positives * (negatives + 0.5 * tied_negatives);
                negatives += tied_negatives;
                positives += tied_positives;
                (tied_negatives, tied_positives) = (0.0, 0.0);
            }
            let weight = weights[row as usize];
            if is_positive {
                tied_positives += weight;
            } else {
                tied_negatives += weight;
            }
        }
        won += tied_positives * (negatives + 0.5 * tied_negatives);
        negatives += tied_negatives;
        positives += tied_positives;
        (negatives > 0.0 && positives > 0.0).then(|| won / (negatives * positives))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes the AUC by its definition, from every pair of a positive and a negative row.
    fn by_pairs(labels: &[bool], scores: &[f32], weights: &[f64]) -> Option<f64> {
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..labels.len()).filter(|&i| labels[i]) {
            for j in (0..labels.len()).filter(|&j| !labels[j]) {
                let weight = weights[i] * weights[j];
                pairs += weight;
                won += weight
                    * match scores[i].total_cmp(&scores[j]) {
                        std::cmp::Ordering::Less => 0.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Greater => 1.0,
                    };
            }
        }
        (pairs > 0.0).then(|| won / pairs)
    }

    proptest::proptest! {
        #[test]
        fn equals_the_definition(
            rows in proptest::collection::vec((proptest::bool::ANY, 0..6_u8, 0..4_u8), 0..24),
        ) {
            let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f32> = rows.iter().map(|row| f32::from(row.1)).collect();
            let weights: Vec<f64> = rows.iter().map(|row| f64::from(row.2)).collect();
            let fast = SortedRows::new(&labels, &scores).auc(&weights);
            let slow = by_pairs(&labels, &scores, &weights);
            proptest::prop_assert_eq!(fast.is_some(), slow.is_some());
            if let Some((fast, slow)) = fast.zip(slow) {
                proptest::prop_assert!((fast - slow).abs() < 1e-12, "{} {}", fast, slow);
            }
        }
    }
}
