//! Tests of `allometry init`: its ladder passes `check` and starts with `run` without changes.

use std::fmt::Write as _;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{run, table};

fn with(name: &str, content: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), content).unwrap();
    folder
}

/// Writes a ladder and checks it; returns the summary of the table and the text of the ladder.
fn accepted(folder: &Path, arguments: &[&str]) -> (String, String) {
    let (code, out, err) = run(folder, &[&["init"], arguments].concat());
    assert_eq!(code, 0, "{out}{err}");
    let ladder = std::fs::read_to_string(folder.join("ladder.toml")).unwrap();
    let (code, out_of_check, err) = run(folder, &["check"]);
    assert_eq!(code, 0, "{ladder}\n{out_of_check}{err}");
    (out, ladder)
}

/// Runs the ladder with two short trials of each budget.
fn runs(folder: &Path) {
    let short = ["run", "-S", "trials=2", "-S", "model.epochs=1", "-S", "confirm.seeds=1", "--quiet"];
    let (code, out, err) = run(folder, &short);
    assert_eq!(code, 0, "{out}{err}");
}

fn refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let (actual, out, err) = run(folder, &[&["init"], arguments].concat());
    assert_eq!(actual, code, "{arguments:?}\n{out}{err}");
    assert_eq!(out, "", "{arguments:?} prints no data");
    for word in words {
        assert!(err.contains(word), "`{word}` is missing from the error of {arguments:?}:\n{err}");
    }
    assert!(!folder.join("ladder.toml").exists(), "nothing is written");
}

/// Returns rows with a date, two features and further columns that `rest` makes from the row's number.
fn rows(rows: usize, header: &str, rest: impl Fn(usize) -> String) -> String {
    let mut text = format!("{header}\n");
    for i in 0..rows {
        let date = format!("{}-{:02}-{:02}", 2000 + i / 336, i / 28 % 12 + 1, i % 28 + 1);
        let (a, b) = ((i * 7 % 31) as f64 / 10.0, i * 11 % 17);
        writeln!(text, "{date},{a},{b},{}", rest(i)).unwrap();
    }
    text
}

/// Returns a label of `classes` classes.
fn class(row: usize, classes: usize) -> String {
    (row * 5 % 7 % classes).to_string()
}

#[test]
fn a_table_as_others_have_it() {
    let folder = with("data.csv", table(400));
    let (noticed, ladder) = accepted(folder.path(), &["data.csv"]);
    for said in [
        "data.csv: 400 rows, 4 columns",
        "time: `date`, 2000-01-01 to 2001-03-08",
        "usually 1 day apart",
        "label: `label` (named like a label), 0 in ",
        "features: 2 columns",
    ] {
        assert!(noticed.contains(said), "`{said}` is missing:\n{noticed}");
    }
    for said in ["time = \"date\"", "metric = \"auc\"", "trials = 24", "context = 8", "[confirm]"] {
        assert!(ladder.contains(said), "`{said}` is missing:\n{ladder}");
    }
    runs(folder.path());
}

#[test]
fn the_table_of_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.csv");
    allometry_trainer::generate::generate(2_000, 7).write_csv(&path).unwrap();
    let (_, ladder) = accepted(folder.path(), &["data.csv", "--trials", "3"]);
    assert!(ladder.contains("trials = 3"), "{ladder}");
    runs(folder.path());
}

#[test]
fn a_ladder_that_is_there_stays() {
    let folder = with("data.csv", table(400));
    std::fs::write(folder.path().join("ladder.toml"), "mine").unwrap();
    let (code, _, err) = run(folder.path(), &["init", "data.csv"]);
    assert_eq!(code, 2);
    assert!(err.contains("ladder.toml already exists") && err.contains("--force"), "{err}");
    assert_eq!(std::fs::read_to_string(folder.path().join("ladder.toml")).unwrap(), "mine");
    accepted(folder.path(), &["data.csv", "--force"]);
}

