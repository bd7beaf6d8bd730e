//! Values on the rows of each series, and predictions whose series are unknown.

use allometry_analysis::per_series::SeriesValues;
use allometry_analysis::{
    Analysis, LadderTrials, Options, Panel, RowOrder, StudyPredictions, StudyTrials, analyze,
};
use allometry_core::{ClassCounts, FrozenTrial, PanelRow, Params, TrialNumber, TrialState, ValidationScores};

/// Returns the analysis of one trial that predicts rows of two series of 30 times and of one with 4; the rows
/// of series `c` have one class. The trial ranks `a` perfectly and `b` in reverse.
fn analysed(panel: Option<Panel>) -> Analysis {
    let (rows, labels, scores): (Vec<u64>, Vec<bool>, Vec<f32>) = (0..64)
        .map(|row: u64| {
            let label = row >= 60 || row % 6 < 2;
            let sign = [1.0, -1.0][(row % 2) as usize];
            let noise = (row * 7 % 10) as f32 / 100.0;
            (row, label, 0.5 + sign * (if label { 0.2 } else { 0.0 } + noise))
        })
        .fold(Default::default(), |(mut rows, mut labels, mut scores): (Vec<_>, Vec<_>, Vec<_>), one| {
            rows.push(one.0);
            labels.push(one.1);
            scores.push(one.2);
            (rows, labels, scores)
        });
    let pairs = || scores.iter().zip(&labels);
    let (mut above, mut all) = (0.0, 0.0);
    for (score, _) in pairs().filter(|(_, label)| **label) {
        for (other, _) in pairs().filter(|(_, label)| !**label) {
            above += if score > other {
                1.0
            } else if score == other {
                0.5
            } else {
                0.0
            };
            all += 1.0;
        }
    }
    let mut predictions = StudyPredictions::default();
    assert!(predictions.insert(TrialNumber(0), ValidationScores { rows, labels, scores }));
    let trial = FrozenTrial::new(0, TrialState::Complete, Some(above / all), Params::default());
    let study = StudyTrials { predictions, ..StudyTrials::new("2M", "test", vec![trial]) };
    let rows = Some(ClassCounts { positives: 24, negatives: 40 });
    let ladder = LadderTrials { panel, rows, row_order: RowOrder::Stored, ..LadderTrials::new(vec![study]) };
    analyze(&ladder, &Options { permutations: 0, bootstraps: 0, ..Options::default() })
}

fn panel() -> Panel {
    let row = |row: u64| match row {
        0..60 => PanelRow { row, series: (row % 2) as u32, time: (row / 2) as u32 },
        _ => PanelRow { row, series: 2, time: (row - 50) as u32 },
    };
    Panel::new(["a", "b", "c"].map(String::from).into(), (0..64).map(row))
}

#[test]
fn values_of_each_series_are_those_of_its_rows() {
    let analysis = analysed(Some(panel()));
    let per_series = analysis.per_series.expect("predictions are stored");
    assert_eq!((per_series.count, per_series.trials[0].budget.as_str()), (3, "2M"));
    let point = |one: &SeriesValues| (one.series.clone(), one.rows, one.values[0].map(|value| value.point));
    let found: Vec<_> = per_series.series.iter().map(point).collect();
    let expected = [("a", 30, Some(1.0)), ("b", 30, Some(0.0)), ("c", 4, None)]
        .map(|(name, rows, value)| (name.to_owned(), rows, value));
    assert_eq!(found, expected);
    let interval = |analysis: &Analysis| analysis.studies[0].summary.incumbent().unwrap().value.interval;
    let (known, single) = (analysed(Some(panel())), analysed(None));
    let width = |one| interval(one).map(|interval| interval.upper - interval.lower);
    assert!(width(&known) > width(&single), "{:?} {:?}", width(&known), width(&single));
}

#[test]
fn rows_whose_series_are_unknown_give_no_error() {
    let unknown = analysed(Some(Panel::default()));
    let value = unknown.studies[0].summary.incumbent().unwrap().value;
    assert_eq!((value.standard_error, value.interval), (None, None));
    assert_eq!(unknown.per_series, None);
}
