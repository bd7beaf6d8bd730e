//! Tables of several series.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::{date, project_of, refused, report, run, shown, table_lines, uniform, values};

/// Returns a table of `series` series of up to `days` days each, interleaved by time, whose label depends on
/// `up`.
fn table(series: usize, days: usize) -> String {
    let mut text = String::from("date,shop,up,noise,label\n");
    let mut next = uniform();
    for day in 0..days {
        for shop in (0..series).filter(|shop| day >= 10 * shop) {
            let (date, values) = (date(day), values(&mut next));
            writeln!(text, "{date} 09:30:00+01:00,shop {shop},{values}").unwrap();
        }
    }
    text
}

#[test]
fn check_lists_the_series_and_their_parts() {
    let shops = table(5, 150);
    insta::assert_snapshot!(table_lines(project_of(&shops, "series = \"shop\"").path()), @r"
    $ allometry check
    data.csv: 650 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `shop` (the series), `label` (the label)
      5 series, from `shop 4` with 110 rows to `shop 0` with 150 rows
      times: daily
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       380 windows of 5 series (455 rows), 135 positive (35.5%), \
    2000-01-08T09:30:00+01:00 to 2000-04-19T09:30:00+01:00
      validation      95 windows of 5 series (95 rows), 32 positive (33.7%), 2000-04-28T09:30:00+01:00 \
    to 2000-05-18T09:30:00+01:00
      test            60 windows of 5 series (100 rows), 27 positive (45.0%), 2000-05-27T09:30:00+01:00 \
    to 2000-06-10T09:30:00+01:00
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let by_series =
        project_of(&shops, "series = \"shop\"\nsplit = { by = \"series\", train = 0.6, validation = 0.2 }");
    insta::assert_snapshot!(table_lines(by_series.path()), @r"
    $ allometry check
    data.csv: 650 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `shop` (the series), `label` (the label)
      5 series, from `shop 4` with 110 rows to `shop 0` with 150 rows
      times: daily
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       379 windows of 3 series (400 rows), 138 positive (36.4%), \
    2000-01-08T09:30:00+01:00 to 2000-06-10T09:30:00+01:00
      validation     133 windows of 1 series (140 rows), 48 positive (36.1%), 2000-01-18T09:30:00+01:00 \
    to 2000-06-10T09:30:00+01:00
      test           103 windows of 1 series (110 rows), 32 positive (31.1%), 2000-02-20T09:30:00+01:00 \
    to 2000-06-10T09:30:00+01:00
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let short = shops.clone() + "2000-06-10 09:30:00+01:00,new,0.1,0.2,1\n";
    let folder = project_of(&short, "series = \"shop\"\nmax_gap = \"3d\"");
    insta::assert_snapshot!(table_lines(folder.path()), @r"
    $ allometry check
    data.csv: 651 rows, 2 features
      features: `up`, `noise`
      not features: `date` (the time), `shop` (the series), `label` (the label)
      6 series, from `new` with 1 row to `shop 0` with 150 rows
      shorter than a window, so without one: `new` with 1 row
      times: daily
      13 holes longer than 3d (`max_gap`), the longest 4 days from 2000-01-28T09:30:00+01:00 to \
    2000-02-01T09:30:00+01:00 of `shop 0`; 104 windows that span one are left out
      labels look one row ahead (set `horizon` in [data] if it is more)
      training       316 windows of 5 series (455 rows), 113 positive (35.8%), \
    2000-01-08T09:30:00+01:00 to 2000-04-19T09:30:00+01:00
      validation      95 windows of 5 series (95 rows), 32 positive (33.7%), 2000-04-28T09:30:00+01:00 \
    to 2000-05-18T09:30:00+01:00
      test            20 windows of 5 series (101 rows), 7 positive (35.0%), 2000-05-27T09:30:00+01:00 \
    to 2000-06-10T09:30:00+01:00
    matrix products are computed in PRECISION with INSTRUCTIONS
    ");
    let (code, out, _) = run(folder.path(), &["check", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!({
        "count": 6, "shortest": {"series": "new", "rows": 1}, "longest": {"series": "shop 0", "rows": 150},
        "short": [{"series": "new", "rows": 1}],
    });
    assert_eq!((code, &document["table"]["series"]), (0, &expected));
    assert_eq!(document["table"]["parts"][0]["series"], 5);
}

#[test]
fn a_table_of_several_series_is_refused_with_what_would_be_accepted() {
    let shops = table(3, 150);
    insta::assert_snapshot!(refused(project_of(&shops, "").path(), &["check"]), @r#"
    $ allometry check
    error: data.csv: column `shop` cannot be a feature: line 2 has `shop 0`, which is not a number
    hint: exclude = ["shop"] under [data.features] leaves it out; categorical = ["shop"] under [data] \
    makes a feature of each of its values; series = "shop" if it tells the series of each row
    exit code 3
    "#);
    let excluded = project_of(&shops, "features = { exclude = [\"shop\"] }");
    insta::assert_snapshot!(refused(excluded.path(), &["check"]), @r#"
    $ allometry check
    error: data.csv: 140 times of `date` occur in several rows: 2000-01-11 09:30:00+01:00 (line 12, \
    line 13), 2000-01-12 09:30:00+01:00 (line 14, line 15), 2000-01-13 09:30:00+01:00 (line 16, line \
    17), and 137 more
    hint: a table has one row per time; series = "COLUMN" under [data] names the column that tells the \
    series of a row where it holds several
    exit code 3
    "#);
    insta::assert_snapshot!(refused(project_of(&shops, "series = \"shp\"").path(), &["check"]), @r"
    $ allometry check
    error: data.csv: there is no column `shp` (series)
    hint: did you mean `shop`?
    exit code 3
    ");
    let empty = shops.replacen(",shop 1,", ",,", 1);
    insta::assert_snapshot!(refused(project_of(&empty, "series = \"shop\"").path(), &["check"]), @r"
    $ allometry check
    error: data.csv: line 13: column `shop` (series) is empty
    hint: name the series of every row, or leave such rows out
    exit code 3
    ");
    let twice = format!("{shops}{}\n", shops.lines().last().unwrap());
    insta::assert_snapshot!(refused(project_of(&twice, "series = \"shop\"").path(), &["check"]), @r"
    $ allometry check
    error: data.csv: line 421 and line 422 have the same time `date` in series `shop 2`, 2000-06-10 \
    09:30:00+01:00
    hint: a series has one row per time
    exit code 3
    ");
    let folder =
        project_of(&shops, "series = \"label\"\ncategorical = [\"label\"]\nsplit = { by = \"days\" }");
    insta::assert_snapshot!(refused(folder.path(), &["check"]), @r#"
    $ allometry check
    ladder::not_the_series

      × column `label` cannot tell the series of a row: it is the label
        ╭─[ladder.toml:10:10]
      9 │ time = "date"
     10 │ series = "label"
        ·          ───┬───
        ·             ╰── this one
     11 │ categorical = ["label"]
        ╰────
      help: name another column, or leave `series` out

    ladder::not_a_feature

      × column `label` cannot be a feature: it is the label
        ╭─[ladder.toml:11:16]
     10 │ series = "label"
     11 │ categorical = ["label"]
        ·                ───┬───
        ·                   ╰── this one
     12 │ split = { by = "days" }
        ╰────
      help: remove it from the list

    ladder::unknown_word

      × `by` cannot be `days`
        ╭─[ladder.toml:12:16]
     11 │ categorical = ["label"]
     12 │ split = { by = "days" }
        ·                ───┬──
        ·                   ╰── not known
     13 │ label = "label"
        ╰────
      help: it can be `time`, `series`
    exit code 3
    "#);
    let folder = project_of(&shops, "split = { by = \"series\" }");
    insta::assert_snapshot!(refused(folder.path(), &["check"]), @r#"
    $ allometry check
    ladder::needs

      × `by` needs `series` in [data], the column that tells the series of a row
        ╭─[ladder.toml:10:16]
      9 │ time = "date"
     10 │ split = { by = "series" }
        ·                ────┬───
        ·                    ╰── this one
     11 │ label = "label"
        ╰────
    exit code 3
    "#);
}

#[test]
fn predictions_keep_the_series_and_the_times_of_the_table() {
    let folder = project_of(&table(3, 150), "series = \"shop\"");
    let folder = folder.path();
    let (code, _, err) = run(folder, &["train", "--budget", "s", "-o", "m.safetensors", "--quiet"]);
    assert_eq!(code, 0, "{err}");
    let (code, text, err) = run(folder, &["predict", "m.safetensors", "data.csv"]);
    // Windows of 8 rows in series of 150, 140 and 130.
    assert_eq!((code, text.lines().count(), err.as_str()), (0, 1 + 420 - 3 * 7, ""));
    let data = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    let rows: Vec<&str> = data.lines().skip(1).collect();
    assert_eq!(text.lines().next(), Some("row,shop,date,score"));
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let row: Vec<&str> = rows[fields[0].parse::<usize>().unwrap()].split(',').collect();
        assert_eq!((fields[1], fields[2]), (row[1], row[0]), "{line}");
    }
    // A series alone has the predictions that it has among others.
    let one: Vec<&str> =
        data.lines().filter(|line| line.contains("shop 1") || line.starts_with("date")).collect();
    std::fs::write(folder.join("one.csv"), one.join("\n") + "\n").unwrap();
    let scores = |text: &str| -> Vec<f64> {
        let of_one = text.lines().filter(|line| line.contains("shop 1"));
        of_one.map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect()
    };
    let (alone, among) = (scores(&run(folder, &["predict", "m.safetensors", "one.csv"]).1), scores(&text));
    // Other batches round differently.
    assert!(alone.len() == 133 && alone.iter().zip(&among).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn a_run_stores_the_series_of_its_rows() {
    let folder = project_of(&table(5, 150), "series = \"shop\"");
    let folder = folder.path();
    let (code, _, err) = run(folder, &["run", "--quiet"]);
    assert_eq!((code, shown(folder, &err)), (0, String::new()));
    let url = allometry_store::url::of_sqlite(&folder.join("trials.db"));
    let store = allometry_store::open_read_only(&url).unwrap();
    let study = &store.studies().unwrap()[0];
    let panel = study.facts.panel.as_ref().unwrap();
    assert_eq!(panel.series, ["shop 0", "shop 1", "shop 2", "shop 3", "shop 4"]);
    let predicted = store.predictions(study.id, allometry_core::TrialNumber(0)).unwrap().unwrap();
    let known: BTreeSet<u64> = panel.rows().map(|row| row.row).collect();
    let allometry_core::Predictions::Binary(scores) = predicted else { panic!("the label is binary") };
    assert!(scores.rows.iter().all(|row| known.contains(row)));
    let per_series = &report(folder)["per_series"];
    assert_eq!(
        (per_series["count"].as_u64(), per_series["trials"].as_array().map(Vec::len)),
        (Some(5), Some(2))
    );
    let (code, full, err) = run(folder, &["report", "--template", "full"]);
    assert_eq!(code, 0, "{err}");
    let section = full.split("## Results by series").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut rows: Vec<String> = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.split('|').skip(1).take(3).map(str::trim).collect::<Vec<_>>().join(" | "))
        .map(|line| line.rsplit_once(" | ").unwrap().0.to_owned())
        .collect();
    rows.sort();
    insta::assert_snapshot!(rows.join("\n"), @r"
    --- | ---
    Series | Rows
    shop 0 | 19
    shop 1 | 19
    shop 2 | 19
    shop 3 | 19
    shop 4 | 19
    ");
    let brief = run(folder, &["report"]).1;
    assert!(
        brief.contains("5 series have validation rows. The AUC of the best trial of `l` lies between"),
        "{brief}"
    );
}
