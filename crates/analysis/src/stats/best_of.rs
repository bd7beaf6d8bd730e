//! Expected best of `k` trials, drawn from those that were run.

/// Expected maximum of `k` draws without replacement: `sum_{i >= k} v_(i) C(i-1, k-1) / C(n, k)` over the values in
/// ascending order (Tang et al. 2020, eq. 4), unbiased for new trials of the same search. `None` for `k` outside
/// `1..=n`.
pub fn without_replacement(ascending: &[f64], k: usize) -> Option<f64> {
    let n = ascending.len();
    if k == 0 || k > n {
        return None;
    }
    // The weight of the largest is k / n; each next smaller one follows by the ratio of binomial coefficients.
    let mut weight = k as f64 / n as f64;
    let mut sum = 0.0;
    for position in (k - 1..n).rev() {
        sum += weight * ascending[position];
        weight *= (position + 1 - k) as f64 / position.max(1) as f64;
    }
    Some(sum)
}

/// Expected maximum of `k` draws with replacement: `sum_i v_(i) ((i/n)^k - ((i-1)/n)^k)` (Dodge et al. 2019, eq. 7);
/// biased low, defined for any `k`. `None` without values or for `k` of 0.
pub fn with_replacement(ascending: &[f64], k: usize) -> Option<f64> {
    let n = ascending.len() as f64;
    if ascending.is_empty() || k == 0 {
        return None;
    }
    let share = |i: usize| (i as f64 / n).powf(k as f64);
    Some(ascending.iter().enumerate().map(|(i, value)| value * (share(i + 1) - share(i))).sum())
}
