//! Parquet files.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use jiff::SignedDuration;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::columns::{self, Column, ColumnKind, LabelColumns, Selection, Wanted};
use super::error::{DataError, Role};
use super::rows::{Places, Rows, Targets};
use super::time::Time;

const SECONDS_PER_DAY: i64 = 86_400;

/// Reads the columns of a Parquet file that are wanted; the others are not decoded.
pub(super) fn read(wanted: Wanted<'_>) -> Result<Rows, DataError> {
    let path = wanted.path;
    let file = File::open(path).map_err(|cause| DataError::Io { path: path.to_owned(), cause })?;
    // The decoder panics on some corrupt pages (about 1 in 2,500 single changed bytes) where it should return an error.
    // Nothing that it may have left half done outlives the call.
    catch_unwind(AssertUnwindSafe(|| decode(wanted, file)))
        .unwrap_or_else(|_| Err(unreadable(path, "a page of it is corrupt")))
}

fn decode(wanted: Wanted<'_>, file: File) -> Result<Rows, DataError> {
    let path = wanted.path;
    let failed = |message: String| unreadable(path, &message);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| failed(e.to_string()))?;

    let fields = builder.schema().fields();
    let columns: Vec<Column> =
        fields.iter().map(|f| Column { name: f.name().clone(), kind: kind(f.data_type()) }).collect();
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    columns::check_names(path, &names)?;
    let selection = columns::select(wanted, &columns)?;

    let read = used(&selection);
    let mask = ProjectionMask::roots(builder.parquet_schema(), read.iter().copied());
    let rows_in_file = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mut rows = Rows::new(names, selection, wanted.task, Places::Counted);
    // A corrupt count must not be believed: where memory cannot be had for it, the vector grows as rows come.
    let _ = rows.values.try_reserve_exact(rows_in_file.saturating_mul(rows.selection.features.len()));
    let batches = builder.with_projection(mask).build().map_err(|e| failed(e.to_string()))?;
    for batch in batches {
        append(path, &mut rows, &read, &batch.map_err(|e| failed(e.to_string()))?)?;
    }
    Ok(rows)
}

/// Columns of the table that are read, in the table's order.
fn used(selection: &Selection) -> Vec<usize> {
    let mut used = selection.features.clone();
    used.extend(selection.time);
    match selection.label {
        LabelColumns::Class(column) => used.push(column),
        LabelColumns::Rise { of, over } => used.extend([of, over]),
        LabelColumns::None => {}
    }
    used.sort_unstable();
    used.dedup();
    used
}

fn kind(data_type: &DataType) -> ColumnKind {
    if data_type.is_numeric() || *data_type == DataType::Boolean {
        ColumnKind::Numeric
    } else {
        ColumnKind::Other(format!("values of type {data_type}"))
    }
}

fn append(path: &Path, rows: &mut Rows, read: &[usize], batch: &RecordBatch) -> Result<(), DataError> {
    let selection = rows.selection.clone();
    let first = rows.len();
    let array = |column: usize| {
        let position = read.binary_search(&column).expect("every selected column is read");
        batch.column(position)
    };
    let width = selection.features.len();
    rows.values.resize((first + batch.num_rows()) * width, f32::NAN);
    for (feature, &column) in selection.features.iter().enumerate() {
        let numbers = floats(path, array(column))?;
        for (i, value) in numbers.iter().enumerate() {
            rows.values[(first + i) * width + feature] = rows.number(first + i, column, value);
        }
    }
    if let Some(column) = selection.time {
        append_times(path, rows, column, first, array(column))?;
    }
    match selection.label {
        LabelColumns::Class(column) => append_classes(path, rows, column, array(column))?,
        LabelColumns::Rise { of, over } => {
            let (reached, base) = (floats(path, array(of))?, floats(path, array(over))?);
            for (i, (reached, base)) in reached.iter().zip(&base).enumerate() {
                let (reached, base) =
                    (rows.threshold(first + i, of, reached), rows.threshold(first + i, over, base));
                if let Targets::Rise { of, over } = &mut rows.targets {
                    of.push(reached);
                    over.push(base);
                }
            }
        }
        LabelColumns::None => rows.count(batch.num_rows()),
    }
    Ok(())
}

