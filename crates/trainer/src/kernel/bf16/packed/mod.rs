//! Products of matrices that are packed into tiles of bf16 numbers, by AMX or by the bf16 instructions of
//! AVX-512.

mod pack;
mod tiles;
mod vectors;

use std::arch::asm;
use std::ops::Range;

pub(super) use pack::{Packed, Side};
pub(in crate::kernel) use tiles::{in_processor, permitted};

use super::super::InstructionSet;
use super::super::matrix::{Matrix, ResultRows};

/// Rows of a left factor, or columns of a right factor, in a tile.
const SIDE: usize = 16;
/// Numbers along the inner dimension in a tile.
const DEPTH: usize = 32;
/// Rows, and columns, of the results that are computed at once: two by two tiles.
const STRIPE: usize = 2 * SIDE;
/// Stripes of rows that are multiplied by each stripe of columns in turn: the columns are then read from
/// memory less often, and the results of all stay in the processor's caches until the next step with them.
const GROUP: usize = 2;
/// Time to transpose a tile of results, in that of a tile of a left factor.
const RESULT_TILE: usize = 3;

/// Pairs of bf16 numbers that follow each other along the inner dimension, the first in the low half.
///
/// A tile of a left factor has a line per row and a pair per column of the line; a tile of a right factor has
/// a line per pair, with one pair per column. Each is the transpose of the other.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Tile([[u32; SIDE]; SIDE]);

impl Tile {
    const ZERO: Self = Self([[0; SIDE]; SIDE]);
}

/// Results of two by two tiles.
#[derive(Debug)]
#[repr(C, align(64))]
struct Square([[f32; STRIPE]; STRIPE]);

/// A place for the results of two by two tiles: row `r` starts at `start + r * stride`.
#[derive(Clone, Copy)]
struct Place {
    start: *mut f32,
    /// Distance from row to row, in numbers.
    stride: usize,
}

impl Place {
    /// Fetches the numbers of the place for writing. They need not exist.
    #[inline]
    fn prefetch(self) {
        // SAFETY: an instruction that fetches does nothing at an address that does not exist. Every processor
        // with bf16 instructions has this one.
        unsafe {
            asm!(
                "2:",
                "prefetchw [{row}]",
                "prefetchw [{row} + 64]",
                "add {row}, {stride}",
                "dec {rows}",
                "jnz 2b",
                row = inout(reg) self.start => _,
                stride = in(reg) self.stride * size_of::<f32>(),
                rows = inout(reg) STRIPE => _,
                options(nostack),
            );
        }
    }
}

/// Instructions that multiply tiles. A value shows that the machine has them, and those of AVX-512 for bf16
/// numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    tiles: bool,
}

impl Unit {
    /// Returns the instructions of a set that the machine must have, or `None` if there are none among them.
    pub(super) fn of(set: InstructionSet) -> Option<Self> {
        (set >= InstructionSet::Avx512Bf16).then_some(Self { tiles: set == InstructionSet::Amx })
    }

    /// Prepares this thread for products by tiles, if it is to use them.
    fn configure(self) -> Option<tiles::Configured> {
        self.tiles.then(tiles::Configured::new)
    }
}

/// Returns the bytes of a packed factor.
pub(super) fn bytes(lines: usize, depth: usize) -> usize {
    pack::tiles(lines, depth) * size_of::<Tile>()
}

/// Returns the bytes of the [`Factors`] of a model with these linear maps, of inputs and outputs, for batches
/// of this many rows.
pub(super) fn bytes_of_factors(maps: &[[usize; 2]], rows: usize) -> usize {
    let largest = |size: &dyn Fn([usize; 2], usize) -> usize| maps.iter().map(|map| size(*map, rows)).max();
    let gradient = |[a, b]: [usize; 2], rows| if is_swapped([a, rows, b]) { [b, a] } else { [a, b] };
    // A group of rows, or the left factor of a gradient.
    let left =
        largest(&|[a, b], rows| bytes(gradient([a, b], rows)[0], rows).max(bytes(GROUP * STRIPE, a.max(b))));
    // A weight, either way, or the right factor of a gradient.
    let right =
        largest(&|[a, b], rows| bytes(gradient([a, b], rows)[1], rows).max(bytes(a, b)).max(bytes(b, a)));
    left.unwrap_or(0) + right.unwrap_or(0)
}

