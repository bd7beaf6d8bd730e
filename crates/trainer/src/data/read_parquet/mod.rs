//! Reader of Parquet files, column by column and without Arrow.

mod arrow_schema;
mod batch;
mod compressed;
mod field;
mod pages;
mod unit;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use super::columns::{self, Column, ColumnKind, LabelColumns, Selection, Wanted};
use super::error::{DataError, Role};
use super::read_csv::is_missing;
use super::rows::{Places, Rows, Targets};
use super::time::Time;
use super::value::{Value, Visitor};
use batch::Batch;
use field::{Field, ValueType};

/// Number of rows decoded at a time.
const BATCH_ROWS: usize = 1024;

/// Reads the wanted columns of a Parquet file. Other columns are not decoded.
pub(super) fn read(wanted: Wanted<'_>) -> Result<Rows, DataError> {
    let path = wanted.path;
    let file = File::open(path).map_err(|cause| DataError::Io { path: path.to_owned(), cause })?;
    catch_panics(path, || decode(wanted, file))
}

/// Returns the columns of a Parquet file.
pub(super) fn columns(path: &Path) -> Result<Vec<Column>, DataError> {
    let file = File::open(path).map_err(|cause| DataError::Io { path: path.to_owned(), cause })?;
    catch_panics(path, || {
        let (_, fields) = open(path, &file)?;
        named_columns(path, &fields)
    })
}

/// Passes the values of those `wanted` columns that are readable to a visitor, batch by batch. The place of
/// a value is the number of its row.
pub(super) fn visit(path: &Path, wanted: &[usize], visitor: &mut dyn Visitor) -> Result<(), DataError> {
    let file = File::open(path).map_err(|cause| DataError::Io { path: path.to_owned(), cause })?;
    catch_panics(path, || {
        let (metadata, fields) = open(path, &file)?;
        let file = Arc::new(file);
        let used: Vec<usize> = wanted.iter().copied().filter(|&c| fields[c].is_readable()).collect();
        if used.is_empty() {
            // No values are decoded, so a corrupt row count cannot be detected.
            visitor.rows(u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0));
            return Ok(());
        }
        let mut first = 0;
        for group in metadata.row_groups() {
            for_each_batch(path, (&file, group), &fields, &used, |batches, count| {
                for (&column, batch) in used.iter().zip(batches) {
                    visit_batch(column, first, batch, visitor)
                        .map_err(|message| unreadable(path, message))?;
                }
                first += count as u64;
                visitor.rows(count as u64);
                Ok(())
            })?;
        }
        Ok(())
    })
}

/// Passes the values of a batch, whose rows start at `first`, to a visitor.
fn visit_batch(
    column: usize,
    first: u64,
    batch: &Batch,
    visitor: &mut dyn Visitor,
) -> Result<(), &'static str> {
    let mut each = |values: Vec<Value<'_>>| {
        for (place, value) in (first..).zip(values) {
            visitor.value(column, place, value);
        }
    };
    match &batch.field.values {
        ValueType::Text => {
            each(batch.texts()?.into_iter().map(|text| text.map_or(Value::Missing, Value::Text)).collect());
        }
        ValueType::Date | ValueType::Timestamp { .. } => {
            let since = since_epoch(&batch.field);
            let time = |elapsed: Option<SignedDuration>| match elapsed {
                None => Value::Missing,
                // A time beyond the calendar counts as text, because text is not a time either.
                Some(elapsed) => {
                    since(elapsed).map_or(Value::Text("a time beyond the calendar"), Value::Time)
                }
            };
            each(batch.elapsed().into_iter().map(time).collect());
        }
        _ => {
            let number = |number: Option<f64>| number.map_or(Value::Missing, Value::Number);
            each(batch.numbers()?.into_iter().map(number).collect());
        }
    }
    Ok(())
}

/// Runs `decode` and turns its panics into errors, because the decoder panics on some corrupt pages.
///
/// No state that a panic may leave inconsistent outlives the call.
fn catch_panics<T>(path: &Path, decode: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(unreadable(path, "a page is corrupt")))
}

/// Reads the metadata of a file.
fn open(path: &Path, file: &File) -> Result<(ParquetMetaData, Vec<Field>), DataError> {
    let read = ParquetMetaDataReader::new().parse_and_finish(file);
    let metadata = read.map_err(|error| unreadable(path, &error.to_string()))?;
    let fields = Field::all(metadata.file_metadata()).map_err(|message| unreadable(path, message))?;
    Ok((metadata, fields))
}

/// Returns the columns of a file, whose names must differ.
fn named_columns(path: &Path, fields: &[Field]) -> Result<Vec<Column>, DataError> {
    let columns: Vec<Column> =
        fields.iter().map(|f| Column { name: f.name.clone(), kind: kind(f) }).collect();
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    columns::check_names(path, &names)?;
    Ok(columns)
}

