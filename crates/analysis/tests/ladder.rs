//! Tests of verdicts, findings and analyses of a study on small ladders made by hand.

use allometry_analysis::collapse::{KindCounts, NaiveOutcome};
use allometry_analysis::edge::{End, RangeSource};
use allometry_analysis::finding::{BudgetProblem, BudgetTrials, UnknownSizes};
use allometry_analysis::scaling::{Difference, Quantity, SizeOrder, Source, Withheld};
use allometry_analysis::stats::long_run::TooShort;
use allometry_analysis::summary::{BrokenConstraint, DataRange};
use allometry_analysis::verdict::{Advice, Answer, CaveatReason, GainStep, NextStep, Retraining, TakeReason};
use allometry_analysis::{
    Analysis, Baseline, FindingCode, LadderTrials, NoRowError, Options, Outcome, Problem, Severity,
    Statement, StudyTrials, Verdict, analyze,
};
use allometry_core::Metrics;
use allometry_core::{
    ClassCounts, Constraints, Direction, Distribution, Failure, FrozenTrial, ModelSize, Origin, ParamValue,
    Params, SearchSpace, SizeReach, TrialState, ValidationScores, WeightTarget,
};

const MANY: ClassCounts = ClassCounts { positives: 40_000, negatives: 60_000 };
const FEW: ClassCounts = ClassCounts { positives: 76, negatives: 346 };

fn trial(number: u64, value: f64, width: i64) -> FrozenTrial {
    let params: Params = [("d_model", ParamValue::Int(width)), ("dropout", 0.1.into())].into_iter().collect();
    FrozenTrial::new(number, TrialState::Complete, Some(value), params)
}

fn study(label: &str, trials: Vec<FrozenTrial>) -> StudyTrials {
    StudyTrials::new(label, "test", trials)
}

fn ladder(studies: Vec<StudyTrials>, rows: Option<ClassCounts>) -> LadderTrials {
    LadderTrials { rows, ..LadderTrials::new(studies) }
}

/// Returns three budgets of three trials each, with the given best values.
fn three(best: [f64; 3], rows: Option<ClassCounts>) -> LadderTrials {
    let labels = ["small", "medium", "large"];
    let studies = labels.into_iter().zip(best).map(|(label, best)| {
        study(label, (0..3).map(|i| trial(i, best - 0.01 * i as f64, 16 * (1 + i as i64))).collect())
    });
    ladder(studies.collect(), rows)
}

/// Returns three budgets of twelve trials each, with the given means; values are within 0.0022 of them.
fn searched(means: [f64; 3], rows: Option<ClassCounts>) -> LadderTrials {
    const ORDER: [i64; 12] = [3, -1, 0, -5, 2, 5, -3, 1, -2, 4, 0, -4];
    let labels = ["small", "medium", "large"];
    let studies = labels.into_iter().zip(means).map(|(label, mean)| {
        let one = |(number, place): (usize, &i64)| {
            trial(number as u64, mean + 0.0004 * *place as f64, 16 * (1 + number as i64))
        };
        study(label, ORDER.iter().enumerate().map(one).collect())
    });
    ladder(studies.collect(), rows)
}

fn sized(total: u64) -> ModelSize {
    ModelSize { total, non_embedding: total / 2 }
}

fn outcome(ladder: &LadderTrials) -> Outcome {
    analyze(ladder, &Options::default()).verdict.outcome
}

fn codes(analysis: &Analysis) -> Vec<FindingCode> {
    analysis.findings.iter().map(|finding| finding.code).collect()
}

/// Returns the budget and the problem of the first finding with a code.
fn problem(analysis: &Analysis, code: FindingCode) -> (Option<&str>, &Problem) {
    let finding = analysis.findings.iter().find(|finding| finding.code == code);
    let finding = finding.unwrap_or_else(|| panic!("no {code} among {:?}", codes(analysis)));
    (finding.budget.as_deref(), finding.problem.reason().expect("an analysis of trials has reasons"))
}

/// Returns the problem of the first finding with a code on a budget.
fn of_budget(analysis: &Analysis, code: FindingCode) -> (&str, &BudgetProblem) {
    match problem(analysis, code) {
        (Some(budget), Problem::OfBudget(problem)) => (budget, problem),
        other => panic!("{code} is not on a budget: {other:?}"),
    }
}

fn answer(verdict: &Verdict) -> &Answer {
    &verdict.sentence.reason().expect("an analysis of trials has reasons").answer
}

fn advice(verdict: &Verdict) -> &Advice {
    verdict.advice.reason().expect("an analysis of trials has reasons")
}

