use super::table::{bytes, int64, milliseconds, optional, texts};
use super::*;

/// Returns a message and its hint.
fn with_hint(message: &str, hint: &str) -> (String, Option<String>) {
    (message.to_owned(), Some(hint.to_owned()))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

/// Returns 24 valid days with one line replaced. The header is line 1, so row `i` is line `i + 2`.
fn with_line(row: usize, line: &str) -> Table {
    let mut lines = days(24);
    line.clone_into(&mut lines[row]);
    Table::csv(text(HEADER, &lines))
}

#[test]
fn files_that_are_not_there_or_no_tables() {
    let (message, _) = Table::empty("t.csv").complaint();
    assert_eq!(message, "cannot read t.csv: No such file or directory (os error 2)");
    let (message, _) = Table::empty("t.parquet").complaint();
    assert_eq!(message, "cannot read t.parquet: No such file or directory (os error 2)");
    for name in ["t.xlsx", "t", "t.csv.gz"] {
        let (message, _) = Table::empty(name).complaint();
        assert_eq!(message, format!("{name}: unknown kind of table; its name must end in .csv or .parquet"));
    }
    for text in ["", "date,a,b,y\n"] {
        assert_eq!(Table::csv(text).complaint().0, "t.csv: the table has no rows");
    }
    let none: [f64; 0] = [];
    let columns = [("date", floats(none)), ("a", floats(none)), ("y", floats(none))];
    assert_eq!(Table::parquet(&columns).complaint().0, "t.parquet: the table has no rows");
}

#[test]
fn csv_that_is_damaged() {
    let ragged = with_line(6, "2024-01-07,6,-6,0,extra");
    assert_eq!(ragged.complaint().0, "t.csv: line 8 has 5 fields, but the header has 4");
    assert_eq!(
        with_line(23, "2024-01-24,6").complaint().0,
        "t.csv: line 25 has 2 fields, but the header has 4"
    );
    let after_blank = text(HEADER, &days(24)).replace("2024-01-03,2,", "\n2024-01-03,2,9,");
    assert_eq!(Table::csv(after_blank).complaint().0, "t.csv: line 5 has 5 fields, but the header has 4");
    let multiline = text(HEADER, &days(24)).replace("date,a,b,y", "date,a,b,\"y\n\"").replace('\n', "\r\n");
    let multiline = Table::csv(multiline.replace(",7,-7,", ",7,-7,\"\",")).complaint();
    assert_eq!(multiline.0, "t.csv: line 10 has 5 fields, but the header has 4");
    let mut bytes = text(HEADER, &days(24)).into_bytes();
    let position = bytes.windows(10).position(|w| w == b"2024-01-04").expect("fourth day");
    bytes[position] = 0xff;
    assert_eq!(Table::csv(bytes).complaint().0, "t.csv: line 5 is not valid UTF-8");
    let twice = Table::csv(text("date,a,a,y", &days(24)));
    assert_eq!(twice.complaint().0, "t.csv: two columns are named `a`");
}

#[test]
fn parquet_that_is_damaged() {
    let good = Table::parquet(&[
        ("date", floats((0..24).map(f64::from))),
        ("a", floats((0..24).map(f64::from))),
        ("y", alternating(24)),
    ]);
    let bytes = std::fs::read(&good.spec.path).expect("file is there");
    for length in 0..bytes.len() {
        std::fs::write(&good.spec.path, &bytes[..length]).expect("file is written");
        let (message, _) = good.complaint();
        assert!(message.starts_with("t.parquet: cannot be read as Parquet: "), "{length} bytes: {message}");
    }
    std::fs::write(&good.spec.path, text(HEADER, &days(24))).expect("file is written");
    let (message, _) = good.complaint();
    assert!(message.starts_with("t.parquet: cannot be read as Parquet: "), "{message}");
}

#[test]
fn columns_that_are_not_there() {
    let table = || Table::csv(text(HEADER, &days(24)));
    let complaint = table().with(|s| s.time = Some("dates".into())).complaint();
    assert_eq!(complaint, with_hint("t.csv: there is no column `dates` (time)", "did you mean `date`?"));
    let complaint = table().with(|s| s.label = LabelSpec::column("target")).complaint();
    let columns = "its columns are `date`, `a`, `b`, `y`";
    assert_eq!(complaint, with_hint("t.csv: there is no column `target` (label)", columns));
    let complaint = table().with(|s| s.features.exclude = names(&["Y"])).complaint();
    assert_eq!(complaint, with_hint("t.csv: there is no column `Y` (excluded)", "did you mean `y`?"));
    let complaint = table().with(|s| s.features.include = Some(names(&["a", "volume"]))).complaint();
    assert_eq!(complaint.0, "t.csv: there is no column `volume` (feature)");
    let semicolons = Table::csv(text(HEADER, &days(24)).replace(',', ";")).complaint();
    let only = "its only column is `date;a;b;y`; fields must be separated by commas";
    assert_eq!(semicolons, with_hint("t.csv: there is no column `date` (time)", only));
    let many: Vec<String> = (0..20).map(|i| format!("x{i}")).collect();
    let complaint = Table::csv(format!("{}\n{}", many.join(","), "0,".repeat(19) + "0")).complaint();
    assert!(complaint.1.is_some_and(|h| h.ends_with("`x10`, `x11` and 8 more")));
}

#[test]
fn columns_of_the_wrong_kind() {
    let table = || {
        let lines: Vec<String> = days(24).iter().map(|l| format!("{l},SPX,")).collect();
        Table::csv(text("date,a,b,y,ticker,void", &lines))
    };
    let include = |wanted: &[&str]| table().with(|s| s.features.include = Some(names(wanted))).complaint();
    assert_eq!(
        include(&["a", "ticker"]).0,
        "t.csv: column `ticker` (feature) holds text such as `SPX`, not numbers"
    );
    assert_eq!(include(&["void"]).0, "t.csv: column `void` (feature) holds nothing, not numbers");
    assert_eq!(include(&["a", "y"]).0, "t.csv: column `y` is the label, so it cannot be a feature too");
    assert_eq!(include(&["date"]).0, "t.csv: column `date` is the time, so it cannot be a feature too");
    assert_eq!(include(&["a", "b", "a"]).0, "t.csv: feature `a` is included twice");
    let none = table().with(|s| s.features.exclude = names(&["a", "b", "ticker", "void"])).complaint();
    let skipped = "not used: `date`, `a`, `b`, `y`, `ticker`, `void`";
    assert_eq!(none, with_hint("t.csv: no column is left to be a feature", skipped));
    let rise = LabelSpec::Rise { rise: 0.1, of: "ticker".into(), over: "a".into(), horizon: 1 };
    let complaint = table().with(|s| s.label = rise).complaint();
    assert_eq!(complaint.0, "t.csv: column `ticker` (label) holds text such as `SPX`, not numbers");

    let column = || floats((0..24).map(f64::from));
    let complaint =
        Table::parquet(&[("date", bytes([[1]; 24])), ("a", column()), ("y", alternating(24))]).complaint();
    assert_eq!(
        complaint.0,
        "t.parquet: column `date` (time) holds values of type Binary, not dates, times or numbers"
    );
    let words = texts(["up"; 24]);
    let complaint = Table::parquet(&[("date", column()), ("a", column()), ("y", words)]).complaint();
    let one = "t.parquet: label `y` has 1 class (`up` in 24 rows), but `task = \"binary\"` predicts two";
    assert_eq!(complaint, (one.to_owned(), None));
}

#[test]
fn values_that_are_missing_or_no_numbers() {
    let drop = "na = \"drop\" under [data] leaves such rows out, \"ffill\" and \"mean\" fill them";
    let complaint = with_line(4, "2024-01-05,4,,0").complaint();
    assert_eq!(complaint, with_hint("t.csv: line 6: column `b` is empty", drop));
    assert_eq!(with_line(4, "2024-01-05,nan,-4,0").complaint().0, "t.csv: line 6: column `a` is NaN");
    assert_eq!(with_line(4, "2024-01-05,-inf,-4,0").complaint().0, "t.csv: line 6: column `a` is infinite");
    let last = Table::csv(text(HEADER, &days(24)).replace("\n2024-01-05,4", "\n\n\n2024-01-05,?").trim_end());
    assert_eq!(last.complaint().0, "t.csv: line 8: column `a` has `?`, which is not a number");
    assert_eq!(
        with_line(4, "2024-01-05,1e300,-4,0").complaint().0,
        "t.csv: line 6: column `a` is too large for a 32-bit float"
    );
    assert_eq!(
        with_line(4, "2024-01-05,NA,nan,0").complaint().0,
        "t.csv: line 6: column `a` is empty (and 1 more missing or infinite value)"
    );
    let complaint = with_line(4, "2024-01-05,4.2.1,-4,0").complaint();
    let advice = "correct the value, or leave the column out: features = { exclude = [\"a\"] }";
    assert_eq!(complaint, with_hint("t.csv: line 6: column `a` has `4.2.1`, which is not a number", advice));

    let date = int64(0..24);
    let b = optional((0..24).map(|i| (i % 9 != 3).then_some(f64::from(i))));
    let a = floats((0..24).map(|i| if i == 20 { f64::NAN } else { 1.0 }));
    let complaint = Table::parquet(&[("date", date), ("a", a), ("b", b), ("y", alternating(24))]).complaint();
    let message = "t.parquet: row 3 (from 0): column `b` is empty (and 3 more missing or infinite values)";
    assert_eq!(complaint, with_hint(message, drop));

    for (value, gap) in [("", "is empty"), ("nan", "is NaN"), ("-inf", "is infinite")] {
        let threshold = with_line(4, &format!("2024-01-05,4,{value},0")).with(|s| {
            s.label = LabelSpec::Rise { rise: 0.1, of: "b".into(), over: "a".into(), horizon: 1 };
            s.features.exclude = names(&["b"]);
        });
        assert_eq!(threshold.complaint().0, format!("t.csv: line 6: column `b` {gap}"));
    }
}

#[test]
fn labels_that_are_not_binary() {
    let complaint = with_line(9, "2024-01-10,9,-9,2").complaint();
    assert_eq!(complaint.0, "t.csv: line 11: label `y` is `2`; it must be 0 or 1");
    let numbers = "task = \"regression\" under [model] predicts numbers; a threshold can be the label: \
                   label = { rise = 0.01, of = \"high\", over = \"close\", horizon = 1 }";
    let complaint = with_line(9, "2024-01-10,9,-9,0.5").complaint();
    assert_eq!(complaint, with_hint("t.csv: line 11: label `y` is `0.5`; it must be 0 or 1", numbers));
    assert_eq!(
        with_line(9, "2024-01-10,9,-9,up").complaint().0,
        "t.csv: line 11: label `y` is `up`; it must be 0 or 1"
    );
    let columns = [
        ("date", floats((0..24).map(f64::from))),
        ("a", floats((0..24).map(f64::from))),
        ("y", floats((0..24).map(|i| if i < 5 { 1.0 } else { -1.0 }))),
    ];
    assert_eq!(
        Table::parquet(&columns).complaint().0,
        "t.parquet: row 5 (from 0): label `y` is -1; it must be 0 or 1"
    );
    let complaint = with_line(9, "2024-01-10,9,-9,").complaint();
    let keeps = "na = \"drop\" under [data] keeps such rows as history without predicting them";
    assert_eq!(complaint, with_hint("t.csv: line 11: label `y` is missing", keeps));
    let unlabelled: Vec<String> = days(24).iter().map(|l| l[..l.len() - 1].to_owned()).collect();
    let unlabelled = Table::csv(text(HEADER, &unlabelled)).with(|s| s.missing = MissingPolicy::Drop);
    assert_eq!(unlabelled.complaint().0, "t.csv: line 2: label `y` is missing (and 23 more missing labels)");
}

#[test]
fn times_that_make_no_order() {
    let written = "times are written as 2024-01-31, 2024-01-31T16:00:00, 2024-01-31T16:00:00Z or a number";
    let complaint = with_line(2, "03/01/2024,2,-2,0").complaint();
    let message = "t.csv: line 4: time `date` is `03/01/2024`, which is not a date, time or number";
    assert_eq!(complaint, with_hint(message, written));
    assert_eq!(
        with_line(2, ",2,-2,0").complaint().0,
        "t.csv: line 4: time `date` is empty, which is not a date, time or number"
    );
    assert_eq!(
        with_line(2, "20240103,2,-2,0").complaint().0,
        "t.csv: line 4: time `date` is `20240103`, a number, but line 2 has a time without a zone"
    );
    let column = || floats((0..24).map(f64::from));
    let times = [
        (milliseconds([None; 24]), "empty"),
        (milliseconds([Some(i64::MAX); 24]), "9223372036854775 s after 1970"),
        (floats([f64::NAN; 24]), "NaN"),
    ];
    for (time, shown) in times {
        let complaint =
            Table::parquet(&[("date", time), ("a", column()), ("y", alternating(24))]).complaint();
        let message =
            format!("t.parquet: row 0 (from 0): time `date` is {shown}, which is not a date, time or number");
        assert_eq!(complaint.0, message);
    }
}

#[test]
fn parts_without_windows_or_with_one_class() {
    let few = |rows| Table::csv(text(HEADER, &days(rows)));
    let shares = few(24).with(|s| s.split = SplitSpec { train: 0.8, validation: 0.2 });
    assert_eq!(
        shares.complaint().0,
        "the split's shares, 0.8 for training and 0.2 for validation, leave nothing for the test part"
    );
    let complaint = few(5).complaint();
    let advice = "a shorter context, more rows, or a larger share for training";
    let message = "t.csv: too few rows: with 5 rows the training part has no window of 2 rows";
    assert_eq!(complaint, with_hint(message, advice));
    let test = few(24).with(|s| s.split = SplitSpec { train: 0.7, validation: 0.25 });
    let advice = "a shorter context, more rows, or smaller shares for training and validation";
    let message = "t.csv: too few rows: with 24 rows the test part has no window of 2 rows";
    assert_eq!(test.complaint(), with_hint(message, advice));
    let validation = few(24).with(|s| s.split = SplitSpec { train: 0.7, validation: 0.001 });
    let advice = "a shorter context, more rows, or a larger share for validation";
    let message = "t.csv: too few rows: with 24 rows the validation part has no window of 2 rows";
    assert_eq!(validation.complaint(), with_hint(message, advice));
    let far =
        |horizon| few(24).with(|s| s.label = LabelSpec::Column { name: "y".into(), horizon, positive: None });
    let advice =
        "a shorter `horizon`, more rows, or another `split`: each part must be longer than the horizon";
    let message = "t.csv: the label looks 6 rows ahead, but the validation part has 6 rows";
    assert_eq!(far(6).complaint(), with_hint(message, advice));
    let message = "t.csv: the label looks 1000 rows ahead, but the training part has 12 rows";
    assert_eq!(far(1000).complaint(), with_hint(message, advice));
    assert_eq!(
        far(5).complaint().0,
        "t.csv: too few rows: with 24 rows the test part has no window of 2 rows whose label looks 5 rows \
         ahead"
    );
    let dropped: Vec<String> = days(24).iter().map(|l| l.replace(",-", ",NaN -")).collect();
    let dropped: Vec<String> = dropped
        .iter()
        .map(|l| match l.split_once(" -") {
            Some((head, tail)) => format!("{head}{}", &tail[tail.find(',').expect("label")..]),
            None => l.clone(),
        })
        .collect();
    let dropped = Table::csv(text(HEADER, &dropped)).with(|s| s.missing = MissingPolicy::Drop);
    assert_eq!(
        dropped.complaint().0,
        "t.csv: too few rows: with 0 rows (24 more were dropped) the training part has no window of 2 rows"
    );

    let one_class = |from: usize, to: usize, class: u8| {
        let mut lines = days(24);
        for line in &mut lines[from..to] {
            line.truncate(line.len() - 1);
            line.push(char::from(b'0' + class));
        }
        Table::csv(text(HEADER, &lines))
    };
    let advice = "more rows, another split, or another threshold of the label";
    let message = "t.csv: all 6 windows of the validation part have the label 0 in column `y`";
    assert_eq!(one_class(12, 18, 0).complaint(), with_hint(message, advice));
    let message = "t.csv: all 9 windows of the training part have the label 1 in column `y`";
    assert_eq!(one_class(0, 12, 1).complaint(), with_hint(message, advice));
    let test = one_class(18, 24, 0).load(2).expect("the test part may have one class");
    assert_eq!(test.summary.parts[2].counts.positives, 0);
}

#[test]
fn parquet_with_a_changed_byte_is_read_or_refused() {
    let table = Table::parquet(&[
        ("date", texts((0..60).map(day))),
        ("a", floats((0..60).map(|i| f64::from(i % 17)))),
        ("y", alternating(60)),
    ]);
    let bytes = std::fs::read(&table.spec.path).expect("file is there");
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0xff;
        std::fs::write(&table.spec.path, &changed).expect("file is written");
        if let Err(error) = table.load(2) {
            assert!(error.to_string().contains("t.parquet: "), "byte {position}: {error}");
        }
    }
}
