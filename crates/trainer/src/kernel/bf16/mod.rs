//! Matrix products of numbers rounded to bf16, with sums in single precision.
//!
//! With the bf16 instructions of AVX-512, factors are [packed](packed) into tiles, which AMX or AVX-512
//! multiplies. Elsewhere the product of the rounded numbers is one of single precision. All differ in the
//! order of sums only, and in numbers below 1.2e-38, which bf16 instructions take as 0.

#[cfg(target_arch = "x86_64")]
pub(super) mod packed;

use std::collections::BTreeMap;
use std::ops::Range;

use super::InstructionSet;
use super::matrix::{self, Matrix, ResultRows};

/// Products of bf16 numbers, and the memory they need.
#[derive(Debug)]
pub(crate) struct RoundedProducts {
    set: InstructionSet,
    /// Rounded factors, in single precision.
    rounded: [Vec<f32>; 2],
    #[cfg(target_arch = "x86_64")]
    packed: packed::Factors,
    /// Right factors that are used again, by the number that names them.
    kept: BTreeMap<usize, Kept>,
}

/// A right factor that is used again.
#[derive(Debug, Default)]
struct Kept {
    /// Whether the factor is the current one.
    fresh: bool,
    rounded: Vec<f32>,
    #[cfg(target_arch = "x86_64")]
    packed: packed::Packed,
}

impl RoundedProducts {
    /// Creates products by an instruction set.
    ///
    /// # Panics
    /// If the machine lacks the instruction set.
    pub(crate) fn new(set: InstructionSet) -> Self {
        assert_eq!(set.missing(), None, "{set}");
        Self {
            set,
            rounded: [const { Vec::new() }; 2],
            #[cfg(target_arch = "x86_64")]
            packed: packed::Factors::default(),
            kept: BTreeMap::new(),
        }
    }

    /// Returns the bytes that the products of a model take, besides its buffers: those of linear maps, of
    /// inputs and outputs, for batches of this many rows, with the copies of their weights if those are kept.
    pub(crate) fn bytes(set: InstructionSet, maps: &[[usize; 2]], rows: usize, keeps: bool) -> usize {
        let kept = |size: fn(usize, usize) -> usize| {
            if keeps { maps.iter().map(|[inputs, outputs]| size(*outputs, *inputs)).sum() } else { 0 }
        };
        #[cfg(target_arch = "x86_64")]
        if packed::Unit::of(set).is_some() {
            return kept(packed::bytes) + packed::bytes_of_factors(maps, rows);
        }
        let _ = set;
        let largest = |size: fn([usize; 2], usize) -> usize| maps.iter().map(|map| size(*map, rows)).max();
        let left = largest(|[a, b], rows| rows * a.max(b));
        let right = largest(|[a, b], rows| (rows * a.max(b)).max(a * b));
        kept(|a, b| a * b * size_of::<f32>()) + (left.unwrap_or(0) + right.unwrap_or(0)) * size_of::<f32>()
    }

    /// Computes `out = a b`, row-major, and overwrites `out`. `finish` is called with rows whose results are
    /// there, and with `out`, or with the results of these rows alone if no others are kept. All calls
    /// together cover all rows in order.
    ///
    /// A right factor with a number is kept until [`forget`](Self::forget); its left factor must lie by rows.
    ///
    /// # Panics
    /// If the shapes do not match. They come from the architecture and never from a user.
    pub(crate) fn multiply(
        &mut self,
        a: Matrix<'_, f32>,
        (b, number): (Matrix<'_, f32>, Option<usize>),
        (out, kept_rows): (&mut [f32], ResultRows),
        finish: &mut dyn FnMut(Range<usize>, &mut [f32]),
    ) {
        let kept = number.map(|number| self.kept.entry(number).or_default());
        #[cfg(target_arch = "x86_64")]
        if let Some(unit) = packed::Unit::of(self.set) {
            let Some(kept) = kept else {
                return self.packed.multiply(unit, a, b, (out, kept_rows), finish);
            };
            if !std::mem::replace(&mut kept.fresh, true) {
                kept.packed.pack(unit, b, packed::Side::Right);
            }
            return self.packed.multiply_packed(unit, a, &kept.packed, (out, kept_rows), finish);
        }
        let [left, right] = &mut self.rounded;
        let right = match kept {
            Some(kept) if kept.fresh => b.with_values(&kept.rounded),
            Some(kept) => {
                kept.fresh = true;
                b.rounded(&mut kept.rounded)
            }
            None => b.rounded(right),
        };
        matrix::multiply(a.rounded(left), right, out);
        // All rows are one group.
        let _ = kept_rows;
        finish(0..a.rows(), out);
    }

    /// Forgets the right factors that are kept, because their numbers change.
    pub(crate) fn forget(&mut self) {
        for kept in self.kept.values_mut() {
            kept.fresh = false;
        }
    }
}

#[cfg(test)]
mod tests;
