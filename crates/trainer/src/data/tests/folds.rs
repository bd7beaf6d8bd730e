//! Walk-forward folds of tables.

use allometry_ladder::{FoldScheme, FoldSpec, SeriesSpec, SeriesSplit};

use super::*;
use crate::data::{PartName, SplitPart, Window};

fn folds(count: usize) -> FoldSpec {
    FoldSpec { count, scheme: FoldScheme::Expanding, stopping: 0.25 }
}

/// A table of 60 days with three eras: days 30 to 34, 35 to 39 and 40 to 44.
fn table() -> Table {
    Table::csv(text(HEADER, &days(60))).with(|spec| spec.folds = Some(folds(3)))
}

fn rows(part: &SplitPart) -> Vec<u64> {
    part.windows.iter().map(|window| window.row).collect()
}

#[test]
fn each_fold_has_its_own_training_rows_and_era() {
    let loaded = table().load(2).unwrap();
    // The slice of 30 training rows begins at row 23; windows of two rows and labels of one step are purged.
    let expected: [[std::ops::Range<u64>; 3]; 4] =
        [[1..21, 23..28, 30..35], [1..25, 27..33, 35..40], [1..28, 30..38, 40..45], [1..32, 34..45, 47..60]];
    for (dataset, parts) in loaded.folds.iter().chain([&loaded.dataset]).zip(expected) {
        let found = [&dataset.train, &dataset.validation, &dataset.test].map(rows);
        assert_eq!(found, parts.map(Iterator::collect::<Vec<u64>>));
        assert_eq!(dataset.leak(), None);
    }
    let plain = table().with(|spec| spec.folds = None).load(2).unwrap();
    assert_eq!(rows(&loaded.dataset.test), rows(&plain.dataset.test), "the test part is that without folds");
    let eras: Vec<u64> = loaded.folds.iter().flat_map(|dataset| rows(&dataset.test)).collect();
    assert_eq!(eras, rows(&plain.dataset.validation), "the eras are the validation part without folds");
    let names = |parts: &[crate::data::PartSummary; 3]| parts.clone().map(|part| part.name);
    let [training, stopping] = [PartName::Train, PartName::Stopping];
    assert_eq!(names(&loaded.summary.folds[0]), [training, stopping, PartName::Validation]);
    assert_eq!(names(&loaded.summary.parts), [training, stopping, PartName::Test]);
    assert_eq!(loaded.summary.folds[1][2].first.as_deref(), Some(&*day(35)));
}

#[test]
fn rolling_folds_have_equally_many_training_rows() {
    let rolling = FoldSpec { scheme: FoldScheme::Rolling, ..folds(3) };
    let loaded = table().with(|spec| spec.folds = Some(rolling)).load(2).unwrap();
    let train = |dataset: &crate::data::Dataset| (dataset.train.windows[0].row, dataset.train.windows.len());
    let all: Vec<(u64, usize)> = loaded.folds.iter().chain([&loaded.dataset]).map(train).collect();
    // The last model is trained up to the test part, which begins with its label's embargo.
    assert_eq!(all, [(1, 20), (6, 20), (11, 20), (16, 20)]);
}

/// What is fitted is fitted on the training rows of each fold: scales, means and known categories.
#[test]
fn nothing_of_later_rows_is_in_an_earlier_fold() {
    let lines = |last: usize| -> Vec<String> {
        let line = |i: usize| {
            let (a, b) = if i < 45 || last == 0 { (i % 7, i % 5) } else { (900, 800) };
            let a = if i % 11 == 3 { String::new() } else { a.to_string() };
            let category = if i >= 36 { "late" } else { ["x", "z"][i % 2] };
            format!("{},{a},{b},{category},{}", day(i), i % 2)
        };
        (0..60).map(line).collect()
    };
    let load_with = |last: usize, normalize: Normalize| {
        let table = Table::csv(text("date,a,b,c,y", &lines(last))).with(|spec| {
            spec.folds = Some(folds(3));
            spec.missing = MissingPolicy::Mean;
            spec.features.categorical = vec!["c".into()];
        });
        load(&table.spec, 2, normalize, Task::Binary).unwrap()
    };
    let (plain, changed) = (load_with(0, Normalize::Standard), load_with(1, Normalize::Standard));
    for (fold, (a, b)) in plain.folds.iter().zip(&changed.folds).enumerate() {
        assert_eq!(a.preparation.scaling, b.preparation.scaling, "fold {fold}");
        assert_eq!(a.preparation.means, b.preparation.means, "fold {fold}");
        let windows = |dataset: &crate::data::Dataset| -> Vec<Vec<f32>> {
            let parts = [&dataset.train, &dataset.validation, &dataset.test];
            let all = parts.into_iter().flat_map(|part| &part.windows);
            all.map(|window: &Window| dataset.window(*window).to_vec()).collect()
        };
        assert_eq!(windows(a), windows(b), "fold {fold} sees no row after its era");
    }
    assert_ne!(plain.folds[0].preparation.means, plain.folds[2].preparation.means);
    // `late` is a category of the last training rows: a feature of all folds, and 0 where it was not known.
    let names = ["a", "b", "c=x", "c=z"].map(str::to_owned);
    assert_eq!(plain.dataset.feature_names, names, "the slice and the test part alone have `late`");
    assert!(plain.folds.iter().all(|fold| fold.feature_names == names));
    let late = |fold: &crate::data::Dataset| fold.window(fold.test.windows[4])[6..8].to_vec();
    assert_eq!(late(&plain.folds[2]), [0.0, 0.0]);
}

