//! Adjustment of several tests that accepts some false alarms.

/// Returns p-values adjusted by Benjamini and Hochberg (1995), in the order given: for each test, the
/// smallest false discovery rate at which it is rejected. Each is at most 1. Valid for independent or
/// positively dependent tests.
pub fn adjust(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut smallest: f64 = 1.0;
    for (above, &position) in order.iter().enumerate() {
        let rank = p_values.len() - above;
        smallest = smallest.min(p_values[position] * p_values.len() as f64 / rank as f64);
        adjusted[position] = smallest;
    }
    adjusted
}
