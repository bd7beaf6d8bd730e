//! Rows as chunks of a fixed number of lanes: the shape in which the compiler emits vector instructions, and a sum
//! whose order is the same on every instruction set.

use super::Real;

/// Numbers in a chunk: one 512-bit vector of single precision.
pub(super) const LANES: usize = 16;

/// One chunk.
pub(super) type Chunk<T> = [T; LANES];

/// Smallest multiple of [`LANES`] that holds `n` numbers.
#[inline(always)]
pub(crate) const fn padded(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}

/// Sum over the lanes.
#[inline(always)]
pub(super) fn sum<T: Real>(chunk: Chunk<T>) -> T {
    pairwise(chunk, |a, b| a + b)
}

/// Largest of the lanes; for NaN, any.
#[inline(always)]
pub(super) fn largest<T: Real>(chunk: Chunk<T>) -> T {
    pairwise(chunk, |a, b| if b > a { b } else { a })
}

/// Joins the two halves, then the halves of the result, down to one number.
#[inline(always)]
fn pairwise<T: Real>(mut chunk: Chunk<T>, join: impl Fn(T, T) -> T) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            chunk[i] = join(chunk[i], chunk[i + half]);
        }
        half /= 2;
    }
    chunk[0]
}

/// Sums of what `f` makes of the numbers at each place of `N` equally long slices, a chunk at a time.
///
/// Loops rather than `map` over the arrays: calls of the standard library are not inlined across instruction sets.
#[inline(always)]
pub(super) fn sums<T: Real, const N: usize, const M: usize>(
    slices: [&[T]; N],
    f: impl Fn([T; N]) -> [T; M],
) -> [T; M] {
    let mut whole: [&[Chunk<T>]; N] = [&[]; N];
    let mut tails: [&[T]; N] = [&[]; N];
    for n in 0..N {
        (whole[n], tails[n]) = slices[n].as_chunks();
    }
    let mut totals = [[T::ZERO; LANES]; M];
    for c in 0..whole[0].len() {
        let mut chunks = [[T::ZERO; LANES]; N];
        for n in 0..N {
            chunks[n] = whole[n][c];
        }
        for lane in 0..LANES {
            let mut numbers = [T::ZERO; N];
            for n in 0..N {
                numbers[n] = chunks[n][lane];
            }
            let terms = f(numbers);
            for m in 0..M {
                totals[m][lane] += terms[m];
            }
        }
    }
    let mut results = [T::ZERO; M];
    for i in 0..tails[0].len() {
        let mut numbers = [T::ZERO; N];
        for n in 0..N {
            numbers[n] = tails[n][i];
        }
        let terms = f(numbers);
        for m in 0..M {
            results[m] += terms[m];
        }
    }
    for m in 0..M {
        results[m] += sum(totals[m]);
    }
    results
}
