//! Holes between the times of rows, and the usual distance of the times.

use allometry_ladder::{MaxGap, MissingPolicy};

use super::{HEADER, Table, alternating, day, days, floats, text};
use crate::data::{Hole, Holes, Loaded, Preparation, Spacing, SplitPart, load_unlabelled};

const DAY: f64 = 86_400.0;
const WEEK: Option<MaxGap> = Some(MaxGap::Seconds(7.0 * DAY));

/// Returns 30 lines of days with 40 days left out before the line `later`.
fn with_hole(later: usize) -> Vec<String> {
    let shifted = |(i, line): (usize, String)| {
        if i >= later { line.replacen(&day(i), &day(i + 40), 1) } else { line }
    };
    days(30).into_iter().enumerate().map(shifted).collect()
}

fn ends(loaded: &Loaded) -> [Vec<usize>; 3] {
    let ends = |part: &SplitPart| part.windows.iter().map(|window| window.last).collect();
    let dataset = &loaded.dataset;
    [ends(&dataset.train), ends(&dataset.validation), ends(&dataset.test)]
}

fn found(limit: MaxGap, is_set: bool, windows: u64) -> Holes {
    let longest = Hole { length: "41 days".into(), from: day(17), to: day(58), series: None };
    Holes { limit, is_set, count: 1, longest: Some(longest), windows }
}

#[test]
fn no_window_and_no_label_spans_a_hole() {
    // Boundaries at rows 15 and 22; windows of three rows. The hole lies between rows 17 and 18.
    let table = Table::csv(text(HEADER, &with_hole(18)));
    let plain = table.load(3).expect("is loaded");
    let all = [(2..12).collect::<Vec<_>>(), (15..22).collect(), (25..30).collect()];
    assert_eq!(ends(&plain), all);
    assert_eq!(plain.summary.holes, Some(found(MaxGap::Seconds(5.0 * DAY), false, 3)));

    let loaded = table.with(|spec| spec.max_gap = WEEK).load(3).expect("is loaded");
    let [train, _, test] = all;
    // The label of row 17 looks at row 18; the windows that end in rows 18 and 19 begin before the hole.
    assert_eq!(ends(&loaded), [train, vec![15, 16, 20, 21], test]);
    assert_eq!(loaded.summary.holes, Some(found(MaxGap::Seconds(7.0 * DAY), true, 3)));
    assert_eq!(loaded.dataset.leak(), None);
    assert_eq!(loaded.dataset.preparation.max_gap, WEEK);
    assert_eq!(loaded.dataset.values, plain.dataset.values, "rows are kept");
}

#[test]
fn a_step_as_long_as_the_limit_is_no_hole() {
    for (days, windows) in [(41.0, 0), (40.999, 3)] {
        let gap = Some(MaxGap::Seconds(days * DAY));
        let loaded = Table::csv(text(HEADER, &with_hole(18))).with(|spec| spec.max_gap = gap).load(3);
        let holes = loaded.expect("is loaded").summary.holes.expect("there are times");
        assert_eq!((holes.count, holes.windows), (u64::from(windows > 0), windows), "{days}");
    }
}

#[test]
fn rows_that_are_left_out_make_holes() {
    let gap = |(i, line): (usize, String)| match i {
        16..=17 => line.replacen(&format!(",{i},"), ",,", 1),
        _ => line,
    };
    let lines: Vec<String> = days(30).into_iter().enumerate().map(gap).collect();
    let dropping = |gap: f64| {
        let table = Table::csv(text(HEADER, &lines)).with(|spec| {
            spec.missing = MissingPolicy::Drop;
            spec.max_gap = Some(MaxGap::Seconds(gap * DAY));
        });
        table.load(3).expect("is loaded")
    };
    // Boundaries at rows 14 and 21 of the 28 that are left; row 15 is followed by what was row 18.
    assert_eq!(ends(&dropping(3.0))[1], [14, 15, 16, 17, 18, 19, 20]);
    let loaded = dropping(2.0);
    // The label of the 15th row looks at the row after it, which is left out but no hole.
    assert_eq!(ends(&loaded)[1], [14, 15, 18, 19, 20]);
    let holes = loaded.summary.holes.expect("there are times");
    let longest = Hole { length: "3 days".into(), from: day(15), to: day(18), series: None };
    assert_eq!((holes.longest, holes.windows), (Some(longest), 2));
}

