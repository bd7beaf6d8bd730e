//! Tests of the sentences of single reasons.

use allometry_analysis::edge::{Edge, End, RangeSource};
use allometry_analysis::finding::{BudgetProblem, BudgetTrials, UnknownSizes};
use allometry_analysis::lint::{CoverageMismatch, Implied, SummaryFigure, SummaryMismatch, TableSide};
use allometry_analysis::scaling::{CountOf, Difference, LastStep, Quantity, Share, Source, Withheld};
use allometry_analysis::size::SizeReversal;
use allometry_analysis::stats::long_run::TooShort;
use allometry_analysis::summary::{BrokenConstraint, DataRange};
use allometry_analysis::verdict::{
    Advice, Answer, CaveatReason, Covers, Gain, GainStep, Headline, NextStep, Retraining, RowsCovered, Take,
    TakeReason,
};
use allometry_analysis::{Estimate, Finding, Method, NoRowError, Problem, Statement};
use allometry_core::{Direction, ModelSize, TrialNumber};

use super::mismatch::mismatch;
use super::{finding, verdict};

fn message(budget: Option<&str>, problem: Problem) -> String {
    let code = problem.code();
    finding::message(&Finding {
        code,
        severity: code.severity(),
        budget: budget.map(ToOwned::to_owned),
        problem: Statement::Reason(problem),
    })
}

fn of_budget(problem: BudgetProblem) -> String {
    message(Some("20M"), Problem::OfBudget(problem))
}

fn sized(total: u64) -> ModelSize {
    ModelSize { total, non_embedding: total / 2 }
}

fn estimate(point: f64, ends: Option<(f64, f64)>) -> Estimate {
    Estimate {
        point,
        standard_error: None,
        interval: ends.map(Into::into),
        level: 0.95,
        method: Method::Sources,
        effective_rows: None,
    }
}

#[test]
fn problems_of_a_ladder() {
    let trials = |budget: &str, trials| BudgetTrials { budget: budget.into(), trials };
    let unknown = |budget: &str, unknown| UnknownSizes { budget: budget.into(), unknown, trials: 10 };
    let reversal =
        SizeReversal { before: "s".into(), before_weights: 387_000, budget: "m".into(), weights: 243_000 };
    let baseline = |value, best| Problem::BehindBaseline {
        baseline: "logistic regression".into(),
        value,
        budget: "l".into(),
        best,
        metric: "AUC".into(),
        standard_errors: Some(1.94),
    };
    for (problem, expected) in [
        (
            Problem::UnequalTrials { most: trials("a", 1200), least: trials("b", 1) },
            "budgets were searched with unequal effort: 1,200 trials of 'a', 1 trial of 'b'",
        ),
        (
            Problem::MissingSizes { budgets: vec![unknown("a", 10), unknown("b", 2)] },
            "the exact sizes of models are not known: 'a' (10 of 10 trials), 'b' (2 of 10 trials)",
        ),
        (
            Problem::SizesOutOfOrder { reversals: vec![reversal] },
            "sizes are out of order: the best model of 'm' has 243k weights, fewer than that of 's' (387k)",
        ),
        (
            baseline(0.755_12, 0.755_08),
            "no trial beats the baseline logistic regression: AUC 0.75512 against 0.75508 of the best trial \
             (of 'l'), on the validation rows; the gap is about 1.9 standard errors",
        ),
        (
            baseline(0.79, 0.77),
            "no trial beats the baseline logistic regression: AUC 0.7900 against 0.7700 of the best trial \
             (of 'l'), on the validation rows; the gap is about 1.9 standard errors",
        ),
    ] {
        assert_eq!(message(None, problem), expected);
    }
}

