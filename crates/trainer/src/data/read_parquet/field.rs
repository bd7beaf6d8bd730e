//! Columns as described by a Parquet file.

use std::fmt;

use jiff::tz::TimeZone;
use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::file::metadata::FileMetaData;
use parquet::schema::types::Type;

use super::arrow_schema::{self, ArrowType};
use super::unit::Unit;

/// A column at the root of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) values: ValueType,
    /// Whether the values are categories: Arrow's dictionary type, pandas's `category`.
    pub(super) categories: bool,
    /// Time zone in which timestamps with a zone are written.
    pub(super) zone: TimeZone,
    /// Index of the column chunk with the values, or of the first one if the column is nested.
    pub(super) leaf: usize,
}

/// Meaning of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ValueType {
    Boolean,
    Integer {
        bits: u32,
        signed: bool,
    },
    Float {
        bits: u32,
    },
    Decimal {
        precision: i32,
        scale: i32,
    },
    /// Days since 1970-01-01.
    Date,
    /// Time since 1970-01-01T00:00:00, in UTC if `zoned` and otherwise local.
    Timestamp {
        unit: Unit,
        zoned: bool,
    },
    Text,
    Binary,
    /// Name of a type that cannot be used.
    Other(&'static str),
}

impl Field {
    /// Returns the columns of a file in its order.
    ///
    /// # Errors
    /// A message if the file's Arrow schema is corrupt.
    pub(super) fn all(file: &FileMetaData) -> Result<Vec<Self>, &'static str> {
        let schema = file.schema_descr();
        let roots = schema.root_schema().get_fields();
        let names: Vec<&str> = roots.iter().map(|root| root.name()).collect();
        let hints = arrow_schema::read(file, &names)?;
        let mut leaves = vec![None; roots.len()];
        for leaf in (0..schema.num_columns()).rev() {
            leaves[schema.get_column_root_idx(leaf)] = Some(leaf);
        }
        let field = |(index, root): (usize, &std::sync::Arc<Type>)| {
            let hint = hints.get(index);
            let values = value_type(root);
            Self {
                name: root.name().to_owned(),
                values: hint.map_or_else(|| values.clone(), |hint| values.clone().hinted(hint.values)),
                categories: hint.is_some_and(|hint| hint.dictionary),
                zone: hint.and_then(|hint| hint.zone.clone()).unwrap_or(TimeZone::UTC),
                leaf: leaves[index].unwrap_or(usize::MAX),
            }
        };
        Ok(roots.iter().enumerate().map(field).collect())
    }

    /// Whether the column can be a feature or a label.
    pub(super) fn is_numeric(&self) -> bool {
        use ValueType::{Boolean, Decimal, Float, Integer};
        !self.categories && matches!(self.values, Boolean | Integer { .. } | Float { .. } | Decimal { .. })
    }

    /// Whether the column holds text, also as categories.
    pub(super) fn is_text(&self) -> bool {
        self.values == ValueType::Text
    }

    /// Whether the column's values can be read: it is not nested and its type is supported.
    pub(super) fn is_readable(&self) -> bool {
        !matches!(self.values, ValueType::Binary | ValueType::Other(_))
    }

    /// Whether the column can order the rows.
    pub(super) fn is_time(&self) -> bool {
        use ValueType::{Date, Float, Integer, Text, Timestamp};
        matches!(self.values, Date | Float { .. } | Integer { .. } | Text | Timestamp { .. })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.categories { write!(f, "Dictionary({})", self.values) } else { self.values.fmt(f) }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("Boolean"),
            Self::Integer { bits, signed: true } => write!(f, "Int{bits}"),
            Self::Integer { bits, signed: false } => write!(f, "UInt{bits}"),
            Self::Float { bits } => write!(f, "Float{bits}"),
            Self::Decimal { precision, scale } => write!(f, "Decimal({precision}, {scale})"),
            Self::Date => f.write_str("Date"),
            Self::Timestamp { .. } => f.write_str("Timestamp"),
            Self::Text => f.write_str("Utf8"),
            Self::Binary => f.write_str("Binary"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl ValueType {
    /// Returns the type refined by the Arrow schema. The file's own types win if both are given.
    fn hinted(self, hint: ArrowType) -> Self {
        let signed_integer = |bits| Self::Integer { bits, signed: true };
        match (self, hint) {
            (Self::Integer { signed: true, bits: 32 | 64 }, ArrowType::Timestamp { unit, zoned }) => {
                Self::Timestamp { unit, zoned }
            }
            (values, ArrowType::Date64) if values == signed_integer(64) => {
                Self::Timestamp { unit: Unit::Millisecond, zoned: false }
            }
            (values, ArrowType::Duration) if values == signed_integer(64) => Self::Other("Duration"),
            (values, ArrowType::Time) if values == signed_integer(32) || values == signed_integer(64) => {
                Self::Other("Time")
            }
            (Self::Timestamp { unit, zoned: false }, ArrowType::Timestamp { unit: hinted, zoned }) => {
                // INT96 timestamps, which have no zone of their own, count as nanoseconds.
                Self::Timestamp { unit, zoned: zoned && (unit == hinted || unit == Unit::Nanosecond) }
            }
            (Self::Binary, ArrowType::Text) => Self::Text,
            (values, _) => values,
        }
    }
}

/// Returns the type of a column by the file's own schema.
fn value_type(root: &Type) -> ValueType {
    let info = root.get_basic_info();
    let (logical, converted) = (info.logical_type_ref(), info.converted_type());
    if root.is_group() {
        return ValueType::Other(match (logical, converted) {
            (Some(LogicalType::List), _) | (None, ConvertedType::LIST) => "List",
            (Some(LogicalType::Map), _) | (None, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => "Map",
            _ => "Struct",
        });
    }
    if info.has_repetition() && info.repetition() == Repetition::REPEATED {
        return ValueType::Other("List");
    }
    if logical == Some(&LogicalType::Unknown) {
        return ValueType::Other("Null");
    }
    match root.get_physical_type() {
        PhysicalType::BOOLEAN => ValueType::Boolean,
        PhysicalType::INT32 => integer(root, 32),
        PhysicalType::INT64 => integer(root, 64),
        PhysicalType::INT96 => ValueType::Timestamp { unit: Unit::Nanosecond, zoned: false },
        PhysicalType::FLOAT => ValueType::Float { bits: 32 },
        PhysicalType::DOUBLE => ValueType::Float { bits: 64 },
        PhysicalType::BYTE_ARRAY | PhysicalType::FIXED_LEN_BYTE_ARRAY => bytes(root),
    }
}

/// Returns the type of a column stored as INT32 or INT64.
fn integer(root: &Type, width: u32) -> ValueType {
    let info = root.get_basic_info();
    let integer = |bits, signed| ValueType::Integer { bits, signed };
    let instant = |unit| ValueType::Timestamp { unit, zoned: true };
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::Integer(int)), _) => match int.bit_width {
            bits @ (8 | 16 | 32 | 64) => integer(bits.unsigned_abs().into(), int.is_signed),
            _ => ValueType::Other("Integer"),
        },
        (Some(LogicalType::Decimal(decimal)), _) => {
            ValueType::Decimal { precision: decimal.precision, scale: decimal.scale }
        }
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => ValueType::Date,
        (Some(LogicalType::Time(_)), _) | (None, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => {
            ValueType::Other("Time")
        }
        (Some(LogicalType::Timestamp(timestamp)), _) => ValueType::Timestamp {
            unit: match timestamp.unit {
                TimeUnit::MILLIS => Unit::Millisecond,
                TimeUnit::MICROS => Unit::Microsecond,
                TimeUnit::NANOS => Unit::Nanosecond,
            },
            zoned: timestamp.is_adjusted_to_u_t_c,
        },
        (None, ConvertedType::NONE) => integer(width, true),
        (None, ConvertedType::INT_8) => integer(8, true),
        (None, ConvertedType::INT_16) => integer(16, true),
        (None, ConvertedType::INT_32) => integer(32, true),
        (None, ConvertedType::INT_64) => integer(64, true),
        (None, ConvertedType::UINT_8) => integer(8, false),
        (None, ConvertedType::UINT_16) => integer(16, false),
        (None, ConvertedType::UINT_32) => integer(32, false),
        (None, ConvertedType::UINT_64) => integer(64, false),
        (None, ConvertedType::DECIMAL) => {
            ValueType::Decimal { precision: root.get_precision(), scale: root.get_scale() }
        }
        (None, ConvertedType::TIMESTAMP_MILLIS) => instant(Unit::Millisecond),
        (None, ConvertedType::TIMESTAMP_MICROS) => instant(Unit::Microsecond),
        _ => ValueType::Other("Unknown"),
    }
}

/// Returns the type of a column stored as `BYTE_ARRAY` or `FIXED_LEN_BYTE_ARRAY`.
fn bytes(root: &Type) -> ValueType {
    let info = root.get_basic_info();
    let fixed = root.get_physical_type() == PhysicalType::FIXED_LEN_BYTE_ARRAY;
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::Decimal(decimal)), _) => {
            ValueType::Decimal { precision: decimal.precision, scale: decimal.scale }
        }
        (None, ConvertedType::DECIMAL) => {
            ValueType::Decimal { precision: root.get_precision(), scale: root.get_scale() }
        }
        (Some(LogicalType::Float16), _) if fixed => ValueType::Float { bits: 16 },
        (None, ConvertedType::INTERVAL) if fixed => ValueType::Other("Interval"),
        _ if fixed => ValueType::Other("FixedSizeBinary"),
        (Some(LogicalType::String | LogicalType::Json), _)
        | (None, ConvertedType::UTF8 | ConvertedType::JSON) => ValueType::Text,
        _ => ValueType::Binary,
    }
}