/// Whether the transposed product is computed in place of a product with this many rows, numbers along the
/// inner dimension and columns, whose left factor lies by columns and whose right factor by rows.
///
/// Such a left factor is transposed as it is packed. That of the transposed product may be smaller, but then
/// the results are transposed.
fn is_swapped([rows, depth, columns]: [usize; 3]) -> bool {
    let saved = rows.saturating_sub(columns).div_ceil(SIDE) * depth.div_ceil(DEPTH);
    saved > RESULT_TILE * rows.div_ceil(SIDE) * columns.div_ceil(SIDE)
}

/// Memory of the factors of one product.
#[derive(Debug)]
pub(super) struct Factors {
    left: Packed,
    right: Packed,
    square: Box<Square>,
}

impl Default for Factors {
    fn default() -> Self {
        let square = Box::new(Square([[0.0; STRIPE]; STRIPE]));
        Self { left: Packed::default(), right: Packed::default(), square }
    }
}

impl Factors {
    /// Computes `out = a b`, row-major, and overwrites `out`. `finish` is called as by
    /// [`multiply_packed`](Self::multiply_packed), or once if the left factor lies by columns.
    pub(super) fn multiply(
        &mut self,
        unit: Unit,
        a: Matrix<'_, f32>,
        b: Matrix<'_, f32>,
        (out, kept): (&mut [f32], ResultRows),
        finish: &mut dyn FnMut(Range<usize>, &mut [f32]),
    ) {
        if !a.lies_by_columns() {
            let mut right = std::mem::take(&mut self.right);
            right.pack(unit, b, Side::Right);
            self.multiply_packed(unit, a, &right, (out, kept), finish);
            self.right = right;
            return;
        }
        assert_eq!(a.columns(), b.rows(), "inner dimensions");
        let rows = a.rows();
        let swapped = !b.lies_by_columns() && is_swapped([rows, a.columns(), b.columns()]);
        let (a, b) = if swapped { (b.transposed(), a.transposed()) } else { (a, b) };
        let Self { left, right, square } = self;
        left.pack(unit, a, Side::Left);
        right.pack(unit, b, Side::Right);
        let configured = unit.configure();
        if swapped {
            multiply_transposed(configured.as_ref(), left, right, square, out);
        } else {
            // The results are larger than the factors here, so they are written as they lie in memory.
            for (pair, out) in out.chunks_mut(STRIPE * right.lines()).enumerate().take(left.pairs()) {
                multiply_rows(configured.as_ref(), (left, pair..pair + 1), right, square, out);
            }
        }
        drop(configured);
        finish(0..rows, out);
    }

    /// Computes `out = a b` for a packed right factor. The left one must not lie by columns. Its rows are
    /// packed group by group, just before they are needed, and `finish` is called with the rows of a group as
    /// soon as their results are there, and with `out`, or with these results if no others are kept.
    pub(super) fn multiply_packed(
        &mut self,
        unit: Unit,
        a: Matrix<'_, f32>,
        b: &Packed,
        (out, kept): (&mut [f32], ResultRows),
        finish: &mut dyn FnMut(Range<usize>, &mut [f32]),
    ) {
        assert_eq!(a.columns(), b.depth(), "inner dimensions");
        let columns = b.lines();
        for first in (0..a.rows()).step_by(GROUP * STRIPE) {
            let rows = first..a.rows().min(first + GROUP * STRIPE);
            self.left.pack(unit, a.row_range(rows.clone()), Side::Left);
            let place = match kept {
                ResultRows::All => first * columns..rows.end * columns,
                ResultRows::Group => 0..rows.len() * columns,
            };
            let group = &mut out[place.clone()];
            // Configured anew for each group, because `finish` may multiply, too.
            let configured = unit.configure();
            let left = (&self.left, 0..self.left.pairs());
            multiply_rows(configured.as_ref(), left, b, &mut self.square, group);
            drop(configured);
            match kept {
                ResultRows::All => finish(rows, out),
                ResultRows::Group => finish(rows, &mut out[place]),
            }
        }
    }
}

