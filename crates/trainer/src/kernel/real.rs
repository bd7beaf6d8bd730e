//! The two precisions: single for training, double for checking gradients.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Range, Sub, SubAssign};

use super::bf16::RoundedProducts;
use super::matrix::{Matrix, Product, ResultRows};
use super::product::Factor;
use super::{InstructionSet, Isa, multiply_add};

/// A floating-point number that kernels compute with.
pub(crate) trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + AddAssign
    + Div<Output = Self>
    + Mul<Output = Self>
    + MulAssign
    + Neg<Output = Self>
    + Sub<Output = Self>
    + SubAssign
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Minus infinity.
    const NEG_INFINITY: Self;

    /// Returns the nearest number to `x`.
    fn from_f64(x: f64) -> Self;
    /// Returns the number in double precision.
    fn to_f64(self) -> f64;
    /// Returns `self * a + b` with one rounding.
    #[must_use]
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Returns the square root.
    #[must_use]
    fn sqrt(self) -> Self;

    /// Returns `e^self` for arguments up to 0 (larger ones may be clamped to 88). NaN stays NaN.
    #[must_use]
    fn exponential<I: Isa>(self) -> Self;

    /// Returns the standard normal distribution function and density.
    #[must_use]
    fn normal<I: Isa>(self) -> (Self, Self);

    /// Returns the matrix product with an instruction set that the machine has.
    #[must_use]
    fn product(set: InstructionSet) -> Product<Self>;

    /// Computes `out = a b` of the numbers rounded to bf16, and calls `finish` as
    /// [`RoundedProducts::multiply`] does.
    fn multiply_rounded(
        products: &mut RoundedProducts,
        a: Matrix<'_, Self>,
        b: Factor<'_, Self>,
        out: (&mut [Self], ResultRows),
        finish: &mut dyn FnMut(Range<usize>, &mut [Self]),
    );
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const NEG_INFINITY: Self = f32::NEG_INFINITY;

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f32::mul_add(self, a, b)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    /// Relative error at most 2.5e-7, computed as `2^n e^r` with `|r| <= ln(2) / 2` and the Taylor
    /// polynomial of degree 7. Arguments are clamped to [-87, 88].
    #[inline(always)]
    fn exponential<I: Isa>(self) -> Self {
        /// Adding this number rounds to an integer, which is then in the low bits.
        const ROUND: f32 = 12_582_912.0;
        /// Leading bits of ln 2, such that `n * LN2_HIGH` is exact, and the rest.
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        // Comparisons with NaN are false, so NaN passes through.
        let x = if self < -87.0 { -87.0 } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let shifted = multiply_add::<I, f32>(x, std::f32::consts::LOG2_E, ROUND);
        let n = shifted - ROUND;
        let r = multiply_add::<I, f32>(n, -LN2_HIGH, x);
        let r = multiply_add::<I, f32>(n, -LN2_LOW, r);
        let mut p = 1.0 / 5040.0;
        for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            p = multiply_add::<I, f32>(p, r, c);
        }
        p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
    }

    /// Absolute error at most 3e-7 each, by equation 7.1.26 of Abramowitz & Stegun 1964 with a shared
    /// exponential.
    #[inline(always)]
    fn normal<I: Isa>(self) -> (Self, Self) {
        const P: f32 = 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2;
        /// 1 / sqrt(2 pi).
        const SCALE: f32 = 0.398_942_3;
        let magnitude = self.abs();
        let bell = (-0.5 * (self * self)).exponential::<I>();
        let t = 1.0 / multiply_add::<I, f32>(P, magnitude, 1.0);
        let mut p = 1.061_405_4;
        for c in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
            p = multiply_add::<I, f32>(p, t, c);
        }
        let tail = 0.5 * (p * t) * bell;
        (if self < 0.0 { tail } else { 1.0 - tail }, SCALE * bell)
    }

    fn product(set: InstructionSet) -> Product<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            single::product(set)
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let _ = set;
            gemm_f32::gemm::f32::get_gemm_fn()
        }
    }

    fn multiply_rounded(
        products: &mut RoundedProducts,
        a: Matrix<'_, Self>,
        b: Factor<'_, Self>,
        out: (&mut [Self], ResultRows),
        finish: &mut dyn FnMut(Range<usize>, &mut [Self]),
    ) {
        products.multiply(a, (b.matrix, b.number), out, finish);
    }
}