fn decode(wanted: Wanted<'_>, file: File) -> Result<Rows, DataError> {
    let path = wanted.path;
    let (metadata, fields) = open(path, &file)?;
    let file = Arc::new(file);
    let columns = named_columns(path, &fields)?;
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let selection = columns::select(wanted, &columns)?;

    check_types(path, &fields, &selection)?;

    let used = used(&selection);
    let rows_in_file = usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    let mut rows = Rows::new(names, selection, wanted.task, Places::Counted);
    let has_texts = rows.selection.time.is_some_and(|column| fields[column].is_text());
    rows.time_texts = (wanted.keeps_times && has_texts).then(Vec::new);
    // The row count may be corrupt. If it is too large to reserve, the vector grows with the rows.
    let _ = rows.values.try_reserve_exact(rows_in_file.saturating_mul(rows.selection.features.len()));
    for group in metadata.row_groups() {
        for_each_batch(path, (&file, group), &fields, &used, |batches, count| {
            append(path, &mut rows, &used, batches, count)
        })?;
    }
    Ok(rows)
}

/// Returns an error if the time, the label or a categorical column has an unsuitable type.
fn check_types(path: &Path, fields: &[Field], selection: &Selection) -> Result<(), DataError> {
    const NAMES: &str = "text, numbers or booleans";
    if let Some(time) = selection.time.map(|column| &fields[column])
        && !time.is_time()
    {
        return Err(wrong_type(path, time, Role::Time, "dates, times or numbers"));
    }
    let has_names = |column: usize| fields[column].is_numeric() || fields[column].is_text();
    if let Some(&column) = selection.categorical.iter().find(|column| !has_names(**column)) {
        return Err(wrong_type(path, &fields[column], Role::Category, NAMES));
    }
    if let Some(series) = selection.series.filter(|column| !has_names(*column)) {
        return Err(wrong_type(path, &fields[series], Role::Series, NAMES));
    }
    match selection.label {
        LabelColumns::Class(column) if !fields[column].is_numeric() => {
            Err(wrong_type(path, &fields[column], Role::Label, "numbers"))
        }
        LabelColumns::Named(column) if !has_names(column) => {
            Err(wrong_type(path, &fields[column], Role::Label, NAMES))
        }
        _ => Ok(()),
    }
}

/// Returns the indices of the columns to read, in the table's order.
fn used(selection: &Selection) -> Vec<usize> {
    let mut used = selection.features.clone();
    used.extend(&selection.categorical);
    used.extend(selection.time);
    used.extend(selection.series);
    match selection.label {
        LabelColumns::Class(column) | LabelColumns::Named(column) => used.push(column),
        LabelColumns::Rise { of, over } => used.extend([of, over]),
        LabelColumns::None => {}
    }
    used.sort_unstable();
    used.dedup();
    used
}

fn kind(field: &Field) -> ColumnKind {
    if field.is_numeric() { ColumnKind::Numeric } else { ColumnKind::Other(found(field)) }
}

/// Describes a column's values for a message.
fn found(field: &Field) -> String {
    format!("values of type {field}")
}

/// Passes the rows of a row group to `take` in batches.
fn for_each_batch(
    path: &Path,
    (file, group): (&Arc<File>, &RowGroupMetaData),
    fields: &[Field],
    used: &[usize],
    mut take: impl FnMut(&[Batch], usize) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let failed = |error: ParquetError| unreadable(path, &error.to_string());
    let uneven = || unreadable(path, "a column has more or fewer values than its row group has rows");
    let open = |&column: &usize| Batch::open(file, group, &fields[column]).map_err(failed);
    let mut batches: Vec<Batch> = used.iter().map(open).collect::<Result<_, _>>()?;
    let mut left = usize::try_from(group.num_rows()).map_err(|_| uneven())?;
    while left > 0 {
        let wanted = left.min(BATCH_ROWS);
        for batch in &mut batches {
            if batch.read(wanted).map_err(failed)? != wanted {
                return Err(uneven());
            }
        }
        take(&batches, wanted)?;
        left -= wanted;
    }
    for batch in &mut batches {
        if batch.read(1).map_err(failed)? != 0 {
            return Err(uneven());
        }
    }
    Ok(())
}