#[test]
fn verdicts_follow_the_slope() {
    assert_eq!(outcome(&searched([0.70, 0.71, 0.72], Some(MANY))), Outcome::Holds);
    assert_eq!(outcome(&searched([0.70, 0.72, 0.71], Some(MANY))), Outcome::Violated);
    assert_eq!(
        outcome(&searched([0.71, 0.72, 0.71], Some(MANY))),
        Outcome::Violated,
        "a reversal in the middle"
    );
    assert_eq!(outcome(&searched([0.72, 0.71, 0.70], Some(MANY))), Outcome::Violated);
    assert_eq!(outcome(&searched([0.70, 0.71, 0.72], Some(FEW))), Outcome::Undecided);
    assert_eq!(outcome(&searched([0.70, 0.70, 0.70], Some(FEW))), Outcome::Undecided);
    assert_eq!(
        outcome(&searched([0.70, 0.71, 0.72], None)),
        Outcome::Holds,
        "rows are left out, and said to be"
    );
    assert_eq!(outcome(&three([0.70, 0.71, 0.72], Some(MANY))), Outcome::Undecided, "three trials a budget");
    let mut flat = searched([0.7000, 0.7001, 0.7002], None);
    flat.smallest_effect = Some(0.01);
    assert_eq!(outcome(&flat), Outcome::Flat);
}

#[test]
fn a_smaller_loss_is_a_gain() {
    let mut losses = searched([0.72, 0.71, 0.70], None);
    losses.metrics = Metrics::one("log loss", Direction::Minimize);
    let analysis = analyze(&losses, &Options::default());
    assert_eq!(analysis.verdict.outcome, Outcome::Holds);
    let covers = analysis.verdict.covers.reason().unwrap().as_ref().unwrap();
    assert_eq!(covers.left_out, [Source::Rows]);
    assert!(analysis.verdict.is_provisional);
    assert!(analysis.scaling.differences.iter().all(|d| d.gain.point > 0.0));
    let Answer::Holds { gain, .. } = answer(&analysis.verdict) else { panic!("{:?}", analysis.verdict) };
    assert_eq!(gain.step, GainStep::Budget);
    assert!((gain.estimate.point - 0.01).abs() < 1e-12, "{gain:?}");
}

#[test]
fn advice_says_up_to_which_size_values_rise() {
    let verdict = |means| analyze(&searched(means, None), &Options::default()).verdict;
    let take = |verdict: &Verdict| {
        let take = advice(verdict).take.clone().expect("a configuration to take");
        (take.budget, take.reason)
    };
    let rising = verdict([0.70, 0.71, 0.72]);
    assert_eq!(take(&rising), ("large".to_owned(), TakeReason::BetterUpToLargest));
    let level = verdict([0.70, 0.72, 0.7201]);
    assert_eq!(take(&level), ("medium".to_owned(), TakeReason::NoGainBeyond));
    // Significant differences that are too small to matter make the smallest size the recommendation.
    let options = Options { smallest_effect: Some(0.1), ..Options::default() };
    let flat = analyze(&searched([0.70, 0.71, 0.72], None), &options).verdict;
    assert_eq!(
        (flat.outcome, take(&flat)),
        (Outcome::Flat, ("small".to_owned(), TakeReason::DifferencesAreSmall))
    );
    let falling = verdict([0.70, 0.72, 0.71]);
    assert_eq!(take(&falling).0, "medium");
    let Answer::Violated { worst: Some(worst), best: Some(best), .. } = answer(&falling) else {
        panic!("{:?}", falling.sentence)
    };
    let pair = |one: &Difference| (one.larger.clone(), one.smaller.clone(), format!("{:.4}", one.gain.point));
    assert_eq!(pair(worst), ("large".into(), "medium".into(), "-0.0100".into()));
    assert_eq!(pair(best), ("medium".into(), "small".into(), "0.0200".into()));
}

#[test]
fn two_budgets_of_one_size_are_no_step() {
    let mut ladder = searched([0.70, 0.71, 0.7105], None);
    for (study, total) in ladder.studies.iter_mut().zip([100_000, 1_000_000, 1_000_000]) {
        study.trials.iter_mut().for_each(|trial| trial.record.size = Some(sized(total)));
    }
    let analysis = analyze(&ladder, &Options::default());
    let judgement = analysis.scaling.judgement.as_ref().expect("a judgement");
    assert_eq!((judgement.last_step.as_ref(), analysis.verdict.outcome), (None, Outcome::Holds));
    let same_size = CaveatReason::SameSize { smaller: "medium".into(), larger: "large".into() };
    let mut caveats = analysis.verdict.caveats.iter().filter_map(|one| one.statement.reason());
    assert!(caveats.any(|one| *one == same_size), "{:?}", analysis.verdict.caveats);
}

