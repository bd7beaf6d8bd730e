//! Several tests at once where some false alarms are acceptable.

/// Benjamini and Hochberg's (1995) adjustment: the smallest share of false alarms among the tests called at
/// which each test would be called, in the order given. Each is at most 1; for independent or positively
/// dependent tests.
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
