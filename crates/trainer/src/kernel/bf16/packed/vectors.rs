//! Products by the bf16 instructions of AVX-512.

use std::arch::x86_64::{
    __m512bh, _mm512_dpbf16_ps, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_ps, _mm512_storeu_ps,
};
use std::mem::transmute;

use super::{Place, SIDE, Tile};

/// Rows whose sums are in registers at once, with 32 columns.
const ROWS: usize = 8;

/// Computes two by two tiles of results.
///
/// # Safety
/// The processor must have the instructions. All blocks must have the same number of tiles, and `place` room
/// for `2 SIDE` rows of `2 SIDE` numbers.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) unsafe fn square(left: [&[Tile]; 2], right: [&[Tile]; 2], place: Place) {
    for (half, left) in left.into_iter().enumerate() {
        for first in [0, ROWS] {
            let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
            for ((left, first_right), second_right) in left.iter().zip(right[0]).zip(right[1]) {
                for pair in 0..SIDE {
                    let line = |tile: &Tile| -> __m512bh {
                        // SAFETY: a line of a tile is 64 bytes; both types are vectors of 512 bits.
                        unsafe { transmute(_mm512_loadu_si512(tile.0[pair].as_ptr().cast())) }
                    };
                    let columns = [line(first_right), line(second_right)];
                    for row in 0..ROWS {
                        let factor = _mm512_set1_epi32(left.0[first + row][pair].cast_signed());
                        // SAFETY: both types are vectors of 512 bits.
                        let factor: __m512bh = unsafe { transmute(factor) };
                        for side in 0..2 {
                            sums[row][side] = _mm512_dpbf16_ps(sums[row][side], factor, columns[side]);
                        }
                    }
                }
            }
            for (row, sums) in sums.into_iter().enumerate() {
                let row = half * SIDE + first + row;
                for (side, sums) in sums.into_iter().enumerate() {
                    // SAFETY: the caller guarantees 32 rows of 32 numbers.
                    unsafe { _mm512_storeu_ps(place.start.add(row * place.stride + side * SIDE), sums) };
                }
            }
        }
    }
}
