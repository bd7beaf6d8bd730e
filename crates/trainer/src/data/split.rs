//! Chronological split of windows into parts.

use std::ops::Range;

use allometry_ladder::SplitSpec;

/// Last rows of the windows of each part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) train: Range<usize>,
    pub(super) validation: Range<usize>,
    pub(super) test: Range<usize>,
}

impl Split {
    /// Splits `rows` rows at `floor(rows * train)` and `floor(rows * (train + validation))`.
    ///
    /// Every row between the two boundaries is the last row of a validation window if at least
    /// `context - 1` rows precede it. The first rows of these windows are before the boundary. The training
    /// part therefore ends early enough that neither the rows of its windows nor the `horizon` rows that
    /// their labels look ahead overlap a validation window. The first row of a test window comes after the
    /// last row that a validation label looks at. A range is empty if there is no room.
    pub(super) fn new(rows: usize, context: usize, horizon: usize, shares: SplitSpec) -> Self {
        let first = context.saturating_sub(1);
        let validation = boundary(rows, shares.train).max(first);
        let end = boundary(rows, shares.train + shares.validation).max(validation);
        let train = (validation - first).saturating_sub(horizon).max(first);
        let test = end.saturating_add(horizon).saturating_add(first).min(rows);
        Self { train: first..train, validation: validation..end, test: test..rows }
    }
}

/// Returns the rows of the training, validation and test part, before the embargo between them.
pub(super) fn part_rows(rows: usize, shares: SplitSpec) -> [usize; 3] {
    let (validation, test) = (boundary(rows, shares.train), boundary(rows, shares.train + shares.validation));
    [validation, test - validation, rows - test]
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

    const SHARES: SplitSpec = SplitSpec { train: 0.70, validation: 0.15 };

    #[test]
    fn boundaries_match_a_hand_computation() {
        // Boundaries 70 and 85. The first validation window is rows 61..=70, so training labels may look at
        // row 60.
        let split = Split::new(100, 10, 3, SHARES);
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
        assert_eq!(Split::new(20, 1, 1, SplitSpec { train: 0.1, validation: 0.2 }).validation, 2..6);
    }

    #[test]
    fn parts_have_their_shares_of_the_rows() {
        assert_eq!(part_rows(100, SHARES), [70, 15, 15]);
        assert_eq!(part_rows(7, SHARES), [4, 1, 2]);
        assert_eq!(part_rows(0, SHARES), [0, 0, 0]);
    }

    #[test]
    fn small_tables_have_empty_parts() {
        for rows in 0..40 {
            let split = Split::new(rows, 30, 5, SHARES);
            assert!(split.train.is_empty());
            assert!(split.test.is_empty());
        }
    }

    proptest! {
        #[test]
        fn parts_share_no_row_and_no_label(
            rows in 0_usize..400,
            context in 1_usize..60,
            horizon in 1_usize..20,
            train in 0.01_f64..0.9,
            rest in 0.01_f64..0.99,
        ) {
            let shares = SplitSpec { train, validation: (1.0 - train) * rest };
            let split = Split::new(rows, context, horizon, shares);
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
