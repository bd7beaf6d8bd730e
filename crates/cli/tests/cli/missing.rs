//! Missing features: `na` of `[data]`.
#![cfg(unix)]

use std::path::Path;

use crate::support::{project_of, refused, run, shown, table, table_lines};

/// Returns the table of 400 days with `up` empty in the given rows.
fn without_up(rows: &[usize]) -> String {
    let data = table(400);
    let line = |(number, line): (usize, &str)| match number.checked_sub(1) {
        Some(row) if rows.contains(&row) => {
            let mut fields: Vec<&str> = line.split(',').collect();
            fields[1] = "";
            fields.join(",") + "\n"
        }
        _ => line.to_owned() + "\n",
    };
    data.lines().enumerate().map(line).collect()
}

/// Creates a folder with a table in which `up` is empty in nine rows of all three parts.
fn with_gaps(settings: &str) -> tempfile::TempDir {
    project_of(&without_up(&[0, 1, 50, 51, 52, 53, 290, 300, 390]), settings)
}

/// Returns the means that a checkpoint keeps.
fn means(checkpoint: &Path) -> Vec<f64> {
    let bytes = std::fs::read(checkpoint).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let text = header["__metadata__"]["allometry"].as_str().unwrap();
    let description: serde_json::Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(description["data"]["preparation"]["means"].clone()).unwrap()
}

#[test]
fn check_counts_what_is_filled_and_what_is_left_out() {
    insta::assert_snapshot!(refused(with_gaps("").path(), &["check"]), @r#"
    $ allometry check
    error: data.csv: line 2: column `up` is empty (and 8 more missing or infinite values)
    hint: na = "drop" under [data] leaves such rows out, "ffill" and "mean" fill them
    exit code 3
    "#);
    insta::assert_snapshot!(table_lines(with_gaps("na = \"drop\"").path()), @"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `label` (the label)
      9 rows with missing or infinite values are left out: `up` in 9
      times: daily
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       258 windows, 88 positive (34.1%), 2000-01-10 to 2000-10-19
      validation      59 windows, 20 positive (33.9%), 2000-10-28 to 2001-01-04
      warning: with 20 positives, one AUC of 0.75 is known to +-0.140 (95%)
      test            51 windows, 17 positive (33.3%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    insta::assert_snapshot!(table_lines(with_gaps("na = \"ffill\"").path()), @"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `label` (the label)
      2 rows with missing or infinite values are left out: `up` in 2
      7 missing or infinite values are filled with the last value before: `up` in 7
      times: daily
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       263 windows, 92 positive (35.0%), 2000-01-10 to 2000-10-20
      validation      60 windows, 20 positive (33.3%), 2000-11-01 to 2001-01-04
      warning: with 20 positives, one AUC of 0.75 is known to +-0.139 (95%)
      test            52 windows, 18 positive (34.6%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    insta::assert_snapshot!(table_lines(with_gaps("na = \"ffill\"\nmax_gap = \"2d\"").path()), @r"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `label` (the label)
      4 rows with missing or infinite values are left out: `up` in 4
      5 missing or infinite values are filled with the last value before: `up` in 5
      times: daily
      13 holes longer than 2d (`max_gap`), the longest 4 days from 2000-01-28 to 2000-02-01; 98 windows \
    that span one are left out
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       191 windows, 67 positive (35.1%), 2000-01-10 to 2000-10-21
      validation      40 windows, 13 positive (32.5%), 2000-11-08 to 2000-12-27
      warning: with 13 positives, one AUC of 0.75 is known to +-0.173 (95%)
      test            44 windows, 16 positive (36.4%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    insta::assert_snapshot!(table_lines(with_gaps("na = \"mean\"").path()), @"
    $ allometry check
    data.csv: 400 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `label` (the label)
      9 missing or infinite values are filled with the mean of the training rows: `up` in 9
      times: daily
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       265 windows, 94 positive (35.5%), 2000-01-08 to 2000-10-20
      validation      60 windows, 20 positive (33.3%), 2000-11-01 to 2001-01-04
      warning: with 20 positives, one AUC of 0.75 is known to +-0.139 (95%)
      test            52 windows, 18 positive (34.6%), 2001-01-13 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let folder = with_gaps("na = \"mean\"");
    let (code, out, _) = run(folder.path(), &["check", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let table = &document["table"];
    let expected = serde_json::json!([{"column": "up", "rows": 9}]);
    assert_eq!(
        (code, &table["filled"], &table["na"], &table["dropped"]),
        (0, &expected, &"mean".into(), &0.into())
    );
}

#[test]
fn predictions_are_filled_with_the_mean_of_the_training_rows() {
    let folder = with_gaps("na = \"mean\"");
    let folder = folder.path();
    let (code, _, err) = run(folder, &["train", "--budget", "s", "-o", "m.safetensors", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let data = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    // Of 400 rows 280 are before the validation part; its first window and the horizon take 8 of them.
    let training =
        data.lines().skip(1).take(272).filter_map(|line| line.split(',').nth(1)?.parse::<f64>().ok());
    let training: Vec<f64> = training.collect();
    let mean = training.iter().sum::<f64>() / training.len() as f64;
    let kept = means(&folder.join("m.safetensors"));
    assert_eq!((training.len(), kept.len()), (266, 2));
    assert!((kept[0] - mean).abs() < 1e-7, "{kept:?}, not {mean}");

    let (head, rows) = data.split_once('\n').unwrap();
    let new: Vec<&str> = rows.lines().skip(301).take(40).collect();
    let written = |up: &dyn Fn(usize) -> Option<String>| {
        let line = |(row, line): (usize, &&str)| {
            let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
            if let Some(up) = up(row) {
                fields[1] = up;
            }
            fields.join(",")
        };
        format!("{head}\n{}\n", new.iter().enumerate().map(line).collect::<Vec<_>>().join("\n"))
    };
    let is_gap = |row: usize| row % 7 == 3;
    std::fs::write(folder.join("gaps.csv"), written(&|row| is_gap(row).then(String::new))).unwrap();
    std::fs::write(folder.join("mean.csv"), written(&|row| is_gap(row).then(|| kept[0].to_string())))
        .unwrap();
    let (code, filled, err) = run(folder, &["predict", "m.safetensors", "gaps.csv"]);
    assert_eq!((code, filled.lines().count()), (0, 40 - 7 + 1), "{err}");
    let note =
        "note: 6 missing or infinite values are filled with the mean of the training rows: `up` in 6\n";
    assert_eq!(err, note);
    assert_eq!(run(folder, &["predict", "m.safetensors", "mean.csv"]).1, filled);
}

#[test]
fn predictions_are_filled_with_the_last_value_of_their_own_table() {
    let folder = with_gaps("na = \"ffill\"");
    let folder = folder.path();
    let (code, _, err) = run(folder, &["train", "--budget", "s", "-o", "m.safetensors", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, filled, err) = run(folder, &["predict", "m.safetensors", "data.csv"]);
    // The first two rows have no value before.
    assert_eq!((code, filled.lines().count()), (0, 400 - 2 - 7 + 1), "{err}");
    insta::assert_snapshot!(shown(folder, &err), @r"
    note: 2 rows with missing or infinite values are left out: `up` in 2
    note: 7 missing or infinite values are filled with the last value before: `up` in 7
    ");
}
