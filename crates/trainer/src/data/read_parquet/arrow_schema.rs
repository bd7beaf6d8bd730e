//! The Arrow schema that pyarrow, pandas and others add to a Parquet file.
//!
//! Some types have no Parquet counterpart: a `timedelta` of pandas is a plain INT64 in Parquet. The schema
//! is a `Message` of Arrow's IPC format (`Message.fbs`, `Schema.fbs`), a flatbuffer stored in base64 in the
//! file's metadata under `ARROW:schema`.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use parquet::file::metadata::FileMetaData;

use super::unit::Unit;

const CORRUPT: &str = "the Arrow schema in its metadata is corrupt";

/// Information on a column that the Arrow schema adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hint {
    pub(super) values: ArrowType,
    /// Time zone of timestamps, if it is known on this machine.
    pub(super) zone: Option<TimeZone>,
    /// Whether the column has Arrow's dictionary type.
    pub(super) dictionary: bool,
}

/// Arrow types that Parquet's own schema does not always represent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArrowType {
    /// Milliseconds since 1970-01-01.
    Date64,
    Duration,
    Text,
    Time,
    Timestamp {
        unit: Unit,
        zoned: bool,
    },
    Other,
}

/// Returns a hint per column of a file with columns `names`, or no hints if the file has no Arrow schema.
///
/// # Errors
/// A message if the schema cannot be read or belongs to other columns.
pub(super) fn read(file: &FileMetaData, names: &[&str]) -> Result<Vec<Hint>, &'static str> {
    let entry = file.key_value_metadata().into_iter().flatten().find(|entry| entry.key == "ARROW:schema");
    let Some(text) = entry.and_then(|entry| entry.value.as_ref()) else {
        return Ok(Vec::new());
    };
    let bytes = base64(text).ok_or(CORRUPT)?;
    hints(&bytes, names).ok_or(CORRUPT)
}

fn hints(bytes: &[u8], names: &[&str]) -> Option<Vec<Hint>> {
    /// Header type of a message with a schema.
    const SCHEMA: u8 = 1;
    // Newer writers put a continuation mark and the length before the message.
    let message = if bytes.starts_with(&[0xff; 4]) { bytes.get(8..)? } else { bytes };
    let message = Table::at(message, 0)?;
    if message.byte(1)? != SCHEMA {
        return None;
    }
    let schema = message.table(2)?;
    let fields = schema.tables(1)?;
    if fields.len() != names.len() {
        return None;
    }
    fields.zip(names).map(|(field, name)| hint(&field?, name)).collect()
}

fn hint(field: &Table<'_>, name: &str) -> Option<Hint> {
    if field.text(0)? != name.as_bytes() {
        return None;
    }
    let unit = |of: &Table<'_>| match of.short(0) {
        None | Some(0) => Unit::Second,
        Some(1) => Unit::Millisecond,
        Some(2) => Unit::Microsecond,
        Some(_) => Unit::Nanosecond,
    };
    let mut zone = None;
    let values = match field.byte(2)? {
        // The unit is milliseconds unless it is given as days.
        8 if field.table(3)?.short(0) != Some(0) => ArrowType::Date64,
        9 => ArrowType::Time,
        10 => {
            let timestamp = field.table(3)?;
            let name = timestamp.text(1).filter(|name| !name.is_empty());
            zone = name.and_then(|name| DateTimeParser::new().parse_time_zone(name).ok());
            ArrowType::Timestamp { unit: unit(&timestamp), zoned: name.is_some() }
        }
        18 => ArrowType::Duration,
        5 | 20 | 24 => ArrowType::Text,
        _ => ArrowType::Other,
    };
    Some(Hint { values, zone, dictionary: field.table(4).is_some() })
}

/// A table of a flatbuffer. Everything outside the bytes counts as absent.
struct Table<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Table<'a> {
    /// Returns the table that the offset at `position` refers to.
    fn at(bytes: &'a [u8], position: usize) -> Option<Self> {
        let position = follow(bytes, position)?;
        Some(Self { bytes, position })
    }

    /// Returns the position of a field.
    fn field(&self, slot: usize) -> Option<usize> {
        let back = i32::from_le_bytes(array(self.bytes, self.position)?);
        let vtable = self.position.checked_add_signed(-(back as isize))?;
        let size = usize::from(u16::from_le_bytes(array(self.bytes, vtable)?));
        let entry = 4 + 2 * slot;
        let offset = u16::from_le_bytes(array(self.bytes, vtable.checked_add(entry)?)?);
        (entry + 2 <= size && offset != 0).then(|| self.position + usize::from(offset))
    }

    fn byte(&self, slot: usize) -> Option<u8> {
        self.bytes.get(self.field(slot)?).copied()
    }

    fn short(&self, slot: usize) -> Option<i16> {
        Some(i16::from_le_bytes(array(self.bytes, self.field(slot)?)?))
    }

    fn table(&self, slot: usize) -> Option<Self> {
        Self::at(self.bytes, self.field(slot)?)
    }

    fn text(&self, slot: usize) -> Option<&'a [u8]> {
        let position = follow(self.bytes, self.field(slot)?)?;
        let length = u32::from_le_bytes(array(self.bytes, position)?) as usize;
        self.bytes.get(position + 4..)?.get(..length)
    }

    /// Returns the tables of a vector, with `None` for each that lies outside the bytes.
    fn tables(&self, slot: usize) -> Option<impl ExactSizeIterator<Item = Option<Self>>> {
        let position = follow(self.bytes, self.field(slot)?)?;
        let length = u32::from_le_bytes(array(self.bytes, position)?) as usize;
        let bytes = self.bytes;
        Some((0..length).map(move |i| Self::at(bytes, position.checked_add(4 + 4 * i)?)))
    }
}

/// Returns the position that the offset at `position` refers to.
fn follow(bytes: &[u8], position: usize) -> Option<usize> {
    let offset = u32::from_le_bytes(array(bytes, position)?);
    position.checked_add(offset as usize)
}

fn array<const N: usize>(bytes: &[u8], position: usize) -> Option<[u8; N]> {
    bytes.get(position..)?.first_chunk().copied()
}

/// Decodes base64 of the standard alphabet (RFC 4648, section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut pending, mut bits) = (0_u32, 0);
    for character in text.trim_end_matches('=').bytes() {
        let digit = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        pending = (pending << 6) | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits) as u8);
        }
    }
    Some(bytes)
}
