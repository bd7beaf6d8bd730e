//! Pages of a column, decompressed.
//!
//! Brotli is decompressed here, because the `parquet` crate would bring Brotli's encoder, too, which is
//! large.

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use brotli_decompressor::Decompressor;
use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

/// Bytes that a decompressor reads at once.
const BUFFER: usize = 4096;

/// Opens the pages of a column of a row group. Those compressed by Brotli are returned as they are stored.
pub(super) fn open(
    file: &Arc<File>,
    group: &RowGroupMetaData,
    leaf: usize,
) -> Result<(Box<dyn PageReader>, Option<Brotli>)> {
    let column = group.column(leaf);
    let rows = usize::try_from(group.num_rows())?;
    if !matches!(column.compression(), Compression::BROTLI(_)) {
        return Ok((Box::new(SerializedPageReader::new(file.clone(), column, rows, None)?), None));
    }
    let stored = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
    let pages = SerializedPageReader::new(file.clone(), &stored, rows, None)?;
    // The format counts the bytes of a page in 31 bits.
    let most = u64::try_from(column.uncompressed_size())?.min(i32::MAX as u64);
    Ok((Box::new(pages), Some(Brotli { most })))
}

/// How pages compressed by Brotli become pages.
pub(super) struct Brotli {
    /// Maximum number of bytes of a decompressed page.
    most: u64,
}

impl Brotli {
    /// Decompresses a page.
    pub(super) fn decompress(&self, page: &mut Page) -> Result<()> {
        match page {
            Page::DictionaryPage { buf, .. } | Page::DataPage { buf, .. } => {
                *buf = decompress(buf, 0, self.most)?;
            }
            Page::DataPageV2 {
                buf, is_compressed: true, def_levels_byte_len, rep_levels_byte_len, ..
            } => {
                let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
                *buf = decompress(buf, levels, self.most)?;
            }
            Page::DataPageV2 { .. } => {}
        }
        Ok(())
    }
}

/// Returns a page's bytes, of which the first `plain` are not compressed, if they are at most `most`.
fn decompress(bytes: &[u8], plain: usize, most: u64) -> Result<Bytes> {
    let corrupt = || ParquetError::General("a page compressed by Brotli is corrupt".to_owned());
    let (plain, compressed) = bytes.split_at_checked(plain).ok_or_else(corrupt)?;
    let mut whole = plain.to_vec();
    // A page without values may lack the compressed part.
    if !compressed.is_empty() {
        let values = Decompressor::new(compressed, BUFFER);
        values.take(most.saturating_add(1)).read_to_end(&mut whole).map_err(|_| corrupt())?;
    }
    if whole.len() as u64 > most {
        return Err(ParquetError::General(
            "a page compressed by Brotli is larger than its column".to_owned(),
        ));
    }
    Ok(whole.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100,000 zeros, compressed by `pyarrow.compress(b"\0" * 100_000, codec="brotli")`.
    const ZEROS: [u8; 13] = [91, 159, 134, 1, 64, 2, 32, 30, 11, 36, 203, 47, 0];

    #[test]
    fn a_page_is_decompressed_after_its_levels() {
        let page = [&[7, 8][..], &ZEROS].concat();
        let bytes = decompress(&page, 2, 100_002).expect("is decompressed");
        assert_eq!(bytes[..2], [7, 8]);
        assert_eq!(bytes[2..], vec![0; 100_000]);
        assert_eq!(&decompress(&[7, 8], 2, 2).expect("has no values")[..], [7, 8]);
    }

    #[test]
    fn a_page_is_at_most_as_large_as_its_column() {
        let message = decompress(&ZEROS, 0, 99_999).expect_err("is larger").to_string();
        assert!(message.ends_with("a page compressed by Brotli is larger than its column"), "{message}");
    }

    #[test]
    fn a_corrupt_page_is_refused() {
        for (page, plain) in [(&ZEROS[..8], 0), (&ZEROS[1..], 0), (&ZEROS[..], 14)] {
            let message = decompress(page, plain, 100_000).expect_err("is corrupt").to_string();
            assert!(message.ends_with("a page compressed by Brotli is corrupt"), "{message}");
        }
    }
}
