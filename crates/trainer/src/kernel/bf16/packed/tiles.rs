//! Products by the tile registers of AMX, which have no stable intrinsics.

use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, _xgetbv};
use std::marker::PhantomData;
use std::sync::OnceLock;

use super::{Place, SIDE, Tile};

/// Bits of the processor's extended state: the configuration of tiles, and their data.
const TILE_STATE: u64 = 1 << 17 | 1 << 18;
/// Number of the tiles' data among the extended states.
#[cfg(target_os = "linux")]
const TILE_DATA: libc::c_ulong = 18;
/// Request of `arch_prctl` for the permission to use an extended state.
#[cfg(target_os = "linux")]
const REQUEST_STATE: libc::c_int = 0x1023;
/// Bytes of a line of a tile.
const LINE: usize = 64;

/// Instructions that fetch lines of the tile after the next, at these bytes from a register.
macro_rules! fetch {
    ($register:literal, [$($at:literal),+]) => {
        concat!($("prefetcht0 [{", $register, "} + ", $at, "]\n"),+)
    };
}

/// Whether the processor multiplies tiles of bf16 numbers.
pub(in crate::kernel) fn in_processor() -> bool {
    const TILES: u32 = 1 << 24;
    const BF16: u32 = 1 << 22;
    if __cpuid_count(0, 0).eax < 7 {
        return false;
    }
    let features = __cpuid_count(7, 0).edx;
    features & TILES != 0 && features & BF16 != 0
}

/// Whether the system saves tile registers, and lets this process use them. It is asked once.
pub(in crate::kernel) fn permitted() -> bool {
    static PERMITTED: OnceLock<bool> = OnceLock::new();
    *PERMITTED.get_or_init(|| {
        const SYSTEM_SAVES_STATE: u32 = 1 << 27;
        if __cpuid_count(1, 0).ecx & SYSTEM_SAVES_STATE == 0 {
            return false;
        }
        // SAFETY: the processor has the instruction, as the bit just read says.
        if unsafe { enabled_state() } & TILE_STATE != TILE_STATE {
            return false;
        }
        request()
    })
}

/// Asks the system for the permission to use tile registers.
#[cfg(target_os = "linux")]
fn request() -> bool {
    // SAFETY: the request reads and writes no memory.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0 }
}

/// Other systems are not known to let programs use tile registers.
#[cfg(not(target_os = "linux"))]
fn request() -> bool {
    false
}

/// Returns the extended states that the system saves.
#[target_feature(enable = "xsave")]
fn enabled_state() -> u64 {
    // SAFETY: register 0 exists wherever the instruction does.
    unsafe { _xgetbv(0) }
}

/// Layout of the tile registers, as `ldtilecfg` reads it.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    first_row: u8,
    reserved: [u8; 14],
    bytes_of_line: [u16; 16],
    lines: [u8; 16],
}

/// All eight tiles, 16 lines of 64 bytes each.
static WHOLE_TILES: Configuration = Configuration {
    palette: 1,
    first_row: 0,
    reserved: [0; 14],
    bytes_of_line: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    lines: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// The tile registers of this thread, configured until they are dropped. A thread has at most one such value
/// at a time. Nothing else in the program touches the registers: the compiler emits no instruction on tiles
/// of its own.
pub(super) struct Configured(PhantomData<*mut ()>);

impl Configured {
    /// Configures the tile registers.
    ///
    /// # Panics
    /// If this process may not use them.
    pub(super) fn new() -> Self {
        assert!(permitted(), "the instruction set is available");
        // SAFETY: the process may use the tile registers, and the configuration is valid.
        unsafe {
            asm!(
                "ldtilecfg [{}]",
                in(reg) &raw const WHOLE_TILES,
                options(nostack, readonly, preserves_flags)
            );
        }
        Self(PhantomData)
    }

    /// Computes two by two tiles of results.
    ///
    /// # Safety
    /// All blocks must have the same number of tiles, at least one, and `place` room for `2 SIDE` rows of `2
    /// SIDE` numbers.
    #[inline]
    pub(super) unsafe fn square(_: &Self, left: [&[Tile]; 2], right: [&[Tile]; 2], place: Place) {
        let steps = left[0].len();
        debug_assert!(steps > 0 && left[1].len() == steps);
        debug_assert!(right.iter().all(|block| block.len() == steps));
        let row = place.stride * size_of::<f32>();
        // SAFETY: each block has `steps` tiles, which the loop reads one after the other. The caller
        // guarantees room for the results. The tiles are configured.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm6, [{right0} + {line}*1]",
                "tileloadd tmm4, [{left0} + {line}*1]",
                "tileloadd tmm7, [{right1} + {line}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                fetch!("left0", [2048, 2112, 2176, 2240, 2304, 2368, 2432, 2496]),
                "tileloadd tmm5, [{left1} + {line}*1]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                fetch!("left0", [2560, 2624, 2688, 2752, 2816, 2880, 2944, 3008]),
                fetch!("left1", [2048, 2112, 2176, 2240, 2304, 2368, 2432, 2496]),
                fetch!("left1", [2560, 2624, 2688, 2752, 2816, 2880, 2944, 3008]),
                "add {right0}, 1024",
                "add {right1}, 1024",
                "add {left0}, 1024",
                "add {left1}, 1024",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "dec {steps}",
                "jnz 2b",
                "tilestored [{top} + {row}*1], tmm0",
                "tilestored [{top} + {row}*1 + 64], tmm1",
                "tilestored [{bottom} + {row}*1], tmm2",
                "tilestored [{bottom} + {row}*1 + 64], tmm3",
                line = in(reg) LINE,
                row = in(reg) row,
                left0 = inout(reg) left[0].as_ptr() => _,
                left1 = inout(reg) left[1].as_ptr() => _,
                right0 = inout(reg) right[0].as_ptr() => _,
                right1 = inout(reg) right[1].as_ptr() => _,
                steps = inout(reg) steps => _,
                top = in(reg) place.start,
                bottom = in(reg) place.start.wrapping_add(SIDE * place.stride),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: the process may use the tile registers. Their release makes switches of threads cheap
        // again.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }
}
