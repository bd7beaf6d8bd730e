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

/// Sum of `f(i)` over `0..n`, a chunk at a time.
#[inline(always)]
pub(super) fn sum_over<T: Real>(n: usize, f: impl Fn(usize) -> T) -> T {
    let mut total = [T::ZERO; LANES];
    let whole = n / LANES * LANES;
    let mut start = 0;
    while start < whole {
        for (lane, t) in total.iter_mut().enumerate() {
            *t += f(start + lane);
        }
        start += LANES;
    }
    let mut rest = T::ZERO;
    for i in whole..n {
        rest += f(i);
    }
    sum(total) + rest
}
