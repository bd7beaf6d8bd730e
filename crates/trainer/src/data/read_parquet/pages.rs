//! Pages whose value counts are checked before a decoder allocates memory for them.

use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::compressed::Brotli;

/// Pages of a column that is not nested.
pub(super) struct CheckedPages {
    pages: Box<dyn PageReader>,
    /// How the pages are decompressed, if they still are compressed.
    brotli: Option<Brotli>,
    /// Minimum number of bits of a value in a dictionary.
    bits_per_value: u64,
    /// Whether rows may lack a value, in which case a page starts with levels.
    optional: bool,
}

impl CheckedPages {
    pub(super) fn new(pages: Box<dyn PageReader>, brotli: Option<Brotli>, column: &ColumnDescPtr) -> Self {
        let bits_per_value = match column.physical_type() {
            PhysicalType::BOOLEAN => 1,
            // Each byte array is preceded by a length of 32 bits.
            PhysicalType::INT32 | PhysicalType::FLOAT | PhysicalType::BYTE_ARRAY => 32,
            PhysicalType::INT64 | PhysicalType::DOUBLE => 64,
            PhysicalType::INT96 => 96,
            PhysicalType::FIXED_LEN_BYTE_ARRAY => 8 * u64::try_from(column.type_length()).unwrap_or(0),
        };
        Self { pages, brotli, bits_per_value, optional: column.max_def_level() > 0 }
    }

    fn check(&self, page: &Page) -> Option<()> {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => (u64::from(*num_values) * self.bits_per_value
                <= 8 * buf.len() as u64
                && (self.bits_per_value > 0 || *num_values <= 1))
                .then_some(()),
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                let levels = match def_level_encoding {
                    _ if !self.optional => 0,
                    Encoding::RLE => 4 + u32::from_le_bytes(*buf.first_chunk()?) as usize,
                    _ => (*num_values as usize).div_ceil(8),
                };
                check_lengths(*encoding, buf.get(levels..)?, *num_values)
            }
            Page::DataPageV2 {
                buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, ..
            } => {
                let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
                check_lengths(*encoding, buf.get(levels..)?, *num_values)
            }
        }
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let mut page = self.pages.get_next_page()?;
        if let (Some(page), Some(brotli)) = (&mut page, &self.brotli) {
            brotli.decompress(page)?;
        }
        match page.as_ref().map_or(Some(()), |page| self.check(page)) {
            Some(()) => Ok(page),
            None => Err(ParquetError::General("a page holds fewer values than it claims".to_owned())),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

/// Checks that byte arrays with separately stored lengths have at most `most` lengths.
fn check_lengths(encoding: Encoding, values: &[u8], most: u32) -> Option<()> {
    let mut rest = values;
    let counted = |rest: &mut &[u8]| (skip_packed(rest)? <= u64::from(most)).then_some(());
    match encoding {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => counted(&mut rest),
        Encoding::DELTA_BYTE_ARRAY => {
            counted(&mut rest)?;
            counted(&mut rest)
        }
        _ => Some(()),
    }
}

/// Skips integers in the encoding `DELTA_BINARY_PACKED`. Returns their number according to the header.
fn skip_packed(rest: &mut &[u8]) -> Option<u64> {
    let block = varint(rest)?;
    let parts = varint(rest)?;
    let count = varint(rest)?;
    varint(rest)?;
    let values_per_part = block.checked_div(parts)?;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        varint(rest)?;
        let widths = rest.split_off(..usize::try_from(parts).ok()?)?;
        for &width in widths {
            if left == 0 {
                break;
            }
            let bytes = values_per_part.checked_mul(u64::from(width))? / 8;
            rest.split_off(..usize::try_from(bytes).ok()?)?;
            left = left.saturating_sub(values_per_part);
        }
        if values_per_part == 0 {
            return None;
        }
    }
    Some(count)
}

/// Reads an integer of variable length (LEB128).
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use parquet::schema::types::{ColumnDescriptor, ColumnPath, Type};

    use super::*;

    /// Reader with a single page.
    struct Single(Option<Page>);

    impl Iterator for Single {
        type Item = Result<Page>;

        fn next(&mut self) -> Option<Result<Page>> {
            self.get_next_page().transpose()
        }
    }

    impl PageReader for Single {
        fn get_next_page(&mut self) -> Result<Option<Page>> {
            Ok(self.0.take())
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn is_accepted(page: Page) -> bool {
        let text = Type::primitive_type_builder("text", PhysicalType::BYTE_ARRAY).build().expect("is valid");
        let column = ColumnDescriptor::new(Arc::new(text), 0, 0, ColumnPath::new(Vec::new()));
        CheckedPages::new(Box::new(Single(Some(page))), None, &Arc::new(column)).get_next_page().is_ok()
    }

    fn dictionary(num_values: u32) -> Page {
        // Two texts, `a` and the empty one.
        let buf = Bytes::from_static(&[1, 0, 0, 0, b'a', 0, 0, 0, 0]);
        Page::DictionaryPage { buf, num_values, encoding: Encoding::PLAIN, is_sorted: false }
    }

    #[test]
    fn a_dictionary_holds_what_it_claims() {
        assert!(is_accepted(dictionary(2)));
        assert!(!is_accepted(dictionary(3)));
        assert!(!is_accepted(dictionary(u32::MAX)));
    }

    /// Equal integers: blocks of 128 in 4 parts, with no bits each.
    fn packed(count: u8) -> Vec<u8> {
        vec![0x80, 1, 4, count, 0, 0, 0, 0, 0, 0]
    }

    fn texts(encoding: Encoding, lengths: &[Vec<u8>], num_values: u32) -> Page {
        let (buf, def_level_encoding) = (Bytes::from(lengths.concat()), Encoding::RLE);
        let rep_level_encoding = Encoding::RLE;
        Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics: None }
    }

    #[test]
    fn lengths_are_as_many_as_values() {
        let lengths = |count, values| texts(Encoding::DELTA_LENGTH_BYTE_ARRAY, &[packed(count)], values);
        assert!(is_accepted(lengths(9, 9)));
        assert!(!is_accepted(lengths(10, 9)));
        let both =
            |prefixes, suffixes| texts(Encoding::DELTA_BYTE_ARRAY, &[packed(prefixes), packed(suffixes)], 9);
        assert!(is_accepted(both(9, 9)));
        assert!(!is_accepted(both(10, 9)));
        assert!(!is_accepted(both(9, 10)));
        let cut = texts(Encoding::DELTA_BYTE_ARRAY, &[packed(9), vec![0x80]], 9);
        assert!(!is_accepted(cut));
    }
}
