//! Split of windows into parts: by time, the same times for all series, or by series. Walk-forward folds are
//! splits by time of their own.

use std::ops::Range;

use allometry_core::rng::stream_seed;
use allometry_ladder::{FoldScheme, FoldSpec, SeriesSplit, SplitSpec};

use super::series::Sequence;
use super::time::Times;

/// Last rows of the windows of each part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) train: Range<usize>,
    pub(super) validation: Range<usize>,
    pub(super) test: Range<usize>,
}

/// Split of all series of a table. Places are those of the sequence's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    /// Last rows of the training, validation and test windows of each series.
    pub(super) ends: [Vec<Range<usize>>; 3],
    /// Rows of each series before the end of its last training window, on which statistics are fitted.
    pub(super) fitted: Vec<Range<usize>>,
    /// Rows of each part, before the embargo.
    pub(super) rows: [usize; 3],
    /// Most rows of a series in each part, before the embargo.
    pub(super) longest: [usize; 3],
}

/// A fold: the rows that its model is trained on, and those that judge it. Places are those of all rows in
/// time order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fold {
    /// First training row.
    start: usize,
    /// First row of the slice by which the epoch is chosen.
    stopping: usize,
    /// First row of the era.
    era: usize,
    /// Row after the last one of the era.
    end: usize,
    /// Whether the test part is its era, for the model that is trained on all rows before that part.
    is_last: bool,
}

impl Fold {
    /// Returns the folds of a table of `rows` rows in their order, and after them the one whose era is the
    /// test part.
    ///
    /// The eras are equal shares of the validation part. A fold is trained on all rows before its era, or on
    /// as many of the last ones as the training part has.
    pub(super) fn all(rows: usize, shares: SplitSpec, folds: FoldSpec) -> Vec<Self> {
        let FoldSpec { count, scheme, stopping } = folds;
        let longest = boundary(rows, shares.train);
        let place =
            |fold: usize| boundary(rows, shares.train + shares.validation * fold as f64 / count as f64);
        let fold = |number: usize| {
            let era = place(number);
            let start = match scheme {
                FoldScheme::Expanding => 0,
                FoldScheme::Rolling => era.saturating_sub(longest),
            };
            let is_last = number == count;
            let end = if is_last { rows } else { place(number + 1) };
            Self { start, stopping: era - boundary(era - start, stopping), era, end, is_last }
        };
        (0..=count).map(fold).collect()
    }

    /// Whether the era is the test part.
    pub(super) fn is_last(self) -> bool {
        self.is_last
    }
}

/// How windows are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    /// Number of rows in a window.
    pub(super) context: usize,
    /// Number of rows that a label looks ahead.
    pub(super) horizon: usize,
}

impl Split {
    /// Splits `rows` rows at the places `validation` and `test`, at which these parts start.
    ///
    /// Every row between the two boundaries is the last row of a validation window if at least
    /// `context - 1` rows precede it. The first rows of these windows are before the boundary. The training
    /// part therefore ends early enough that neither the rows of its windows nor the `horizon` rows that
    /// their labels look ahead overlap a validation window. The first row of a test window comes after the
    /// last row that a validation label looks at. A range is empty if there is no room.
    ///
    /// Where no row is after the first boundary, as in a series that ended before, all windows whose labels
    /// look at rows of the table are training windows.
    fn at(rows: usize, [validation, test]: [usize; 2], windows: Windows) -> Self {
        let Windows { context, horizon } = windows;
        let first = context.saturating_sub(1);
        if validation >= rows {
            let end = rows.saturating_sub(horizon).max(first);
            return Self { train: first..end, validation: rows..rows, test: rows..rows };
        }
        let validation = validation.max(first);
        let end = test.max(validation);
        let train = (validation - first).saturating_sub(horizon).max(first);
        let test = end.saturating_add(horizon).saturating_add(first).min(rows);
        Self { train: first..train, validation: validation..end, test: test..rows }
    }
}

