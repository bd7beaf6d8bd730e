//! Expected best of `k` trials, drawn from those that were run.

/// Returns the expected maximum of `k` draws without replacement: `sum_{i >= k} v_(i) C(i-1, k-1) / C(n, k)`
/// over the values in ascending order (Tang et al. 2020, eq. 4). It is unbiased for new trials of the same
/// search. `None` for `k` outside `1..=n`.
pub fn without_replacement(ascending: &[f64], k: usize) -> Option<f64> {
    let weights = weights(ascending.len(), k)?;
    // From the largest weight to the smallest.
    Some(ascending.iter().zip(&weights).rev().map(|(value, weight)| weight * value).sum())
}

/// Returns the weight of each of `n` ascending values in [`without_replacement`]. `None` for `k` outside
/// `1..=n`.
pub fn weights(n: usize, k: usize) -> Option<Vec<f64>> {
    if k == 0 || k > n {
        return None;
    }
    // The largest value has the weight k / n; the ratio of binomial coefficients gives each smaller one.
    let mut weights = vec![0.0; n];
    let mut weight = k as f64 / n as f64;
    for position in (k - 1..n).rev() {
        weights[position] = weight;
        weight *= (position + 1 - k) as f64 / position.max(1) as f64;
    }
    Some(weights)
}

/// Returns [`without_replacement`] with each value left out in turn, in `O(n)`. `None` for `k` outside
/// `1..n`.
pub fn left_out(ascending: &[f64], k: usize) -> Option<Vec<f64>> {
    let n = ascending.len();
    // The weights of n - 1 values; values above the one left out move down by a place.
    let weights = weights(n.checked_sub(1)?, k)?;
    let mut above: f64 = weights.iter().zip(&ascending[1..]).map(|(weight, value)| weight * value).sum();
    let mut below = 0.0;
    let mut sums = Vec::with_capacity(n);
    for position in 0..n {
        sums.push(below + above);
        if position + 1 < n {
            below += weights[position] * ascending[position];
            above -= weights[position] * ascending[position + 1];
        }
    }
    Some(sums)
}

/// Returns the expected maximum of `k` draws with replacement: `sum_i v_(i) ((i/n)^k - ((i-1)/n)^k)` (Dodge
/// et al. 2019, eq. 7). It is biased low but defined for any `k`. `None` without values or for `k` of 0.
pub fn with_replacement(ascending: &[f64], k: usize) -> Option<f64> {
    let n = ascending.len() as f64;
    if ascending.is_empty() || k == 0 {
        return None;
    }
    let share = |i: usize| (i as f64 / n).powf(k as f64);
    Some(ascending.iter().enumerate().map(|(i, value)| value * (share(i + 1) - share(i))).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_out_one_by_one() {
        let ascending = [-3.0, -1.0, 0.5, 0.5, 2.0, 7.0];
        for k in 1..6 {
            let sums = left_out(&ascending, k).unwrap();
            for (position, sum) in sums.iter().enumerate() {
                let mut others = ascending.to_vec();
                others.remove(position);
                assert!((sum - without_replacement(&others, k).unwrap()).abs() < 1e-12, "{k} {position}");
            }
        }
        assert_eq!(left_out(&ascending, 6), None);
    }
}
