//! Times that repeat, and times with zones.

use super::*;
use crate::data::{Preparation, load_unlabelled};

/// Returns a table whose rows have these times, with the features and labels of [`days`].
fn at(times: &[String]) -> Table {
    let rows = days(times.len());
    let line = |(time, row): (&String, &String)| format!("{time},{}", row.split_once(',').expect("fields").1);
    Table::csv(text(HEADER, &times.iter().zip(&rows).map(line).collect::<Vec<_>>()))
}

/// Returns 24 hours of a day, `zone` after each.
fn hours(zone: &str) -> Vec<String> {
    (0..24).map(|hour| format!("2024-10-27T{hour:02}:30:00{zone}")).collect()
}

#[test]
fn every_repeated_time_is_counted_and_the_first_are_named() {
    const ONE: &str = "a table has one row per time; series = \"COLUMN\" under [data] names the column that \
                       tells the series of a row where it holds several";
    let mut times: Vec<String> = (0..24).map(day).collect();
    times[20] = day(2);
    let (message, hint) = at(&times).complaint();
    assert_eq!(message, "t.csv: line 4 and line 22 have the same time `date`, 2024-01-03");
    assert_eq!(hint.as_deref(), Some(ONE));
    times[21] = day(2);
    assert_eq!(
        at(&times).complaint().0,
        "t.csv: 1 time of `date` occurs in several rows: 2024-01-03 (line 4, line 22, line 23)"
    );
    times = (0..12).flat_map(|i| [day(i), day(i)]).collect();
    times[23] = day(0);
    times[22] = day(0);
    let (message, hint) = at(&times).complaint();
    assert_eq!(
        message,
        "t.csv: 11 times of `date` occur in several rows: 2024-01-01 (line 2, line 3, line 24 and 1 more), \
         2024-01-02 (line 4, line 5), 2024-01-03 (line 6, line 7), and 8 more"
    );
    assert_eq!(hint.as_deref(), Some(ONE));
}

#[test]
fn an_hour_that_clocks_repeat_is_told() {
    let mut times = hours("");
    times[3] = times[2].clone();
    let (message, hint) = at(&times).complaint();
    assert_eq!(message, "t.csv: line 4 and line 5 have the same time `date`, 2024-10-27T02:30:00");
    assert_eq!(
        hint.as_deref(),
        Some(
            "local times repeat where clocks are set back: write times with their zone, such as \
             2024-10-27T02:30:00+02:00"
        )
    );
    // The same hour with its zones is two instants.
    let mut times = hours("+01:00");
    (times[2], times[3]) = ("2024-10-27T02:30:00+02:00".into(), "2024-10-27T02:30:00+01:00".into());
    (times[0], times[1]) = ("2024-10-27T00:30:00+02:00".into(), "2024-10-27T01:30:00+02:00".into());
    let loaded = at(&times).load(2).expect("is loaded");
    assert_eq!(loaded.summary.spacing.map(|spacing| spacing.to_string()).as_deref(), Some("every hour"));
    // During the day nothing is said of clocks.
    let mut times = hours("");
    times[13] = times[12].clone();
    assert!(at(&times).complaint().1.is_some_and(|hint| hint.starts_with("a table has one row per time")));
}

#[test]
fn times_with_zones_are_ordered_as_instants() {
    let in_utc = at(&hours("Z")).load(2).expect("is loaded").dataset.values;
    let zones = ["Z", "+05:30", "-05:00", "+00"];
    let written: Vec<String> = (0..24)
        .map(|hour| {
            let zone = zones[hour % 4];
            let offset =
                jiff::tz::Offset::from_seconds([0, 19_800, -18_000, 0][hour % 4]).expect("an offset");
            let instant: jiff::Timestamp = format!("2024-10-27T{hour:02}:30:00Z").parse().expect("a time");
            let separator = ["T", " "][hour % 2];
            offset.to_datetime(instant).strftime(&format!("%Y-%m-%d{separator}%H:%M:%S{zone}")).to_string()
        })
        .collect();
    let mut lines: Vec<usize> = (0..24).collect();
    lines.reverse();
    let shuffled: Vec<String> = lines.iter().map(|line| written[*line].clone()).collect();
    let values = at(&shuffled).load(2).expect("is loaded").dataset.values;
    // The rows' features count the lines.
    let lines_in_time: Vec<f32> = in_utc.chunks(2).rev().flatten().copied().collect();
    assert_eq!(values, lines_in_time);
    // Equal instants in other zones are equal times.
    let mut times = hours("Z");
    times[9] = "2024-10-27T09:30:00+01:00".into();
    assert_eq!(
        at(&times).complaint().0,
        "t.csv: line 10 and line 11 have the same time `date`, 2024-10-27T08:30:00Z or \
         2024-10-27T09:30:00+01:00"
    );
}

#[test]
fn times_with_and_without_a_zone_have_no_order() {
    const HINT: &str = "write all times with a zone, such as 2024-01-31T16:00:00+01:00, or none";
    for (all, one, value, kinds) in [
        ("Z", "", "2024-10-27T05:30:00", ["without", "with"]),
        ("", "-05:00", "2024-10-27T05:30:00-05:00", ["with", "without"]),
    ] {
        let mut times = hours(all);
        times[5] = hours(one)[5].clone();
        let [own, first] = kinds;
        let message = format!(
            "t.csv: line 7: time `date` is `{value}`, a time {own} a zone, but line 2 has a time {first} a \
             zone"
        );
        assert_eq!(at(&times).complaint(), (message, Some(HINT.to_owned())));
    }
}

#[test]
fn predicted_rows_keep_the_times_of_the_file() {
    let written =
        ["2024-01-02 09:30:00-05:00", "2024-01-02T15:30+01", " 20240102T160000Z", "2024-01-02T17:00:00.50Z"];
    let table = at(&written.map(String::from));
    let preparation = Preparation { time: Some("date".into()), ..Preparation::default() };
    let names = ["a".to_owned(), "b".to_owned()];
    let error =
        load_unlabelled(&table.spec.path, &names, &preparation, 1).expect_err("the first two are equal");
    let message = error.to_string();
    assert!(
        message.ends_with(
            "line 2 and line 3 have the same time `date`, 2024-01-02 09:30:00-05:00 or 2024-01-02T15:30+01"
        ),
        "{message}"
    );
    let mut later = written.map(String::from);
    later[1] = "2024-01-02T15:31+01".to_owned();
    let rows = load_unlabelled(&at(&later).spec.path, &names, &preparation, 1).expect("is loaded").rows;
    assert_eq!(rows.iter().map(|row| row.time.clone().expect("a time")).collect::<Vec<_>>(), later);
    for numbers in
        [["1.50", "2", "10", "1e2"], ["2024-01-02", "2024-01-03T00:00", "2024-01-04 00:00", "2024-01-05"]]
    {
        let rows = load_unlabelled(&at(&numbers.map(String::from)).spec.path, &names, &preparation, 1);
        let rows = rows.expect("is loaded").rows;
        assert_eq!(rows.iter().map(|row| row.time.clone().expect("a time")).collect::<Vec<_>>(), numbers);
    }
}
