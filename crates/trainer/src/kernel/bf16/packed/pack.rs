//! Matrices as tiles of bf16 numbers.

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_cvtne2ps_pbh, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_maskz_loadu_ps, _mm512_permutex2var_epi32, _mm512_permutexvar_epi16,
    _mm512_setzero_si512, _mm512_storeu_si512,
};
use std::mem::transmute;

use super::super::super::matrix::Matrix;
use super::{DEPTH, SIDE, STRIPE, Tile, Unit};

/// A factor of a product. A line is a row of a left factor or a column of a right one; 16 lines are a block;
/// the tiles of a block follow each other along the inner dimension. The number of blocks is even, and what
/// lies beyond the matrix is 0.
#[derive(Debug, Default)]
pub(in super::super) struct Packed {
    tiles: Vec<Tile>,
    lines: usize,
    depth: usize,
}

/// The side of a product, on which the layout of a tile depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Side {
    Left,
    Right,
}

impl Packed {
    /// Packs a factor.
    pub(in super::super) fn pack(&mut self, _: Unit, matrix: Matrix<'_, f32>, side: Side) {
        let matrix = if side == Side::Left { matrix } else { matrix.transposed() };
        (self.lines, self.depth) = (matrix.rows(), matrix.columns());
        let count = tiles(self.lines, self.depth);
        if self.tiles.len() < count {
            self.tiles = vec![Tile::ZERO; count];
        }
        let steps = self.steps();
        let tiles = &mut self.tiles[..count];
        // SAFETY: a `Unit` shows that the machine has the instructions.
        unsafe {
            if matrix.lies_by_columns() {
                pack_across(matrix, side == Side::Left, steps, tiles);
            } else {
                pack_along(matrix, side == Side::Right, steps, tiles);
            }
        }
    }

    /// Returns the number of lines of the matrix.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Returns the inner dimension.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the number of tiles of a block.
    fn steps(&self) -> usize {
        self.depth.div_ceil(DEPTH)
    }

    /// Returns the number of pairs of blocks.
    pub(super) fn pairs(&self) -> usize {
        self.lines.div_ceil(2 * SIDE)
    }

    /// Returns a pair of blocks.
    pub(super) fn pair(&self, pair: usize) -> [&[Tile]; 2] {
        let steps = self.steps();
        let (first, second) = self.tiles[2 * pair * steps..2 * (pair + 1) * steps].split_at(steps);
        [first, second]
    }
}

/// Returns the number of tiles of a factor.
pub(super) fn tiles(lines: usize, depth: usize) -> usize {
    2 * lines.div_ceil(STRIPE) * depth.div_ceil(DEPTH)
}

/// For a distance of 1, 2, 4 and 8 lines, the places in two lines from which each place of the first and of
/// the second line comes. Places of the second line count from 16.
const PLACES: [[[u32; SIDE]; 2]; 4] = {
    let mut places = [[[0; SIDE]; 2]; 4];
    let mut stage = 0;
    while stage < 4 {
        let distance = 1 << stage;
        let mut i = 0;
        while i < SIDE {
            let upper = i & distance != 0;
            places[stage][0][i] = (if upper { SIDE + i - distance } else { i }) as u32;
            places[stage][1][i] = (if upper { SIDE + i } else { i + distance }) as u32;
            i += 1;
        }
        stage += 1;
    }
    places
};

/// Order in which 16 first numbers of pairs and 16 second ones become pairs.
const PAIRS: [u16; DEPTH] = {
    let mut order = [0; DEPTH];
    let mut i = 0;
    while i < DEPTH {
        order[i] = (i / 2 + i % 2 * SIDE) as u16;
        i += 1;
    }
    order
};

/// Packs a matrix with a row per line, of which each lies in memory one number after the other, to blocks of
/// `steps` tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn pack_along(matrix: Matrix<'_, f32>, transposed: bool, steps: usize, tiles: &mut [Tile]) {
    let (rows, depth) = (matrix.rows(), matrix.columns());
    for (block, tiles) in tiles.chunks_exact_mut(steps).enumerate() {
        let first = block * SIDE;
        let count = rows.saturating_sub(first).min(SIDE);
        for (step, tile) in tiles.iter_mut().enumerate() {
            let place = step * DEPTH;
            let whole = count == SIDE && place + DEPTH <= depth;
            let mut lines = [_mm512_setzero_si512(); SIDE];
            for i in 0..SIDE {
                let line = if whole {
                    let line = matrix.line(first + i);
                    let from: &[f32; DEPTH] = line[place..].first_chunk().expect("within the line");
                    prefetch(from.as_ptr().wrapping_add(AHEAD));
                    prefetch(from.as_ptr().wrapping_add(AHEAD + SIDE));
                    // SAFETY: 32 numbers are read.
                    unsafe {
                        rounded(_mm512_loadu_ps(from.as_ptr()), _mm512_loadu_ps(from.as_ptr().add(SIDE)))
                    }
                } else if i < count {
                    let from = &matrix.line(first + i)[place..depth.min(place + DEPTH)];
                    let (low, high) = from.split_at(from.len().min(SIDE));
                    rounded(load(low), load(high))
                } else {
                    _mm512_setzero_si512()
                };
                if transposed {
                    lines[i] = line;
                } else {
                    store(line, &mut tile.0[i]);
                }
            }
            if transposed {
                store_transposed(lines, tile);
            }
        }
    }
}

