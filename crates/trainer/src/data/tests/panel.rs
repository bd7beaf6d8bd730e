//! Tables of several series.

use allometry_ladder::{MaxGap, SeriesSpec, SeriesSplit};

use super::*;
use crate::data::{Dataset, Panel, PartOfSeries, Preparation, Window, load_unlabelled};

const PANEL: &str = "date,ticker,a,b,y";

/// Rows of the series `name` on these days; `a` is the day's number and `b` that of the series.
fn series(name: &str, days: std::ops::Range<usize>) -> Vec<String> {
    let number = name.bytes().map(u32::from).sum::<u32>();
    days.map(|i| format!("{},{name},{i},{number},{}", day(i), (i / 2 + number as usize) % 2)).collect()
}

fn by_series(split: SeriesSplit) -> impl FnOnce(&mut DataSpec) {
    move |spec| spec.series = Some(SeriesSpec { column: "ticker".into(), split })
}

fn panel(lines: &[String]) -> Table {
    Table::csv(text(PANEL, lines)).with(by_series(SeriesSplit::Time))
}

fn loaded(table: &Table) -> Loaded {
    table.load(3).expect("is loaded")
}

/// Returns the name of the series and the day of each row of a window.
fn rows_of(dataset: &Dataset, window: Window) -> Vec<(f32, f32)> {
    dataset.window(window).chunks(2).map(|row| (row[1], row[0])).collect()
}

fn stacked() -> Vec<String> {
    [series("B", 0..40), series("A", 10..30), series("C", 38..40), series("D", 25..40)].concat()
}

#[test]
fn windows_stay_within_their_series_and_parts_are_cut_at_the_same_times() {
    let Loaded { dataset, summary, .. } = loaded(&panel(&stacked()));
    // Of the 77 rows 38 are before day 24, of which there are two, and 57 before day 31.
    let (first, second) = (24.0, 31.0);
    for (part, range) in
        [(&dataset.train, 0.0..first), (&dataset.validation, first..second), (&dataset.test, second..40.0)]
    {
        assert!(!part.windows.is_empty());
        for &window in &part.windows {
            let rows = rows_of(&dataset, window);
            assert!(rows.iter().all(|row| row.0 == rows[0].0), "one series: {rows:?}");
            assert!(rows.windows(2).all(|pair| pair[1].1 == pair[0].1 + 1.0), "consecutive days: {rows:?}");
            assert!(range.contains(&rows[2].1), "{rows:?} in {range:?}");
            let line = &stacked()[window.row as usize];
            assert!(line.starts_with(&format!("{},", day(rows[2].1 as usize))), "{line} is the last row");
        }
        let days: Vec<f32> = part.windows.iter().map(|window| rows_of(&dataset, *window)[2].1).collect();
        assert!(days.is_sorted(), "windows are in time order");
    }
    assert_eq!(dataset.leak(), None);
    let series = summary.series.expect("series are counted");
    assert_eq!((series.count, series.shortest, series.longest), (4, ("C".into(), 2), ("B".into(), 40)));
    assert_eq!(series.short, [("C".to_owned(), 2)]);
    let of_parts: Vec<_> = summary.parts.iter().map(|part| part.series).collect();
    let part = |rows, series| Some(PartOfSeries { rows, series });
    assert_eq!(of_parts, [part(38, 2), part(19, 3), part(20, 2)]);
}

#[test]
fn the_layout_of_the_rows_does_not_matter() {
    let stacked = stacked();
    let mut by_time = stacked.clone();
    by_time.sort();
    let mut backwards = stacked.clone();
    backwards.reverse();
    let expected = loaded(&panel(&stacked));
    for (lines, numbers) in [(&by_time, false), (&backwards, false), (&stacked, true)] {
        let other = loaded(&panel(lines));
        assert_eq!(other.dataset.values, expected.dataset.values);
        assert_eq!(other.dataset.targets, expected.dataset.targets);
        assert_eq!(other.dataset.panel, expected.dataset.panel);
        let lasts = |dataset: &Dataset| dataset.test.windows.iter().map(|w| w.last).collect::<Vec<_>>();
        assert_eq!(lasts(&other.dataset), lasts(&expected.dataset));
        assert_eq!(other.dataset == expected.dataset, numbers);
        assert_eq!(other.summary, expected.summary);
    }
    let names = ["A", "B", "C", "D"].map(String::from).to_vec();
    let panel = expected.dataset.panel.expect("a panel");
    assert_eq!(panel.names, names);
    assert_eq!([0, 19, 20, 59, 60, 62].map(|row| panel.series_of(row)), [0, 0, 1, 1, 2, 3]);
    assert_eq!([0, 20, 60].map(|row| panel.times[row]), [10, 0, 38]);
}

