//! Rows as chunks of a fixed number of lanes: the shape in which the compiler emits vector instructions, and a sum
//! whose order is the same on every instruction set.

use super::Real;

/// Numbers in a chunk: one 512-bit vector of single precision.
pub(super) const LANES: usize = 16;

/// One chunk.
pub(super) type Chunk<T> = [T; LANES];

/// Smallest multiple of [`LANES`] that holds `n` numbers.
#[inline(always)]
pub(super) const fn padded(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}

/// Sum over the lanes, pairwise.
#[inline(always)]
pub(super) fn sum<T: Real>(chunk: Chunk<T>) -> T {
    let mut eight = [T::ZERO; 8];
    for i in 0..8 {
        eight[i] = chunk[i] + chunk[i + 8];
    }
    let mut four = [T::ZERO; 4];
    for i in 0..4 {
        four[i] = eight[i] + eight[i + 4];
    }
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Sums of what `f` makes of the numbers at each place of `N` equally long slices, a chunk at a time.
#[inline(always)]
pub(super) fn sums<T: Real, const N: usize, const M: usize>(
    slices: [&[T]; N],
    f: impl Fn([T; N]) -> [T; M],
) -> [T; M] {
    let parts = slices.map(|s| s.as_chunks::<LANES>());
    let mut totals = [[T::ZERO; LANES]; M];
    for c in 0..parts[0].0.len() {
        let chunks = parts.map(|(whole, _)| whole[c]);
        for lane in 0..LANES {
            let terms = f(chunks.map(|chunk| chunk[lane]));
            for m in 0..M {
                totals[m][lane] += terms[m];
            }
        }
    }
    let mut rest = [T::ZERO; M];
    for i in 0..parts[0].1.len() {
        let terms = f(parts.map(|(_, tail)| tail[i]));
        for m in 0..M {
            rest[m] += terms[m];
        }
    }
    std::array::from_fn(|m| sum(totals[m]) + rest[m])
}
