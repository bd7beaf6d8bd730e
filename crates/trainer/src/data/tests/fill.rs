//! Missing features that are filled.

use allometry_ladder::{MaxGap, MissingPolicy, Normalize, Task};

use super::{HEADER, Table, day, days, text};
use crate::data::{Preparation, load, load_unlabelled};

/// Thirty days in reverse order of which `a` is missing in the given rows.
fn lacking(missing: &[usize]) -> Table {
    let mut lines = days(30);
    for &row in missing {
        lines[row] = lines[row].replacen(&format!(",{row},"), ",,", 1);
    }
    lines.reverse();
    Table::csv(text(HEADER, &lines))
}

/// Returns the first feature of each row of row-major values.
fn first(values: &[f32]) -> Vec<f32> {
    values.iter().step_by(2).copied().collect()
}

#[test]
fn the_last_value_before_in_time_is_taken() {
    let table = lacking(&[0, 1, 5, 6, 20]).with(|spec| spec.missing = MissingPolicy::Ffill);
    let loaded = table.load(2).expect("is loaded");
    let mut expected: Vec<f32> = (2_u8..30).map(f32::from).collect();
    (expected[3], expected[4], expected[18]) = (4.0, 4.0, 19.0);
    assert_eq!(first(&loaded.dataset.values), expected);
    let summary = &loaded.summary;
    assert_eq!((summary.rows, summary.dropped), (30, 2));
    assert_eq!(summary.filled, [("a".to_owned(), 3)]);
    assert_eq!(summary.gaps, [("a".to_owned(), 2)]);
}

#[test]
fn no_value_is_older_than_the_longest_gap() {
    let table = lacking(&[5, 6, 7, 20]).with(|spec| {
        spec.missing = MissingPolicy::Ffill;
        spec.max_gap = Some(MaxGap::Seconds(2.0 * 86_400.0));
    });
    let loaded = table.load(2).expect("is loaded");
    assert_eq!(loaded.summary.dropped, 1);
    assert_eq!(loaded.summary.filled, [("a".to_owned(), 3)]);
    assert_eq!(first(&loaded.dataset.values)[4..9], [4.0, 4.0, 4.0, 8.0, 9.0]);
}

#[test]
fn the_mean_is_that_of_the_training_rows() {
    // The training windows end in rows 1 to 12 of 30.
    let table = lacking(&[0, 3, 25]).with(|spec| spec.missing = MissingPolicy::Mean);
    let loaded = table.load(2).expect("is loaded");
    let fitted = loaded.dataset.train.windows.last().expect("a window").last + 1;
    let known: Vec<f64> = (0..fitted).filter(|row| ![0, 3].contains(row)).map(|row| row as f64).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    assert_eq!(loaded.dataset.preparation.means[0], mean);
    let values = first(&loaded.dataset.values);
    assert_eq!([values[0], values[3], values[25], values[24]], [mean as f32, mean as f32, mean as f32, 24.0]);
    let summary = &loaded.summary;
    assert_eq!((summary.dropped, summary.gaps.len()), (0, 0));
    assert_eq!(summary.filled, [("a".to_owned(), 3)]);

    let names = ["a".to_owned(), "b".to_owned()];
    let later = lacking(&[0]);
    let rows = load_unlabelled(&later.spec.path, &names, &loaded.dataset.preparation, 2).expect("is loaded");
    assert_eq!((first(&rows.values)[0], rows.filled), (mean as f32, vec![("a".to_owned(), 1)]));
}

#[test]
fn predictions_take_the_last_value_too() {
    let table = lacking(&[0, 4]);
    let names = ["a".to_owned(), "b".to_owned()];
    let (time, missing) = (Some("date".to_owned()), MissingPolicy::Ffill);
    let preparation = Preparation { time, missing, ..Preparation::default() };
    let rows = load_unlabelled(&table.spec.path, &names, &preparation, 2).expect("is loaded");
    assert_eq!((rows.dropped, rows.filled), (1, vec![("a".to_owned(), 1)]));
    assert_eq!(first(&rows.values)[..4], [1.0, 2.0, 3.0, 3.0]);
}

#[test]
fn a_missing_category_is_filled_but_has_no_mean() {
    let name = |i: usize| if i == 7 { "" } else { ["x", "z"][i / 3 % 2] };
    let lines: Vec<String> = (0..30).map(|i| format!("{},{},{i},{}", day(i), name(i), i % 2)).collect();
    let table = |policy| {
        Table::csv(text("date,kind,a,y", &lines)).with(|spec| {
            spec.features.categorical = vec!["kind".into()];
            spec.missing = policy;
        })
    };
    let loaded = table(MissingPolicy::Ffill).load(2).expect("is loaded");
    assert_eq!(loaded.dataset.values[7 * 3..8 * 3], [7.0, 1.0, 0.0]);
    assert_eq!(loaded.summary.filled, [("kind".to_owned(), 1)]);
    for policy in [MissingPolicy::Mean, MissingPolicy::Error] {
        let (message, hint) = table(policy).complaint();
        assert_eq!(message, "t.csv: line 9: column `kind` is empty");
        assert!(hint.unwrap().ends_with("\"ffill\" fills them; categories have no mean"));
    }
}

#[test]
fn scaling_is_that_of_the_filled_values() {
    let table = lacking(&[3]).with(|spec| spec.missing = MissingPolicy::Mean);
    let loaded = load(&table.spec, 2, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    let scaling = loaded.preparation.scaling.expect("values are scaled");
    assert!((scaling[0].0 - loaded.preparation.means[0]).abs() < 1e-6);
    assert!(loaded.values[3 * 2].abs() < 1e-6, "the mean is 0 after scaling");
}