impl Split {
    /// Splits the rows of a series at the places of a fold in it.
    ///
    /// Windows of two parts share no row, and no label looks into another part: the training rows and the
    /// slice that chooses the epoch both end `context + horizon` rows early. The test part begins that late
    /// instead, as without folds.
    fn of_fold(rows: usize, fold: Fold, windows: Windows) -> Self {
        let Windows { context, horizon } = windows;
        let first = context.saturating_sub(1);
        let earliest = fold.start.saturating_add(first);
        let known = rows.saturating_sub(horizon);
        let before = |place: usize| match place {
            place if place >= rows => known,
            place => place.max(first).saturating_sub(first).saturating_sub(horizon),
        };
        let range = |start: usize, end: usize| start.min(rows)..end.clamp(start.min(rows), rows);
        let (stopping, era) = if fold.is_last {
            let end = if fold.era >= rows { known } else { fold.era };
            (end, range(fold.era.max(first).saturating_add(horizon).saturating_add(first), fold.end))
        } else {
            (before(fold.era), range(fold.era.max(first), fold.end))
        };
        Self {
            train: range(earliest, before(fold.stopping)),
            validation: range(fold.stopping.max(earliest), stopping),
            test: era,
        }
    }
}

impl Parts {
    /// Splits the rows of a table as a fold: the training part, the slice that chooses the epoch, and the
    /// era.
    pub(super) fn of_fold(sequence: &Sequence, times: &Times, fold: Fold, windows: Windows) -> Self {
        let Fold { start, stopping, era, end, is_last } = fold;
        let places = in_series(sequence, times, [start, stopping, era, end]);
        let split = |(span, [start, stopping, era, end]): (Range<usize>, [usize; 4])| {
            let own = Fold { start, stopping, era, end, is_last };
            let rows = [stopping - start, era - stopping, end - era];
            (Split::of_fold(span.len(), own, windows), rows, start)
        };
        Self::of_splits(sequence, sequence.spans().zip(places).map(split))
    }

    /// Splits the rows of a table.
    ///
    /// By time, the boundaries are the times of the rows at `floor(rows * train)` and
    /// `floor(rows * (train + validation))` of all series together, in time order; a part begins with all
    /// rows of its boundary's time. By series, these shares are shares of the series that have a window, in
    /// an order that depends on their names alone.
    pub(super) fn new(
        sequence: &Sequence,
        names: &[String],
        times: &Times,
        (shares, by): (SplitSpec, SeriesSplit),
        windows: Windows,
    ) -> Self {
        let splits = match by {
            SeriesSplit::Time => by_time(sequence, times, shares, windows),
            SeriesSplit::Series => by_series(sequence, names, shares, windows),
        };
        Self::of_splits(sequence, splits.into_iter().map(|(split, rows)| (split, rows, 0)))
    }

    /// Joins the splits of all series, each with its rows of each part before the embargo and its first
    /// training row.
    fn of_splits(sequence: &Sequence, splits: impl Iterator<Item = (Split, [usize; 3], usize)>) -> Self {
        let mut parts = Self { ends: Default::default(), fitted: Vec::new(), rows: [0; 3], longest: [0; 3] };
        for (span, (split, rows, start)) in sequence.spans().zip(splits) {
            let within = |range: &Range<usize>| {
                let start = (span.start + range.start).min(span.end);
                start..(span.start + range.end).clamp(start, span.end)
            };
            let ends = [&split.train, &split.validation, &split.test].map(within);
            let start = span.start + start;
            let fitted = if ends[0].is_empty() { start } else { ends[0].end };
            parts.fitted.push(start..fitted);
            for (part, range) in ends.into_iter().enumerate() {
                parts.ends[part].push(range);
                parts.rows[part] += rows[part];
                parts.longest[part] = parts.longest[part].max(rows[part]);
            }
        }
        parts
    }
}

/// Returns the split of each series at the same times, with its rows of each part before the embargo.
fn by_time(
    sequence: &Sequence,
    times: &Times,
    shares: SplitSpec,
    windows: Windows,
) -> Vec<(Split, [usize; 3])> {
    let count = sequence.rows.len();
    let places = [boundary(count, shares.train), boundary(count, shares.train + shares.validation)];
    let starts = in_series(sequence, times, places);
    let split = |(span, starts): (Range<usize>, [usize; 2])| {
        let rows = [starts[0], starts[1] - starts[0], span.len() - starts[1]];
        (Split::at(span.len(), starts, windows), rows)
    };
    sequence.spans().zip(starts).map(split).collect()
}

