//! The one-sided signed-rank test (Wilcoxon 1945), with the ranks of zeros split between both signs.

use crate::normal;

/// Largest number of differences for the exact distribution; beyond, the normal approximation is used.
const EXACT: usize = 50;
/// Largest number of differences for which, with ties, all sign combinations are enumerated.
const PERMUTED: usize = 13;

/// The alternative hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// The differences are negative.
    Less,
    /// The differences are positive.
    Greater,
}

/// The p-value: the probability under the null hypothesis of a sum of ranks at least as extreme. Equivalent
/// to SciPy's `wilcoxon` with `zsplit` and method `auto`: exact up to 50 differences without ties and zeros,
/// by all sign combinations up to 13 differences with ties, otherwise by the normal approximation with
/// correction for ties.
pub(super) fn p_value(differences: &[f64], tail: Tail) -> f64 {
    // A test for negative differences is a test for positive ones with the signs reversed.
    let signed: Vec<f64> = match tail {
        Tail::Greater => differences.to_vec(),
        Tail::Less => differences.iter().map(|d| -d).collect(),
    };
    let n = signed.len();
    let (ranks, ties) = ranks(&signed);
    let positive: f64 = signed.iter().zip(&ranks).map(|(d, rank)| share(*d) * rank).sum();
    let is_regular = ties == 0.0 && signed.iter().all(|d| *d != 0.0);
    if n <= EXACT && is_regular {
        return upper_tail(n, positive as usize);
    }
    if n <= PERMUTED {
        return permuted(&signed, &ranks, positive);
    }
    let count = n as f64;
    let mean = count * (count + 1.0) / 4.0;
    let sd = ((count * (count + 1.0) * (2.0 * count + 1.0) - ties / 2.0) / 24.0).sqrt();
    normal::upper_tail((positive - mean) / sd)
}

/// The share of a rank that is added to the positive sum.
fn share(difference: f64) -> f64 {
    if difference > 0.0 {
        1.0
    } else if difference == 0.0 {
        0.5
    } else {
        0.0
    }
}

/// The mean ranks of the magnitudes, from 1, and the sum of t^3 - t over groups of t ties.
fn ranks(differences: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..differences.len()).collect();
    order.sort_by(|a, b| differences[*a].abs().total_cmp(&differences[*b].abs()));
    let (mut ranks, mut ties, mut before) = (vec![0.0; differences.len()], 0.0, 0);
    for group in order.chunk_by(|a, b| differences[*a].abs() == differences[*b].abs()) {
        let t = group.len() as f64;
        for place in group {
            ranks[*place] = before as f64 + f64::midpoint(t, 1.0);
        }
        ties += t.powi(3) - t;
        before += group.len();
    }
    (ranks, ties)
}

/// The probability that the ranks 1 to `n` with random signs sum to at least `sum`.
fn upper_tail(n: usize, sum: usize) -> f64 {
    let most = n * (n + 1) / 2;
    let mut ways = vec![0.0; most + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for total in (rank..=most).rev() {
            ways[total] += ways[total - rank];
        }
    }
    ways[sum..].iter().sum::<f64>() / 2f64.powi(n as i32)
}

/// The probability of [`upper_tail`] for ranks with ties and zeros, over all sign combinations.
fn permuted(differences: &[f64], ranks: &[f64], positive: f64) -> f64 {
    let zeros: f64 =
        differences.iter().zip(ranks).filter(|(d, _)| **d == 0.0).map(|(_, rank)| rank / 2.0).sum();
    let signed: Vec<f64> =
        differences.iter().zip(ranks).filter(|(d, _)| **d != 0.0).map(|(_, rank)| *rank).collect();
    let choices = 1_u32 << signed.len();
    let sum = |choice: u32| -> f64 {
        let chosen = signed.iter().enumerate().filter(|(place, _)| choice >> place & 1 == 1);
        zeros + chosen.map(|(_, rank)| rank).sum::<f64>()
    };
    // Ranks are multiples of 1/2, so sums differ by rounding errors or by at least 1/4.
    let extreme = (0..choices).filter(|choice| sum(*choice) >= positive - 0.1).count();
    extreme as f64 / f64::from(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_scipys() {
        let oracle: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/oracle/pruners.json")).unwrap();
        for case in oracle["signed_rank"].as_array().unwrap() {
            let differences: Vec<f64> =
                case["differences"].as_array().unwrap().iter().map(|d| d.as_f64().unwrap()).collect();
            let tail = if case["tail"] == "less" { Tail::Less } else { Tail::Greater };
            let (ours, theirs) = (p_value(&differences, tail), case["p"].as_f64().unwrap());
            assert!((ours - theirs).abs() < 1e-12, "{ours} {theirs} {case}");
        }
    }
}
