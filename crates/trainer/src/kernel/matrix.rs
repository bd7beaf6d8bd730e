//! Single-threaded matrix products with the `gemm-f32` crate.

use std::ops::Range;

use gemm_common::Parallelism;

use super::{InstructionSet, Isa, Kernel, Real, launch};

/// Function of the `gemm-f32` or `gemm-f64` crate that computes `dst = alpha * dst + beta * lhs * rhs`.
///
/// Its arguments are the rows of `dst`, its columns, and the inner dimension; `dst` with its column and row
/// stride; whether `dst` is read; `lhs` and `rhs`, each with its strides; `alpha`, `beta`; three flags for
/// complex numbers.
pub(crate) type Product<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

/// A matrix for reading, `rows x columns`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    /// Distance in memory from one row, or column, to the next.
    strides: [usize; 2],
}

impl<'a, T> Matrix<'a, T> {
    /// Returns a row-major matrix of the first `rows * columns` of `values`.
    pub(crate) fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        Self { values: &values[..rows * columns], rows, columns, strides: [columns, 1] }
    }

    /// Returns a matrix of `rows` rows, each starting `step` values after the one before, so that rows may
    /// overlap.
    pub(crate) fn overlapping(values: &'a [T], rows: usize, columns: usize, step: usize) -> Self {
        let length = if rows == 0 { 0 } else { (rows - 1) * step + columns };
        Self { values: &values[..length], rows, columns, strides: [step, 1] }
    }

    /// Returns the number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Returns some of the rows, at least one, of a matrix that does not
    /// [lie by columns](Self::lies_by_columns).
    pub(super) fn row_range(self, rows: Range<usize>) -> Self {
        let length = (rows.len() - 1) * self.strides[0] + self.columns;
        Self { values: &self.values[rows.start * self.strides[0]..][..length], rows: rows.len(), ..self }
    }

    /// Whether the numbers of a column, and not those of a row, follow each other in memory.
    pub(super) fn lies_by_columns(&self) -> bool {
        self.strides[1] != 1
    }

    /// Returns the numbers of a row, or of a column if the matrix [lies by columns](Self::lies_by_columns).
    #[inline(always)]
    pub(super) fn line(&self, number: usize) -> &'a [T] {
        let (stride, length) =
            if self.strides[1] == 1 { (self.strides[0], self.columns) } else { (self.strides[1], self.rows) };
        &self.values[number * stride..][..length]
    }

    /// Returns the transpose, of the same memory.
    pub(crate) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, strides: [self.strides[1], self.strides[0]], ..self }
    }
}

/// The rows of a product whose results are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultRows {
    /// All.
    All,
    /// Those of one group at a time, which the next step takes up at once.
    Group,
}

impl Matrix<'_, f32> {
    /// Returns the matrix with its numbers rounded to bf16. They are written to `to`.
    pub(super) fn rounded(self, to: &mut Vec<f32>) -> Matrix<'_, f32> {
        if to.len() < self.values.len() {
            *to = vec![0.0; self.values.len()];
        }
        let to = &mut to[..self.values.len()];
        launch(Round { from: self.values, to });
        self.with_values(to)
    }

    /// Returns a matrix of the same shape and layout with other numbers.
    pub(super) fn with_values(self, values: &[f32]) -> Matrix<'_, f32> {
        Matrix { values: &values[..self.values.len()], ..self }
    }
}

/// Rounds to bf16.
struct Round<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for i in 0..self.to.len() {
            let x = self.from[i];
            let bits = x.to_bits();
            // The nearest number, of two equally near ones the even one.
            let nearest = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) & 0xffff_0000;
            self.to[i] = if x.is_nan() { f32::NAN } else { f32::from_bits(nearest) };
        }
    }
}

/// Computes `out = a b`, row-major, and overwrites `out`.
///
/// # Panics
/// If the shapes do not match. They come from the architecture and never from a user.
pub(crate) fn multiply<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) {
    let (rows, depth, columns) = (a.rows, a.columns, b.columns);
    assert_eq!(depth, b.rows, "inner dimensions");
    let out = &mut out[..rows * columns];
    // The kernels write by columns, so they compute the transposed product, unless `out` is a single
    // column, which is contiguous either way.
    let (a, b, rows, columns, strides) = if columns > 1 {
        (b.transposed(), a.transposed(), columns, rows, [columns, 1])
    } else {
        (a, b, rows, columns, [1, columns])
    };
    // SAFETY: the strides of a `Matrix` address only values of its slice: a full row-major layout, one with
    // rows that overlap up to the end of the slice, or the transpose of either. `out` is as long as the
    // row-major result, and does not overlap them because it is exclusive.
    unsafe {
        T::product(InstructionSet::used())(
            rows,
            columns,
            depth,
            out.as_mut_ptr(),
            strides[0] as isize,
            strides[1] as isize,
            false,
            a.values.as_ptr(),
            a.strides[1] as isize,
            a.strides[0] as isize,
            b.values.as_ptr(),
            b.strides[1] as isize,
            b.strides[0] as isize,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