/// Two regressions of six trials each are undecided, and the gain of five sizes of one trial each is unknown
/// if it has no error. An earlier version stated both as results.
#[test]
fn few_trials_and_single_trials_are_not_told() {
    let by = |label: &str, values: [f64; 6]| {
        let trials = values.iter().enumerate().map(|(i, value)| trial(i as u64, *value, 16 * (1 + i as i64)));
        study(label, trials.collect())
    };
    let mut two = LadderTrials::new(vec![
        by("10k", [0.43, 0.41, 0.45, 0.44, 0.42, 0.46]),
        by("40k", [0.49, 0.50, 0.48, 0.5172, 0.47, 0.51]),
    ]);
    two.metrics = Metrics::one("R2", Direction::Maximize);
    let analysis = analyze(&two, &Options::default());
    assert_eq!(analysis.verdict.outcome, Outcome::Undecided);
    let next = |verdict: &Verdict| (advice(verdict).next, advice(verdict).retraining);
    assert_eq!(next(&analysis.verdict), (Some(NextStep::RunMoreTrials), None));
    two.can_confirm = true;
    let verdict = analyze(&two, &Options::default()).verdict;
    assert_eq!(next(&verdict), (Some(NextStep::RunMoreTrials), Some(Retraining::Plan)));
    assert!(analysis.scaling.differences.is_empty());

    let single = |(place, value): (usize, f64)| {
        let mut only = trial(0, value, 16);
        only.record.size = Some(sized(1000 * 10_u64.pow(place as u32)));
        study(&format!("s{place}"), vec![only])
    };
    let on_a_line = [0.1, 0.31, 0.52, 0.73, 0.94];
    let ladder = LadderTrials::new(on_a_line.into_iter().enumerate().map(single).collect());
    let analysis = analyze(&ladder, &Options::default());
    let trend = analysis.scaling.trend.unwrap();
    assert!((trend.gain_per_decade.point - 0.21).abs() < 1e-9);
    assert_eq!((trend.gain_per_decade.interval, trend.outcome), (None, Outcome::Unknown));
    assert_eq!(analysis.verdict.outcome, Outcome::Unknown);
    let off_it = [0.1, 0.35, 0.5, 0.70, 0.97];
    let ladder = LadderTrials::new(off_it.into_iter().enumerate().map(single).collect());
    let trend = analyze(&ladder, &Options::default()).scaling.trend.unwrap();
    assert!(trend.gain_per_decade.interval.is_some(), "five sizes off a line tell how far they are off it");
}

#[test]
fn what_cannot_be_told_says_why() {
    let says = |ladder: &LadderTrials, outcome: Outcome, reason: Withheld| {
        let verdict = analyze(ladder, &Options::default()).verdict;
        assert_eq!(verdict.outcome, outcome, "{reason:?}");
        assert_eq!(answer(&verdict), &Answer::NotTested { outcome, why: Some(reason) });
    };
    says(&LadderTrials::new(Vec::new()), Outcome::Unknown, Withheld::TooFewBudgets { budgets: 0 });
    let mut one = searched([0.7; 3], None);
    one.studies.truncate(1);
    says(&one, Outcome::Unknown, Withheld::TooFewBudgets { budgets: 1 });
    let mut equal = searched([0.7; 3], None);
    equal.studies.iter_mut().flat_map(|s| &mut s.trials).for_each(|trial| trial.values = vec![0.7]);
    says(&equal, Outcome::Unknown, Withheld::NothingVaries);
    let mut nan = searched([0.7, 0.71, 0.72], None);
    nan.studies[0].trials.iter_mut().for_each(|trial| trial.values = vec![f64::NAN]);
    nan.studies[1].trials.iter_mut().for_each(|trial| trial.values = vec![f64::INFINITY]);
    says(&nan, Outcome::Unknown, Withheld::TooFewBudgets { budgets: 1 });
    let mut alike = searched([0.70, 0.71, 0.72], None);
    alike.studies.iter_mut().flat_map(|s| &mut s.trials).for_each(|t| t.record.size = Some(sized(1000)));
    says(&alike, Outcome::Unknown, Withheld::SameSizes);
    let mut mixed = searched([0.70, 0.71, 0.72], None);
    mixed.studies[1].trials[11].record.origin = Some(Origin::Model);
    says(&mixed, Outcome::Undecided, Withheld::SearchedDifferently { adaptive: "medium".into() });
    assert!(codes(&analyze(&mixed, &Options::default())).contains(&FindingCode::SearchedDifferently));
    let mut adaptive = searched([0.70, 0.71, 0.72], None);
    for trial in adaptive.studies.iter_mut().flat_map(|study| &mut study.trials[3..]) {
        trial.record.origin = Some(Origin::Model);
    }
    says(&adaptive, Outcome::Undecided, Withheld::Adaptive { at_random: 0 });
}

