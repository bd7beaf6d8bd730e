//! Adjustment of several tests that controls the probability of any false alarm.

/// Returns p-values adjusted by Holm's step-down method (1979), in the order given, to be compared with the
/// level of the whole family. Each is at most 1. Valid under any dependence.
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &position) in order.iter().enumerate() {
        largest = largest.max(p_values[position] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[position] = largest;
    }
    adjusted
}

/// Applies [`adjust`] to the p-values that are present; the others stay `None`.
pub fn adjust_known(p_values: impl IntoIterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    let p_values: Vec<Option<f64>> = p_values.into_iter().collect();
    let mut adjusted = adjust(&p_values.iter().flatten().copied().collect::<Vec<f64>>()).into_iter();
    p_values.into_iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_tests_are_no_family() {
        assert_eq!(adjust_known([None, Some(0.04), None, Some(0.01)]), [None, Some(0.04), None, Some(0.02)]);
        assert_eq!(adjust_known([None, None]), [None, None]);
    }
}
