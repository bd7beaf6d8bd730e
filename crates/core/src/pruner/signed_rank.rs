//! The signed-rank test (Wilcoxon 1945), one-sided, zeros split between both signs.

use crate::normal;

/// Differences beyond which the normal approximation is taken.
const EXACT: usize = 50;
/// Differences up to which all signs are tried where there are ties.
const PERMUTED: usize = 13;

/// Which differences count as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// Negative ones.
    Less,
    /// Positive ones.
    Greater,
}

/// Probability, without a difference, of a sum of ranks at least as extreme. As SciPy's `wilcoxon` with `zsplit` and
/// its method `auto`: exact up to 50 differences without ties and zeros, by all signs up to 13 with ties, else by the normal
/// approximation with the correction for ties.
pub(super) fn p_value(differences: &[f64], tail: Tail) -> f64 {
    // The test of negative differences is that of positive ones with the signs turned.
    let signed: Vec<f64> = match tail {
        Tail::Greater => differences.to_vec(),
        Tail::Less => differences.iter().map(|d| -d).collect(),
    };
    let n = signed.len();
    let (ranks, ties) = ranks(&signed);
    let positive: f64 = signed.iter().zip(&ranks).map(|(d, rank)| share(*d) * rank).sum();
    let is_plain = ties == 0.0 && signed.iter().all(|d| *d != 0.0);
    if n <= EXACT && is_plain {
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

/// Share of a rank that counts as positive.
fn share(difference: f64) -> f64 {
    if difference > 0.0 {
        1.0
    } else if difference == 0.0 {
        0.5
    } else {
        0.0
    }
}

/// Mean ranks of the magnitudes from 1, and the sum of t^3 - t over groups of t equal ones.
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

/// Probability that the ranks 1 to `n` with random signs sum to at least `sum`.
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

/// As [`upper_tail`] for ranks with ties and zeros, over every choice of signs.
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
    // Ranks are multiples of a half: sums differ by rounding or by at least a quarter.
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