/// Computes `out`, the product of some pairs of blocks of a packed left factor and of a right one.
fn multiply_rows(
    configured: Option<&tiles::Configured>,
    (left, pairs): (&Packed, Range<usize>),
    right: &Packed,
    square: &mut Square,
    out: &mut [f32],
) {
    let columns = right.lines();
    for right_pair in 0..right.pairs() {
        let first = right_pair * STRIPE;
        let width = (columns - first).min(STRIPE);
        for (left_pair, out) in pairs.clone().zip(out.chunks_mut(STRIPE * columns)) {
            let height = (left.lines() - left_pair * STRIPE).min(STRIPE);
            let (left, right) = (left.pair(left_pair), right.pair(right_pair));
            if width == STRIPE && height == STRIPE {
                assert!(
                    (STRIPE - 1) * columns + first + STRIPE <= out.len(),
                    "the square lies in the result"
                );
                let place = Place { start: out[first..].as_mut_ptr(), stride: columns };
                let next = if left_pair + 1 < pairs.end {
                    place.start.wrapping_add(STRIPE * columns)
                } else {
                    place
                        .start
                        .wrapping_sub((left_pair - pairs.start) * STRIPE * columns)
                        .wrapping_add(STRIPE)
                };
                Place { start: next, ..place }.prefetch();
                // SAFETY: the place has room for two by two tiles, as just asserted.
                unsafe { multiply_pairs(configured, left, right, place) };
            } else {
                // SAFETY: a square has room for two by two tiles.
                unsafe { multiply_pairs(configured, left, right, square.place()) };
                for (row, out) in square.0.iter().zip(out.chunks_mut(columns)).take(height) {
                    out[first..first + width].copy_from_slice(&row[..width]);
                }
            }
        }
    }
}

/// Computes `out`, the transposed product of packed factors.
fn multiply_transposed(
    configured: Option<&tiles::Configured>,
    left: &Packed,
    right: &Packed,
    square: &mut Square,
    out: &mut [f32],
) {
    let rows = left.lines();
    for right_pair in 0..right.pairs() {
        let width = (right.lines() - right_pair * STRIPE).min(STRIPE);
        for left_pair in 0..left.pairs() {
            let first = left_pair * STRIPE;
            let height = (rows - first).min(STRIPE);
            // SAFETY: a square has room for two by two tiles.
            unsafe {
                multiply_pairs(configured, left.pair(left_pair), right.pair(right_pair), square.place());
            }
            square.copy_transposed([height, width], &mut out[right_pair * STRIPE * rows + first..], rows);
        }
    }
}

/// Computes two by two tiles of results.
///
/// # Safety
/// `place` must have room for [`STRIPE`] rows of [`STRIPE`] numbers.
unsafe fn multiply_pairs(
    configured: Option<&tiles::Configured>,
    left: [&[Tile]; 2],
    right: [&[Tile]; 2],
    place: Place,
) {
    let steps = left[0].len();
    assert!(steps > 0 && left[1].len() == steps && right.iter().all(|block| block.len() == steps));
    // SAFETY: all blocks have equally many tiles, and the caller guarantees room for the results. The machine
    // has the instructions, because only a `Unit` makes packed factors.
    unsafe {
        match configured {
            Some(configured) => tiles::Configured::square(configured, left, right, place),
            None => vectors::square(left, right, place),
        }
    }
}

impl Square {
    fn place(&mut self) -> Place {
        Place { start: self.0.as_mut_ptr().cast(), stride: STRIPE }
    }

    /// Copies the first rows and columns, transposed, to rows that start `stride` numbers after each other.
    fn copy_transposed(&self, [height, width]: [usize; 2], to: &mut [f32], stride: usize) {
        for (first_row, first_column) in [(0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE)] {
            if first_row >= height || first_column >= width {
                continue;
            }
            let mut lines = [[0.0; SIDE]; SIDE];
            // SAFETY: only a `Unit` fills a square, and it shows that the machine has the instructions.
            unsafe { pack::transpose_corner(&self.0, first_row, first_column, &mut lines) };
            let count = (height - first_row).min(SIDE);
            for (column, line) in lines.iter().enumerate().take(width - first_column) {
                let to = &mut to[(first_column + column) * stride + first_row..][..count];
                match to.first_chunk_mut() {
                    Some(whole) => *whole = *line,
                    None => to.copy_from_slice(&line[..count]),
                }
            }
        }
    }
}