/// Returns the places in each series of the times that the rows at `places` of all series in time order have.
fn in_series<const N: usize>(sequence: &Sequence, times: &Times, places: [usize; N]) -> Vec<[usize; N]> {
    if sequence.ends.len() == 1 {
        return vec![places];
    }
    let mut in_time = sequence.rows.clone();
    in_time.sort_by(|&a, &b| times.compare(a, b));
    let at = |span: Range<usize>| {
        places.map(|place| match in_time.get(place) {
            Some(&first) => {
                sequence.rows[span.clone()].partition_point(|&row| times.compare(row, first).is_lt())
            }
            None => span.len(),
        })
    };
    sequence.spans().map(at).collect()
}

/// Returns the split in which each series belongs to one part, with its rows of each part.
fn by_series(
    sequence: &Sequence,
    names: &[String],
    shares: SplitSpec,
    windows: Windows,
) -> Vec<(Split, [usize; 3])> {
    let first = windows.context.saturating_sub(1);
    let lengths: Vec<usize> = sequence.spans().map(|span| span.len()).collect();
    let mut order: Vec<usize> = (0..lengths.len()).filter(|&series| lengths[series] > first).collect();
    // At random: alphabetical order may follow what the series are.
    order.sort_by_key(|&series| stream_seed(0, &names[series], 0));
    let count = order.len();
    let cuts = [boundary(count, shares.train), boundary(count, shares.train + shares.validation)];
    let nothing = || Split { train: 0..0, validation: 0..0, test: 0..0 };
    let mut splits: Vec<(Split, [usize; 3])> = lengths.iter().map(|_| (nothing(), [0; 3])).collect();
    for (place, series) in order.into_iter().enumerate() {
        let part = usize::from(place >= cuts[0]) + usize::from(place >= cuts[1]);
        let (split, rows) = &mut splits[series];
        let ends = [&mut split.train, &mut split.validation, &mut split.test];
        *ends.into_iter().nth(part).expect("there are three parts") = first..lengths[series];
        rows[part] = lengths[series];
    }
    splits
}

