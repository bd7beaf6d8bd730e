//! Reads files as text: decompression and character encoding.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::read::MultiGzDecoder;

use super::ImportError;
use super::error::Problem;
use super::note::Note;

/// Maximum size of a decompressed file, because a small file can expand beyond the memory.
const MOST_BYTES: u64 = 256 << 20;

/// First bytes of compression formats that are not supported, with the name of the format and the program
/// that unpacks it.
const UNREAD: [(&[u8], &str, &str); 4] = [
    (b"PK\x03\x04", "zip", "unzip"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ\0", "xz", "unxz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd"),
];

const GZIP: &[u8] = b"\x1f\x8b";

/// Returns the text of a file, decompressed if it is gzip, with a note on its encoding.
///
/// # Errors
/// [`ImportError`] with the file and the malformed place.
pub(super) fn read(path: &Path) -> Result<(String, Option<Note>), ImportError> {
    let cannot = |source| ImportError::Read { path: path.to_path_buf(), source };
    let mut file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(cannot)?;
    let bytes = unpacked(bytes, MOST_BYTES).map_err(|problem| problem.in_file(path))?;
    if bytes.starts_with(b"SQLite format 3\0") {
        return Err(Problem::new("its content", "it is a compressed database, which cannot be read")
            .hint("decompress it first with gunzip")
            .in_file(path));
    }
    decoded(&bytes).map_err(|problem| problem.in_file(path))
}

/// Decompresses gzip to at most `most` bytes; returns other bytes unchanged.
fn unpacked(bytes: Vec<u8>, most: u64) -> Result<Vec<u8>, Problem> {
    if !bytes.starts_with(GZIP) {
        return refuse_packed(bytes);
    }
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(&*bytes).take(most + 1);
    reader.read_to_end(&mut unpacked).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Problem::new("its compressed content", "it is truncated").hint("write or copy the file again")
        }
        _ => Problem::new("its compressed content", error.to_string()).hint("write or copy the file again"),
    })?;
    if unpacked.len() as u64 > most {
        let message = format!("it decompresses to more than {} MiB", most >> 20);
        return Err(Problem::new("its compressed content", message)
            .hint("decompress it first with gunzip, if you trust it"));
    }
    if unpacked.starts_with(GZIP) {
        return Err(Problem::new("its compressed content", "it is compressed twice")
            .hint("decompress it first with gunzip"));
    }
    refuse_packed(unpacked)
}

fn refuse_packed(bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    match UNREAD.iter().find(|(first, ..)| bytes.starts_with(first)) {
        None => Ok(bytes),
        Some((_, how, program)) => {
            let message = format!("it is compressed with {how}; only gzip is supported");
            Err(Problem::new("its first bytes", message).hint(format!("decompress it first with {program}")))
        }
    }
}

/// Decodes bytes by their byte order mark, else as UTF-8, else as Windows-1252, a superset of Latin-1.
fn decoded(bytes: &[u8]) -> Result<(String, Option<Note>), Problem> {
    let marked = Encoding::for_bom(bytes).map(|(encoding, length)| (encoding, &bytes[length..]));
    let (encoding, rest) = match marked {
        Some(marked) => marked,
        None if std::str::from_utf8(bytes).is_ok() => (UTF_8, bytes),
        None => (WINDOWS_1252, bytes),
    };
    let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(rest) else {
        let valid = encoding.decode_without_bom_handling(rest).0;
        let line = 1 + valid.split('\u{fffd}').next().unwrap_or_default().matches('\n').count();
        return Err(Problem::new(format!("line {line}"), format!("it is not valid {}", encoding.name()))
            .hint("write the file again as UTF-8"));
    };
    // A zero byte means UTF-16 without its mark, UTF-32, or no text at all.
    if let Some(place) = text.find('\0') {
        let line = 1 + text[..place].matches('\n').count();
        return Err(Problem::new(format!("line {line}"), "a zero byte, which no text contains")
            .hint("write the file as UTF-8, or as UTF-16 with a byte order mark"));
    }
    let note = match encoding {
        _ if encoding == UTF_8 => None,
        _ if encoding == UTF_16LE || encoding == UTF_16BE => None,
        _ => Some(Note::Latin1 { characters: text.chars().filter(|c| !c.is_ascii()).count() }),
    };
    Ok((text.into_owned(), note))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn problem<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
        let problem = result.unwrap_err();
        format!("{}: {} ({})", problem.place, problem.message, problem.hint.unwrap_or_default())
    }

    #[test]
    fn gzip_is_unpacked_up_to_a_limit() {
        let two = [packed(b"number,"), packed(b"value\n")].concat();
        assert_eq!(unpacked(two, 100).unwrap(), b"number,value\n");
        assert_eq!(unpacked(b"plain".to_vec(), 1).unwrap(), b"plain");
        assert_eq!(unpacked(packed(&vec![b'0'; 1 << 20]), 1 << 20).unwrap().len(), 1 << 20);
        let bomb = packed(&vec![b'0'; 8 << 20]);
        assert!(bomb.len() < 20_000);
        assert!(problem(unpacked(bomb, 1 << 20)).contains("decompresses to more than 1 MiB"));
        let whole = packed(b"number,value\n0,0.5\n");
        assert!(problem(unpacked(whole[..whole.len() - 3].to_vec(), 100)).contains("it is truncated"));
        let mut damaged = whole.clone();
        let last = damaged.len() - 5;
        damaged[last] ^= 1;
        assert!(problem(unpacked(damaged, 100)).contains("its compressed content"));
        assert!(problem(unpacked(packed(&whole), 100)).contains("compressed twice"));
        assert!(problem(unpacked(b"BZh91AY".to_vec(), 100)).contains("bzip2; only gzip is supported"));
        assert!(problem(unpacked(b"PK\x03\x04".to_vec(), 100)).contains("unzip"));
    }

    #[test]
    fn characters_are_told_by_their_mark_or_by_being_no_utf8() {
        let text = "name,α é €\n";
        let wide: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(wide.iter().flat_map(|c| c.to_le_bytes())).collect();
        let big: Vec<u8> =
            [0xfe, 0xff].into_iter().chain(wide.iter().flat_map(|c| c.to_be_bytes())).collect();
        for bytes in [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes(), little.clone(), big] {
            assert_eq!(decoded(&bytes).unwrap(), (text.to_owned(), None));
        }
        let latin = decoded(b"Gr\xfc\xdfe \x80").unwrap();
        assert_eq!(latin, ("Grüße €".to_owned(), Some(Note::Latin1 { characters: 3 })));
        assert!(problem(decoded(&little[..little.len() - 1])).contains("it is not valid UTF-16LE"));
        assert!(problem(decoded(&little[2..])).contains("a zero byte"));
        assert!(problem(decoded(b"a\nb\0c")).starts_with("line 2: a zero byte"));
        assert!(problem(decoded(b"\xef\xbb\xbfa\n\xff")).starts_with("line 2: it is not valid UTF-8"));
        assert_eq!(decoded(b"").unwrap().0, "");
    }
}