/// Returns scores of ten trials per budget on rows whose labels look ahead by more than an eighth of the
/// rows.
#[test]
fn a_horizon_too_long_for_the_rows_is_said() {
    let mut ladder = searched([0.70, 0.71, 0.75], None);
    let rows: Vec<u64> = (0..100).collect();
    let labels: Vec<bool> = rows.iter().map(|row| row % 11 < 3).collect();
    for study in &mut ladder.studies {
        for trial in &study.trials {
            let number = trial.number.0;
            let scores = rows.iter().map(|row| (row * (number + 3) * 37 % 101) as f32 / 101.0).collect();
            let stored = ValidationScores { rows: rows.clone(), labels: labels.clone(), scores };
            assert!(study.predictions.insert(trial.number, stored));
        }
    }
    assert!(analyze(&ladder, &Options::default()).scaling.judgement.is_some());
    ladder.horizon = 20;
    let verdict = analyze(&ladder, &Options::default()).verdict;
    assert_eq!(verdict.outcome, Outcome::Undecided);
    let why = Statement::Reason(NoRowError::TooShort(TooShort::ForHorizon { rows: 100, horizon: 20 }));
    let why = Some(Withheld::TooFewRows { why });
    assert_eq!(answer(&verdict), &Answer::NotTested { outcome: Outcome::Undecided, why });
}

/// Repeats of one configuration per size under other seeds show the effect of seeds, not of a search.
#[test]
fn repeated_configurations_are_judged_over_seeds() {
    let repeated = |label: &str, values: [f64; 4]| {
        study(label, values.iter().enumerate().map(|(i, value)| trial(i as u64, *value, 16)).collect())
    };
    let ladder = LadderTrials::new(vec![
        repeated("1M", [0.70, 0.701, 0.699, 0.702]),
        repeated("10M", [0.72, 0.721, 0.719, 0.722]),
    ]);
    let analysis = analyze(&ladder, &Options::default());
    let judgement = analysis.scaling.judgement.as_ref().unwrap();
    assert_eq!(judgement.quantity, Quantity::Configuration);
    assert_eq!(judgement.left_out, [Source::Search, Source::Rows]);
    assert_eq!(analysis.verdict.outcome, Outcome::Holds);
    assert!(!analysis.verdict.is_provisional, "it does not rest on a search");
}

#[test]
fn exact_sizes_order_the_budgets() {
    let mut ladder = searched([0.70, 0.71, 0.72], Some(MANY));
    for (study, total) in ladder.studies.iter_mut().zip([300, 200, 100]) {
        for trial in &mut study.trials {
            trial.record.size = Some(sized(total));
        }
    }
    let analysis = analyze(&ladder, &Options::default());
    assert_eq!(analysis.scaling.order, SizeOrder::Exact);
    assert_eq!(analysis.verdict.outcome, Outcome::Violated);
    let out_of_order = &analysis.verdict.sentence.reason().unwrap().out_of_order;
    let found: Vec<_> = out_of_order.iter().map(|one| (one.before.as_str(), one.budget.as_str())).collect();
    assert_eq!(found, [("small", "medium"), ("medium", "large")]);
    assert_eq!((out_of_order[0].before_weights, out_of_order[0].weights), (300, 200));
    assert!(codes(&analysis).contains(&FindingCode::SizesOutOfOrder));
}

#[test]
fn labels_are_held_to_the_exact_weights() {
    let mut study = study("20M", vec![trial(0, 0.7, 64), trial(1, 0.71, 96)]);
    study.trials[0].record.size = Some(sized(243_000));
    study.trials[1].record.size = Some(sized(3_000_000));
    study.reach = Some(SizeReach { smallest: sized(243_000), largest: sized(3_900_000) });
    let analysis = analyze(&ladder(vec![study], None), &Options::default());
    let reach = BudgetProblem::LargestBelowBudget { weights: 3_900_000, nominal: 20e6 };
    assert_eq!(of_budget(&analysis, FindingCode::BudgetOutOfReach), ("20M", &reach));
    let (best, tried) = (sized(3_000_000), Some((sized(243_000), sized(3_000_000))));
    let nominal = BudgetProblem::NominalNotSize { best, nominal: 20e6, tried };
    assert_eq!(of_budget(&analysis, FindingCode::NominalNotSize), ("20M", &nominal));
}