#[test]
fn problems_of_a_budget() {
    let edge = Edge {
        parameter: "learning_rate".into(),
        value: 0.001.into(),
        end: End::Highest,
        values: Some(3),
        source: RangeSource::Observed,
        may_be_best: true,
        p_towards: Some(0.01),
        p_towards_holm: Some(0.034),
    };
    let broken = vec![BrokenConstraint { name: "rows >= 6".into(), trials: 6 }];
    let duplicates =
        |identical| BudgetProblem::Duplicates { repeats: 2, identical, trials: 5, repeat_sd: Some(0.01) };
    for (problem, expected) in [
        (
            BudgetProblem::LargestBelowBudget { weights: 3_900_000, nominal: 20e6 },
            "20M: the largest architecture in the space has 3.90M weights, 20% of the number in the label",
        ),
        (
            BudgetProblem::SmallestAboveBudget { weights: 50_000_000, nominal: 20e6 },
            "20M: the smallest architecture in the space has 50.0M weights, 2.5 times the number \
             in the label",
        ),
        (
            BudgetProblem::NominalNotSize {
                best: sized(3_000_000),
                nominal: 20e6,
                tried: Some((sized(243_000), sized(3_000_000))),
            },
            "20M: the best model has 3.00M weights, but the label says 20.0M; trials range from \
             243k to 3.00M",
        ),
        (
            BudgetProblem::LearningRateEdge { edges: vec![edge] },
            "20M: the metric still improves towards the best learning rate, which is at an end of its range \
             or within 2% of it: learning_rate 0.001 (highest of 3 tried, p (Holm) of the slope 0.034)",
        ),
        (
            BudgetProblem::FailedTrials { failed: 3, ended: 14, reasons: Vec::new() },
            "20M: 3 of 14 trials failed (21%)",
        ),
        (BudgetProblem::EqualValues { trials: 30, value: 0.5 }, "20M: all 30 trials have the value 0.5000"),
        (
            BudgetProblem::MixedData(DataRange { is_distinct: true, smallest: 500, largest: 20_000 }),
            "20M: trials were trained on 500 to 20,000 rows or tokens",
        ),
        (
            BudgetProblem::InfeasibleTrials { infeasible: 6, complete: 12, broken },
            "20M: 6 of 12 complete trials break a constraint (50%), and statistics exclude them: rows >= 6 \
             (6 trials)",
        ),
        (
            duplicates(1),
            "20M: 2 of 5 trials repeat a configuration (40%), 1 of them with an identical value; values of \
             one configuration have a standard deviation of 0.0100",
        ),
        (duplicates(2), "20M: 2 of 5 trials repeat a configuration (40%), with identical values"),
    ] {
        assert_eq!(of_budget(problem), expected);
    }
}

#[test]
fn answers_name_the_gain_and_the_reason() {
    let gain = |step| Gain {
        step,
        estimate: estimate(0.0124, Some((0.002, 0.023))),
        quantity: Quantity::BestOf { k: 8 },
    };
    let pair = || GainStep::Pair { smaller: "2M".into(), larger: "20M".into() };
    let difference = |larger: &str, smaller: &str, point: f64, ends| Difference {
        larger: larger.into(),
        smaller: smaller.into(),
        gain: estimate(point, Some(ends)),
        shares: Vec::new(),
        p: None,
        p_holm: None,
    };
    let last_step = LastStep {
        from: "2M".into(),
        to: "20M".into(),
        gain: estimate(0.001, None),
        p: None,
        is_told: false,
    };
    let text = |answer, direction| {
        let out_of_order = Vec::new();
        verdict::headline(&Headline { answer, alone: None, out_of_order }, "AUC", direction)
    };
    let holds =
        Answer::Holds { gain: gain(GainStep::Decade), last_step: Some(last_step), lack_of_fit: Some(0.0012) };
    assert_eq!(
        text(holds, Direction::Maximize),
        "Holds: more weights pay; the gain per tenfold weights is +0.0124 AUC (95% interval +0.0020 to \
         +0.0230) in the expected best of 8 trials; the last step, 2M to 20M, is not significant by itself \
         (+0.0010); the gain per tenfold weights differs between sizes (p = 0.001)."
    );
    let undecided = Answer::Undecided { gain: gain(pair()), smallest: "2M".into(), largest: "20M".into() };
    assert_eq!(
        text(undecided, Direction::Minimize),
        "Undecided: these trials do not show whether 20M is better or worse than 2M; the decrease of AUC \
         from 2M to 20M is +0.0124 (95% interval +0.0020 to +0.0230) in the expected best of 8 trials."
    );
    let violated = Answer::Violated {
        gain: gain(pair()),
        worst: Some(Box::new(difference("20M", "2M", -0.01, (-0.02, -0.005)))),
        best: Some(Box::new(difference("2M", "1M", 0.02, (0.01, 0.03)))),
    };
    assert_eq!(
        text(violated, Direction::Maximize),
        "Violated: 20M is worse than 2M by 0.0100 AUC (95% interval 0.0050 to 0.0200); 2M is better than 1M \
         by 0.0200 (95% interval 0.0100 to 0.0300)."
    );
}