#[test]
fn one_series_is_a_table_without_series() {
    let lines = series("A", 0..40);
    let of_panel = loaded(&panel(&lines));
    let table = Table::csv(text(PANEL, &lines)).with(|spec| spec.features.exclude = vec!["ticker".into()]);
    let alone = loaded(&table);
    let Dataset { panel, preparation, .. } = of_panel.dataset.clone();
    assert_eq!(panel.map(|panel| panel.names), Some(vec!["A".to_owned()]));
    assert_eq!(preparation.series.as_deref(), Some("ticker"));
    let preparation = Preparation { series: None, ..preparation };
    assert_eq!(Dataset { panel: None, preparation, ..of_panel.dataset }, alone.dataset);
}

#[test]
fn labels_look_ahead_in_their_own_series() {
    let line = |name: &str, i: usize| format!("{},{name},{},1,0", day(i), i % 4);
    let lines: Vec<String> = ["A", "B"].iter().flat_map(|name| (0..30).map(move |i| line(name, i))).collect();
    let table = panel(&lines).with(|spec| {
        spec.label = LabelSpec::Rise { rise: 0.0, of: "a".into(), over: "a".into(), horizon: 2 };
    });
    let Loaded { dataset, summary, .. } = loaded(&table);
    assert_eq!(summary.unlabelled, 4);
    for (row, target) in dataset.targets.iter().enumerate() {
        let day = row % 30;
        let expected = (day < 28).then_some(if day % 4 < 2 { 1.0 } else { 0.0 });
        assert_eq!(*target, expected, "row {row}");
    }
}

#[test]
fn labels_may_be_missing_at_the_end_of_each_series() {
    let mut lines = stacked();
    for line in [38, 39, 59] {
        lines[line].pop();
    }
    assert_eq!(loaded(&panel(&lines)).summary.unlabelled, 3);
    lines[50].pop();
    let (message, _) = panel(&lines).complaint();
    assert_eq!(message, "t.csv: line 52 (series `A`): label `y` is missing");
}

#[test]
fn holes_and_filled_values_end_with_a_series() {
    let mut lines = series("A", 0..30);
    lines.extend(series("B", 40..70));
    // The first value of B is missing: the last of A does not fill it.
    lines[30] = lines[30].replacen(",40,", ",,", 1);
    lines[33] = lines[33].replacen(",43,", ",,", 1);
    lines.remove(50);
    let table = panel(&lines).with(|spec| {
        spec.missing = MissingPolicy::Ffill;
        spec.max_gap = Some(MaxGap::Seconds(86_400.0));
    });
    let Loaded { dataset, summary, .. } = loaded(&table);
    assert_eq!((summary.dropped, &summary.filled[..]), (1, &[("a".to_owned(), 1)][..]));
    assert_eq!(dataset.values[(29 + 3) * 2], 42.0);
    let holes = summary.holes.expect("holes are counted");
    assert_eq!(holes.count, 1);
    let hole = holes.longest.expect("a hole");
    assert_eq!((hole.from, hole.to, hole.series), (day(59), day(61), Some("B".into())));
    for part in [&dataset.train, &dataset.validation, &dataset.test] {
        for &window in &part.windows {
            let rows = rows_of(&dataset, window);
            assert!(rows.iter().all(|row| row.0 == rows[0].0), "{rows:?}");
        }
    }
}

#[test]
fn statistics_are_those_of_the_training_rows_of_all_series() {
    let table = panel(&stacked()).with(|spec| spec.missing = MissingPolicy::Mean);
    let dataset = load(&table.spec, 3, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    // Training windows end three rows before a validation window: on day 20 in A and B. C and D have none.
    let days: Vec<f64> = (10..21).chain(0..21).map(f64::from).collect();
    let mean = days.iter().sum::<f64>() / days.len() as f64;
    let (found, _) = dataset.preparation.scaling.expect("is scaled")[0];
    assert!((found - mean).abs() < 1e-6, "{found} is not {mean}");
    assert!((dataset.preparation.means[0] - mean).abs() < 1e-6);
}

#[test]
fn parts_can_be_series() {
    let lines: Vec<String> = (0..20).flat_map(|i| series(&format!("s{i:02}"), 0..10)).collect();
    let table = Table::csv(text(PANEL, &lines)).with(by_series(SeriesSplit::Series));
    let Loaded { dataset, summary, .. } = loaded(&table);
    let panel = dataset.panel.as_ref().expect("a panel");
    let of = |windows: &[Window]| {
        let mut series: Vec<usize> = windows.iter().map(|window| panel.series_of(window.last)).collect();
        series.sort_unstable();
        series.dedup();
        series
    };
    let [train, validation, test] =
        [&dataset.train, &dataset.validation, &dataset.test].map(|part| of(&part.windows));
    assert_eq!([train.len(), validation.len(), test.len()], [10, 5, 5]);
    let mut all = [train, validation, test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..20).collect::<Vec<_>>());
    assert_eq!(dataset.train.windows.len(), 10 * 8);
    assert_eq!(summary.parts[1].series, Some(PartOfSeries { rows: 50, series: 5 }));
}