/// Products of the `gemm-f32` crate by instruction set. By itself the crate takes the widest.
#[cfg(target_arch = "x86_64")]
mod single {
    use gemm_common::Parallelism;
    use gemm_common::gemm::gemm_basic_generic;
    use gemm_common::simd::MixedSimd;

    use super::super::InstructionSet;
    use super::super::matrix::Product;

    /// Defines a product by one of the crate's instruction sets.
    macro_rules! product {
        ($name:ident, $module:ident, $simd:ty, $lanes:expr) => {
            #[expect(clippy::too_many_arguments, reason = "the signature of the crate's products")]
            unsafe fn $name(
                m: usize,
                n: usize,
                k: usize,
                dst: *mut f32,
                dst_cs: isize,
                dst_rs: isize,
                read_dst: bool,
                lhs: *const f32,
                lhs_cs: isize,
                lhs_rs: isize,
                rhs: *const f32,
                rhs_cs: isize,
                rhs_rs: isize,
                alpha: f32,
                beta: f32,
                conj_dst: bool,
                conj_lhs: bool,
                conj_rhs: bool,
                parallelism: Parallelism,
            ) {
                use gemm_f32::microkernel::$module::f32::{H_M, H_N, H_UKR, MR_DIV_N, NR, UKR};
                let simd = <$simd as MixedSimd<f32, f32, f32, f32>>::try_new();
                // SAFETY: as the caller guarantees; the strides and pointers are passed on.
                unsafe {
                    gemm_basic_generic::<_, f32, $lanes, { MR_DIV_N * $lanes }, NR, MR_DIV_N, H_M, H_N>(
                        simd.expect("the machine has the instruction set"),
                        m,
                        n,
                        k,
                        dst,
                        dst_cs,
                        dst_rs,
                        read_dst,
                        lhs,
                        lhs_cs,
                        lhs_rs,
                        rhs,
                        rhs_cs,
                        rhs_rs,
                        alpha,
                        beta,
                        conj_dst,
                        conj_lhs,
                        conj_rhs,
                        |a, b, c| a * b + c,
                        &UKR,
                        &H_UKR,
                        false,
                        parallelism,
                    );
                }
            }
        };
    }

    product!(scalar, scalar, gemm_common::simd::Scalar, 1);
    product!(avx2, fma, gemm_common::simd::V3, 8);
    product!(avx512, avx512f, gemm_common::simd::V4, 16);

    pub(super) fn product(set: InstructionSet) -> Product<f32> {
        match set {
            InstructionSet::Baseline => scalar,
            InstructionSet::Avx2 => avx2,
            InstructionSet::Avx512 | InstructionSet::Avx512Bf16 | InstructionSet::Amx => avx512,
        }
    }
}

#[cfg(test)]
impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const NEG_INFINITY: Self = f64::NEG_INFINITY;

    fn from_f64(x: f64) -> Self {
        x
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn mul_add(self, a: Self, b: Self) -> Self {
        f64::mul_add(self, a, b)
    }

    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn exponential<I: Isa>(self) -> Self {
        f64::exp(self)
    }

    /// Computed by the series of positive terms `Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...)`, to
    /// 1e-13 for arguments up to 6 in magnitude.
    fn normal<I: Isa>(self) -> (Self, Self) {
        let density = (-0.5 * self * self).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let (mut term, mut sum, mut odd) = (self, self, 1.0);
        while term.abs() > 1e-17 * sum.abs() {
            odd += 2.0;
            term *= self * self / odd;
            sum += term;
        }
        (0.5 + density * sum, density)
    }

    fn product(_: InstructionSet) -> Product<Self> {
        gemm_f64::gemm::f64::get_gemm_fn()
    }

    fn multiply_rounded(
        _: &mut RoundedProducts,
        _: Matrix<'_, Self>,
        _: Factor<'_, Self>,
        _: (&mut [Self], ResultRows),
        _: &mut dyn FnMut(Range<usize>, &mut [Self]),
    ) {
        unreachable!("double precision checks gradients, which rounding would spoil")
    }
}