#[test]
fn a_budget_that_is_met_is_no_finding() {
    let mut study = study("100k", vec![trial(0, 0.7, 64)]);
    study.budget.target = WeightTarget::Near { weights: 100_000, tolerance: 0.25 };
    study.trials[0].record.size = Some(sized(124_000));
    study.reach = Some(SizeReach { smallest: sized(80_000), largest: sized(124_000) });
    let found = codes(&analyze(&ladder(vec![study], None), &Options::default()));
    for code in [FindingCode::BudgetOutOfReach, FindingCode::NominalNotSize, FindingCode::MissingSizes] {
        assert!(!found.contains(&code), "{code}");
    }
}

#[test]
fn baselines_ahead_are_said_plainly() {
    let mut ladder = three([0.75, 0.76, 0.77], Some(FEW));
    let baseline = |name: &str, value| Baseline {
        name: name.into(),
        description: String::new(),
        value,
        metrics: [].into(),
    };
    ladder.baselines = vec![baseline("class prior", 0.5), baseline("logistic regression", 0.79)];
    let analysis = analyze(&ladder, &Options::default());
    let behind: Vec<_> = analysis.findings.iter().filter(|f| f.code == FindingCode::BehindBaseline).collect();
    assert_eq!(behind.len(), 1);
    let Some(Problem::BehindBaseline { baseline, value, budget, best, .. }) = behind[0].problem.reason()
    else {
        panic!("{behind:?}")
    };
    assert_eq!((baseline.as_str(), *value), ("logistic regression", 0.79));
    assert_eq!((budget.as_str(), *best), ("large", 0.77));
    assert!((analysis.baselines[0].gain.unwrap().point - 0.27).abs() < 1e-12);
}

#[test]
fn edges_come_from_the_best_knowledge_of_the_range() {
    let set = |low: f64, high: f64| Distribution::Float { low, high, log: true, step: None };
    let params: Params = [
        ("observed", ParamValue::Int(3)),
        ("recorded", 0.011.into()),
        ("inside", 0.5.into()),
        ("nominal", "gelu".into()),
        ("pair", 4.into()),
        ("decay", 0.0.into()),
    ]
    .into_iter()
    .collect();
    let mut best = FrozenTrial::new(0, TrialState::Complete, Some(0.9), params.clone());
    best.distributions.insert("recorded".into(), set(1e-2, 1e2));
    best.distributions.insert("inside".into(), set(1e-2, 1e2));
    let mut other = FrozenTrial::new(1, TrialState::Complete, Some(0.8), params);
    other.params.insert("observed", 1);
    let mut third = other.clone();
    third.params.insert("observed", 2);
    let mut study = study("x", vec![best, other, third]);
    let sets = [
        ("nominal", Distribution::list(vec!["gelu".into(), "relu".into(), "silu".into()])),
        ("pair", Distribution::list(vec![2.into(), 4.into()])),
        ("decay", Distribution::list(vec![0.0.into(), 1e-4.into(), 1e-3.into()])),
    ];
    study.space = Some(SearchSpace(sets.into_iter().map(|(name, set)| (name.into(), set)).collect()));
    let analysis = analyze(&ladder(vec![study], None), &Options::default());
    let edges: Vec<_> = analysis.studies[0]
        .edges
        .iter()
        .map(|e| (e.parameter.as_str(), e.end, e.source, e.is_telling()))
        .collect();
    assert_eq!(
        edges,
        [
            ("observed", End::Highest, RangeSource::Observed, true),
            ("recorded", End::Lowest, RangeSource::Recorded, true),
            ("pair", End::Highest, RangeSource::Space, false),
            ("decay", End::Lowest, RangeSource::Space, false),
        ]
    );
    assert!(!codes(&analysis).contains(&FindingCode::EdgeOfSpace), "no slope is told by so few trials");
}

#[test]
fn a_learning_rate_at_an_end_is_a_finding_of_its_own() {
    let rates = [1e-5, 1e-4, 1e-3];
    let trials = |best: usize| {
        (0..9_usize).map(move |i| {
            let value = if i % 3 == best { 0.8 } else { 0.7 } + i as f64 * 1e-4;
            let params: Params =
                [("learning_rate", rates[i % 3]), ("weight_decay", i as f64)].into_iter().collect();
            FrozenTrial::new(i as u64, TrialState::Complete, Some(value), params)
        })
    };
    let of = |best| analyze(&ladder(vec![study("x", trials(best).collect())], None), &Options::default());
    let highest = of(2);
    let (_, BudgetProblem::LearningRateEdge { edges }) = of_budget(&highest, FindingCode::LearningRateEdge)
    else {
        panic!("{:?}", highest.findings)
    };
    assert_eq!((&edges[0].value, edges[0].end, edges[0].values), (&0.001.into(), End::Highest, Some(3)));
    assert!(!codes(&of(2)).contains(&FindingCode::EdgeOfSpace), "it is told once");
    assert!(!codes(&of(1)).contains(&FindingCode::LearningRateEdge));
}

