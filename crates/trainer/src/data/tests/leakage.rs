//! Tests of the features that give the label away, and of strong ones that do not.

use super::*;
use crate::data::leaks;

/// Returns numbers in [-0.5, 0.5) that look random.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5
    }
}

/// Returns the leaks of a table with these columns, of which `y` is the label.
fn found(columns: &[(&str, Vec<f64>)], task: Task, horizon: usize) -> Vec<String> {
    let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let rows = columns[0].1.len();
    let line = |row: usize| columns.iter().map(|(_, v)| v[row].to_string()).collect::<Vec<_>>().join(",");
    let table = Table::csv(text(&header.join(","), &(0..rows).map(line).collect::<Vec<_>>())).with(|spec| {
        spec.time = None;
        spec.label = LabelSpec::Column { name: "y".into(), horizon, positive: None };
    });
    let dataset = load(&table.spec, 4, Normalize::Standard, task).expect("is loaded").dataset;
    leaks(&dataset, task, horizon).iter().map(ToString::to_string).collect()
}

/// Returns an autoregressive series with this coefficient.
fn series(rows: usize, coefficient: f64) -> Vec<f64> {
    let (mut next, mut value) = (noise(5), 0.0);
    (0..rows)
        .map(|_| {
            value = coefficient * value + next();
            value
        })
        .collect()
}

/// Returns the sign of a series one row later.
fn later_sign(series: &[f64]) -> Vec<f64> {
    (0..series.len()).map(|row| f64::from(u8::from(series[(row + 1).min(series.len() - 1)] > 0.0))).collect()
}

fn shifted(values: &[f64], rows: i64) -> Vec<f64> {
    let last = values.len() as i64 - 1;
    (0..=last).map(|row| values[(row + rows).clamp(0, last) as usize]).collect()
}

#[test]
fn honest_features_are_no_leaks() {
    let past = series(600, 0.95);
    let sign = later_sign(&past);
    let columns = [("past", past.clone()), ("known", shifted(&sign, -1)), ("y", sign)];
    assert!(found(&columns, Task::Binary, 1).is_empty(), "a strong predictor, and the label before");
    // A random walk predicts its next value with an R2 above 0.999.
    let mut sum = 0.0;
    let mut next = noise(11);
    let walk: Vec<f64> = (0..8000)
        .map(|_| {
            sum += next() + 0.02;
            sum
        })
        .collect();
    let columns = [("walk", walk.clone()), ("noise", series(8000, 0.0)), ("y", shifted(&walk, 1))];
    assert!(found(&columns, Task::Regression, 1).is_empty(), "a slow series predicts itself");
    // One change of the label: any trend separates its values.
    let trend: Vec<f64> = (0..600).map(f64::from).collect();
    let late =
        trend.iter().map(|row| f64::from(u8::from(*row > 200.0 && *row % 601.0 < 320.0 || *row > 430.0)));
    let columns = [("trend", trend.clone()), ("y", late.collect())];
    assert!(found(&columns, Task::Binary, 1).is_empty(), "a trend");
    // Of four repeated numbers the one before is also the one three rows later.
    let repeated: Vec<f64> = (0..600).map(|row| [0.3, -0.2, 0.9, 0.1][row % 4]).collect();
    let columns = [("known", shifted(&repeated, -1)), ("y", repeated)];
    assert!(found(&columns, Task::Regression, 1).is_empty(), "a label that repeats itself");
}

#[test]
fn copies_shifts_and_perfect_predictors_are_leaks() {
    let past = series(600, 0.5);
    let sign = later_sign(&past);
    let ahead = shifted(&past, 1);
    let columns = [
        ("past", past.clone()),
        ("copy", sign.iter().map(|y| 3.0 - 2.0 * y).collect()),
        ("next", shifted(&sign, 1)),
        ("ahead", ahead.clone()),
        ("down", ahead.iter().map(|x| -x.powi(3)).collect()),
        ("y", sign),
    ];
    let expected = [
        "`copy` is a copy of the label",
        "`next` is the label 1 row after its own",
        "`ahead` alone separates the classes (AUC 1.0000)",
        "`down` alone separates the classes (AUC 0.0000)",
    ];
    assert_eq!(found(&columns, Task::Binary, 1), expected);

    let numbers = [
        ("past", past.clone()),
        ("copy", shifted(&past, 5).iter().map(|y| 7.0 - 3.0 * y).collect()),
        ("inside", shifted(&past, 3)),
        ("known", past.clone()),
        ("close", shifted(&past, 5).iter().enumerate().map(|(i, y)| y + 1e-3 * (i % 7) as f64).collect()),
        ("curve", shifted(&past, 5).iter().map(|y| (3.0 * y).exp()).collect()),
        ("y", shifted(&past, 5)),
    ];
    let expected = [
        "`copy` is a copy of the label",
        "`inside` is the label 2 rows before its own",
        "`close` alone predicts the label (R2 1.0000)",
        "`curve` alone predicts the label (R2 1.0000)",
    ];
    assert_eq!(found(&numbers, Task::Regression, 5), expected);

    let columns = [
        ("past", past.clone()),
        ("within", shifted(&ahead, 3)),
        ("beyond", shifted(&ahead, 4)),
        ("y", ahead.clone()),
    ];
    // A window has four rows.
    assert_eq!(found(&columns, Task::Regression, 1), ["`within` is the label 3 rows after its own"]);

    let third = |x: &f64| f64::from(u8::from(*x > -0.15) + u8::from(*x > 0.15));
    let classes = [("past", past), ("ahead", ahead.clone()), ("y", ahead.iter().map(third).collect())];
    assert_eq!(
        found(&classes, Task::Classes, 1),
        ["`ahead` alone separates class `0` from the others (AUC 0.0000)"]
    );
}