/// Packs a matrix with a row per line, whose columns lie in memory one number after the other, to blocks of
/// `steps` tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn pack_across(matrix: Matrix<'_, f32>, transposed: bool, steps: usize, tiles: &mut [Tile]) {
    let depth = matrix.columns();
    let blocks = tiles.len() / steps;
    for step in 0..steps {
        if !transposed {
            // Two columns at a time, each from one end to the other, as memory is read fastest.
            for i in 0..SIDE {
                let columns = Columns::new(matrix, step * DEPTH + 2 * i);
                for block in 0..blocks {
                    store(columns.pairs(block * SIDE), &mut tiles[block * steps + step].0[i]);
                }
            }
            continue;
        }
        let mut columns = [Columns::new(matrix, depth); SIDE];
        for i in 0..SIDE {
            columns[i] = Columns::new(matrix, step * DEPTH + 2 * i);
        }
        for block in 0..blocks {
            let mut lines = [_mm512_setzero_si512(); SIDE];
            for i in 0..SIDE {
                columns[i].prefetch(block * SIDE + AHEAD);
                lines[i] = columns[i].pairs(block * SIDE);
            }
            store_transposed(lines, &mut tiles[block * steps + step]);
        }
    }
}

/// Two neighbouring columns of a matrix that lies by columns; empty ones beyond its last.
#[derive(Clone, Copy)]
struct Columns<'a>([&'a [f32]; 2]);

impl<'a> Columns<'a> {
    fn new(matrix: Matrix<'a, f32>, first: usize) -> Self {
        Self(
            [first, first + 1]
                .map(|column| if column < matrix.columns() { matrix.line(column) } else { &[] }),
        )
    }

    /// Returns 16 pairs from a row on, with zeros beyond the last row.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn pairs(&self, row: usize) -> __m512i {
        let numbers = self.0.map(|column| match column.get(row..row + SIDE) {
            // SAFETY: there are 16 numbers.
            Some(whole) => unsafe { _mm512_loadu_ps(whole.as_ptr()) },
            None => load(&column[row.min(column.len())..]),
        });
        // SAFETY: the constant is 64 bytes.
        let order = unsafe { _mm512_loadu_si512(PAIRS.as_ptr().cast()) };
        _mm512_permutexvar_epi16(order, rounded(numbers[0], numbers[1]))
    }

    /// Fetches the numbers of a row, which need not exist.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn prefetch(&self, row: usize) {
        for column in self.0 {
            prefetch(column.as_ptr().wrapping_add(row));
        }
    }
}

/// Distance, in numbers, at which lines are fetched before they are packed. There are more of them than the
/// processor foresees by itself.
const AHEAD: usize = 64;

/// Fetches the numbers at an address, which need not exist.
#[inline]
#[target_feature(enable = "avx512f")]
fn prefetch(address: *const f32) {
    _mm_prefetch::<_MM_HINT_T0>(address.cast());
}

/// Loads at most 16 numbers, with zeros after them.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(numbers: &[f32]) -> __m512 {
    debug_assert!(numbers.len() <= SIDE);
    let mask = ((1u32 << numbers.len().min(SIDE)) - 1) as u16;
    // SAFETY: only as many numbers are read as there are.
    unsafe { _mm512_maskz_loadu_ps(mask, numbers.as_ptr()) }
}

/// Returns the nearest bf16 numbers, of two equally near ones the even one.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn rounded(low: __m512, high: __m512) -> __m512i {
    // SAFETY: both types are vectors of 512 bits.
    unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)) }
}

/// Stores a line of a tile.
#[inline]
#[target_feature(enable = "avx512f")]
fn store(line: __m512i, to: &mut [u32; SIDE]) {
    // SAFETY: a line of a tile is 64 bytes.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), line) };
}

/// Stores the transpose of a tile with these lines.
#[inline]
#[target_feature(enable = "avx512f")]
fn store_transposed(mut lines: [__m512i; SIDE], tile: &mut Tile) {
    transpose(&mut lines);
    for i in 0..SIDE {
        store(lines[i], &mut tile.0[i]);
    }
}

/// Transposes a quarter of a square, from a row and column on.
#[target_feature(enable = "avx512f")]
pub(super) fn transpose_corner(
    square: &[[f32; STRIPE]; STRIPE],
    first_row: usize,
    first_column: usize,
    to: &mut [[f32; SIDE]; SIDE],
) {
    let mut lines = [_mm512_setzero_si512(); SIDE];
    for i in 0..SIDE {
        let from = &square[first_row + i][first_column..first_column + SIDE];
        // SAFETY: 16 numbers are 64 bytes.
        lines[i] = unsafe { _mm512_loadu_si512(from.as_ptr().cast()) };
    }
    transpose(&mut lines);
    for i in 0..SIDE {
        // SAFETY: 16 numbers are 64 bytes.
        unsafe { _mm512_storeu_si512(to[i].as_mut_ptr().cast(), lines[i]) };
    }
}

/// Transposes 16 lines of 16 words: lines at a distance of 1, 2, 4 and 8 swap squares of that size.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(lines: &mut [__m512i; SIDE]) {
    for stage in 0..4 {
        let distance = 1 << stage;
        // SAFETY: each line of the constants is 64 bytes.
        let places = PLACES[stage].each_ref().map(|line| unsafe { _mm512_loadu_si512(line.as_ptr().cast()) });
        for i in 0..SIDE {
            if i & distance == 0 {
                let (a, b) = (lines[i], lines[i + distance]);
                lines[i] = _mm512_permutex2var_epi32(a, places[0], b);
                lines[i + distance] = _mm512_permutex2var_epi32(a, places[1], b);
            }
        }
    }
}