#[test]
fn repeats_tell_noise_from_determinism() {
    let with = |values: &[(f64, i64)]| {
        let trials = values.iter().enumerate().map(|(i, (value, width))| trial(i as u64, *value, *width));
        analyze(&ladder(vec![study("x", trials.collect())], None), &Options::default())
    };
    let noisy = with(&[(0.70, 16), (0.72, 16), (0.70, 32), (0.70, 32), (0.75, 64)]);
    let duplicates = noisy.studies[0].duplicates;
    assert_eq!((duplicates.configurations, duplicates.repeats, duplicates.identical), (3, 2, 1));
    assert!((duplicates.repeat_sd.unwrap() - 0.01).abs() < 1e-12, "sqrt((0.0002 + 0) / 2)");
    let counts = |analysis: &Analysis| match of_budget(analysis, FindingCode::Duplicates).1 {
        BudgetProblem::Duplicates { repeats, identical, trials, .. } => [*repeats, *identical, *trials],
        other => panic!("{other:?}"),
    };
    assert_eq!(counts(&noisy), [2, 1, 5]);
    let identical = with(&[(0.70, 16), (0.70, 16)]);
    assert_eq!(counts(&identical), [1, 1, 2]);
    assert_eq!(identical.studies[0].summary.best.len(), 1, "one distinct configuration");
    assert_eq!(with(&[(0.70, 16)]).studies[0].duplicates.repeat_sd, None);
}

#[test]
fn collapse_is_told_by_kind() {
    let rows = ClassCounts { positives: 200, negatives: 800 };
    let with = |metrics: &[(&str, f64)]| {
        let mut trial = trial(0, 0.75, 16);
        trial.record.metrics = metrics.iter().map(|(name, x)| ((*name).to_owned(), *x)).collect();
        analyze(&ladder(vec![study("x", vec![trial])], Some(rows)), &Options::default()).studies[0]
            .collapse
            .kinds
    };
    let none = KindCounts::default();
    assert_eq!(with(&[("pred_sd", 0.007)]), KindCounts { constant: 1, ..none });
    assert_eq!(with(&[("pred_sd", 0.009)]), KindCounts { healthy: 1, ..none });
    assert_eq!(with(&[("pred_min", 0.20), ("pred_max", 0.21)]), KindCounts { constant: 1, ..none });
    assert_eq!(with(&[("pred_min", 0.10), ("pred_max", 0.60)]), KindCounts { unknown: 1, ..none });
    let spread = ("pred_sd", 0.1);
    assert_eq!(with(&[spread, ("brier", 0.15)]), KindCounts { healthy: 1, ..none });
    assert_eq!(with(&[spread, ("brier", 0.17), ("pred_mean", 0.2)]), KindCounts { shrunken: 1, ..none });
    assert_eq!(with(&[spread, ("brier", 0.17), ("pred_mean", 0.35)]), KindCounts { shifted: 1, ..none });
    assert_eq!(with(&[]), KindCounts { unknown: 1, ..none });
}

#[test]
fn metrics_of_other_programs_are_read_from_user_attributes() {
    let mut study = study("x", vec![trial(0, 0.7, 16), trial(1, 0.71, 32)]);
    for (trial, low) in study.trials.iter_mut().zip(["0.1", "0.3"]) {
        trial.user_attributes.insert("pred_min".into(), low.into());
        trial.user_attributes.insert("pred_max".into(), "0.35".into());
        trial.user_attributes.insert("recall".into(), "\"none\"".into());
    }
    let naive = analyze(&ladder(vec![study], None), &Options::default()).studies[0].collapse.naive;
    assert_eq!(naive.outcome, NaiveOutcome::Collapsed);
    assert!((naive.range.unwrap() - 0.15).abs() < 1e-12);
    assert_eq!((naive.recall, naive.zero_recall), (None, None));
}

