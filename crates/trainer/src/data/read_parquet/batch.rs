//! Batches of one column's values.

use std::fs::File;
use std::str;
use std::sync::Arc;

use jiff::SignedDuration;
use num_bigint::BigInt;
use parquet::basic::Type as PhysicalType;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type,
    Int96, Int96Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;

use super::compressed;
use super::field::{Field, ValueType};
use super::pages::CheckedPages;
use super::unit::Unit;

const SECONDS_PER_DAY: i64 = 86_400;
/// Julian day of 1970-01-01.
const JULIAN_DAY_OF_EPOCH: i64 = 2_440_588;
/// Maximum bytes of a decimal: 76 digits.
const LONGEST_DECIMAL: usize = 32;
const TOO_LONG: &str = "a decimal number has more than 32 bytes";

/// A column of a row group, and its rows of the last read.
pub(super) struct Batch {
    pub(super) field: Field,
    column: Column,
}

/// A column by its physical type.
enum Column {
    Boolean(Typed<BoolType>),
    Int32(Typed<Int32Type>),
    Int64(Typed<Int64Type>),
    Int96(Typed<Int96Type>),
    Float(Typed<FloatType>),
    Double(Typed<DoubleType>),
    Bytes(Typed<ByteArrayType>),
    FixedBytes(Typed<FixedLenByteArrayType>),
}

struct Typed<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// Values of the rows that have one.
    values: Vec<T::T>,
    /// Whether a row has a value: 1 or 0. Empty if every row has one.
    levels: Vec<i16>,
}

impl Batch {
    /// Opens a column that is not nested.
    pub(super) fn open(
        file: &Arc<File>,
        group: &RowGroupMetaData,
        field: &Field,
    ) -> Result<Self, ParquetError> {
        let description = group.schema_descr().column(field.leaf);
        let physical_type = description.physical_type();
        let (pages, brotli) = compressed::open(file, group, field.leaf)?;
        let pages = Box::new(CheckedPages::new(pages, brotli, &description));
        let column = match physical_type {
            PhysicalType::BOOLEAN => Column::Boolean(Typed::new(ColumnReaderImpl::new(description, pages))),
            PhysicalType::INT32 => Column::Int32(Typed::new(ColumnReaderImpl::new(description, pages))),
            PhysicalType::INT64 => Column::Int64(Typed::new(ColumnReaderImpl::new(description, pages))),
            PhysicalType::INT96 => Column::Int96(Typed::new(ColumnReaderImpl::new(description, pages))),
            PhysicalType::FLOAT => Column::Float(Typed::new(ColumnReaderImpl::new(description, pages))),
            PhysicalType::DOUBLE => Column::Double(Typed::new(ColumnReaderImpl::new(description, pages))),
            PhysicalType::BYTE_ARRAY => Column::Bytes(Typed::new(ColumnReaderImpl::new(description, pages))),
            PhysicalType::FIXED_LEN_BYTE_ARRAY => {
                Column::FixedBytes(Typed::new(ColumnReaderImpl::new(description, pages)))
            }
        };
        Ok(Self { field: field.clone(), column })
    }

    /// Reads the next `rows` rows, which replace the previous ones. Returns the number of rows read.
    pub(super) fn read(&mut self, rows: usize) -> Result<usize, ParquetError> {
        match &mut self.column {
            Column::Boolean(column) => column.read(rows),
            Column::Int32(column) => column.read(rows),
            Column::Int64(column) => column.read(rows),
            Column::Int96(column) => column.read(rows),
            Column::Float(column) => column.read(rows),
            Column::Double(column) => column.read(rows),
            Column::Bytes(column) => column.read(rows),
            Column::FixedBytes(column) => column.read(rows),
        }
    }

