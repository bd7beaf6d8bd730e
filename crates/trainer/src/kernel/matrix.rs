//! Matrix products over the `gemm-f32` crate, single-threaded.

use gemm_common::Parallelism;

use super::Real;

/// A function of the `gemm-f32` or `gemm-f64` crate: `dst = alpha * dst + beta * lhs * rhs`.
///
/// Its arguments are the rows of `dst`, its columns, the inner dimension; `dst` with its column and row stride; whether `dst`
/// is read; `lhs` and `rhs`, each with its strides; `alpha`, `beta`; three flags for complex numbers.
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

/// A row-major matrix that is read: `rows x columns`, its rows one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    /// Distance in memory from one row, or column, to the next.
    strides: [usize; 2],
}

impl<'a, T> Matrix<'a, T> {
    /// The first `rows * columns` of `values`.
    pub(crate) fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        Self { values: &values[..rows * columns], rows, columns, strides: [columns, 1] }
    }

    /// `rows` rows, each beginning `step` values after the one before, so that they may overlap.
    pub(crate) fn overlapping(values: &'a [T], rows: usize, columns: usize, step: usize) -> Self {
        let length = if rows == 0 { 0 } else { (rows - 1) * step + columns };
        Self { values: &values[..length], rows, columns, strides: [step, 1] }
    }

    /// The same numbers with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, strides: [self.strides[1], self.strides[0]], ..self }
    }
}

/// `out = a b`, row-major; what `out` held before is overwritten.
///
/// # Panics
/// Where the shapes do not fit; they come from the architecture, never from a user.
pub(crate) fn multiply<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) {
    let (rows, depth, columns) = (a.rows, a.columns, b.columns);
    assert_eq!(depth, b.rows, "inner dimensions");
    let out = &mut out[..rows * columns];
    // The kernels write by columns: they are given the transposed product unless `out` is a single column, whose rows follow
    // each other either way.
    let (a, b, rows, columns, strides) = if columns > 1 {
        (b.transposed(), a.transposed(), columns, rows, [columns, 1])
    } else {
        (a, b, rows, columns, [1, columns])
    };
    // SAFETY: the strides of a `Matrix` address values of its slice alone: a full row-major layout, one whose rows overlap up
    // to the slice's end, or either transposed; `out` is as long as the row-major result, and being exclusive does not
    // overlap them.
    unsafe {
        T::product()(
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