#[test]
fn findings_count_trials() {
    let mut failing = study("a", (0..10).map(|i| trial(i, 0.7 + 0.001 * i as f64, 16)).collect());
    failing.trials.extend((10..13).map(|i| FrozenTrial::new(i, TrialState::Failed, None, Params::default())));
    failing.trials.push(trial(13, f64::NAN, 16));
    // An interrupted trial is none of the failed ones: its configuration is evaluated again.
    failing.trials.extend((14..17).map(|i| {
        let mut trial = FrozenTrial::new(i, TrialState::Failed, None, Params::default());
        let reason = Failure::INTERRUPTED.to_owned();
        trial.record.failure = Some(Failure { reason, detail: "its process ended first".into() });
        trial
    }));
    failing.best_params = Some([("d_model", 99)].into_iter().map(|(n, v)| (n, ParamValue::Int(v))).collect());
    let small = study("b", vec![trial(0, 0.71, 16), trial(1, 0.7, 32)]);
    let analysis = analyze(&ladder(vec![failing, small, study("c", vec![])], None), &Options::default());
    let counts = analysis.studies[0].summary.counts;
    assert_eq!((counts.failed, counts.interrupted), (3, 3));
    assert!(analysis.studies[0].summary.failures.is_empty(), "the failed ones have no reason");
    let failed = BudgetProblem::FailedTrials { failed: 3, ended: 14, reasons: Vec::new() };
    for (budget, problem) in [
        ("c", BudgetProblem::NoCompleteTrial),
        ("a", failed),
        ("a", BudgetProblem::NonFiniteValues { trials: 1 }),
        ("b", BudgetProblem::FewTrials { trials: 2 }),
    ] {
        let code = Problem::OfBudget(problem.clone()).code();
        assert_eq!(of_budget(&analysis, code), (budget, &problem));
    }
    let trials = |budget: &str, trials| BudgetTrials { budget: budget.into(), trials };
    let unequal = Problem::UnequalTrials { most: trials("a", 10), least: trials("b", 2) };
    assert_eq!(problem(&analysis, FindingCode::UnequalEffort), (None, &unequal));
    let unknown = |budget: &str, trials| UnknownSizes { budget: budget.into(), unknown: trials, trials };
    let missing = Problem::MissingSizes { budgets: vec![unknown("a", 10), unknown("b", 2)] };
    assert_eq!(problem(&analysis, FindingCode::MissingSizes), (None, &missing));
    let (_, mismatch) = of_budget(&analysis, FindingCode::BestParamsMismatch);
    let BudgetProblem::BestParamsMismatch { trial, differing } = mismatch else { panic!("{mismatch:?}") };
    assert_eq!((trial.0, &differing[0].recorded, &differing[0].of_trial), (9, &99.into(), &16.into()));
    assert_eq!(analysis.findings[0].severity, Severity::Error, "the worst comes first");
    assert_eq!(analysis.studies[2].summary.mean, None);
}

#[test]
fn nothing_at_all_is_no_panic() {
    let analysis = analyze(&ladder(vec![], Some(FEW)), &Options::default());
    assert_eq!(analysis.verdict.outcome, Outcome::Unknown);
    assert!(analysis.findings.is_empty());
    let single = analyze(&ladder(vec![study("x", vec![trial(0, 0.7, 16)])], Some(FEW)), &Options::default());
    let why = Some(Withheld::TooFewBudgets { budgets: 1 });
    assert_eq!(answer(&single.verdict), &Answer::NotTested { outcome: Outcome::Unknown, why });
    assert!(codes(&single).contains(&FindingCode::SingleBudget));
}

#[test]
fn an_auc_to_be_expected_lies_between_0_and_1() {
    let mut space = SearchSpace::default();
    space.0.insert("rate".into(), Distribution::list((1..=12).map(|rate| f64::from(rate).into()).collect()));
    let values = [0.999, 0.93, 0.998, 0.95, 0.997, 0.94, 0.999, 0.96];
    let trials = (0..).zip(values).map(|(number, value)| {
        let params = [("rate", number as f64 + 1.0)].into_iter().collect();
        FrozenTrial::new(number, TrialState::Complete, Some(value), params)
    });
    let study = StudyTrials { space: Some(space), ..StudyTrials::new("S", "test", trials.collect()) };
    let upper = |metric: &str| {
        let ladder = LadderTrials {
            metrics: Metrics::one(metric, Direction::Maximize),
            ..LadderTrials::new(vec![study.clone()])
        };
        let found = analyze(&ladder, &Options::default()).studies.remove(0).recommended.trial.unwrap();
        found.mean.unwrap().interval.unwrap().upper
    };
    assert!(upper("score") > 1.0, "a normal model knows no end");
    assert_eq!(upper("AUC"), 1.0);
}

