//! Tables with holes between the times of their rows.
#![cfg(unix)]

use allometry_store::facts::ObjectiveFacts;

use crate::support::{project_of, refused, run, shown, table, table_lines};

/// Creates the folder of [`project`] without the table's days 300 to 339, which are validation rows.
fn with_hole(settings: &str) -> tempfile::TempDir {
    let data = table(400);
    let lines = data.lines().enumerate().filter(|(row, _)| !(300..340).contains(row));
    let lines: Vec<&str> = lines.map(|(_, line)| line).collect();
    project_of(&(lines.join("\n") + "\n"), settings)
}

#[test]
fn check_proposes_a_longest_gap() {
    insta::assert_snapshot!(table_lines(with_hole("").path()), @r#"
    $ allometry check
    data.csv: 360 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `label` (the label)
      times: daily
      note: 1 hole longer than 5d, 46 days from 2000-11-19 to 2001-01-04; 8 windows that span one are \
    not left out (max_gap = "5d" in [data] does that)
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       237 windows, 84 positive (35.4%), 2000-01-08 to 2000-09-20
      validation      54 windows, 17 positive (31.5%), 2000-10-01 to 2001-01-10
      warning: with 17 positives, one AUC of 0.75 is known to +-0.150 (95%)
      test            46 windows, 16 positive (34.8%), 2001-01-19 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    "#);
}

#[test]
fn windows_with_a_hole_are_left_out_of_training_and_of_predictions() {
    let folder = with_hole("max_gap = \"7d\"");
    let folder = folder.path();
    insta::assert_snapshot!(table_lines(folder), @r"
    $ allometry check
    data.csv: 360 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `label` (the label)
      times: daily
      1 hole longer than 7d (`max_gap`), 46 days from 2000-11-19 to 2001-01-04; 8 windows that span one \
    are left out
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       237 windows, 84 positive (35.4%), 2000-01-08 to 2000-09-20
      validation      46 windows, 15 positive (32.6%), 2000-10-01 to 2000-11-18
      warning: with 15 positives, one AUC of 0.75 is known to +-0.161 (95%)
      test            46 windows, 16 positive (34.8%), 2001-01-19 to 2001-03-08
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let (code, out, _) = run(folder, &["check", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!({
        "limit": "7d", "is_set": true, "count": 1, "windows": 8,
        "longest": {"length": "46 days", "from": "2000-11-19", "to": "2001-01-04"},
    });
    assert_eq!((code, &document["table"]["holes"]), (0, &expected));
    let (code, _, err) = run(folder, &["train", "--budget", "s", "-o", "m.safetensors", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, text, err) = run(folder, &["predict", "m.safetensors", "data.csv"]);
    // 360 rows have 353 windows of 8 rows; 7 of them contain the rows on both sides of the hole.
    assert_eq!((code, text.lines().count()), (0, 353 - 7 + 1));
    insta::assert_snapshot!(shown(folder, &err), @r"
    note: 1 hole longer than 7d (`max_gap`), 46 days from 2000-11-19 to 2001-01-04; 7 windows that span \
    one are left out
    ");
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let studies = allometry_store::open_read_only(&url).unwrap().studies().unwrap();
    let Some(ObjectiveFacts::Model(model)) = &studies[0].facts.objective else {
        panic!("{:?}", studies[0].facts)
    };
    assert_eq!(model.data.max_gap, Some(allometry_ladder::MaxGap::Seconds(7.0 * 86_400.0)));
    insta::assert_snapshot!(refused(folder, &["check", "-S", "data.max_gap=7"]), @r#"
    $ allometry check -S data.max_gap=7
    error: data.csv: `max_gap` is 7, but column `date` (time) has dates or times
    hint: a time with its unit: max_gap = "7d"
    exit code 3
    "#);
}
