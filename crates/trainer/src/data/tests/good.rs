use allometry_core::ClassCounts;
use parquet::basic::{GzipLevel, TimeUnit, ZstdLevel};
use proptest::prelude::*;

use super::table::{booleans, int64, singles, texts, timestamps};
use super::*;
use crate::data::{LeftOut, PartName, SplitPart};

fn ends(part: &SplitPart) -> Vec<usize> {
    part.windows.iter().map(|w| w.last).collect()
}

#[test]
fn a_csv_becomes_windows() {
    let loaded = Table::csv(text(HEADER, &days(24))).load(3).expect("is loaded");
    let dataset = &loaded.dataset;
    assert_eq!(dataset.feature_names, ["a", "b"]);
    assert_eq!(dataset.values.len(), 48);
    assert_eq!(ends(&dataset.train), [2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(ends(&dataset.validation), [12, 13, 14, 15, 16, 17]);
    assert_eq!(ends(&dataset.test), [21, 22, 23]);
    let window = dataset.validation.windows[1];
    assert_eq!((window.row, window.is_positive()), (13, true));
    assert_eq!(dataset.window(window), [11.0, -11.0, 12.0, -12.0, 13.0, -13.0]);

    let summary = &loaded.summary;
    assert_eq!((summary.rows, summary.dropped, summary.unlabelled, summary.features), (24, 0, 0, 2));
    let validation = &summary.parts[1];
    assert_eq!(validation.name, PartName::Validation);
    assert_eq!(validation.windows(), 6);
    assert_eq!(validation.counts, ClassCounts { positives: 3, negatives: 3 });
    assert_eq!(validation.first.as_deref(), Some("2024-01-13"));
    assert_eq!(validation.last.as_deref(), Some("2024-01-18"));
}

#[test]
fn rows_are_put_in_time_order() {
    let lines = days(24);
    let in_order = Table::csv(text(HEADER, &lines)).load(3).expect("is loaded");
    let mut reversed = lines.clone();
    reversed.reverse();
    let loaded = Table::csv(text(HEADER, &reversed)).load(3).expect("is loaded");
    assert_eq!(loaded.dataset.values, in_order.dataset.values);
    assert_eq!(loaded.summary, in_order.summary);
    let rows: Vec<u64> = loaded.dataset.test.windows.iter().map(|w| w.row).collect();
    assert_eq!(rows, [2, 1, 0], "rows are counted as in the file");

    let unordered = Table::csv(text(HEADER, &reversed)).with(|s| {
        s.time = None;
        s.features.exclude = vec!["date".to_owned()];
    });
    let unordered = unordered.load(3).expect("is loaded");
    assert_eq!(unordered.dataset.values[..2], [23.0, -23.0]);
    assert_eq!(unordered.summary.parts[0].first, None);
    assert_eq!(unordered.summary.left_out[0], ("date".to_owned(), LeftOut::Excluded));
}

#[test]
fn csv_as_other_programs_write_it() {
    let plain = Table::csv(text(HEADER, &days(24))).load(3).expect("is loaded").dataset;
    let windows_line_ends = text(HEADER, &days(24)).replace('\n', "\r\n");
    let byte_order_mark = format!("\u{feff}{}", text(HEADER, &days(24)));
    let spaced = text("date, a, b, y", &days(24)).replace(',', " , ");
    let quoted = text(HEADER, &days(24)).replace(',', "\",\"").replace('\n', "\"\n\"");
    let quoted = format!("\"{}", quoted.trim_end_matches('"'));
    let booleans = text(HEADER, &days(24)).replace(",0\n", ",False\n").replace(",1\n", ",True\n");
    let decimals = text(HEADER, &days(24)).replace(",0\n", ",0.0\n").replace(",1\n", ",1.0\n");
    let blank_lines = text(HEADER, &days(24)).replace("2024-01-09", "\n\n2024-01-09");
    for variant in [windows_line_ends, byte_order_mark, spaced, quoted, booleans, decimals, blank_lines] {
        let loaded = Table::csv(&variant).load(3).map_err(|e| format!("{e}\n{variant}")).expect("is loaded");
        assert_eq!(loaded.dataset, plain, "{variant}");
    }
}

#[test]
fn features_are_the_numeric_columns_that_are_left() {
    let lines: Vec<String> =
        (0..24).map(|i| format!("{i},{},{i},SPX,{},{},{}", day(i), i * 2, i % 2 == 0, i % 2)).collect();
    let header = "Unnamed: 0,date,a,ticker,b,flag,y";
    let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let table = Table::csv(text(header, &lines)).with(|s| s.features.exclude = names(&["ticker"]));
    let loaded = table.load(2).expect("is loaded");
    assert_eq!(loaded.dataset.feature_names, ["a", "b", "flag"]);
    assert_eq!(loaded.dataset.values[..6], [0.0, 0.0, 1.0, 1.0, 2.0, 0.0]);
    let left_out = [
        ("Unnamed: 0", LeftOut::RowIndex),
        ("date", LeftOut::Time),
        ("ticker", LeftOut::Excluded),
        ("y", LeftOut::Label),
    ];
    assert_eq!(loaded.summary.left_out, left_out.map(|(name, why)| (name.to_owned(), why)));

    let chosen = Table::csv(text(header, &lines)).with(|s| {
        s.features = FeatureSpec {
            include: Some(names(&["flag", "b", "a"])),
            exclude: names(&["b"]),
            categorical: vec![],
        }
    });
    assert_eq!(chosen.load(2).expect("is loaded").dataset.feature_names, ["flag", "a"]);
    let without = Table::csv(text(header, &lines))
        .with(|s| s.features = FeatureSpec { exclude: names(&["b", "ticker"]), ..FeatureSpec::default() });
    assert_eq!(without.load(2).expect("is loaded").dataset.feature_names, ["a", "flag"]);
}

#[test]
fn a_column_may_begin_empty() {
    let mut lines = days(30);
    for line in &mut lines[..3] {
        *line = line.replacen(",-", ",NA -", 1);
        let (head, tail) = line.split_once("NA -").expect("feature b");
        *line = format!("{head}{}", &tail[tail.find(',').expect("label")..]);
    }
    let table = Table::csv(text(HEADER, &lines)).with(|s| s.missing = MissingPolicy::Drop);
    let loaded = table.load(3).expect("is loaded");
    assert_eq!(loaded.dataset.feature_names, ["a", "b"]);
    assert_eq!((loaded.summary.rows, loaded.summary.dropped), (30, 3));
    let first = loaded.dataset.train.windows[0];
    assert_eq!((first.last, first.row), (2, 5));
    assert_eq!(loaded.dataset.window(first), [3.0, -3.0, 4.0, -4.0, 5.0, -5.0]);
}

#[test]
fn dropped_rows_leave_the_others_adjacent() {
    for gap in ["", "NaN", "inf", "-inf", "1e39", "null"] {
        let lines: Vec<String> = days(30)
            .iter()
            .map(|l| if l.contains(",7,-7,") { l.replace(",7,", &format!(",{gap},")) } else { l.clone() })
            .collect();
        for reversed in [false, true] {
            let mut lines = lines.clone();
            if reversed {
                lines.reverse();
            }
            let table = Table::csv(text(HEADER, &lines)).with(|s| s.missing = MissingPolicy::Drop);
            let loaded = table.load(3).expect("is loaded");
            assert_eq!(loaded.summary.dropped, 1, "{gap}");
            let window = loaded.dataset.train.windows[6];
            assert_eq!(loaded.dataset.window(window), [6.0, -6.0, 8.0, -8.0, 9.0, -9.0], "{gap}");
        }
    }
}

#[test]
fn a_threshold_looks_ahead() {
    // The high two rows later is at least 10% above the close in rows 3, 4 and 5 of every eight.
    let high = [1.0, 1.0, 1.0, 1.0, 1.0, 1.2, 1.1, 1.3];
    let lines: Vec<String> = (0..48).map(|i| format!("{},{},1.0", day(i), high[i % 8])).collect();
    let rise = LabelSpec::Rise { rise: 0.1, of: "high".into(), over: "close".into(), horizon: 2 };
    let table = Table::csv(text("date,high,close", &lines)).with(|s| s.label = rise);
    let loaded = table.load(3).expect("is loaded");
    let dataset = &loaded.dataset;
    assert_eq!(dataset.feature_names, ["high", "close"]);
    assert_eq!(loaded.summary.unlabelled, 2);
    assert_eq!(ends(&dataset.train), (2..20).collect::<Vec<_>>());
    assert_eq!(ends(&dataset.validation), (24..36).collect::<Vec<_>>());
    assert_eq!(ends(&dataset.test), (40..46).collect::<Vec<_>>());
    for window in [&dataset.train, &dataset.validation, &dataset.test].into_iter().flat_map(|p| &p.windows) {
        assert_eq!(window.is_positive(), (3..6).contains(&(window.last % 8)), "{window:?}");
    }
}

#[test]
fn a_column_that_looks_ahead_keeps_the_parts_apart() {
    let table = |horizon| {
        let label = LabelSpec::Column { name: "y".into(), horizon, positive: None };
        Table::csv(text(HEADER, &days(48))).with(|s| s.label = label).load(3).expect("is loaded").dataset
    };
    let (near, far) = (table(1), table(4));
    assert_eq!(ends(&near.train), (2..21).collect::<Vec<_>>());
    assert_eq!(ends(&near.test), (39..48).collect::<Vec<_>>());
    // The first validation window is rows 22 to 24, so training labels look at row 21 at most.
    assert_eq!(ends(&far.train), (2..18).collect::<Vec<_>>());
    assert_eq!(far.validation, near.validation);
    // The last validation label looks at row 39.
    assert_eq!(ends(&far.test), (42..48).collect::<Vec<_>>());
}

#[test]
fn windows_of_numbers_and_classes_follow_each_other_in_time() {
    let mut lines = days(48);
    lines.rotate_left(17);
    lines.reverse();
    for task in [Task::Binary, Task::Classes, Task::Regression] {
        let table = Table::csv(text(HEADER, &lines));
        let dataset = load(&table.spec, 3, Normalize::None, task).expect("is loaded").dataset;
        // Feature `a` is the day.
        let days: Vec<f32> = dataset.validation.windows.iter().map(|w| dataset.window(*w)[4]).collect();
        assert_eq!(days, (24..36).map(|day| day as f32).collect::<Vec<_>>(), "{task:?}");
    }
}

#[test]
fn rows_without_a_label_are_history_only() {
    let mut lines = days(30);
    for line in &mut lines[28..] {
        line.truncate(line.len() - 1);
    }
    let trailing = Table::csv(text(HEADER, &lines)).load(3).expect("labels at the end may be missing");
    assert_eq!(trailing.summary.unlabelled, 2);
    assert_eq!(ends(&trailing.dataset.test).last(), Some(&27));
    let length = lines[4].len();
    lines[4].truncate(length - 1);
    let table = Table::csv(text(HEADER, &lines)).with(|s| s.missing = MissingPolicy::Drop);
    let loaded = table.load(3).expect("is loaded");
    assert_eq!((loaded.summary.dropped, loaded.summary.unlabelled), (0, 3));
    assert_eq!(ends(&loaded.dataset.train)[..3], [2, 3, 5]);
    assert_eq!(loaded.dataset.window(loaded.dataset.train.windows[2])[2], 4.0);
}

#[test]
fn scaling_is_fitted_on_the_training_rows_alone() {
    let lines = days(24);
    let table = Table::csv(text(HEADER, &lines));
    let scaled = load(&table.spec, 3, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    // Training windows contain rows 0 to 8: mean 4, standard deviation sqrt(60 / 9).
    let deviation = (60.0_f64 / 9.0).sqrt();
    for (row, values) in scaled.values.chunks_exact(2).enumerate() {
        let expected = ((row as f64 - 4.0) / deviation) as f32;
        assert!((values[0] - expected).abs() < 1e-6 && (values[1] + expected).abs() < 1e-6, "{row}");
    }
    let raw = load(&table.spec, 3, Normalize::Revin, Task::Binary).expect("is loaded").dataset;
    assert_eq!(raw.values[46..], [23.0, -23.0]);
    assert_eq!(raw.train, scaled.train);

    let changed: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(i, l)| if i > 8 { l.replace(&format!(",{i},"), ",1e6,") } else { l.clone() })
        .collect();
    let other = Table::csv(text(HEADER, &changed));
    let other = load(&other.spec, 3, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    assert_eq!(other.values[..18], scaled.values[..18], "later rows do not change the training part");
}

#[test]
fn parquet_of_every_type() {
    let rows = 24;
    let numbers = || 0..i64::from(rows);
    let columns = [
        ("date", int32((0..rows).map(|i| 19_723 + i)).days()),
        ("f64", floats((0..rows).map(f64::from))),
        ("f32", singles((0..rows).map(|i| i as f32))),
        ("i64", int64(numbers())),
        ("u16", int32(0..rows).integers(16, false)),
        ("bool", booleans((0..rows).map(|i| i % 3 == 0))),
        ("decimal", int64(numbers().map(|i| i * 100)).decimal(10, 2)),
        ("text", texts(numbers().map(|i| i.to_string()))),
        ("y", alternating(rows as usize)),
        ("__index_level_0__", int64(numbers())),
    ];
    let table = Table::parquet(&columns).with(|s| s.features.exclude = vec!["text".to_owned()]);
    let loaded = table.load(3).expect("is loaded");
    assert_eq!(loaded.dataset.feature_names, ["f64", "f32", "i64", "u16", "bool", "decimal"]);
    let left_out = [
        ("date", LeftOut::Time),
        ("text", LeftOut::Excluded),
        ("y", LeftOut::Label),
        ("__index_level_0__", LeftOut::RowIndex),
    ];
    assert_eq!(loaded.summary.left_out, left_out.map(|(name, why)| (name.to_owned(), why)));
    assert_eq!(loaded.dataset.values[18..24], [3.0, 3.0, 3.0, 3.0, 1.0, 3.0]);
    assert_eq!(loaded.summary.parts[0].first.as_deref(), Some("2024-01-03"));
}

#[test]
fn parquet_times_of_every_type() {
    let microseconds = || (0..24).map(|i| Some(1_704_067_200_000_000 + i * 3_600_000_000)).rev();
    let times = [
        (timestamps(microseconds(), TimeUnit::MICROS, false), "2024-01-01T02:00:00"),
        (timestamps(microseconds(), TimeUnit::MICROS, true), "2024-01-01T02:00:00Z"),
        (texts((0..24).map(|i| format!("2024-01-01T{i:02}:00:00")).rev()), "2024-01-01T02:00:00"),
        (int64((0..24).rev()), "2"),
        (floats((0..24).rev().map(|i| f64::from(i) / 2.0)), "1"),
    ];
    for (time, first) in times {
        let columns = [("date", time), ("a", floats((0..24).map(f64::from))), ("y", alternating(24))];
        let loaded = Table::parquet(&columns).load(3).expect("is loaded");
        assert_eq!(loaded.summary.parts[0].first.as_deref(), Some(first));
        assert_eq!(loaded.dataset.values[..3], [23.0, 22.0, 21.0]);
    }
}

#[test]
fn parquet_of_every_codec() {
    let gzip = Compression::GZIP(GzipLevel::default());
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for codec in [Compression::SNAPPY, zstd, gzip, Compression::LZ4, Compression::LZ4_RAW] {
        let numbers = || floats((0..500).map(f64::from));
        let columns = [("date", numbers()), ("a", numbers()), ("y", alternating(500))];
        let loaded = Table::compressed(&columns, codec).load(3).expect("is loaded");
        assert_eq!(loaded.dataset.values, (0..500).map(|i| i as f32).collect::<Vec<_>>(), "{codec}");
    }
}

#[test]
fn many_batches_are_one_table() {
    let rows = 10_000;
    let shuffled = || (0..rows).map(|i| (i * 7919) % rows);
    let columns = [
        ("date", int64(shuffled())),
        ("a", floats(shuffled().map(|i| i as f64))),
        ("y", int64(shuffled().map(|i| i % 2))),
    ];
    let loaded = Table::parquet(&columns).load(5).expect("is loaded");
    let expected: Vec<f32> = (0..rows).map(|i| i as f32).collect();
    assert_eq!(loaded.dataset.values, expected);
    assert!(loaded.dataset.train.windows.iter().all(|w| w.is_positive() == (w.last % 2 == 1)));
}

#[test]
fn the_shared_table() {
    let test = "data::tests::good::the_shared_table";
    let Some(path) = allometry_testkit::reference_file(test, "data/sp500-a100.parquet") else {
        return;
    };
    let spec = |label| DataSpec {
        path: path.clone(),
        time: Some("date".to_owned()),
        label,
        features: FeatureSpec {
            exclude: vec!["close".into(), "high".into(), "label".into()],
            ..FeatureSpec::default()
        },
        split: SplitSpec { train: 0.70, validation: 0.15 },
        folds: None,
        missing: MissingPolicy::Error,
        max_gap: None,
        series: None,
    };
    let by_column =
        load(&spec(LabelSpec::column("label")), 80, Normalize::Standard, Task::Binary).expect("is loaded");
    let summary = &by_column.summary;
    assert_eq!((summary.rows, summary.features), (4778, 105));
    assert_eq!(summary.parts[0].windows(), 3344 - 80 - 79);
    assert_eq!(summary.parts[1].counts, ClassCounts { positives: 123, negatives: 594 });
    assert_eq!(summary.parts[2].windows(), 4778 - 4061 - 80);
    assert_eq!(summary.parts[2].last.as_deref(), Some("2018-12-28"));

    let rise = LabelSpec::Rise { rise: 0.01, of: "high".into(), over: "close".into(), horizon: 1 };
    let by_threshold = load(&spec(rise), 80, Normalize::Standard, Task::Binary).expect("is loaded");
    assert_eq!(by_threshold.summary.unlabelled, 1);
    assert_eq!(by_threshold.dataset.values, by_column.dataset.values);
    assert_eq!(by_threshold.dataset.train, by_column.dataset.train);
    assert_eq!(by_threshold.dataset.validation, by_column.dataset.validation);
    let (known, all) = (&by_threshold.dataset.test.windows, &by_column.dataset.test.windows);
    assert_eq!(known[..], all[..all.len() - 1]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is dropped and however rows are ordered, no row is in windows of two parts and no label
    /// looks into another part's windows.
    #[test]
    fn parts_stay_apart(
        gaps in prop::collection::vec(prop::bool::weighted(0.15), 60..200),
        context in 1_usize..8,
        horizon in 1_usize..6,
        seed in any::<u64>(),
    ) {
        let n = gaps.len();
        let mut lines: Vec<String> = (0..n)
            .map(|i| format!("{i},{},{}", if gaps[i] { "NaN".into() } else { i.to_string() }, (i * i) % 7))
            .collect();
        lines.rotate_left(seed as usize % n);
        let rise = LabelSpec::Rise { rise: 0.5, of: "p".into(), over: "p".into(), horizon };
        let table = Table::csv(text("date,a,p", &lines)).with(|s| {
            s.label = rise;
            s.missing = MissingPolicy::Drop;
        });
        let Ok(loaded) = table.load(context) else { return Ok(()) };
        let dataset = &loaded.dataset;
        let mut last_reach: i64 = -1;
        for part in [&dataset.train, &dataset.validation, &dataset.test] {
            let mut reach = last_reach;
            for &window in &part.windows {
                // Feature `a` is the time of its row.
                let times: Vec<i64> = dataset.window(window).chunks_exact(2).map(|v| v[0] as i64).collect();
                prop_assert!(times.is_sorted() && times[0] > last_reach);
                let now = times[context - 1];
                let ahead = now + horizon as i64;
                prop_assert!((ahead as usize) < n);
                let p = |i: i64| ((i * i) % 7) as f64;
                prop_assert_eq!(window.is_positive(), p(ahead) >= 1.5 * p(now));
                reach = reach.max(ahead);
            }
            last_reach = reach;
        }
    }
}
