//! Columns of the Parquet files that the tests write.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

/// Maximum number of rows of a row group.
const GROUP_ROWS: usize = 4096;

/// A column: its rows and their meaning.
pub(super) struct Column {
    rows: Rows,
    logical: Option<LogicalType>,
    /// Precision and scale of a decimal.
    decimal: Option<(i32, i32)>,
}

enum Rows {
    Booleans(Vec<Option<bool>>),
    Int32(Vec<Option<i32>>),
    Int64(Vec<Option<i64>>),
    Floats(Vec<Option<f32>>),
    Doubles(Vec<Option<f64>>),
    Bytes(Vec<Option<ByteArray>>),
}

pub(super) fn booleans(rows: impl IntoIterator<Item = bool>) -> Column {
    Column::new(Rows::Booleans(rows.into_iter().map(Some).collect()))
}

pub(super) fn int32(rows: impl IntoIterator<Item = i32>) -> Column {
    Column::new(Rows::Int32(rows.into_iter().map(Some).collect()))
}

pub(super) fn int64(rows: impl IntoIterator<Item = i64>) -> Column {
    Column::new(Rows::Int64(rows.into_iter().map(Some).collect()))
}

pub(super) fn singles(rows: impl IntoIterator<Item = f32>) -> Column {
    Column::new(Rows::Floats(rows.into_iter().map(Some).collect()))
}

pub(super) fn floats(rows: impl IntoIterator<Item = f64>) -> Column {
    optional(rows.into_iter().map(Some))
}

pub(super) fn optional(rows: impl IntoIterator<Item = Option<f64>>) -> Column {
    Column::new(Rows::Doubles(rows.into_iter().collect()))
}

pub(super) fn bytes<T: AsRef<[u8]>>(rows: impl IntoIterator<Item = T>) -> Column {
    let rows = rows.into_iter().map(|row| Some(ByteArray::from(row.as_ref().to_vec())));
    Column::new(Rows::Bytes(rows.collect()))
}

pub(super) fn texts<T: AsRef<str>>(rows: impl IntoIterator<Item = T>) -> Column {
    let rows = rows.into_iter().map(|row| Some(ByteArray::from(row.as_ref())));
    Column { logical: Some(LogicalType::String), ..Column::new(Rows::Bytes(rows.collect())) }
}

/// Milliseconds since 1970, without a zone.
pub(super) fn milliseconds(rows: impl IntoIterator<Item = Option<i64>>) -> Column {
    timestamps(rows, TimeUnit::MILLIS, false)
}

pub(super) fn timestamps(rows: impl IntoIterator<Item = Option<i64>>, unit: TimeUnit, zoned: bool) -> Column {
    let logical = Some(LogicalType::timestamp(zoned, unit));
    Column { logical, ..Column::new(Rows::Int64(rows.into_iter().collect())) }
}

impl Column {
    fn new(rows: Rows) -> Self {
        Self { rows, logical: None, decimal: None }
    }

    pub(super) fn integers(self, bits: i8, signed: bool) -> Self {
        Self { logical: Some(LogicalType::integer(bits, signed)), ..self }
    }

    pub(super) fn days(self) -> Self {
        Self { logical: Some(LogicalType::Date), ..self }
    }

    pub(super) fn decimal(self, precision: i32, scale: i32) -> Self {
        let logical = Some(LogicalType::decimal(scale, precision));
        Self { logical, decimal: Some((precision, scale)), ..self }
    }

    fn len(&self) -> usize {
        match &self.rows {
            Rows::Booleans(rows) => rows.len(),
            Rows::Int32(rows) => rows.len(),
            Rows::Int64(rows) => rows.len(),
            Rows::Floats(rows) => rows.len(),
            Rows::Doubles(rows) => rows.len(),
            Rows::Bytes(rows) => rows.len(),
        }
    }

    fn field(&self, name: &str) -> Type {
        let physical = match &self.rows {
            Rows::Booleans(_) => PhysicalType::BOOLEAN,
            Rows::Int32(_) => PhysicalType::INT32,
            Rows::Int64(_) => PhysicalType::INT64,
            Rows::Floats(_) => PhysicalType::FLOAT,
            Rows::Doubles(_) => PhysicalType::DOUBLE,
            Rows::Bytes(_) => PhysicalType::BYTE_ARRAY,
        };
        let (precision, scale) = self.decimal.unwrap_or((-1, -1));
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(self.logical.clone())
            .with_precision(precision)
            .with_scale(scale)
            .build()
            .expect("type is valid")
    }

    fn write(&self, writer: &mut SerializedColumnWriter<'_>, rows: std::ops::Range<usize>) {
        match &self.rows {
            Rows::Booleans(all) => write_rows::<BoolType>(writer, &all[rows]),
            Rows::Int32(all) => write_rows::<Int32Type>(writer, &all[rows]),
            Rows::Int64(all) => write_rows::<Int64Type>(writer, &all[rows]),
            Rows::Floats(all) => write_rows::<FloatType>(writer, &all[rows]),
            Rows::Doubles(all) => write_rows::<DoubleType>(writer, &all[rows]),
            Rows::Bytes(all) => write_rows::<ByteArrayType>(writer, &all[rows]),
        }
    }
}

fn write_rows<T: DataType>(writer: &mut SerializedColumnWriter<'_>, rows: &[Option<T::T>]) {
    let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.is_some())).collect();
    let values: Vec<T::T> = rows.iter().flatten().cloned().collect();
    writer.typed::<T>().write_batch(&values, Some(&levels), None).expect("rows are written");
}

/// Writes a file with columns of equal length.
pub(super) fn write_parquet(path: &Path, columns: &[(&str, Column)], codec: Compression) {
    let length = columns[0].1.len();
    assert!(columns.iter().all(|(_, column)| column.len() == length), "columns are of one length");
    let fields = columns.iter().map(|(name, column)| Arc::new(column.field(name))).collect();
    let schema = Type::group_type_builder("schema").with_fields(fields).build().expect("schema is valid");
    let file = File::create(path).expect("file is created");
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut writer =
        SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).expect("schema is valid");
    for first in (0..length).step_by(GROUP_ROWS) {
        let rows = first..length.min(first + GROUP_ROWS);
        let mut group = writer.next_row_group().expect("group is begun");
        for (_, column) in columns {
            let mut chunk = group.next_column().expect("column is begun").expect("there is one per field");
            column.write(&mut chunk, rows.clone());
            chunk.close().expect("column is complete");
        }
        group.close().expect("group is complete");
    }
    writer.close().expect("file is complete");
}