/// Appends `count` rows from the batches of the columns `used`.
fn append(
    path: &Path,
    rows: &mut Rows,
    used: &[usize],
    batches: &[Batch],
    count: usize,
) -> Result<(), DataError> {
    let selection = rows.selection.clone();
    let first = rows.len();
    let batch = |column: usize| &batches[used.binary_search(&column).expect("every selected column is read")];
    let numbers = |column: usize| batch(column).numbers().map_err(|message| unreadable(path, message));
    // Errors of the other columns name the series.
    if let Some(column) = selection.series {
        let mut row = first;
        for_each_name(path, batch(column), |name| {
            row += 1;
            rows.push_series(path, row - 1, name)
        })?;
    }
    let width = selection.features.len();
    rows.values.resize((first + count) * width, f32::NAN);
    for (feature, &column) in selection.features.iter().enumerate() {
        for (i, value) in numbers(column)?.into_iter().enumerate() {
            rows.values[(first + i) * width + feature] = rows.number(first + i, column, value);
        }
    }
    for (place, &column) in selection.categorical.iter().enumerate() {
        for_each_name(path, batch(column), |name| rows.push_category(path, place, name))?;
    }
    if let Some(column) = selection.time {
        append_times(path, rows, first, batch(column))?;
    }
    match selection.label {
        LabelColumns::Class(column) => {
            for class in numbers(column)? {
                rows.push_class(path, class, || class.unwrap_or(f64::NAN).to_string())?;
            }
        }
        LabelColumns::Named(column) => for_each_name(path, batch(column), |name| rows.push_name(path, name))?,
        LabelColumns::Rise { of, over } => {
            for (i, (reached, base)) in numbers(of)?.into_iter().zip(numbers(over)?).enumerate() {
                let (reached, base) =
                    (rows.threshold(first + i, of, reached), rows.threshold(first + i, over, base));
                if let Targets::Rise { of, over } = &mut rows.targets {
                    of.push(reached);
                    over.push(base);
                }
            }
        }
        LabelColumns::None => rows.count(count),
    }
    Ok(())
}

/// Passes the names of rows, which are texts, numbers or booleans, to `take`; `None` where one is missing.
fn for_each_name(
    path: &Path,
    batch: &Batch,
    mut take: impl FnMut(Option<&str>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let corrupt = |message: &'static str| unreadable(path, message);
    if batch.field.is_text() {
        for text in batch.texts().map_err(corrupt)? {
            take(text.filter(|text| !is_missing(text.trim())))?;
        }
        return Ok(());
    }
    let is_boolean = batch.field.values == ValueType::Boolean;
    for number in batch.numbers().map_err(corrupt)? {
        let name = number
            .filter(|number| !number.is_nan())
            .map(|number| if is_boolean { (number != 0.0).to_string() } else { number.to_string() });
        take(name.as_deref())?;
    }
    Ok(())
}

fn append_times(path: &Path, rows: &mut Rows, first: usize, batch: &Batch) -> Result<(), DataError> {
    let null = || "empty".to_owned();
    let corrupt = |message: &'static str| unreadable(path, message);
    match &batch.field.values {
        ValueType::Text => {
            for (i, text) in batch.texts().map_err(corrupt)?.into_iter().enumerate() {
                let shown = || text.map_or_else(null, |t| format!("`{t}`"));
                rows.push_time(path, first + i, text.and_then(Time::parse), shown)?;
                rows.keep_time(text.unwrap_or_default());
            }
        }
        ValueType::Date | ValueType::Timestamp { .. } => {
            let since = since_epoch(&batch.field);
            for (i, elapsed) in batch.elapsed().into_iter().enumerate() {
                let shown = || elapsed.map_or_else(null, |e| format!("{} s after 1970", e.as_secs()));
                rows.push_time(path, first + i, elapsed.and_then(&since), shown)?;
            }
        }
        ValueType::Integer { .. } => {
            for (i, integer) in batch.integers().into_iter().enumerate() {
                let shown = || integer.map_or_else(null, |t| t.to_string());
                let time = integer.and_then(|t| i64::try_from(t).ok());
                rows.push_time(path, first + i, time.map(Time::Integer), shown)?;
            }
        }
        ValueType::Float { .. } => {
            for (i, time) in batch.numbers().map_err(corrupt)?.into_iter().enumerate() {
                let shown = || time.map_or_else(null, |t| t.to_string());
                let finite = time.filter(|t| t.is_finite());
                rows.push_time(path, first + i, finite.map(Time::Number), shown)?;
            }
        }
        _ => unreachable!("the type of the time column was checked"),
    }
    Ok(())
}

/// Returns the conversion of the time since 1970 in a column of dates or timestamps.
fn since_epoch(field: &Field) -> impl Fn(SignedDuration) -> Option<Time> {
    let zoned = matches!(field.values, ValueType::Timestamp { zoned: true, .. });
    move |elapsed| {
        if zoned { Time::instant_since_epoch(elapsed, &field.zone) } else { Time::civil_since_epoch(elapsed) }
    }
}

fn wrong_type(path: &Path, field: &Field, role: Role, wanted: &'static str) -> DataError {
    let (path, column) = (path.to_owned(), field.name.clone());
    DataError::WrongType { path, column, role, found: found(field), wanted }
}

fn unreadable(path: &Path, message: &str) -> DataError {
    DataError::Parquet { path: path.to_owned(), message: message.to_owned() }
}
