//! Tests of the description of tables.

use super::table::{booleans, bytes, int64, optional, texts};
use super::*;
use crate::data::{ColumnDescription, Distinct, Location, MOST_DISTINCT, describe, describe_times};

fn column(table: &Table, name: &str) -> ColumnDescription {
    let described = describe(&table.spec.path).expect("is described");
    described.column(name).expect("is there").clone()
}

#[test]
fn columns_of_a_csv() {
    let text = "id,when,v,word,flat,mixed,none\n\
                3,2024-01-02,1.5,no,7,1,\n\
                4,2024-01-01,,yes,7,x,\n\
                \n\
                5,2024-01-03,inf,no,7,2,\n";
    let table = Table::csv(text);
    let described = describe(&table.spec.path).expect("is described");
    assert_eq!(described.rows, 3);
    let id = column(&table, "id");
    assert!(id.is_numeric() && id.counts_rows && id.is_whole && !id.is_time && !id.is_constant());
    assert_eq!(id.range, Some((3.0, 5.0)));
    let when = column(&table, "when");
    assert!(when.is_time && !when.is_numeric());
    let v = column(&table, "v");
    assert_eq!((v.missing, v.infinite, v.is_whole, v.counts_rows), (1, 1, false, false));
    let word = column(&table, "word");
    let counts = [(Distinct::Text("no".into()), 2), (Distinct::Text("yes".into()), 1)];
    assert_eq!(word.distinct.as_deref(), Some(&counts[..]));
    assert!(column(&table, "flat").is_constant());
    let mixed = column(&table, "mixed");
    assert_eq!(mixed.stray, Some((Location::Line(3), "x".into())));
    assert!(mixed.found.is_none() && !mixed.is_numeric());
    let none = column(&table, "none");
    assert_eq!((none.found.as_deref(), none.missing), (Some("nothing"), 3));
}

#[test]
fn columns_of_a_parquet_file() {
    let table = Table::parquet(&[
        ("flag", booleans([true, false, true])),
        ("gap", optional([Some(1.0), None, Some(f64::NAN)])),
        ("day", int32([0, 2, 1]).days()),
        ("text", texts(["2024-01-01", "2024-01-02", "soon"])),
        ("bytes", bytes([b"a", b"b", b"c"])),
    ]);
    assert_eq!(describe(&table.spec.path).expect("is described").rows, 3);
    let flag = column(&table, "flag");
    assert_eq!(flag.distinct, Some(vec![(Distinct::Number(0.0), 1), (Distinct::Number(1.0), 2)]));
    assert_eq!(column(&table, "gap").missing, 2);
    let day = column(&table, "day");
    assert!(day.is_time && day.distinct.is_none(), "{day:?}");
    assert!(!column(&table, "text").is_time);
    assert_eq!(column(&table, "bytes").found.as_deref(), Some("values of type Binary"));
}

#[test]
fn a_file_without_a_readable_column_is_counted_by_what_it_says() {
    let table = Table::parquet(&[("bytes", bytes([b"a", b"b"]))]);
    assert_eq!(describe(&table.spec.path).expect("is described").rows, 2);
}

#[test]
fn many_values_and_long_texts_are_not_kept() {
    let mut lines: Vec<String> = (0..=MOST_DISTINCT).map(|i| format!("{i},a")).collect();
    lines.push(format!("0,{}", "x".repeat(100_000)));
    let table = Table::csv(text("n,s", &lines));
    assert_eq!(column(&table, "n").distinct, None);
    assert_eq!(column(&table, "s").distinct, None);
}

#[test]
fn invalid_tables_are_refused() {
    let folder = TempDir::new().expect("temporary folder");
    for (name, content, said) in [
        ("empty.csv", &b""[..], "the table has no rows"),
        ("header.csv", b"a,b\n", "the table has no rows"),
        ("ragged.csv", b"a,b\n1,2\n3\n", "line 3 has 1 fields"),
        ("bytes.csv", b"a,b\n1,\xff\n", "line 2 is not valid UTF-8"),
        ("twice.csv", b"a,a\n1,2\n", "two columns are named `a`"),
        ("text.txt", b"a,b\n1,2\n", "unknown kind of table"),
        ("cut.parquet", b"PAR1", "cannot be read as Parquet"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("file is written");
        let error = describe(&path).expect_err(name).to_string();
        assert!(error.contains(said) && error.contains(name), "{error}");
    }
}

#[test]
fn times_have_a_span() {
    let stamps = ["2024-01-05", "2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-12"];
    let lines: Vec<String> = stamps.iter().map(|stamp| format!("{stamp},1")).collect();
    let table = Table::csv(text("when,v", &lines));
    let times = describe_times(&table.spec.path, "when", "v", &[]).expect("is described");
    assert_eq!((times.first.as_str(), times.last.as_str()), ("2024-01-01", "2024-01-12"));
    assert!(!times.is_ordered);
    assert_eq!((times.repeated, times.first_repeated, times.series), (0, None, None));
}

#[test]
fn a_panel_has_a_column_that_tells_its_series_apart() {
    let lines: Vec<String> = (0..12).map(|i| format!("{},s{},{},{i},x", day(i / 3), i % 3, i % 2)).collect();
    let csv = Table::csv(text("when,who,half,v,one", &lines));
    let who = texts((0..12).map(|i| format!("s{}", i % 3)));
    let parquet = Table::parquet(&[
        ("when", int64((0..12).map(|i| i / 3))),
        ("v", int64(0..12)),
        ("who", who),
        ("half", int64((0..12).map(|i| i % 2))),
        ("one", int64([7; 12])),
    ]);
    for table in [csv, parquet] {
        let candidates = ["one", "half", "who", "v"];
        let times = describe_times(&table.spec.path, "when", "v", &candidates[..3]).expect("is described");
        assert_eq!(times.repeated, 8);
        let series = times.series.expect("is a panel");
        assert_eq!((series.name.as_str(), series.series), ("who", 3));
        // If each row is a series of its own, the column is useless.
        let alone = describe_times(&table.spec.path, "when", "v", &["v"]).expect("is described");
        assert_eq!(alone.series, None);
    }
}