#[test]
fn reasons_not_to_judge() {
    let part = |count, of| CountOf { count, of };
    let lost =
        Withheld::Lost { budget: "a".into(), most: part(9, 20), other: "b".into(), least: part(0, 20) };
    let error = NoRowError::TooShort(TooShort::ForHorizon { rows: 100, horizon: 20 });
    let of_times = NoRowError::TooShort(TooShort::ForTimes { times: 5, horizon: 1 });
    for (why, expected) in [
        (Withheld::TooFewBudgets { budgets: 1 }, "only one budget has complete trials that can be compared"),
        (
            lost,
            "9 of 20 trials of 'a' and 0 of 20 trials of 'b' ended without a value, so more bad trials may \
             be missing at one size than at the other",
        ),
        (
            Withheld::TooFewRows { why: Statement::Reason(of_times) },
            "the rows are of 5 times, which are too few: labels look 1 time ahead, and an error needs 8 \
             times as many times",
        ),
        (
            Withheld::TooFewRows { why: Statement::Reason(error) },
            "100 rows are too few: labels look 20 rows ahead, and an error needs 8 times as many rows",
        ),
    ] {
        assert_eq!(verdict::withheld(&why), expected);
    }
}

#[test]
fn errors_advice_and_caveats() {
    let covers = Covers {
        shares: vec![Share { source: Source::Search, share: 0.004 }],
        left_out: vec![Source::Rows],
        on_test_rows: false,
        cut_to: Some(12),
        rows: Some(RowsCovered::InOrder { effective: Some(8413.0) }),
        eras: None,
    };
    assert_eq!(
        verdict::covers(&covers),
        "The error covers another search with its seeds (<1% of its variance); it leaves out other \
         validation rows, because nothing about them is recorded. Budgets had unequal numbers of trials; \
         the interval also covers the result with 12 configurations for each. It takes into account that \
         rows in time order depend on each other (here they are worth about 8,400 independent rows)."
    );
    let of_eras = Covers { eras: Some(5), rows: None, ..covers.clone() };
    assert!(
        verdict::covers(&of_eras)
            .ends_with("for each. It is at least the one that follows from the spread of the 5 eras.")
    );
    let of_panel = Covers { rows: Some(RowsCovered::TwoWay { effective: None }), cut_to: None, ..covers };
    assert!(verdict::covers(&of_panel).ends_with(
        "is recorded. It takes into account that rows of one time and rows of one series depend on each \
         other."
    ));
    let take = Take { budget: "2M".into(), trial: TrialNumber(7), reason: TakeReason::NoGainBeyond };
    let advice =
        Advice { take: Some(take), next: None, is_provisional: true, retraining: Some(Retraining::Plan) };
    assert_eq!(
        verdict::advice(&advice, ""),
        "Take 2M, trial 7: the gain up to 2M is significant, a gain beyond 2M is not. This verdict is \
         provisional because it uses the search alone: run `allometry run --plan verdict`."
    );
    let next = Advice { next: Some(NextStep::RunMoreTrials), ..Advice::default() };
    assert!(verdict::advice(&next, "").starts_with("Run at least 10 distinct trials per budget"));
    let same = CaveatReason::SameSize { smaller: "a".into(), larger: "b".into() };
    assert_eq!(
        verdict::caveat(&same),
        "a and b have the same size: a difference between them is not due to size."
    );
}

#[test]
fn contradictions_name_their_lines() {
    let deviation = SummaryMismatch::Figure {
        figure: SummaryFigure::Deviation,
        parameter: "dropout".into(),
        implied: Implied { low: 0.0123, high: f64::INFINITY },
        line: 12,
        stated: 0.01,
    };
    assert_eq!(
        mismatch(&deviation.into()),
        "the table of dropout gives a standard deviation of all trials of at least 0.0123; line 12 says 0.01"
    );
    let sum = CoverageMismatch::SideSum {
        side: TableSide::Row,
        parameter: "d_model".into(),
        value: 64.into(),
        sum: 5,
        line: 40,
        trials: 6,
    };
    assert_eq!(mismatch(&sum.into()), "the row of d_model 64 adds up to 5, but line 40 says 6 trials");
}
