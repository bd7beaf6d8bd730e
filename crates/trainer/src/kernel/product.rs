//! Matrix products of a model, in the precision that it is trained with.

use std::ops::Range;

use allometry_core::Precision;

use super::bf16::RoundedProducts;
use super::matrix::{self, Matrix, ResultRows};
use super::{InstructionSet, Real};
use crate::kept::MOST_IN_MEMORY;

/// Matrix products in the precision of a model, with the memory that they need.
#[derive(Debug)]
pub(crate) struct Products {
    /// Products of bf16 numbers, or `None` for those of the model's numbers.
    rounded: Option<RoundedProducts>,
    /// Whether right factors that are used again are kept.
    keeps: bool,
}

/// Returns the precision of matrix products on this machine's processor: the one asked for, or for
/// [`Precision::Auto`] the fastest. Tiles multiply bf16 numbers several times as fast as vectors multiply
/// those of single precision; vectors of bf16 numbers were slower where they were measured.
pub fn precision_here(asked: Precision) -> Precision {
    match asked {
        Precision::Auto if InstructionSet::used() == InstructionSet::Amx => Precision::Bf16,
        Precision::Auto => Precision::F32,
        given => given,
    }
}

/// A right factor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factor<'a, T> {
    pub(crate) matrix: Matrix<'a, T>,
    /// Number that names the factor among those that are used again, or `None` for one that is used once.
    pub(crate) number: Option<usize>,
}

impl Products {
    /// Creates the products for a model of `weights` weights.
    pub(crate) fn new(precision: Precision, weights: usize) -> Self {
        let rounded = match precision_here(precision) {
            Precision::Auto | Precision::F32 => None,
            Precision::Bf16 => Some(RoundedProducts::new(InstructionSet::used())),
        };
        Self { rounded, keeps: Self::keeps(weights) }
    }

    /// Whether copies of the weights are kept between passes. They would take much of the memory of a large
    /// model, whose passes are long enough to make them anew.
    fn keeps(weights: usize) -> bool {
        weights <= MOST_IN_MEMORY
    }

    /// Returns the bytes that the products of a model of `weights` weights take, besides its buffers and what
    /// products of single precision take: for these linear maps, of inputs and outputs, and batches of this
    /// many rows.
    pub(crate) fn bytes(precision: Precision, weights: usize, maps: &[[usize; 2]], rows: usize) -> usize {
        match precision_here(precision) {
            Precision::Auto | Precision::F32 => 0,
            Precision::Bf16 => {
                RoundedProducts::bytes(InstructionSet::used(), maps, rows, Self::keeps(weights))
            }
        }
    }

    /// Returns the instruction set that multiplies matrices in a precision.
    pub(crate) fn instructions(precision: Precision) -> InstructionSet {
        match precision_here(precision) {
            Precision::Auto | Precision::F32 => InstructionSet::used().min(InstructionSet::Avx512),
            Precision::Bf16 => InstructionSet::used(),
        }
    }

    /// Computes `out = a b`, row-major, and overwrites `out`.
    ///
    /// # Panics
    /// If the shapes do not match. They come from the architecture and never from a user.
    pub(crate) fn multiply<T: Real>(&mut self, a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) {
        let b = Factor { matrix: b, number: None };
        self.multiply_and_keep(a, b, (out, ResultRows::All), |_, _| {});
    }

    /// Computes `out = a b` as [`multiply`](Self::multiply), for a left factor that lies by rows, and calls
    /// `finish` with rows whose results are there and with `out`. All calls together cover all rows in order;
    /// few rows at a time are still in the processor's caches.
    pub(crate) fn multiply_then<T: Real>(
        &mut self,
        a: Matrix<'_, T>,
        b: Factor<'_, T>,
        out: &mut [T],
        finish: impl FnMut(Range<usize>, &mut [T]),
    ) {
        self.multiply_and_keep(a, b, (out, ResultRows::All), finish);
    }

    /// Computes `a b` group by group of rows, and calls `finish` with the rows of a group and their results.
    /// `buffer` has room for all rows; most of it may stay unused.
    pub(crate) fn multiply_by_groups<T: Real>(
        &mut self,
        a: Matrix<'_, T>,
        b: Factor<'_, T>,
        buffer: &mut [T],
        mut finish: impl FnMut(Range<usize>, &[T]),
    ) {
        self.multiply_and_keep(a, b, (buffer, ResultRows::Group), |rows, results| finish(rows, results));
    }

    fn multiply_and_keep<T: Real>(
        &mut self,
        a: Matrix<'_, T>,
        b: Factor<'_, T>,
        (out, kept): (&mut [T], ResultRows),
        mut finish: impl FnMut(Range<usize>, &mut [T]),
    ) {
        match &mut self.rounded {
            None => {
                matrix::multiply(a, b.matrix, out);
                finish(0..a.rows(), out);
            }
            Some(products) => {
                let number = b.number.filter(|_| self.keeps);
                T::multiply_rounded(products, a, Factor { number, ..b }, (out, kept), &mut finish);
            }
        }
    }

    /// Forgets the right factors that are used again, because their numbers change.
    pub(crate) fn forget(&mut self) {
        if let Some(products) = &mut self.rounded {
            products.forget();
        }
    }
}