#[test]
fn series_that_cannot_be_used_are_named() {
    let mut lines = stacked();
    lines[6] = lines[6].replace(",B,", ", ,");
    let (message, hint) = panel(&lines).complaint();
    assert_eq!(message, "t.csv: line 8: column `ticker` (series) is empty");
    assert_eq!(hint.as_deref(), Some("name the series of every row, or leave such rows out"));
    let absent = panel(&stacked()).with(|spec| {
        spec.series = Some(SeriesSpec { column: "tickr".into(), split: SeriesSplit::Time });
    });
    let (message, hint) = absent.complaint();
    assert_eq!(message, "t.csv: there is no column `tickr` (series)");
    assert_eq!(hint.as_deref(), Some("did you mean `ticker`?"));
    let mut lines = stacked();
    lines[45] = lines[44].clone();
    let (message, hint) = panel(&lines).complaint();
    assert_eq!(message, "t.csv: line 46 and line 47 have the same time `date` in series `A`, 2024-01-15");
    assert_eq!(hint.as_deref(), Some("a series has one row per time"));
    let one_each: Vec<String> = (0..50).flat_map(|i| series(&format!("s{i}"), i..i + 1)).collect();
    let (message, hint) = panel(&one_each).complaint();
    assert_eq!(message, "t.csv: no series is as long as a window of 2 rows: the longest of 50, `s0`, has 1");
    assert_eq!(hint.as_deref(), Some("a shorter context, or longer series"));
    let (message, _) = panel(&stacked())
        .with(|spec| spec.label = LabelSpec::Column { name: "y".into(), horizon: 9, positive: None })
        .complaint();
    let expected =
        "t.csv: the label looks 9 rows ahead, but the validation part has 7 rows in its longest series";
    assert_eq!(message, expected);
    let few: Vec<String> = [series("A", 0..4), series("B", 0..4)].concat();
    let (message, _) = panel(&few).complaint();
    assert_eq!(
        message,
        "t.csv: too few rows: with 8 rows of 2 series, the longest of which has 4, the training part \
         has no window of 2 rows"
    );
}