#[test]
fn the_limit_has_the_unit_of_the_times() {
    let mut numbers: Vec<f64> = (0..30).map(f64::from).collect();
    numbers[29] = 100.0;
    let table = |gap| {
        let columns = [
            ("date", floats(numbers.iter().copied())),
            ("a", floats(numbers.iter().copied())),
            ("y", alternating(30)),
        ];
        Table::parquet(&columns).with(|spec| spec.max_gap = gap)
    };
    let loaded = table(Some(MaxGap::Number(5.0))).load(3).expect("is loaded");
    assert_eq!(ends(&loaded)[2], [25, 26, 27]);
    assert_eq!(loaded.summary.spacing, Some(Spacing::Number(1.0)));
    let (message, hint) = table(WEEK).complaint();
    assert_eq!(message, "t.parquet: `max_gap` is \"7d\", but column `date` (time) has numbers");
    assert_eq!(hint.as_deref(), Some("a number in the unit of the times: max_gap = 5"));
    let dates = Table::csv(text(HEADER, &days(30))).with(|spec| spec.max_gap = Some(MaxGap::Number(5.0)));
    let (message, hint) = dates.complaint();
    assert_eq!(message, "t.csv: `max_gap` is 5, but column `date` (time) has dates or times");
    assert_eq!(hint.as_deref(), Some("a time with its unit: max_gap = \"7d\""));
}

#[test]
fn a_part_whose_windows_all_have_holes_is_refused() {
    let hours = Some(MaxGap::Seconds(3600.0));
    let (message, hint) = Table::csv(text(HEADER, &days(30))).with(|spec| spec.max_gap = hours).complaint();
    assert_eq!(
        message,
        "t.csv: too few rows: with 30 rows the training part has no window of 2 rows without a hole longer \
         than 1h (`max_gap`)"
    );
    let expected = "a longer max_gap, a shorter context, more rows, or a larger share for training";
    assert_eq!(hint.as_deref(), Some(expected));
}

#[test]
fn predictions_follow_the_preparation() {
    let table = Table::csv(text(HEADER, &with_hole(18)));
    let names = ["a".to_owned(), "b".to_owned()];
    let time = Some("date".to_owned());
    let mut preparation = Preparation { time, max_gap: WEEK, ..Preparation::default() };
    let rows = load_unlabelled(&table.spec.path, &names, &preparation, 3).expect("is loaded");
    // Labels are unknown, so only the windows that contain both rows are left out.
    let expected: Vec<usize> = (0..=15).chain(18..=27).collect();
    assert_eq!((rows.starts, rows.holes), (expected, Some(found(MaxGap::Seconds(7.0 * DAY), true, 2))));
    preparation.max_gap = None;
    let rows = load_unlabelled(&table.spec.path, &names, &preparation, 3).expect("is loaded");
    assert_eq!((rows.starts, rows.holes), ((0..=27).collect(), None));
    preparation.max_gap = Some(MaxGap::Seconds(60.0));
    let error = load_unlabelled(&table.spec.path, &names, &preparation, 3).expect_err("is refused");
    let expected = "30 rows are too few for a window of 3 without a hole longer than 1m (`max_gap`)";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn preparations_without_a_limit_read_as_before() {
    let old = r#"{"time":"date","missing":"drop","scaling":null}"#;
    let preparation: Preparation = serde_json::from_str(old).expect("is read");
    assert_eq!(preparation.max_gap, None);
    assert!(!serde_json::to_string(&preparation).expect("is written").contains("max_gap"));
}

#[test]
fn spacing_is_recognised() {
    let civil = |step: i64, skip: &dyn Fn(i64) -> bool| {
        let first = jiff::civil::date(2024, 1, 1).at(0, 0, 0, 0);
        let at = |i| (first + jiff::SignedDuration::from_mins(step * i)).to_string();
        (0..).filter(|i| !skip(*i)).take(30).map(at).collect::<Vec<_>>()
    };
    let months = (0..30).map(|i| format!("{}-{:02}-01", 2020 + i / 12, i % 12 + 1)).collect();
    let cases = [
        ("daily", civil(1440, &|_| false)),
        // 2024-01-01 is a Monday.
        ("business days", civil(1440, &|i| i % 7 > 4)),
        ("business days", civil(1440, &|i| i % 7 > 4 || i == 3)),
        ("weekly", civil(7 * 1440, &|_| false)),
        ("monthly", months),
        ("every hour", civil(60, &|_| false)),
        ("every 15 minutes", civil(15, &|_| false)),
        // Trading hours from 0:00 to 3:45.
        ("every 15 minutes", civil(15, &|i| i % 96 > 15)),
        ("irregular", civil(1440, &|i| i % 3 == 1)),
        ("steps of 5", (0..30).map(|i| (5 * i).to_string()).collect()),
        ("irregular", (0..30).map(|i| (i * i).to_string()).collect()),
    ];
    for (expected, times) in cases {
        let lines: Vec<String> =
            times.iter().enumerate().map(|(i, time)| format!("{time},{i},-{i},{}", i % 2)).collect();
        let spacing = Table::csv(text(HEADER, &lines)).load(2).expect("is loaded").summary.spacing;
        assert_eq!(spacing.expect("there are times").to_string(), expected, "{times:?}");
    }
    let table = Table::csv(text(HEADER, &days(30)));
    let untimed = table.with(|spec| {
        spec.time = None;
        spec.features.exclude = vec!["date".into()];
    });
    let summary = untimed.load(2).expect("is loaded").summary;
    assert_eq!((summary.spacing, summary.holes), (None, None));
}
