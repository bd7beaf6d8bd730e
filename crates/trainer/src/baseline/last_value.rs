//! The last known value of the label's own column, and that of the same time of a season before.

use crate::data::{Dataset, SplitPart};

/// Lengths of seasons in rows: working days of a week, days of a week, months or two-hours, hours of a day,
/// weeks of a year, and days of a year.
const SEASONS: [usize; 6] = [5, 7, 12, 24, 52, 365];

/// Returns the last label that is known at the end of each validation window: that of the row `horizon` rows
/// before the last one, because later labels depend on rows that are still to come. Where that label is
/// missing, an earlier one is taken; `fallback` if there is none.
pub(super) fn last_value(dataset: &Dataset, horizon: usize, fallback: f64) -> Vec<f32> {
    predicted(dataset, &dataset.validation, [horizon, 1], fallback)
}

/// Returns the season with the smallest squared error on the training windows, and for each validation window
/// the last known label a number of seasons before. Seasons of which fewer than two fit into the training
/// rows are left out; `None` if all are.
pub(super) fn seasonal(dataset: &Dataset, horizon: usize, fallback: f64) -> Option<(usize, Vec<f32>)> {
    let train = &dataset.train.windows;
    let rows = train.iter().map(|window| dataset.place(window.last)).max()? + 1;
    let fits = |season: &usize| 2 * back(*season, horizon) <= rows;
    let seasons: Vec<usize> = SEASONS.into_iter().filter(fits).collect();
    // All seasons are compared on the same windows, those that the longest can predict.
    let first = back(*seasons.last()?, horizon);
    let compared: Vec<_> =
        train.iter().copied().filter(|window| dataset.place(window.last) >= first).collect();
    let compared = SplitPart { windows: compared };
    let error = |season: usize| -> f64 {
        let numbers = predicted(dataset, &compared, [back(season, horizon), season], fallback);
        let pairs = compared.windows.iter().zip(numbers);
        pairs.map(|(window, number)| (f64::from(window.target) - f64::from(number)).powi(2)).sum()
    };
    let errors = seasons.into_iter().map(|season| (season, error(season)));
    let (season, _) = errors.reduce(|best, next| if next.1 < best.1 { next } else { best })?;
    let steps = [back(season, horizon), season];
    Some((season, predicted(dataset, &dataset.validation, steps, fallback)))
}

/// Returns the rows from a prediction back to the last known label of the same time of a season.
fn back(season: usize, horizon: usize) -> usize {
    season * horizon.div_ceil(season)
}

/// Returns for each window the label `back` rows before its last row, in its series. Where that is missing,
/// the one `step` rows earlier is taken, and so on.
fn predicted(dataset: &Dataset, part: &SplitPart, [back, step]: [usize; 2], fallback: f64) -> Vec<f32> {
    let of_row = |last: usize| {
        let place = dataset.place(last);
        let first = place.checked_sub(back);
        let mut places = std::iter::successors(first, |place| place.checked_sub(step));
        places.find_map(|earlier| *dataset.targets.get(last - (place - earlier))?)
    };
    part.windows.iter().map(|window| of_row(window.last).unwrap_or(fallback as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Preparation, Window};

    /// A data set of one feature whose labels are known except for some rows.
    fn dataset(labels: &[f32], missing: &[usize], train: usize) -> Dataset {
        let part = |rows: std::ops::Range<usize>| {
            let known = rows.filter(|row| !missing.contains(row));
            let windows = known.map(|last| Window { last, row: last as u64, target: labels[last] });
            SplitPart { windows: windows.collect() }
        };
        let known = |row: usize| (!missing.contains(&row)).then_some(labels[row]);
        Dataset {
            panel: None,
            feature_names: vec!["x".into()],
            values: vec![0.0; labels.len()],
            context: 1,
            targets: (0..labels.len()).map(known).collect(),
            train: part(0..train),
            validation: part(train + 2..labels.len()),
            test: SplitPart::default(),
            preparation: Preparation::default(),
        }
    }

    #[test]
    fn the_last_value_is_one_that_is_known() {
        let labels: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let data = dataset(&labels, &[6, 7], 6);
        // The validation windows end in rows 8 to 11.
        assert_eq!(last_value(&data, 1, -1.0), [5.0, 8.0, 9.0, 10.0]);
        assert_eq!(last_value(&data, 3, -1.0), [5.0, 5.0, 5.0, 8.0]);
        assert_eq!(last_value(&data, 11, -1.0), [-1.0, -1.0, -1.0, 0.0]);
    }

    #[test]
    fn the_season_is_that_of_the_training_rows() {
        let week = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0];
        let labels: Vec<f32> = (0..120).map(|row| week[row % 7]).collect();
        let data = dataset(&labels, &[], 80);
        for horizon in [1, 7, 8, 14] {
            let (season, numbers) = seasonal(&data, horizon, 0.0).expect("weeks fit");
            assert_eq!(season, 7, "horizon {horizon}");
            let targets: Vec<f32> = data.validation.windows.iter().map(|window| window.target).collect();
            assert_eq!(numbers, targets, "horizon {horizon}");
        }
        // Twice 5 rows do not fit into 9.
        assert_eq!(seasonal(&dataset(&labels[..20], &[], 9), 1, 0.0), None);
        assert_eq!(seasonal(&dataset(&labels[..20], &[], 10), 1, 0.0).map(|(season, _)| season), Some(5));
    }
}