#[test]
fn predictions_know_their_series() {
    let mut lines = stacked();
    lines.sort();
    let table = panel(&lines);
    let preparation =
        Preparation { time: Some("date".into()), series: Some("ticker".into()), ..Preparation::default() };
    let names = ["a".to_owned(), "b".to_owned()];
    let rows = load_unlabelled(&table.spec.path, &names, &preparation, 3).expect("is loaded");
    assert_eq!(rows.starts.len(), 18 + 38 + 13);
    for &start in &rows.starts {
        assert_eq!(rows.rows[start].series, rows.rows[start + 2].series);
    }
    let last = &rows.rows[rows.starts[0] + 2];
    assert_eq!((last.series.as_deref(), last.time.as_deref()), (Some("A"), Some("2024-01-13")));
    assert_eq!(lines[last.number as usize], series("A", 12..13)[0]);
    let error = load_unlabelled(&table.spec.path, &names, &preparation, 41).expect_err("is refused");
    let expected = "no series is as long as a window of 41 rows: the longest of 4, `B`, has 40";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn ten_thousand_series_take_no_quadratic_time() {
    let lines: Vec<String> = (0..10_000).flat_map(|i| series(&format!("s{i}"), 0..16)).collect();
    let table = panel(&lines).with(|spec| spec.max_gap = Some(MaxGap::Seconds(7.0 * 86_400.0)));
    let dataset = loaded(&table).dataset;
    assert_eq!(dataset.panel.as_ref().map(|panel: &Panel| panel.names.len()), Some(10_000));
    assert_eq!(dataset.validation.windows.len(), 10_000 * 4);
    assert_eq!(crate::data::leaks(&dataset, Task::Binary, 1), []);
    assert_eq!(dataset.leak(), None);
}

#[test]
fn a_class_that_only_later_times_or_other_series_have_is_refused() {
    let with_class =
        |line: &String, class: &str| format!("{},{class}", line.rsplit_once(',').expect("fields").0);
    let late = |line: &String| if line.as_str() < "2024-02-05" { "0" } else { "2" };
    let class =
        |(place, line): (usize, &String)| with_class(line, if place % 2 == 1 { "1" } else { late(line) });
    let lines: Vec<String> = stacked().iter().enumerate().map(class).collect();
    let error = load(&panel(&lines).spec, 3, Normalize::None, Task::Classes).expect_err("class 2 is late");
    let message = error.to_string();
    assert!(message.contains("class 2 of 3 of label `y` has no window in the training part"), "{message}");

    // The first row is that of the file, not that of the first series: D's of day 38 is before B's of day 39.
    let mut sorted = stacked();
    sorted.sort();
    let last = sorted.len() - 4;
    let class = |(place, line): (usize, &String)| {
        with_class(line, if place >= last { "2" } else { ["0", "1"][place % 2] })
    };
    let lines: Vec<String> = sorted.iter().enumerate().map(class).collect();
    let error = load(&panel(&lines).spec, 3, Normalize::None, Task::Classes).expect_err("class 2 is late");
    let first = format!("it occurs in 4 rows, the first is line {} (series `D`)", last + 2);
    assert!(error.to_string().ends_with(&first), "{error}");

    let lines: Vec<String> = (0..20).flat_map(|i| series(&format!("s{i:02}"), 0..10)).collect();
    let table = |lines: &[String]| Table::csv(text(PANEL, lines)).with(by_series(SeriesSplit::Series));
    let dataset = loaded(&table(&lines)).dataset;
    let of_test = dataset.panel.as_ref().expect("a panel").series_of(dataset.test.windows[0].last);
    let name = format!(",s{of_test:02},");
    let of_series = |line: &String| if line.contains(&name) { with_class(line, "2") } else { line.clone() };
    let lines: Vec<String> = lines.iter().map(of_series).collect();
    let error =
        load(&table(&lines).spec, 3, Normalize::None, Task::Classes).expect_err("class 2 is elsewhere");
    let message = error.to_string();
    assert!(
        message
            .contains("class 2 of 3 of label `y` has no window in the training part; it occurs in 10 rows"),
        "{message}"
    );
    assert!(message.ends_with(&format!("(series `s{of_test:02}`)")), "{message}");
}

#[test]
fn a_refused_value_is_named_with_its_column_its_row_and_its_series() {
    let of = |line: usize, from: &str, to: &str| {
        let mut lines = stacked();
        lines[line] = lines[line].replacen(from, to, 1);
        panel(&lines).complaint().0
    };
    // Line 1 is the header; rows 40 to 59 are those of A from day 10 on.
    assert_eq!(of(45, ",15,", ",,"), "t.csv: line 47 (series `A`): column `a` is empty");
    assert_eq!(
        of(45, ",15,", ",many,"),
        "t.csv: line 47 (series `A`): column `a` has `many`, which is not a number"
    );
    let mut lines = stacked();
    lines[45].pop();
    assert_eq!(panel(&lines).complaint().0, "t.csv: line 47 (series `A`): label `y` is missing");
    lines[45].push('7');
    assert_eq!(
        panel(&lines).complaint().0,
        "t.csv: line 47 (series `A`): label `y` is `7`; it must be 0 or 1"
    );
    let (message, _) =
        panel(&stacked().iter().map(|line| format!("{}1", &line[..line.len() - 1])).collect::<Vec<_>>())
            .complaint();
    assert!(message.ends_with("windows of the training part have the label 1 in column `y`"), "{message}");
}

#[test]
fn advice_on_a_table_to_be_predicted_names_no_setting_of_a_ladder_file() {
    let preparation = |series: Option<&str>| Preparation {
        time: Some("date".into()),
        series: series.map(str::to_owned),
        ..Preparation::default()
    };
    let names = ["a".to_owned(), "b".to_owned()];
    let hint = |lines: &[String], preparation: &Preparation, context: usize| {
        let table = panel(lines);
        let error = load_unlabelled(&table.spec.path, &names, preparation, context).expect_err("is refused");
        error.hint_of_input().expect("a hint")
    };
    let of_series = preparation(Some("ticker"));
    let mut lines = stacked();
    lines[45] = lines[45].replacen(",15,", ",,", 1);
    assert_eq!(
        hint(&lines, &of_series, 3),
        "the model was trained on a table without such values (`na` of its ladder file) and cannot fill \
         them: write a value, or leave the row out of the table"
    );
    lines[45] = lines[45].replacen(",,", ",many,", 1);
    assert_eq!(hint(&lines, &of_series, 3), "the model was trained on numbers there: correct the table");
    assert_eq!(
        hint(&stacked(), &of_series, 41),
        "the model looks at 41 rows of a series: put earlier rows before those to predict"
    );
    assert_eq!(
        hint(&stacked(), &preparation(None), 3),
        "the model was trained on one series, with one row per time: predict one table for each series"
    );
    assert_eq!(
        hint(&stacked(), &preparation(Some("tickr")), 3),
        "the table must have the columns of the training; did you mean `ticker`?"
    );
}
