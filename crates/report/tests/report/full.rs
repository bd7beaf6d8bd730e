//! The full report: its look, what it must say of the seed's trials, odd input.

use allometry_analysis::{Options, analyze};
use allometry_core::ClassCounts;
use allometry_report::{Pictures, full};

use crate::support;

#[test]
fn a_small_ladder_looks_as_committed() {
    insta::assert_snapshot!(full(&analyze(&support::synthetic(), &Options::default()), &Pictures::none()));
}

#[test]
fn odd_input_looks_as_committed() {
    insta::assert_snapshot!(full(&analyze(&support::odd(), &Options::default()), &Pictures::none()));
}

#[test]
fn the_seed_trials_decide_nothing() {
    let Some(ladder) = support::seed("the_seed_trials_decide_nothing") else { return };
    let mut ladder = support::with_seed_sizes(ladder);
    ladder.rows = Some(ClassCounts { positives: 76, negatives: 346 });
    let report = full(&analyze(&ladder, &Options::default()), &Pictures::none());
    for statement in [
        "**Do more weights pay?** Undecided: the largest difference (20M over 200M, 0.0099 AUC) is 0.20 of its standard error",
        "0.63 at an assumed correlation of 0.9; about 8,400 validation rows",
        "the '20M' winner has 243k weights, fewer than the '2M' winner (387k)",
        "20M: largest architecture in the space has",
        "whether models collapsed is unknown",
        "16 of 25 combinations tried",
        "would cover 8.8",
        "add up to 0.87",
        "add up to 1.71",
        "add up to 1.19",
    ] {
        assert!(report.contains(statement), "the report does not say: {statement}");
    }
    assert_eq!(report.matches("best values at an end of their range").count(), 3);
}
