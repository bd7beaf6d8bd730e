//! Tests of loading whole files, valid and invalid. Messages are compared in full, without the folder.

mod bad;
mod categories;
mod damaged;
mod describe;
mod fill;
mod folds;
mod good;
mod holes;
mod leakage;
mod names;
mod panel;
mod table;
mod times;
mod types;

use std::fmt::Write as _;
use std::path::PathBuf;

use allometry_ladder::{
    CategorySpec, DataSpec, FeatureSpec, LabelSpec, MissingPolicy, Normalize, SplitSpec, Task,
};
use parquet::basic::Compression;
use tempfile::TempDir;

use super::{DataError, Loaded, load};
use table::{Column, floats, int32, write_parquet};

/// A folder with one table, and the ladder's settings for it.
struct Table {
    folder: TempDir,
    spec: DataSpec,
}

impl Table {
    fn empty(name: &str) -> Self {
        let folder = TempDir::new().expect("temporary folder");
        let spec = DataSpec {
            path: folder.path().join(name),
            time: Some("date".to_owned()),
            label: LabelSpec::column("y"),
            features: FeatureSpec::default(),
            split: SplitSpec { train: 0.5, validation: 0.25 },
            folds: None,
            missing: MissingPolicy::Error,
            max_gap: None,
            series: None,
        };
        Self { folder, spec }
    }

    fn csv(text: impl AsRef<[u8]>) -> Self {
        let table = Self::empty("t.csv");
        std::fs::write(&table.spec.path, text).expect("file is written");
        table
    }

    fn parquet(columns: &[(&str, Column)]) -> Self {
        Self::compressed(columns, Compression::UNCOMPRESSED)
    }

    fn compressed(columns: &[(&str, Column)], codec: Compression) -> Self {
        let table = Self::empty("t.parquet");
        write_parquet(&table.spec.path, columns, codec);
        table
    }

    fn with(mut self, change: impl FnOnce(&mut DataSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    fn load(&self, context: usize) -> Result<Loaded, DataError> {
        load(&self.spec, context, Normalize::None, Task::Binary)
    }

    /// Returns the error of loading, and its hint, without the folder.
    fn complaint(&self) -> (String, Option<String>) {
        let error = self.load(2).expect_err("is refused");
        let folder: PathBuf = self.folder.path().join("");
        (error.to_string().replace(&*folder.to_string_lossy(), ""), error.hint())
    }
}

/// `rows` days with features `a` (the row's number) and `b` (its negative) and an alternating label.
fn days(rows: usize) -> Vec<String> {
    (0..rows).map(|i| format!("{},{i},-{i},{}", day(i), i % 2)).collect()
}

/// Returns the `i`th day of 2024.
fn day(i: usize) -> String {
    let first = jiff::civil::date(2024, 1, 1);
    (first + jiff::SignedDuration::from_hours(24 * i as i64)).to_string()
}

fn text(header: &str, lines: &[String]) -> String {
    let mut text = format!("{header}\n");
    for line in lines {
        writeln!(text, "{line}").expect("strings take text");
    }
    text
}

fn alternating(rows: usize) -> Column {
    int32((0..rows).map(|i| (i % 2) as i32)).integers(8, true)
}

const HEADER: &str = "date,a,b,y";