#[test]
fn a_category_is_a_feature_of_every_fold_and_0_where_it_was_not_known() {
    let line = |i: usize| {
        let category = if (24..30).contains(&i) { "new" } else { "old" };
        format!("{},{},{category},{}", day(i), i % 7, i % 2)
    };
    let lines: Vec<String> = (0..60).map(line).collect();
    let table = Table::csv(text("date,a,c,y", &lines)).with(|spec| {
        spec.folds = Some(folds(3));
        spec.features.categorical = vec!["c".into()];
    });
    let loaded = table.load(2).unwrap();
    assert_eq!(loaded.dataset.feature_names, ["a", "c=new", "c=old"]);
    // The first fold's training windows end before row 24, the others' do not.
    let new = |dataset: &crate::data::Dataset| dataset.values[3 * 26 + 1];
    assert_eq!(loaded.folds.iter().map(new).collect::<Vec<_>>(), [0.0, 1.0, 1.0]);
}

#[test]
fn eras_of_several_series_are_the_same_times() {
    let mut lines = Vec::new();
    for i in 0..60 {
        for (name, first) in [("A", 0), ("B", 20), ("C", 0)] {
            if i >= first && (name != "C" || i < 33) {
                lines.push(format!("{},{name},{i},{}", day(i), (i + first / 10) % 4 / 2));
            }
        }
    }
    let table = Table::csv(text("date,ticker,a,y", &lines)).with(|spec| {
        spec.folds = Some(folds(3));
        spec.series = Some(SeriesSpec { column: "ticker".into(), split: SeriesSplit::Time });
    });
    let loaded = table.load(2).unwrap();
    let mut before = 0.0;
    for dataset in &loaded.folds {
        let day_of = |window: &Window| dataset.window(*window)[1];
        let days = |part: &SplitPart| {
            let days = part.windows.iter().map(day_of);
            (days.clone().fold(f32::INFINITY, f32::min), days.fold(0.0, f32::max))
        };
        let [train, stopping, era] = [&dataset.train, &dataset.validation, &dataset.test].map(days);
        // A series that ended in a part has the label of its last row but one.
        assert!(train.1 < stopping.0 && stopping.1 < era.0, "{train:?} {stopping:?} {era:?}");
        assert!(era.0 > before, "eras follow each other");
        before = era.1;
        assert_eq!(dataset.leak(), None);
    }
    assert_eq!(loaded.summary.folds[0][2].series.map(|part| part.series), Some(3));
    assert_eq!(loaded.summary.folds[2][2].series.map(|part| part.series), Some(2));
}

#[test]
fn folds_that_are_too_short_are_refused_with_what_would_be_accepted() {
    let complaint = |count: usize, context: usize, change: fn(&mut DataSpec)| {
        let table = table().with(|spec| spec.folds = Some(folds(count))).with(change);
        let error = table.load(context).expect_err("is refused");
        let folder: PathBuf = table.folder.path().join("");
        (error.to_string().replace(&*folder.to_string_lossy(), ""), error.hint().unwrap_or_default())
    };
    assert_eq!(
        complaint(12, 2, |_| ()),
        (
            "fold 1 of 12: t.csv: all 1 windows of the validation part have the label 0 in column `y`"
                .to_owned(),
            "fewer `folds`, or a larger share for validation in `split`; with these shares `folds = 7` is \
             accepted"
                .to_owned()
        )
    );
    assert_eq!(
        complaint(3, 2, |spec| spec.folds = Some(FoldSpec { stopping: 0.05, ..folds(3) })),
        (
            "fold 1 of 3: t.csv: too few rows: with 60 rows the stopping part has no window of 2 rows"
                .to_owned(),
            "a shorter context, more rows, or a larger `stopping`".to_owned()
        )
    );
    assert_eq!(
        complaint(4, 12, |_| ()),
        (
            "fold 1 of 4: t.csv: too few rows: with 60 rows the training part has no window of 12 rows"
                .to_owned(),
            "a shorter context, more rows, or a larger share for training".to_owned()
        )
    );
    assert_eq!(
        complaint(3, 2, |spec| spec.label =
            LabelSpec::Column { name: "y".into(), horizon: 6, positive: None }),
        (
            "fold 1 of 3: t.csv: the label looks 6 rows ahead, but the validation part has 5 rows".to_owned(),
            "fewer `folds`, or a larger share for validation in `split`".to_owned()
        )
    );
}