#[test]
fn a_ladder_elsewhere_finds_its_table() {
    let folder = with("data.csv", table(400));
    for output in ["sub/other.toml", "other.toml"] {
        let (code, _, err) = run(folder.path(), &["init", "data.csv", "-o", output]);
        assert_eq!(code, 0, "{err}");
        assert_eq!(run(folder.path(), &["check", output]).0, 0);
    }
    let near = std::fs::read_to_string(folder.path().join("other.toml")).unwrap();
    assert!(near.contains("path = \"data.csv\""), "{near}");
}

#[test]
fn every_kind_of_label() {
    type Label = fn(usize) -> String;
    let cases: [(Label, Option<&str>, &str); 4] = [
        (|i| class(i, 2), None, "auc"),
        (|i| class(i, 3), Some("task = \"classes\""), "auc"),
        (|i| ((i * 13 % 29) as f64 / 4.0).to_string(), Some("task = \"regression\""), "r2"),
        (|i| if class(i, 2) == "0" { "True".into() } else { "False".into() }, None, "auc"),
    ];
    for (label, task, metric) in cases {
        let folder = with("t.csv", rows(300, "date,a,b,y", label));
        let (_, ladder) = accepted(folder.path(), &["t.csv"]);
        match task {
            Some(task) => assert!(ladder.contains(task), "{ladder}"),
            None => assert!(!ladder.contains("task ="), "{ladder}"),
        }
        assert!(ladder.contains(&format!("metric = \"{metric}\"")), "{ladder}");
        runs(folder.path());
    }
}

#[test]
fn a_table_without_times() {
    let lines = table(300);
    let lines: Vec<&str> = lines.lines().map(|line| line.split_once(',').unwrap().1).collect();
    let text = lines.join("\n");
    let folder = with("t.csv", text.replace("label", "rain"));
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    assert!(noticed.contains("`rain` (the only column of 0 and 1)"), "{noticed}");
    assert!(noticed.contains("time: no column;") && ladder.contains("# No `time`"), "{noticed}{ladder}");

    let slashes = rows(300, "Date,a,b,y", |i| class(i, 2)).replace('-', "/");
    let folder = with("t.csv", slashes);
    let (noticed, _) = accepted(folder.path(), &["t.csv"]);
    assert!(noticed.contains("warning: `Date` holds text such as `2000/01/01`"), "{noticed}");
}

#[test]
fn a_table_with_holes() {
    let holes = rows(400, "date,a,b,y", |i| if i % 40 == 3 { "NA".into() } else { class(i, 2) });
    let folder = with("t.csv", holes.replace(",2.9,", ",,"));
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    assert!(noticed.contains("missing in 10 rows") && noticed.contains("values: `a` in 1"), "{noticed}");
    assert!(ladder.contains("na = \"drop\""), "{ladder}");
    runs(folder.path());
}

#[test]
fn names_that_toml_has_to_quote() {
    let header = "date,\"a \"\"b\"\"\\ = [x] # \u{202e}é\",b c,\"la'bel\n[x]\",flat \"";
    let folder = with("t b.csv", rows(300, header, |i| format!("{},7", class(i, 2))));
    let (noticed, _) = accepted(folder.path(), &["t b.csv", "--label", "la'bel\n[x]"]);
    assert!(noticed.contains("`flat \"` (the same in all rows)"), "{noticed}");
    assert!(!noticed.contains('\u{202e}'), "{noticed}");
    runs(folder.path());
}

#[test]
fn a_panel_is_told() {
    let mut panel = String::from("date,ticker,v,label\n");
    for i in 0..300 {
        let day = format!("2001-{:02}-{:02}", i / 3 / 28 + 1, i / 3 % 28 + 1);
        writeln!(panel, "{day},s{},{},{}", i % 3, i * 7 % 31, class(i, 2)).unwrap();
    }
    let folder = with("t.csv", panel);
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    assert!(noticed.contains("200 rows repeat a time of `date`"), "{noticed}");
    assert!(noticed.contains("looks like a panel: `ticker` identifies its 3 series"), "{noticed}");
    assert!(!ladder.contains("\ntime ="), "{ladder}");
}

