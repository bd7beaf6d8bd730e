//! Tests of every Parquet type as written by pyarrow: `tests/oracle/parquet.py`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::*;
use crate::data::columns::Wanted;
use crate::data::format::read;
use crate::data::rows::Rows;

#[derive(Deserialize)]
struct Expected {
    features: BTreeMap<String, Vec<Option<f64>>>,
    times: BTreeMap<String, Vec<String>>,
    skipped: Vec<String>,
}

fn oracle(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(file)
}

fn expected(name: &str) -> Expected {
    let text = std::fs::read_to_string(oracle(&format!("{name}.json"))).expect("is beside the script");
    serde_json::from_str(&text).expect("is JSON")
}

fn read_columns(name: &str, include: Option<Vec<String>>, time: Option<&str>) -> Result<Rows, DataError> {
    let path = oracle(&format!("{name}.parquet"));
    let label = LabelSpec::column("y");
    let features = FeatureSpec { include, ..FeatureSpec::default() };
    read(Wanted {
        path: &path,
        time,
        series: None,
        label: Some(&label),
        features: &features,
        task: Task::Binary,
        keeps_times: false,
    })
}

const FILES: [&str; 2] = ["parquet-arrow", "parquet-plain"];

#[test]
fn numbers_are_those_that_were_written() {
    for name in FILES {
        for (feature, expected) in expected(name).features {
            let rows = read_columns(name, Some(vec![feature.clone()]), None).expect("is read");
            let values: Vec<_> = rows.values.iter().map(|v| (!v.is_nan()).then_some(*v)).collect();
            let expected: Vec<_> = expected.iter().map(|v| v.map(|v| v as f32)).collect();
            assert_eq!(values, expected, "{name}: {feature}");
        }
    }
}

/// Returns the times of a column as this machine shows them: in UTC where it does not know the time zone.
fn shown_here(time: &str, written: Vec<String>) -> Vec<String> {
    if !time.starts_with("zoned") || TimeZone::get("Europe/Rome").is_ok() {
        return written;
    }
    written.iter().map(|text| text.parse::<Timestamp>().expect("an instant").to_string()).collect()
}

#[test]
fn times_are_those_that_were_written() {
    for name in FILES {
        for (time, expected) in expected(name).times {
            let expected = shown_here(&time, expected);
            let include = Some(vec!["float32".to_owned()]);
            let rows = read_columns(name, include, Some(&time)).expect("is read");
            let times: Vec<_> = (0..expected.len()).filter_map(|row| rows.times.text(row)).collect();
            assert_eq!(times, expected, "{name}: {time}");
        }
    }
}

#[test]
fn columns_that_are_no_numbers_are_refused_by_name() {
    for name in FILES {
        let expected = expected(name);
        let Err(DataError::NotNumericFeatures { columns, .. }) = read_columns(name, None, None) else {
            panic!("{name} has columns of other types");
        };
        let refused: Vec<&String> = columns.iter().map(|column| &column.column).collect();
        assert!(expected.features.keys().all(|feature| !refused.contains(&feature)), "{name}: {refused:?}");
        for column in expected.skipped.iter().chain(expected.times.keys()) {
            let number = ["integer", "unsigned", "halves"].contains(&column.as_str());
            assert_eq!(refused.contains(&column), !number, "{name}: {column}");
        }
        for column in expected.skipped {
            let refused = read_columns(name, Some(vec![column.clone()]), None).expect_err("is no number");
            let start = format!("column `{column}` (feature) holds values of type ");
            assert!(refused.to_string().contains(&start), "{refused}");
            let refused = read_columns(name, Some(vec!["int8".to_owned()]), Some(&column));
            let start = format!("column `{column}` (time) holds values of type ");
            let message = refused.expect_err("is no time").to_string();
            assert!(message.contains(&start), "{message}");
        }
    }
}

#[test]
fn a_damaged_arrow_schema_is_refused() {
    let bytes = std::fs::read(oracle("parquet-arrow.parquet")).expect("is beside the script");
    let mark = b"ARROW:schema";
    let start = bytes.windows(mark.len()).position(|w| w == mark).expect("has a schema") + mark.len() + 4;
    let table = Table::empty("t.parquet").with(|spec| spec.time = None);
    for position in (start..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[position] = if changed[position] == b'A' { b'z' } else { b'A' };
        std::fs::write(&table.spec.path, &changed).expect("file is written");
        if let Err(error) = table.load(2) {
            assert!(error.to_string().contains("t.parquet"), "byte {position}: {error}");
        }
    }
    let mut changed = bytes.clone();
    changed[start + 100..start + 200].fill(b'!');
    std::fs::write(&table.spec.path, &changed).expect("file is written");
    let corrupt = "t.parquet: cannot be read as Parquet: the Arrow schema in its metadata is corrupt";
    assert_eq!(table.complaint().0, corrupt);
}