fn append_classes(path: &Path, rows: &mut Rows, column: usize, array: &ArrayRef) -> Result<(), DataError> {
    if kind(array.data_type()) != ColumnKind::Numeric {
        return Err(DataError::WrongType {
            path: path.to_owned(),
            column: rows.names[column].clone(),
            role: Role::Label,
            found: format!("values of type {}", array.data_type()),
            wanted: "0 and 1",
        });
    }
    for class in &floats(path, array)? {
        rows.push_class(path, class, || class.unwrap_or(f64::NAN).to_string())?;
    }
    Ok(())
}

fn append_times(
    path: &Path,
    rows: &mut Rows,
    column: usize,
    first: usize,
    array: &ArrayRef,
) -> Result<(), DataError> {
    let null = || "empty".to_owned();
    let converted =
        |data_type: &DataType| cast(array, data_type).map_err(|e| unreadable(path, &e.to_string()));
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _) => {
            let texts = converted(&DataType::Utf8)?;
            for (i, text) in texts.as_string::<i32>().iter().enumerate() {
                let shown = || text.map_or_else(null, |t| format!("`{t}`"));
                rows.push_time(path, first + i, text.and_then(Time::parse), shown)?;
            }
        }
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => {
            for (i, elapsed) in elapsed(array).into_iter().enumerate() {
                let zoned = matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
                let since = if zoned { Time::instant_since_epoch } else { Time::civil_since_epoch };
                let shown = || elapsed.map_or_else(null, |e| format!("{} s after 1970", e.as_secs()));
                rows.push_time(path, first + i, elapsed.and_then(since), shown)?;
            }
        }
        t if t.is_integer() => {
            for (i, time) in converted(&DataType::Int64)?.as_primitive::<Int64Type>().iter().enumerate() {
                rows.push_time(path, first + i, time.map(Time::Integer), null)?;
            }
        }
        t if t.is_floating() => {
            for (i, time) in floats(path, array)?.iter().enumerate() {
                let shown = || time.map_or_else(null, |t| t.to_string());
                let finite = time.filter(|t| t.is_finite());
                rows.push_time(path, first + i, finite.map(Time::Number), shown)?;
            }
        }
        other => {
            return Err(DataError::WrongType {
                path: path.to_owned(),
                column: rows.names[column].clone(),
                role: Role::Time,
                found: format!("values of type {other}"),
                wanted: "dates, times or numbers",
            });
        }
    }
    Ok(())
}

/// Time since 1970 of each entry of a date or timestamp column.
fn elapsed(array: &ArrayRef) -> Vec<Option<SignedDuration>> {
    let milliseconds = SignedDuration::from_millis;
    match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            days.iter().map(|d| Some(SignedDuration::from_secs(i64::from(d?) * SECONDS_PER_DAY))).collect()
        }
        DataType::Date64 => array.as_primitive::<Date64Type>().iter().map(|t| t.map(milliseconds)).collect(),
        DataType::Timestamp(TimeUnit::Second, _) => {
            let seconds = array.as_primitive::<TimestampSecondType>();
            seconds.iter().map(|t| t.map(SignedDuration::from_secs)).collect()
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().iter().map(|t| t.map(milliseconds)).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let microseconds = array.as_primitive::<TimestampMicrosecondType>();
            microseconds.iter().map(|t| t.map(SignedDuration::from_micros)).collect()
        }
        _ => {
            let nanoseconds = array.as_primitive::<TimestampNanosecondType>();
            nanoseconds.iter().map(|t| t.map(SignedDuration::from_nanos)).collect()
        }
    }
}

fn floats(path: &Path, array: &ArrayRef) -> Result<Float64Array, DataError> {
    let floats = cast(array, &DataType::Float64).map_err(|e| unreadable(path, &e.to_string()))?;
    Ok(floats.as_primitive::<Float64Type>().clone())
}

fn unreadable(path: &Path, message: &str) -> DataError {
    DataError::Parquet { path: path.to_owned(), message: message.to_owned() }
}