/// Half of the trials break a constraint, among them the best one. The report states only their number.
#[test]
fn infeasible_trials_are_counted_and_otherwise_left_out() {
    let constrained = |bound: f64| {
        let trials = (0..12).map(|i| {
            let mut trial = trial(i, 0.9 - 0.01 * i as f64, 16 * (1 + i as i64 % 4));
            let listed = vec![-1.0, bound - i as f64];
            let constraints = Constraints { listed, ..Constraints::default() };
            trial.system_attributes = constraints.attributes().into_iter().collect();
            trial
        });
        let limits = vec!["seconds <= 9".to_owned(), "rows >= 6".to_owned()];
        StudyTrials { limits, ..study("a", trials.collect()) }
    };
    let analysis = analyze(&ladder(vec![constrained(6.0)], None), &Options::default());
    let summary = &analysis.studies[0].summary;
    assert_eq!((summary.trials, summary.counts.complete, summary.counts.infeasible), (6, 12, 6));
    assert_eq!(summary.counts.complete_without_number, 0);
    assert_eq!(summary.incumbent().unwrap().number.0, 6);
    let broken = vec![BrokenConstraint { name: "rows >= 6".into(), trials: 6 }];
    let infeasible = BudgetProblem::InfeasibleTrials { infeasible: 6, complete: 12, broken };
    assert_eq!(of_budget(&analysis, FindingCode::InfeasibleTrials), ("a", &infeasible));
    let none = analyze(&ladder(vec![constrained(20.0)], None), &Options::default());
    assert!(none.studies[0].summary.incumbent().is_none());
    assert_eq!(of_budget(&none, FindingCode::NoTrials), ("a", &BudgetProblem::NoFeasibleTrial));
    let without = analyze(&ladder(vec![study("a", vec![trial(0, 0.7, 16)])], None), &Options::default());
    assert!(!codes(&without).contains(&FindingCode::InfeasibleTrials));
    let json = serde_json::to_string(&without.studies[0].summary).unwrap();
    assert!(!json.contains("infeasible") && !json.contains("broken"), "{json}");
}

/// A budget is reported if more than half of its trials are best at their last epoch.
#[test]
fn trials_that_still_improve_are_reported() {
    let still = |count: u64| {
        let trials = (0..8).map(|i| {
            let mut trial = trial(i, 0.6 + 0.01 * i as f64, 16 * (1 + i as i64));
            trial.intermediate = [(1, 0.5), (2, 0.6), (3, 0.6)].into();
            trial.record.best_step = Some(if i < count { 3 } else { 2 });
            trial
        });
        analyze(&ladder(vec![study("a", trials.collect())], None), &Options::default())
    };
    let problem = BudgetProblem::StillImproving { last: 5, known: 8 };
    assert_eq!(of_budget(&still(5), FindingCode::StillImproving), ("a", &problem));
    assert!(!codes(&still(4)).contains(&FindingCode::StillImproving));
}

/// Trials of one budget on different data are no trials of its configurations alone. Trials that stop early
/// use fewer of the same rows, which is no problem.
#[test]
fn different_data_within_a_budget_are_a_problem() {
    let on = |name: &str, amounts: &[u64]| {
        let trials = amounts.iter().enumerate().map(|(i, amount)| {
            let mut trial = trial(i as u64, 0.6 + 0.01 * i as f64, 16 * (1 + i as i64));
            trial.user_attributes.insert(name.into(), amount.to_string());
            trial
        });
        analyze(&ladder(vec![study("a", trials.collect())], None), &Options::default())
    };
    for (name, amounts, found) in [
        ("train_rows", [500, 500, 20_000], true),
        ("train_rows", [500, 510, 520], false),
        ("tokens", [500, 500, 20_000], true),
        ("tokens", [500, 700, 1_900], false),
    ] {
        let analysis = on(name, &amounts);
        if found {
            let range =
                DataRange { is_distinct: name == "train_rows", smallest: amounts[0], largest: amounts[2] };
            let problem = BudgetProblem::MixedData(range);
            assert_eq!(of_budget(&analysis, FindingCode::MixedData), ("a", &problem));
        } else {
            assert!(!codes(&analysis).contains(&FindingCode::MixedData), "{name} {amounts:?}");
        }
    }
}

/// Trials with the same value for all parameters decide nothing, and are reported.
#[test]
fn equal_values_are_a_problem() {
    let equal = |count: u64| {
        let trials = (0..count).map(|i| trial(i, 0.1 + 0.2, 16 * (1 + i as i64)));
        analyze(&ladder(vec![study("a", trials.collect())], None), &Options::default())
    };
    let problem = BudgetProblem::EqualValues { trials: 3, value: 0.1 + 0.2 };
    assert_eq!(of_budget(&equal(3), FindingCode::EqualValues), ("a", &problem));
    assert!(!codes(&equal(2)).contains(&FindingCode::EqualValues));
}

/// Budgets of the same size count as one size of the trend.
#[test]
fn equal_sizes_count_once() {
    let sizes = |totals: [u64; 3]| {
        let mut ladder = searched([0.60, 0.61, 0.62], None);
        for (study, total) in ladder.studies.iter_mut().zip(totals) {
            study.trials.iter_mut().for_each(|trial| trial.record.size = Some(sized(total)));
        }
        analyze(&ladder, &Options::default()).scaling.trend.unwrap().sizes
    };
    assert_eq!(sizes([1_000, 10_000, 100_000]), 3);
    assert_eq!(sizes([1_000, 1_000, 100_000]), 2);
}