/// Returns the number of whole rows before a share's boundary: 0.7 of 10 is 7, regardless of binary
/// rounding.
fn boundary(rows: usize, share: f64) -> usize {
    const SLACK: f64 = 1e-6;
    ((rows as f64 * share + SLACK).floor() as usize).min(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::time::Time;

    const SHARES: SplitSpec = SplitSpec { train: 0.70, validation: 0.15 };

    /// Returns the split of a single series.
    fn split(rows: usize, context: usize, horizon: usize, shares: SplitSpec) -> Split {
        let places = [boundary(rows, shares.train), boundary(rows, shares.train + shares.validation)];
        Split::at(rows, places, Windows { context, horizon })
    }

    /// Returns series whose rows have the days `days` of each, in this order.
    fn panel(days: &[Range<i64>]) -> (Sequence, Times) {
        let mut times = Times::Empty;
        let (mut rows, mut ends) = (0, Vec::new());
        for days in days {
            for day in days.clone() {
                times.push(Time::Integer(day)).expect("one kind");
                rows += 1;
            }
            ends.push(rows);
        }
        (Sequence { rows: (0..rows).collect(), ends }, times)
    }

    #[test]
    fn boundaries_match_a_hand_computation() {
        // Boundaries 70 and 85. The first validation window is rows 61..=70, so training labels may look at
        // row 60.
        let split = split(100, 10, 3, SHARES);
        assert_eq!(split.train, 9..58);
        assert_eq!(split.validation, 70..85);
        // Validation labels look at rows up to 87; the first test window is rows 88..=97.
        assert_eq!(split.test, 97..100);
    }

    #[test]
    fn shares_that_are_no_binary_fractions_give_whole_rows() {
        for (rows, share, expected) in [(10, 0.7, 7), (100, 0.29, 29), (1000, 0.57, 570), (4778, 0.7, 3344)] {
            assert_eq!(boundary(rows, share), expected);
        }
        assert_eq!(split(20, 1, 1, SplitSpec { train: 0.1, validation: 0.2 }).validation, 2..6);
    }

    #[test]
    fn series_are_cut_at_the_same_times() {
        // Of 140 rows 98 are before day 78. Row 119 is one of the two of day 89, before which are 118.
        let (sequence, times) = panel(&[0..100, 80..100, 30..50]);
        let names: Vec<String> = ["a", "b", "c"].map(String::from).into();
        let windows = Windows { context: 3, horizon: 2 };
        let parts = Parts::new(&sequence, &names, &times, (SHARES, SeriesSplit::Time), windows);
        assert_eq!(parts.rows, [98, 118 - 98, 140 - 118]);
        let day = 78;
        // Series a has 78 days before the cut; c ended before it, so that all labels within it are known.
        assert_eq!(parts.ends[0], [2..day - 2 - 2, 102..102, 122..138]);
        assert_eq!(parts.fitted, [0..day - 4, 100..100, 120..138]);
    }

    #[test]
    fn a_series_alone_is_split_like_a_table_without_series() {
        for rows in [5, 40, 101] {
            let (sequence, times) = panel(std::slice::from_ref(&(0..rows)));
            let windows = Windows { context: 4, horizon: 2 };
            let of = |ends: Vec<usize>| {
                let sequence = Sequence { ends, ..sequence.clone() };
                Parts::new(&sequence, &["a".into(), "b".into()], &times, (SHARES, SeriesSplit::Time), windows)
            };
            let (alone, beside_none) = (of(vec![rows as usize]), of(vec![rows as usize; 2]));
            for part in 0..3 {
                assert_eq!(alone.ends[part][0], beside_none.ends[part][0]);
                assert!(beside_none.ends[part][1].is_empty());
            }
            assert_eq!(alone.rows, beside_none.rows);
        }
    }

    #[test]
    fn a_series_belongs_to_one_part() {
        let days: Vec<Range<i64>> = (0..20).map(|series| 0..4 + series).collect();
        let (sequence, times) = panel(&days);
        let names: Vec<String> = (0..20).map(|series| format!("s{series}")).collect();
        let windows = Windows { context: 5, horizon: 1 };
        let parts = Parts::new(&sequence, &names, &times, (SHARES, SeriesSplit::Series), windows);
        let used = |part: usize| parts.ends[part].iter().filter(|range| !range.is_empty()).count();
        // The first series is shorter than a window: 0.7 and 0.85 of 19 are 13 and 16.
        assert_eq!([used(0), used(1), used(2)], [13, 3, 3]);
        for (series, span) in sequence.spans().enumerate().skip(1) {
            let own: Vec<_> = (0..3).map(|part| parts.ends[part][series].clone()).collect();
            assert_eq!(
                own.iter().filter(|range| **range == (span.start + 4..span.end)).count(),
                1,
                "{own:?}"
            );
        }
    }

    #[test]
    fn small_tables_have_empty_parts() {
        for rows in 0..40 {
            let split = split(rows, 30, 5, SHARES);
            assert!(split.train.is_empty());
            assert!(split.test.is_empty());
        }
    }

    const FOLDS: FoldSpec = FoldSpec { count: 4, scheme: FoldScheme::Expanding, stopping: 0.25 };

    #[test]
    fn folds_match_a_hand_computation() {
        // Eras begin at rows 40, 50, 60 and 70 of 100, and the test part at 80.
        let shares = SplitSpec { train: 0.4, validation: 0.4 };
        let windows = Windows { context: 3, horizon: 2 };
        let of = |folds: FoldSpec, number: usize| {
            Split::of_fold(100, Fold::all(100, shares, folds)[number], windows)
        };
        // The slice begins at row 30. Its first window begins at row 28, so training labels may look at 27.
        let expected = Split { train: 2..26, validation: 30..36, test: 40..50 };
        assert_eq!(of(FOLDS, 0), expected);
        // 70 - 0.25 * 70 is 53, rounded up.
        assert_eq!(of(FOLDS, 3), Split { train: 2..49, validation: 53..66, test: 70..80 });
        // The last era's labels look at row 81; the first test window is rows 82..=84.
        assert_eq!(of(FOLDS, 4), Split { train: 2..56, validation: 60..80, test: 84..100 });
        let rolling = FoldSpec { scheme: FoldScheme::Rolling, ..FOLDS };
        assert_eq!(of(rolling, 0), expected);
        assert_eq!(of(rolling, 3), Split { train: 32..56, validation: 60..66, test: 70..80 });
        assert_eq!(of(rolling, 4), Split { train: 42..66, validation: 70..80, test: 84..100 });
    }

    #[test]
    fn eras_are_the_same_times_in_all_series() {
        let (sequence, times) = panel(&[0..100, 80..100, 30..50]);
        let windows = Windows { context: 3, horizon: 2 };
        let shares = SplitSpec { train: 0.4, validation: 0.4 };
        let folds = Fold::all(140, shares, FOLDS);
        let parts: Vec<Parts> =
            folds.iter().map(|fold| Parts::of_fold(&sequence, &times, *fold, windows)).collect();
        // Rows 56 and 70 of all are of days 43 and 50, row 42 is of day 36.
        assert_eq!(parts[0].ends[2], [43..50, 102..102, 120 + 13..140]);
        assert_eq!(parts[0].ends[0], [2..36 - 4, 102..102, 122..122]);
        assert_eq!(parts[0].rows[2], 7 + 7);
        // The last series ended before the later eras, so that all its labels are known.
        assert!(parts[2].ends[2][2].is_empty());
        assert_eq!(parts[3].ends[0][2].end, 138);
        let eras: Vec<usize> = parts[..4].iter().flat_map(|part| part.ends[2][0].clone()).collect();
        let validation = Parts::new(&sequence, &[], &times, (shares, SeriesSplit::Time), windows);
        assert_eq!(eras, validation.ends[1][0].clone().collect::<Vec<_>>());
        assert_eq!(parts[4].ends[2], validation.ends[2]);
    }

    proptest! {
        #[test]
        fn folds_share_no_row_and_no_label(
            rows in 0_usize..400,
            context in 1_usize..40,
            horizon in 1_usize..20,
            shares in (0.01_f64..0.9, 0.01_f64..0.99),
            folds in (3_usize..12, proptest::bool::ANY, 0.01_f64..0.99),
        ) {
            let shares = SplitSpec { train: shares.0, validation: (1.0 - shares.0) * shares.1 };
            let (count, is_rolling, stopping) = folds;
            let scheme = if is_rolling { FoldScheme::Rolling } else { FoldScheme::Expanding };
            let windows = Windows { context, horizon };
            let all = Fold::all(rows, shares, FoldSpec { count, scheme, stopping });
            let mut judged = Vec::new();
            for fold in &all {
                let split = Split::of_fold(rows, *fold, windows);
                let parts = [&split.train, &split.validation, &split.test];
                for ends in parts {
                    prop_assert!(ends.is_empty() || (ends.start + 1 >= context && ends.end <= rows));
                }
                let reach = |ends: &Range<usize>| {
                    (!ends.is_empty()).then(|| (ends.start + 1 - context, ends.end - 1 + horizon))
                };
                let parts: Vec<(usize, usize)> = parts.into_iter().filter_map(reach).collect();
                for pair in parts.windows(2) {
                    prop_assert!(pair[0].1 < pair[1].0, "{split:?}");
                }
                if !fold.is_last {
                    judged.extend(split.test);
                }
            }
            // Together the eras are the validation part of a split without folds.
            let ends = [boundary(rows, shares.train), boundary(rows, shares.train + shares.validation)];
            let validation = Split::at(rows, ends, windows).validation;
            prop_assert_eq!(judged, validation.collect::<Vec<_>>());
            let last = all.last().expect("the fold of the test part");
            prop_assert_eq!(
                Split::of_fold(rows, *last, windows).test,
                Split::at(rows, ends, windows).test
            );
        }

        #[test]
        fn parts_share_no_row_and_no_label(
            rows in 0_usize..400,
            context in 1_usize..60,
            horizon in 1_usize..20,
            train in 0.01_f64..0.9,
            rest in 0.01_f64..0.99,
        ) {
            let shares = SplitSpec { train, validation: (1.0 - train) * rest };
            let split = split(rows, context, horizon, shares);
            let reach = |ends: &Range<usize>| {
                (!ends.is_empty()).then(|| (ends.start + 1 - context, ends.end - 1 + horizon))
            };
            for ends in [&split.train, &split.validation, &split.test] {
                prop_assert!(ends.is_empty() || (ends.start + 1 >= context && ends.end <= rows));
            }
            let parts: Vec<(usize, usize)> =
                [&split.train, &split.validation, &split.test].into_iter().filter_map(reach).collect();
            for pair in parts.windows(2) {
                prop_assert!(pair[0].1 < pair[1].0, "{split:?}");
            }
            if boundary(rows, train) >= context {
                let end = boundary(rows, shares.train + shares.validation);
                prop_assert_eq!(split.validation, boundary(rows, train)..end);
            }
        }
    }
}
