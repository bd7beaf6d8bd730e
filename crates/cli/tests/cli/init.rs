//! Tests of `allometry init`: its ladder passes `check` and starts with `run` without changes.

use std::fmt::Write as _;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{all_refused, refused, run, shown, table};

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
    (shown(folder, &out), ladder)
}

/// Runs the ladder with two short trials of each budget.
fn runs(folder: &Path) {
    let short = ["run", "-S", "trials=2", "-S", "model.epochs=1", "-S", "confirm.seeds=1", "--quiet"];
    let (code, out, err) = run(folder, &short);
    assert_eq!(code, 0, "{out}{err}");
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
    insta::assert_snapshot!(noticed, @"
    data.csv: 400 rows, 4 columns
      time: `date`, 2000-01-01 to 2001-03-08
        daily
      label: `label` (named like a label), 0 in 263 rows (65.8%), 1 in 137 rows (34.2%)
      features: 2 columns
    ");
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
    insta::assert_snapshot!(refused(folder.path(), &["init", "data.csv"]), @"
    $ allometry init data.csv
    error: ladder.toml already exists
    hint: name another file with -o, or overwrite it with --force
    exit code 2
    ");
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
    insta::assert_snapshot!(noticed, @"
    t.csv: 300 rows, 3 columns
      time: no column; the rows of the file must be in time order
      label: `rain` (the only column of 0 and 1), 0 in 196 rows (65.3%), 1 in 104 rows (34.7%)
      features: 2 columns
    ");
    assert!(ladder.contains("# No `time`"), "{ladder}");

    let slashes = rows(300, "Date,a,b,y", |i| class(i, 2)).replace('-', "/");
    let folder = with("t.csv", slashes);
    let (noticed, _) = accepted(folder.path(), &["t.csv"]);
    insta::assert_snapshot!(noticed, @r"
    t.csv: 300 rows, 4 columns
      time: no column; the rows of the file must be in time order
      warning: `Date` holds text such as `2000/01/01`; times are 2024-01-31, 2024-01-31T16:00:00 or \
    numbers
      label: `y` (named like a label), 0 in 171 rows (57.0%), 1 in 129 rows (43.0%)
      features: 2 columns
      left out: `Date` (holds text such as `2000/01/01`)
    ");
}

#[test]
fn a_table_with_holes() {
    let holes = rows(400, "date,a,b,y", |i| if i % 40 == 3 { "NA".into() } else { class(i, 2) });
    let folder = with("t.csv", holes.replace(",2.9,", ",,"));
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    insta::assert_snapshot!(noticed, @"
    t.csv: 400 rows, 4 columns
      time: `date`, 2000-01-01 to 2001-03-08
        daily
      label: `y` (named like a label), 0 in 224 rows (56.0%), 1 in 166 rows (41.5%)
        missing in 10 rows
      features: 2 columns
        missing or infinite values: `a` in 13 rows; 13 rows left out
    ");
    assert!(ladder.contains("na = \"drop\""), "{ladder}");
    runs(folder.path());
}

#[test]
fn names_that_toml_has_to_quote() {
    let header = "date,\"a \"\"b\"\"\\ = [x] # \u{202e}é\",b c,\"la'bel\n[x]\",flat \"";
    let folder = with("t b.csv", rows(300, header, |i| format!("{},7", class(i, 2))));
    let (noticed, _) = accepted(folder.path(), &["t b.csv", "--label", "la'bel\n[x]"]);
    insta::assert_snapshot!(noticed, @r#"
    t b.csv: 300 rows, 5 columns
      time: `date`, 2000-01-01 to 2000-11-20
        daily
      label: `la'bel\n[x]` (given by --label), 0 in 171 rows (57.0%), 1 in 129 rows (43.0%)
      features: 2 columns
      left out: `flat "` (the same in all rows)
    "#);
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
    let folder = with("t.csv", panel.clone());
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    insta::assert_snapshot!(noticed, @"
    t.csv: 300 rows, 4 columns
      time: `date`, 2001-01-01 to 2001-04-16
        daily
      series: `ticker` tells the 3 series of the rows
      label: `label` (named like a label), 0 in 171 rows (57.0%), 1 in 129 rows (43.0%)
      features: 1 column
    ");
    assert!(ladder.contains("\ntime = \"date\"") && ladder.contains("\nseries = \"ticker\""), "{ladder}");
    runs(folder.path());
    // Without the column the rows of one day cannot be told apart.
    let without = |line: &str| -> String {
        let fields: Vec<&str> = line.split(',').collect();
        [fields[0], fields[2], fields[3]].join(",")
    };
    let lines: Vec<String> = panel.lines().map(without).collect();
    let folder = with("t.csv", lines.join("\n") + "\n");
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    insta::assert_snapshot!(noticed, @"
    t.csv: 300 rows, 3 columns
      time: `date`, 2001-01-01 to 2001-04-16
      warning: 200 rows repeat a time of `date`, the first is 2001-01-01
        the ladder keeps the order of the file, so windows mix rows with the same time
      label: `label` (named like a label), 0 in 171 rows (57.0%), 1 in 129 rows (43.0%)
      features: 1 column
      left out: `date` (its times repeat)
    ");
    assert!(!ladder.contains("\ntime ="), "{ladder}");
}

#[test]
fn holes_between_times_become_a_limit() {
    let table = rows(400, "date,a,b,y", |i| class(i, 2));
    let without = |is_left_out: fn(usize) -> bool| {
        let lines: Vec<&str> =
            table.lines().enumerate().filter(|(n, _)| *n == 0 || !is_left_out(*n)).map(|(_, l)| l).collect();
        with("t.csv", lines.join("\n") + "\n")
    };
    let folder = without(|line| (200..230).contains(&line));
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    insta::assert_snapshot!(noticed, @r"
    t.csv: 370 rows, 4 columns
      time: `date`, 2000-01-01 to 2001-03-08
        daily
        1 hole longer than 5d, 34 days from 2000-08-03 to 2000-09-06; 8 windows that span one are left \
    out
      label: `y` (named like a label), 0 in 212 rows (57.3%), 1 in 158 rows (42.7%)
      features: 2 columns
    ");
    assert!(ladder.contains("\nmax_gap = \"5d\""), "{ladder}");
    runs(folder.path());
    // Where a limit would leave out many windows, it is only named.
    let folder = without(|line| line % 30 >= 20);
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    insta::assert_snapshot!(noticed, @r"
    t.csv: 270 rows, 4 columns
      time: `date`, 2000-01-01 to 2001-03-08
        daily
        13 holes longer than 5d, the longest 14 days from 2000-01-19 to 2000-02-02; 99 windows that \
    span one are not left out
      label: `y` (named like a label), 0 in 155 rows (57.4%), 1 in 115 rows (42.6%)
      features: 2 columns
    ");
    assert!(ladder.contains("\n# max_gap = \"5d\""), "{ladder}");
    runs(folder.path());
}

#[test]
fn a_panel_whose_times_are_numbers_is_told() {
    let mut panel = String::from("t,ticker,v,label\n");
    for i in 0..300 {
        writeln!(panel, "{},s{},{},{}", i / 3, i % 3, i * 7 % 31, class(i, 2)).unwrap();
    }
    let folder = with("t.csv", panel.clone());
    let (noticed, ladder) = accepted(folder.path(), &["t.csv"]);
    insta::assert_snapshot!(noticed, @r#"
    t.csv: 300 rows, 4 columns
      time: `t`, 0 to 99
        steps of 1
      series: `ticker` tells the 3 series of the rows
      label: `label` (named like a label), 0 in 171 rows (57.0%), 1 in 129 rows (43.0%)
      features: 1 column
    "#);
    assert!(ladder.contains("\ntime = \"t\"") && ladder.contains("\nseries = \"ticker\""), "{ladder}");
    runs(folder.path());
    // A column that does not tell the series leaves the numbers a feature.
    let folder = with("t.csv", panel.replace("s1", "s0"));
    let (_, ladder) = accepted(folder.path(), &["t.csv"]);
    assert!(!ladder.contains("\ntime =") && !ladder.contains("\n  \"t\","), "{ladder}");
}

#[test]
fn a_label_that_cannot_be_told_is_asked_for() {
    let folder = with("t.csv", rows(60, "date,a,b,c", |i| (i % 9).to_string()));
    let calls = [
        &["init", "t.csv"][..],
        &["init", "t.csv", "--label", "d"],
        &["init", "t.csv", "--time", "d"],
        &["init", "t.csv", "--label", "a", "--time", "a"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r"
    $ allometry init t.csv
    error: t.csv: cannot tell which column is the label; it could be `b` (classes 0 to 16), `c` \
    (classes 0 to 8), `a` (numbers from 0 to 3)
    hint: name it with --label COLUMN
    exit code 2

    $ allometry init t.csv --label d
    error: t.csv: --label: there is no column `d`
    hint: its columns are `date`, `a`, `b`, `c`
    exit code 2

    $ allometry init t.csv --time d
    error: t.csv: --time: there is no column `d`
    hint: its columns are `date`, `a`, `b`, `c`
    exit code 2

    $ allometry init t.csv --label a --time a
    error: t.csv: column `a` cannot be both the time and the label
    hint: name two columns
    exit code 2
    ");
    assert!(!folder.path().join("ladder.toml").exists(), "nothing is written");
    let words = rows(60, "date,a,b,won", |i| if i % 2 == 0 { "no".into() } else { "yes".into() });
    let folder = with("t.csv", words);
    let calls = [&["init", "t.csv"][..], &["init", "t.csv", "--label", "a", "--time", "won"]];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r"
    $ allometry init t.csv
    error: t.csv: cannot tell which column is the label; it could be `won` (`no`, `yes`), `b` (classes \
    0 to 16), `a` (numbers from 0 to 3)
    hint: name it with --label COLUMN
    exit code 2

    $ allometry init t.csv --label a --time won
    error: t.csv: line 2: time `won` is `no`, which is not a date, time or number
    hint: times are written as 2024-01-31, 2024-01-31T16:00:00, 2024-01-31T16:00:00Z or a number
    exit code 3
    ");
    assert!(!folder.path().join("ladder.toml").exists(), "nothing is written");
}

#[test]
fn what_no_ladder_can_be_made_of() {
    let files: [(&str, &[u8]); 10] = [
        ("one.csv", b"a,y\n1,0\n"),
        ("few.csv", b"a,y\n1,0\n2,1\n4,0\n"),
        ("empty.csv", b""),
        ("words.csv", b"a,b\nx,y\nz,w\n"),
        ("semicolons.csv", b"a;b\n1;2\n3;4\n"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\xff\xfe\n"),
        ("ragged.csv", b"a,b\n1,2\n3\n"),
        ("prose.txt", b"a,b\n1,2\n"),
        ("cut.parquet", b"PAR1\xff\xff\xff\x7fPAR1"),
        ("flat.csv", b"a,y\n7,0\n7,1\n7,0\n"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let calls = [
        &["init", "one.csv", "--label", "y"][..],
        &["init", "few.csv"],
        &["init", "empty.csv"],
        &["init", "words.csv"],
        &["init", "semicolons.csv"],
        &["init", "picture.csv"],
        &["init", "ragged.csv"],
        &["init", "prose.txt"],
        &["init", "cut.parquet"],
        &["init", "flat.csv"],
        &["init", "nowhere.csv"],
        &["init", "nowhere.csv", "--trials", "0"],
    ];
    insta::assert_snapshot!(all_refused(folder.path(), &calls), @r"
    $ allometry init one.csv --label y
    error: one.csv: column `y` cannot be the label: it is the same in all rows
    hint: a label is a column of 0 and 1, of classes by number or by name, or of any numbers
    exit code 3

    $ allometry init few.csv
    error: few.csv: too few rows: with 3 rows the validation part has no window of 1 rows
    hint: a shorter context, more rows, or a larger share for validation
    exit code 3

    $ allometry init empty.csv
    error: empty.csv: the table has no rows
    exit code 3

    $ allometry init words.csv
    error: words.csv: no column of numbers is left to be a feature
    hint: not used: `a` (text such as `x`), `b` (text such as `y`)
    exit code 3

    $ allometry init semicolons.csv
    error: semicolons.csv: no column of numbers is left to be a feature
    hint: not used: `a;b` (text such as `1;2`); fields must be separated by commas
    exit code 3

    $ allometry init picture.csv
    error: picture.csv: line 1 is not valid UTF-8
    exit code 3

    $ allometry init ragged.csv
    error: ragged.csv: line 3 has 1 fields, but the header has 2
    exit code 3

    $ allometry init prose.txt
    error: prose.txt: unknown kind of table; its name must end in .csv or .parquet
    exit code 3

    $ allometry init cut.parquet
    error: cut.parquet: cannot be read as Parquet: EOF: Parquet file too small. Size is 12 but need \
    2147483655
    exit code 3

    $ allometry init flat.csv
    error: flat.csv: no column of numbers is left to be a feature
    hint: not used: `a` (the same in all rows); fields must be separated by commas
    exit code 3

    $ allometry init nowhere.csv
    error: cannot read nowhere.csv: No such file or directory (os error 2)
    exit code 4

    $ allometry init nowhere.csv --trials 0
    error: invalid value '0' for '--trials <N>': 0 is not in 1..=1000000

    For more information, try '--help'.
    exit code 2
    ");
    assert!(!folder.path().join("ladder.toml").exists(), "nothing is written");
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
