//! Rows as chunks of a fixed number of lanes, for which the compiler emits vector instructions, and sums
//! whose order is the same on every instruction set.

use super::Real;

/// Numbers in a chunk: one 512-bit vector of single precision.
pub(super) const LANES: usize = 16;

/// A chunk of numbers.
pub(super) type Chunk<T> = [T; LANES];

/// Returns the smallest multiple of [`LANES`] that is at least `n`.
#[inline(always)]
pub(crate) const fn padded(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}

/// Returns the sum over the lanes.
#[inline(always)]
pub(super) fn sum<T: Real>(chunk: Chunk<T>) -> T {
    pairwise(chunk, |a, b| a + b)
}

/// Returns the largest of the lanes, or any of them if one is NaN.
#[inline(always)]
pub(super) fn largest<T: Real>(chunk: Chunk<T>) -> T {
    pairwise(chunk, |a, b| if b > a { b } else { a })
}

/// Combines the two halves, then the halves of the result, down to one number.
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

/// Returns the sums of `f` over the indices of `N` slices of equal length, computed in chunks.
///
/// Loops and not `map` over the arrays, because calls of the standard library are not inlined across
/// instruction sets.
#[inline(always)]
pub(super) fn sums<T: Real, const N: usize, const M: usize>(
    slices: [&[T]; N],
    f: impl Fn([T; N]) -> [T; M],
) -> [T; M] {
    let mut chunked: [&[Chunk<T>]; N] = [&[]; N];
    let mut tails: [&[T]; N] = [&[]; N];
    for n in 0..N {
        (chunked[n], tails[n]) = slices[n].as_chunks();
    }
    let mut totals = [[T::ZERO; LANES]; M];
    for c in 0..chunked[0].len() {
        let mut chunks = [[T::ZERO; LANES]; N];
        for n in 0..N {
            chunks[n] = chunked[n][c];
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
