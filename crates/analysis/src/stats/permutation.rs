//! Permutation tests.

use rand_chacha::rand_core::Rng;

use super::random::shuffle;

/// Relative difference below which two statistics differ by rounding alone.
const ROUNDING: f64 = 1e-10;

/// Returns Monte-Carlo p-values of the one-way effects of several factors, all on the same permutations of
/// the values: `(1 + #{T* >= T}) / (1 + permutations)` (Phipson & Smyth 2010), where `T` is the sum of
/// squares between groups. A factor is a code for each value and a number of groups.
pub fn one_way(
    values: &[f64],
    factors: &[(&[usize], usize)],
    permutations: usize,
    rng: &mut impl Rng,
) -> Vec<f64> {
    let center = super::moments::mean(values.iter().copied()).unwrap_or(0.0);
    let mut values: Vec<f64> = values.iter().map(|value| value - center).collect();
    let mut between: Vec<Between> =
        factors.iter().map(|(codes, groups)| Between::new(codes, *groups)).collect();
    let observed: Vec<f64> = between.iter_mut().map(|between| between.of(&values)).collect();
    let mut reached = vec![1_u64; factors.len()];
    for _ in 0..permutations {
        shuffle(rng, &mut values);
        for ((between, observed), reached) in between.iter_mut().zip(&observed).zip(&mut reached) {
            *reached += u64::from(between.of(&values) >= observed * (1.0 - ROUNDING));
        }
    }
    reached.into_iter().map(|reached| reached as f64 / (permutations + 1) as f64).collect()
}

/// Returns the exact p-value of a one-way effect over every distinct assignment of values to groups; `None`
/// where there are more than `most` assignments.
pub fn one_way_exact(values: &[f64], codes: &[usize], groups: usize, most: usize) -> Option<f64> {
    let center = super::moments::mean(values.iter().copied())?;
    let values: Vec<f64> = values.iter().map(|value| value - center).collect();
    let observed = Between::new(codes, groups).of(&values);
    let mut assignment = codes.to_vec();
    assignment.sort_unstable();
    let (mut count, mut reached) = (0_usize, 0_usize);
    loop {
        count += 1;
        if count > most {
            return None;
        }
        let statistic = Between::new(&assignment, groups).of(&values);
        reached += usize::from(statistic >= observed * (1.0 - ROUNDING));
        if !next_permutation(&mut assignment) {
            return Some(reached as f64 / count as f64);
        }
    }
}

/// Moves to the next assignment in lexicographic order; `false` after the last.
fn next_permutation(items: &mut [usize]) -> bool {
    let Some(pivot) = (1..items.len()).rev().find(|&i| items[i - 1] < items[i]) else { return false };
    let swap = (pivot..items.len()).rev().find(|&i| items[i] > items[pivot - 1]).unwrap_or(pivot);
    items.swap(pivot - 1, swap);
    items[pivot..].reverse();
    true
}

/// Computes the sum of squares between groups of centred values.
struct Between<'a> {
    codes: &'a [usize],
    counts: Vec<f64>,
    sums: Vec<f64>,
}

impl<'a> Between<'a> {
    fn new(codes: &'a [usize], groups: usize) -> Self {
        let mut counts = vec![0.0; groups];
        for &code in codes {
            counts[code] += 1.0;
        }
        Self { codes, counts, sums: vec![0.0; groups] }
    }

    fn of(&mut self, values: &[f64]) -> f64 {
        self.sums.fill(0.0);
        for (&code, value) in self.codes.iter().zip(values) {
            self.sums[code] += value;
        }
        self.sums.iter().zip(&self.counts).map(|(sum, count)| sum * sum / count.max(1.0)).sum()
    }
}
