//! The full report: its look, what it must say of the seed's trials, odd input.

use allometry_analysis::{Options, StudyAnalysis, analyze};
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
    let analysis = analyze(&ladder, &Options::default());
    let naive = |study: &StudyAnalysis| study.importance.iter().map(|one| one.naive).sum::<f64>();
    let sums: Vec<String> = analysis.studies.iter().map(|study| format!("{:.2}", naive(study))).collect();
    assert_eq!(sums, ["0.87", "1.71", "1.19"], "the classic importances are no shares of a whole");
    let report = full(&analysis, &Pictures::none());
    for statement in [
        "**Do more weights pay?** Undecided: ",
        "Among the configurations of one budget, tenfold weights are associated with",
        "the best model of '20M' has 243k weights, fewer than that of '2M' (387k)",
        "20M: the largest architecture in the space has",
        "it is not known whether models collapsed",
        "16 of 25 combinations were tried",
        "the effective number of combinations is 8.8",
    ] {
        assert!(report.contains(statement), "the report does not say: {statement}");
    }
    // Every budget's best configuration is at some end; that alone is no finding.
    assert!(report.matches("the metric still improves towards").count() < 3);
}
