//! Numeric kernels, the only module with `unsafe`.
//!
//! A kernel is a struct of slices with a [`Kernel::run`] of plain loops over chunks of fixed size.
//! [`launch`] compiles it once per instruction set and runs the widest that the processor supports.
//! Everything is generic over [`Real`], so that gradients can be checked in double precision.
#![expect(
    unsafe_code,
    reason = "run-time choice of instruction sets, and matrix products through raw pointers"
)]
#![expect(
    clippy::inline_always,
    reason = "code that is not inlined does not see the caller's instruction set"
)]
#![expect(
    clippy::needless_range_loop,
    reason = "several slices share an index in the loops that become vectors"
)]
#![expect(clippy::manual_memcpy, reason = "a copy fused with the sum beside it is one pass")]

pub(crate) mod adamw;
pub(crate) mod attention;
pub(crate) mod bf16;
pub(crate) mod dropout;
pub(crate) mod embed;
pub(crate) mod front;
pub(crate) mod gelu;
pub(crate) mod head;
mod isa;
pub(crate) mod lanes;
pub(crate) mod matrix;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod product;
mod real;
pub(crate) mod revin;

pub use isa::{ISA_VARIABLE, InstructionSet, IsaError, available};
pub use product::precision_here;
pub(crate) use real::Real;

/// An instruction set that kernels are compiled for.
pub(crate) trait Isa: Copy {
    /// Whether `a * b + c` is one instruction. Otherwise a fused product would be a slow library call.
    const FUSED: bool;
}

/// Instructions that every processor of the target supports.
#[derive(Clone, Copy)]
pub(crate) struct Baseline;

impl Isa for Baseline {
    const FUSED: bool = cfg!(target_arch = "aarch64");
}

/// 256- or 512-bit vectors with fused products.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Wide;

#[cfg(target_arch = "x86_64")]
impl Isa for Wide {
    const FUSED: bool = true;
}

/// A computation that is compiled once per instruction set.
pub(crate) trait Kernel {
    /// Result of the computation.
    type Output;

    /// Runs the computation. Implementations must be `#[inline(always)]` to be compiled with the caller's
    /// instruction set.
    fn run<I: Isa>(self) -> Self::Output;
}

/// Runs a kernel with the instruction set that this process uses.
pub(crate) fn launch<K: Kernel>(kernel: K) -> K::Output {
    launch_with(InstructionSet::used(), kernel)
}

/// Runs a kernel with an instruction set that the machine has.
fn launch_with<K: Kernel>(set: InstructionSet, kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if set >= InstructionSet::Avx512 {
        // SAFETY: the processor has every feature that the function is compiled for.
        return unsafe { launch_avx512(kernel) };
    } else if set >= InstructionSet::Avx2 {
        // SAFETY: the processor has every feature that the function is compiled for.
        return unsafe { launch_avx2(kernel) };
    }
    let _ = set;
    kernel.run::<Baseline>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn launch_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Wide>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn launch_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Wide>()
}

/// Returns `a * b + c`, fused if the instruction set supports it.
#[inline(always)]
pub(crate) fn multiply_add<I: Isa, T: Real>(a: T, b: T, c: T) -> T {
    if I::FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[cfg(test)]
mod tests;