    /// Returns the rows of a numeric column as the nearest numbers in double precision.
    ///
    /// # Errors
    /// A message if a decimal number is too long.
    pub(super) fn numbers(&self) -> Result<Vec<Option<f64>>, &'static str> {
        Ok(match (&self.column, &self.field.values) {
            (Column::Boolean(column), _) => column.map(|&value| f64::from(u8::from(value))),
            (Column::Float(column), _) => column.map(|&value| f64::from(value)),
            (Column::Double(column), _) => column.map(|&value| value),
            (Column::Int32(column), &ValueType::Decimal { scale, .. }) => {
                column.map(|&value| decimal(value.into(), scale))
            }
            (Column::Int64(column), &ValueType::Decimal { scale, .. }) => {
                column.map(|&value| decimal(value.into(), scale))
            }
            (Column::Int32(column), &ValueType::Integer { bits, signed: true }) => {
                column.map(|&value| signed(value.into(), bits) as f64)
            }
            (Column::Int64(column), &ValueType::Integer { bits, signed: true }) => {
                column.map(|&value| signed(value, bits) as f64)
            }
            (Column::Int32(column), &ValueType::Integer { bits, signed: false }) => {
                column.map(|&value| unsigned(value.into(), bits) as f64)
            }
            (Column::Int64(column), &ValueType::Integer { bits, signed: false }) => {
                column.map(|&value| unsigned(value, bits) as f64)
            }
            (Column::Bytes(column), &ValueType::Decimal { scale, .. }) => {
                if column.values.iter().any(|value| value.len() > LONGEST_DECIMAL) {
                    return Err(TOO_LONG);
                }
                column.map(|value| decimal_of_bytes(value.data(), scale))
            }
            (Column::FixedBytes(column), &ValueType::Decimal { scale, .. }) => {
                if column.values.iter().any(|value| value.len() > LONGEST_DECIMAL) {
                    return Err(TOO_LONG);
                }
                column.map(|value| decimal_of_bytes(value.data(), scale))
            }
            (Column::FixedBytes(column), ValueType::Float { .. }) => {
                column.map(|value| value.data().try_into().map_or(f64::NAN, half))
            }
            _ => unreachable!("numbers are asked for of numeric columns"),
        })
    }

    /// Returns the rows of an integer column.
    pub(super) fn integers(&self) -> Vec<Option<i128>> {
        let &ValueType::Integer { bits, signed: with_sign } = &self.field.values else {
            unreachable!("integers are asked for of integer columns");
        };
        let integer = |value: i64| {
            if with_sign { signed(value, bits).into() } else { unsigned(value, bits).into() }
        };
        match &self.column {
            Column::Int32(column) => column.map(|&value| integer(value.into())),
            Column::Int64(column) => column.map(|&value| integer(value)),
            _ => unreachable!("integers are INT32 or INT64"),
        }
    }

    /// Returns the time since 1970 of each row of a column of dates or timestamps.
    pub(super) fn elapsed(&self) -> Vec<Option<SignedDuration>> {
        let elapsed = |value: i64| match &self.field.values {
            ValueType::Timestamp { unit: Unit::Second, .. } => SignedDuration::from_secs(value),
            ValueType::Timestamp { unit: Unit::Millisecond, .. } => SignedDuration::from_millis(value),
            ValueType::Timestamp { unit: Unit::Microsecond, .. } => SignedDuration::from_micros(value),
            ValueType::Timestamp { unit: Unit::Nanosecond, .. } => SignedDuration::from_nanos(value),
            _ => SignedDuration::from_secs(value.saturating_mul(SECONDS_PER_DAY)),
        };
        match &self.column {
            Column::Int32(column) => column.map(|&value| elapsed(value.into())),
            Column::Int64(column) => column.map(|&value| elapsed(value)),
            Column::Int96(column) => column.map(since_epoch),
            _ => unreachable!("dates and timestamps are INT32, INT64 or INT96"),
        }
    }

    /// Returns the rows of a text column.
    ///
    /// # Errors
    /// A message if a text is not valid UTF-8.
    pub(super) fn texts(&self) -> Result<Vec<Option<&str>>, &'static str> {
        let Column::Bytes(column) = &self.column else {
            unreachable!("texts are BYTE_ARRAY");
        };
        let texts = column.map(|value| str::from_utf8(value.data()));
        texts
            .into_iter()
            .map(Option::transpose)
            .collect::<Result<_, _>>()
            .map_err(|_| "a text is not valid UTF-8")
    }
}

impl<T: DataType> Typed<T> {
    fn new(reader: ColumnReaderImpl<T>) -> Self {
        Self { reader, values: Vec::new(), levels: Vec::new() }
    }

    fn read(&mut self, rows: usize) -> Result<usize, ParquetError> {
        self.values.clear();
        self.levels.clear();
        let (rows, ..) = self.reader.read_records(rows, Some(&mut self.levels), None, &mut self.values)?;
        Ok(rows)
    }

    /// Returns a value per row.
    fn map<'a, U>(&'a self, convert: impl Fn(&'a T::T) -> U) -> Vec<Option<U>> {
        let mut values = self.values.iter().map(convert);
        if self.levels.is_empty() {
            return values.map(Some).collect();
        }
        self.levels.iter().map(|&level| if level > 0 { values.next() } else { None }).collect()
    }
}

/// Returns the signed integer in the low `bits` of a stored one.
fn signed(value: i64, bits: u32) -> i64 {
    match bits {
        8 => i64::from(value as i8),
        16 => i64::from(value as i16),
        32 => i64::from(value as i32),
        _ => value,
    }
}

/// Returns the unsigned integer in the low `bits` of a stored one.
fn unsigned(value: i64, bits: u32) -> u64 {
    match bits {
        8 => u64::from(value as u8),
        16 => u64::from(value as u16),
        32 => u64::from(value as u32),
        _ => value as u64,
    }
}

/// Returns the number nearest to `unscaled * 10^-scale`.
fn decimal(unscaled: i128, scale: i32) -> f64 {
    /// Integers below this are exact in double precision, as are the powers of ten up to 22.
    const EXACT: u128 = 1 << 53;
    if unscaled.unsigned_abs() < EXACT && (0..=22).contains(&scale) {
        return unscaled as f64 / 10_f64.powi(scale);
    }
    parsed(&unscaled, scale)
}

/// Returns the number nearest to a decimal of at most 32 bytes in big-endian two's complement.
fn decimal_of_bytes(bytes: &[u8], scale: i32) -> f64 {
    let unscaled = BigInt::from_signed_bytes_be(bytes);
    match i128::try_from(&unscaled) {
        Ok(unscaled) => decimal(unscaled, scale),
        Err(_) => parsed(&unscaled, scale),
    }
}

/// Returns the decimal with a single rounding, unlike arithmetic with two inexact operands.
fn parsed(unscaled: &impl ToString, scale: i32) -> f64 {
    let text = format!("{}e{}", unscaled.to_string(), -i64::from(scale));
    text.parse().expect("an integer and an exponent are a number")
}

/// Returns the number of a half-precision float (IEEE 754 binary16), little-endian.
fn half(bytes: [u8; 2]) -> f64 {
    let bits = u16::from_le_bytes(bytes);
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    }
}

/// Returns the time since 1970 of a timestamp of 96 bits: nanoseconds of the day, then the Julian day.
fn since_epoch(value: &Int96) -> SignedDuration {
    let [low, high, day] = [0, 1, 2].map(|i| value.data()[i]);
    let days = i64::from(day as i32) - JULIAN_DAY_OF_EPOCH;
    let nanoseconds = (i64::from(high) << 32) + i64::from(low);
    SignedDuration::from_secs(days * SECONDS_PER_DAY) + SignedDuration::from_nanos(nanoseconds)
}
