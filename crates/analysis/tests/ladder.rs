//! Verdicts, findings and the analyses of a study on small ladders made by hand.

use allometry_analysis::collapse::{KindCounts, NaiveOutcome};
use allometry_analysis::edge::{End, RangeSource};
use allometry_analysis::scaling::SizeOrder;
use allometry_analysis::{
    Analysis, Baseline, FindingCode, LadderTrials, Options, Outcome, Severity, SizeReach, StudyTrials,
    analyze,
};
use allometry_core::trial::incumbent;
use allometry_core::{
    ClassCounts, Direction, Distribution, FrozenTrial, ModelSize, ParamValue, Params, SearchSpace,
    TrialNumber, TrialState, ValidationScores, WeightTarget,
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

/// Three budgets of three trials each whose best values are given.
fn three(best: [f64; 3], rows: Option<ClassCounts>) -> LadderTrials {
    let labels = ["small", "medium", "large"];
    let studies = labels.into_iter().zip(best).map(|(label, best)| {
        study(label, (0..3).map(|i| trial(i, best - 0.01 * i as f64, 16 * (1 + i as i64))).collect())
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

fn message(analysis: &Analysis, code: FindingCode) -> &str {
    let finding = analysis.findings.iter().find(|finding| finding.code == code);
    finding.map_or_else(|| panic!("no {code} among {:?}", codes(analysis)), |finding| &finding.message)
}

#[test]
fn verdicts_follow_the_intervals() {
    assert_eq!(outcome(&three([0.70, 0.71, 0.72], Some(MANY))), Outcome::Holds);
    assert_eq!(outcome(&three([0.70, 0.72, 0.71], Some(MANY))), Outcome::Violated);
    assert_eq!(outcome(&three([0.72, 0.71, 0.70], Some(MANY))), Outcome::Violated);
    assert_eq!(
        outcome(&three([0.7000, 0.7001, 0.7002], Some(ClassCounts { positives: 400_000, ..MANY }))),
        Outcome::Flat
    );
    assert_eq!(outcome(&three([0.70, 0.71, 0.72], Some(FEW))), Outcome::Undecided);
    assert_eq!(outcome(&three([0.70, 0.70, 0.70], Some(FEW))), Outcome::Undecided);
    assert_eq!(outcome(&three([0.70, 0.71, 0.72], None)), Outcome::Unknown);
}

#[test]
fn a_smaller_loss_is_a_gain() {
    let mut losses = three([0.72, 0.71, 0.70], Some(MANY));
    losses.metric = "log loss".into();
    losses.direction = Direction::Minimize;
    let analysis = analyze(&losses, &Options::default());
    assert_eq!(analysis.verdict.outcome, Outcome::Unknown);
    assert!(analysis.verdict.sentence.contains("no standard error is known for the metric log loss"));
    assert!(analysis.scaling.differences.iter().filter(|d| d.smaller == "small").all(|d| d.gain.point > 0.0));
    let best = analysis.scaling.points.iter().map(|point| format!("{:.2}", point.best.point));
    assert_eq!(best.collect::<Vec<_>>(), ["0.70", "0.69", "0.68"]);
}

#[test]
fn a_difference_that_only_correlation_would_tell_says_so() {
    let rows = ClassCounts { positives: 400, negatives: 1600 };
    let analysis = analyze(&three([0.70, 0.72, 0.73], Some(rows)), &Options::default());
    let largest = analysis.scaling.largest().unwrap();
    let correlation = largest.deciding_correlation.unwrap();
    let (first, second) = (
        analysis.scaling.points[0].best.standard_error.unwrap(),
        analysis.scaling.points[2].best.standard_error.unwrap(),
    );
    let error = (first * first + second * second - 2.0 * correlation * first * second).sqrt();
    assert!(
        (largest.gain.point / error - 1.959_964).abs() < 1e-5,
        "at that correlation the gain is told, just"
    );
    assert_eq!(analysis.verdict.outcome, Outcome::Undecided);
    assert!(analysis.verdict.sentence.contains(&format!("at a correlation above {correlation:.2}")));
    assert!(!codes(&analysis).contains(&FindingCode::TooFewRows));
}

fn best_trial(study: &StudyTrials) -> TrialNumber {
    incumbent(&study.trials, Direction::Maximize).unwrap().number
}

/// The same gap that class counts leave undecided is told where both models err on the same rows.
#[test]
fn scores_on_the_same_rows_weigh_a_difference() {
    let ladder = three([0.70, 0.71, 0.75], Some(FEW));
    let labels: Vec<bool> = (0..422).map(|row| row % 11 < 2).collect();
    let scores = |shift: f32| ValidationScores {
        rows: (0..422).collect(),
        labels: labels.clone(),
        scores: (0..422_u16)
            .map(|row| {
                let noise = f32::from(row * 37 % 100) / 100.0;
                let own = f32::from(row * 53 % 100) / 1000.0;
                let class = if labels[usize::from(row)] { 0.2 + shift } else { 0.0 };
                (0.6 * noise + own * shift * 3.0 + class).min(1.0)
            })
            .collect(),
    };
    let stored = |small: ValidationScores| {
        let mut ladder = ladder.clone();
        let first = best_trial(&ladder.studies[0]);
        assert!(ladder.studies[0].scores.insert(first, small));
        let best = best_trial(&ladder.studies[2]);
        assert!(ladder.studies[2].scores.insert(best, scores(0.1)));
        ladder
    };
    let analysis = analyze(&stored(scores(0.0)), &Options::default());
    let paired: Vec<_> =
        analysis.scaling.differences.iter().filter(|one| one.measured_correlation.is_some()).collect();
    assert_eq!(paired.len(), 1);
    assert_eq!((paired[0].larger.as_str(), paired[0].smaller.as_str()), ("large", "small"));
    assert!(paired[0].measured_correlation.unwrap() > 0.8);
    assert!((paired[0].gain.point - 0.05).abs() < 1e-12, "the gain is that of the metrics");
    let assumed = analyze(&ladder, &Options::default());
    let independent = assumed.scaling.differences.iter().find(|one| one.larger == "large").unwrap();
    assert!(paired[0].gain.standard_error.unwrap() < independent.gain.standard_error.unwrap());
    assert_eq!(assumed.verdict.outcome, Outcome::Undecided);
    let mut shifted = scores(0.0);
    shifted.rows[0] = 999;
    let other_rows = analyze(&stored(shifted), &Options::default());
    assert!(other_rows.scaling.differences.iter().all(|one| one.measured_correlation.is_none()));
}

#[test]
fn exact_sizes_order_the_budgets() {
    let mut ladder = three([0.70, 0.71, 0.72], Some(MANY));
    for (study, total) in ladder.studies.iter_mut().zip([300, 200, 100]) {
        for trial in &mut study.trials {
            trial.record.size = Some(sized(total));
        }
    }
    let analysis = analyze(&ladder, &Options::default());
    assert_eq!(analysis.scaling.order, SizeOrder::Exact);
    assert_eq!(analysis.verdict.outcome, Outcome::Violated);
    assert!(analysis.verdict.sentence.ends_with(
        "And: the 'medium' winner has 200 weights, fewer than the 'small' winner (300); the 'large' winner has 100 weights, \
         fewer than the 'medium' winner (200)."
    ));
    assert!(codes(&analysis).contains(&FindingCode::SizesOutOfOrder));
}

#[test]
fn labels_are_held_to_the_exact_weights() {
    let mut study = study("20M", vec![trial(0, 0.7, 64), trial(1, 0.71, 96)]);
    study.trials[0].record.size = Some(sized(243_000));
    study.trials[1].record.size = Some(sized(3_000_000));
    study.reach = Some(SizeReach { smallest: sized(243_000), largest: sized(3_900_000) });
    let analysis = analyze(&ladder(vec![study], None), &Options::default());
    let reach = message(&analysis, FindingCode::BudgetOutOfReach);
    assert_eq!(reach, "20M: largest architecture in the space has 3.90M weights, 20% of what the label says");
    let nominal = message(&analysis, FindingCode::NominalNotSize);
    assert_eq!(
        nominal,
        "20M: the best model has 3.00M weights where the label says 20.0M; trials have 243k to 3.00M"
    );
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
    let words =
        "transformers are behind logistic regression: 0.7700 against 0.7900 AUC (best trial of 'large')";
    assert!(behind[0].message.starts_with(words), "{}", behind[0].message);
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
            let params: Params = [("learning_rate", rates[i % 3])].into_iter().collect();
            FrozenTrial::new(i as u64, TrialState::Complete, Some(value), params)
        })
    };
    let of = |best| analyze(&ladder(vec![study("x", trials(best).collect())], None), &Options::default());
    let highest = of(2);
    let words = message(&highest, FindingCode::LearningRateEdge);
    let expected = "x: the metric still gets better towards the best learning rate, at an end of its range: learning_rate 0.001 \
                    (highest of 3 tried, slope's p (Holm) ";
    assert!(words.starts_with(expected), "{words}");
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
    assert!(
        message(&noisy, FindingCode::Duplicates)
            .starts_with("x: 2 of 5 trials repeat a configuration (40%), 1")
    );
    let identical = with(&[(0.70, 16), (0.70, 16)]);
    assert!(message(&identical, FindingCode::Duplicates).ends_with("(50%), with identical values"));
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
    failing.best_params = Some([("d_model", 99)].into_iter().map(|(n, v)| (n, ParamValue::Int(v))).collect());
    let small = study("b", vec![trial(0, 0.71, 16), trial(1, 0.7, 32)]);
    let analysis = analyze(&ladder(vec![failing, small, study("c", vec![])], None), &Options::default());
    for (code, words) in [
        (FindingCode::NoTrials, "c: no trial completed with a value"),
        (FindingCode::FailedTrials, "a: 3 of 14 trials failed (21%)"),
        (FindingCode::NonFiniteValues, "a: 1 trial completed without a finite value and left out"),
        (FindingCode::FewTrials, "b: 2 trials only; means per value and importances rest on very little"),
        (
            FindingCode::UnequalEffort,
            "budgets were searched with unequal effort: 10 trials of 'a', 2 trials of 'b'",
        ),
        (
            FindingCode::MissingSizes,
            "exact sizes of models are not known: 'a' (10 of 10 trials), 'b' (2 of 2 trials)",
        ),
    ] {
        assert_eq!(message(&analysis, code), words);
    }
    let mismatch = message(&analysis, FindingCode::BestParamsMismatch);
    assert!(mismatch.ends_with("number 9 (d_model 99 against 16)"), "{mismatch}");
    assert_eq!(analysis.findings[0].severity, Severity::Error, "the worst comes first");
    assert_eq!(analysis.studies[2].summary.mean, None);
}

#[test]
fn nothing_at_all_is_no_panic() {
    let analysis = analyze(&ladder(vec![], Some(FEW)), &Options::default());
    assert_eq!(analysis.verdict.outcome, Outcome::Unknown);
    assert!(analysis.findings.is_empty());
    let single = analyze(&ladder(vec![study("x", vec![trial(0, 0.7, 16)])], Some(FEW)), &Options::default());
    assert!(single.verdict.sentence.starts_with("Unknown: only one budget has complete trials"));
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
        let ladder = LadderTrials { metric: metric.into(), ..LadderTrials::new(vec![study.clone()]) };
        let found = analyze(&ladder, &Options::default()).studies.remove(0).recommended.trial.unwrap();
        found.mean.unwrap().interval.unwrap().upper
    };
    assert!(upper("score") > 1.0, "a normal model knows no end");
    assert_eq!(upper("AUC"), 1.0);
}