#[test]
fn a_label_that_cannot_be_told_is_asked_for() {
    let folder = with("t.csv", rows(60, "date,a,b,c", |i| (i % 9).to_string()));
    refused(folder.path(), &["t.csv"], 2, &["t.csv", "it could be `b` (classes 0 to 16), `c`", "--label"]);
    refused(folder.path(), &["t.csv", "--label", "d"], 2, &["no column `d`", "`date`, `a`, `b`, `c`"]);
    refused(folder.path(), &["t.csv", "--time", "d"], 2, &["--time", "no column `d`"]);
    refused(folder.path(), &["t.csv", "--label", "a", "--time", "a"], 2, &["both"]);
    let words = rows(60, "date,a,b,won", |i| if i % 2 == 0 { "no".into() } else { "yes".into() });
    let folder = with("t.csv", words);
    refused(folder.path(), &["t.csv"], 2, &["--label", "`won` holds `no`, `yes`"]);
    refused(folder.path(), &["t.csv", "--label", "won"], 3, &["t.csv", "`won`", "text such as `no`", "hint"]);
    refused(folder.path(), &["t.csv", "--label", "a", "--time", "won"], 3, &["t.csv", "line 2", "`won`"]);
}

#[test]
fn what_no_ladder_can_be_made_of() {
    type Case = (&'static str, &'static [u8], &'static [&'static str], i32, &'static [&'static str]);
    let cases: [Case; 10] = [
        ("one.csv", b"a,y\n1,0\n", &["--label", "y"], 3, &["one.csv", "same in all rows"]),
        ("few.csv", b"a,y\n1,0\n2,1\n4,0\n", &[], 3, &["few.csv", "too few rows", "hint"]),
        ("empty.csv", b"", &[], 3, &["empty.csv", "no rows"]),
        ("words.csv", b"a,b\nx,y\nz,w\n", &[], 3, &["words.csv", "no column of numbers", "`a`"]),
        ("semicolons.csv", b"a;b\n1;2\n3;4\n", &[], 3, &["semicolons.csv", "separated by commas"]),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\xff\xfe\n", &[], 3, &["picture.csv", "line"]),
        ("ragged.csv", b"a,b\n1,2\n3\n", &[], 3, &["ragged.csv", "line 3"]),
        ("prose.txt", b"a,b\n1,2\n", &[], 3, &["prose.txt", ".csv or .parquet"]),
        ("cut.parquet", b"PAR1\xff\xff\xff\x7fPAR1", &[], 3, &["cut.parquet", "Parquet"]),
        ("flat.csv", b"a,y\n7,0\n7,1\n7,0\n", &[], 3, &["flat.csv", "`a` (the same in all rows)"]),
    ];
    for (name, content, arguments, code, words) in cases {
        let folder = with(name, content);
        refused(folder.path(), &[&[name], arguments].concat(), code, words);
    }
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["nowhere.csv"], 4, &["nowhere.csv"]);
    refused(folder.path(), &["nowhere.csv", "--trials", "0"], 2, &["--trials"]);
}

#[test]
fn hostile_lengths() {
    let names: Vec<String> = (0..20_000).map(|i| format!("c{i}")).collect();
    let lines: Vec<String> = (0..3).map(|row| vec![(row * row).to_string(); 20_000].join(",")).collect();
    let folder = with("wide.csv", format!("{}\n{}\n", names.join(","), lines.join("\n")));
    let (code, out, err) = run(folder.path(), &["init", "wide.csv"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.len() < 5_000, "{}", err.len());

    // The name of a text column has a megabyte, its values a tenth of one.
    let header = format!("date,{},b,y,w", "x".repeat(1_000_000));
    let folder = with("long.csv", rows(120, &header, |i| format!("{},{}", class(i, 2), "w".repeat(100_000))));
    let (noticed, _) = accepted(folder.path(), &["long.csv"]);
    assert!(noticed.len() < 5_000, "{}", noticed.len());
}
