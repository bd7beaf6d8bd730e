//! The two precisions: single for training, double for checking gradients.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use super::matrix::Product;
use super::{Isa, multiply_add};

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

    /// Returns the matrix product with the widest instruction set that the processor supports.
    #[must_use]
    fn product() -> Product<Self>;
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

    fn product() -> Product<Self> {
        gemm_f32::gemm::f32::get_gemm_fn()
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

    fn product() -> Product<Self> {
        gemm_f64::gemm::f64::get_gemm_fn()
    }
}
