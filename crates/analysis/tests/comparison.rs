//! Tests of the comparison of two ladders against figures computed by hand.

use allometry_analysis::comparison::{
    ComparisonCaveatReason, NoValue, NotCompared, ObstacleReason, Preference, RowRelation, Sides,
    SizesOfBoth, Survival, TrialsOfBoth,
};
use allometry_analysis::consistency::Agreement;
use allometry_analysis::scaling::{Quantity, Source};
use allometry_analysis::{
    Analysis, Comparison, FindingCode, LadderTrials, Method, Options, Outcome, Side, StudyTrials, analyze,
};
use allometry_core::Metrics;
use allometry_core::{
    ClassCounts, Direction, FrozenTrial, ModelSize, Origin, ParamValue, Params, SizeBudget, TrialNumber,
    TrialState, ValidationScores,
};

const FEW: ClassCounts = ClassCounts { positives: 76, negatives: 346 };
const MANY: ClassCounts = ClassCounts { positives: 1_000, negatives: 4_000 };

fn trial(number: u64, value: f64, params: &[(&str, ParamValue)]) -> FrozenTrial {
    let params: Params = params.iter().cloned().collect();
    FrozenTrial::new(number, TrialState::Complete, Some(value), params)
}

fn study(label: &str, trials: Vec<FrozenTrial>) -> StudyTrials {
    StudyTrials::new(label, "test", trials)
}

/// Returns budgets with one trial each, given by label and value.
fn ladder(best: &[(&str, f64)], rows: Option<ClassCounts>) -> LadderTrials {
    let single =
        |&(label, value): &(&str, f64)| study(label, vec![trial(0, value, &[("d_model", 16.into())])]);
    LadderTrials { rows, ..LadderTrials::new(best.iter().map(single).collect()) }
}

/// Returns budgets of twelve trials each, given by label, mean and step; values differ from the mean by 1 to
/// 5 steps in both directions.
fn searched(means: &[(&str, f64)], step: f64, rows: Option<ClassCounts>) -> LadderTrials {
    const ORDER: [i64; 12] = [3, -1, 0, -5, 2, 5, -3, 1, -2, 4, 0, -4];
    let of = |&(label, mean): &(&str, f64)| {
        let one = |(number, place): (usize, &i64)| {
            trial(
                number as u64,
                mean + step * *place as f64,
                &[("d_model", ParamValue::Int(16 * number as i64))],
            )
        };
        study(label, ORDER.iter().enumerate().map(one).collect())
    };
    LadderTrials { rows, ..LadderTrials::new(means.iter().map(of).collect()) }
}

fn of(ladder: &LadderTrials) -> Analysis {
    analyze(ladder, &Options::default())
}

/// Compares ladders whose trials are given.
fn compare(a: &LadderTrials, b: &LadderTrials) -> Comparison {
    let (first, second) = (of(a), of(b));
    Comparison::new(
        &Side { source: "a", analysis: &first, trials: Some(a) },
        &Side { source: "b", analysis: &second, trials: Some(b) },
    )
}

fn caveats(comparison: &Comparison) -> Vec<ComparisonCaveatReason> {
    comparison.caveats.iter().filter_map(|caveat| caveat.statement.reason().cloned()).collect()
}

fn obstacles(comparison: &Comparison) -> Vec<ObstacleReason> {
    comparison.obstacles.iter().filter_map(|obstacle| obstacle.reason.reason().cloned()).collect()
}

/// Returns the ladder with these scores for the first trial of its first budget.
fn scored(ladder: &LadderTrials, scores: ValidationScores) -> LadderTrials {
    let mut ladder = ladder.clone();
    assert!(ladder.studies[0].predictions.insert(TrialNumber(0), scores));
    ladder
}

#[track_caller]
fn near(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1e-3), "{ours} against {theirs}");
}

/// The squares of twelve trials sum to 110 squared steps: their variance is 10 squared steps, and that of
/// their mean is 10 / 12. Hanley and McNeil's formula gives 0.035222731 at 0.72 and 0.033346479 at 0.77 (76 :
/// 346).
#[test]
fn differences_have_the_errors_of_the_search_and_of_two_sets_of_rows() {
    let budgets = |first, second| [("2M", first), ("20M", second)];
    let [a, b] = [0.72, 0.77].map(|mean| searched(&budgets(mean, 0.72), 0.001, Some(FEW)));
    let few = compare(&a, &b);
    let value = few.budgets[0].value.as_ref().unwrap();
    near(value.difference.point, 0.05);
    let search = 2.0 * 1e-6 * 10.0 / 12.0;
    let rows = 0.035_222_731_f64.powi(2) + 0.033_346_479_f64.powi(2);
    let error = value.difference.standard_error.unwrap();
    assert!((error - (search + rows).sqrt()).abs() < 1e-8, "{error}");
    assert_eq!(value.quantity, Some(Quantity::BestOf { k: 1 }));
    assert_eq!(few.budgets[0].outcome, Preference::Undecided);
    assert_eq!(few.budgets[1].value.as_ref().unwrap().difference.method, Method::Identical);
    assert_eq!(few.budgets[1].outcome, Preference::Equivalent);

    let [a, b] = [(0.60, 0.70), (0.70, 0.60)].map(|(x, y)| searched(&budgets(x, y), 0.001, Some(MANY)));
    let many = compare(&a, &b);
    let outcomes: Vec<Preference> = many.budgets.iter().map(|budget| budget.outcome).collect();
    assert_eq!(outcomes, [Preference::B, Preference::A]);
    assert_eq!(many.rows, RowRelation::Unknown, "equal counts do not make equal rows");
}

/// Many rows do not reduce the error that comes from the search.
#[test]
fn the_spread_of_the_search_leaves_undecided_what_rows_would_tell() {
    let rows = Some(ClassCounts { positives: 400_000, negatives: 1_600_000 });
    let [a, b] = [0.72, 0.74].map(|mean| searched(&[("x", mean)], 0.02, rows));
    let comparison = compare(&a, &b);
    assert_eq!(comparison.budgets[0].outcome, Preference::Undecided);
    let shares = &comparison.budgets[0].value.as_ref().unwrap().shares;
    assert!(shares.iter().any(|share| share.source == Source::Search && share.share > 0.9), "{shares:?}");
}

#[test]
fn other_rows_are_weighed_as_they_are() {
    let other = ClassCounts { positives: 100, negatives: 500 };
    let comparison =
        compare(&searched(&[("x", 0.72)], 1e-6, Some(FEW)), &searched(&[("x", 0.80)], 1e-6, Some(other)));
    let value = comparison.budgets[0].value.as_ref().unwrap();
    assert!((value.difference.standard_error.unwrap() - 0.044_792_071).abs() < 1e-6);
    assert_eq!(comparison.rows, RowRelation::Different);
    assert!(caveats(&comparison).contains(&ComparisonCaveatReason::DifferentRows));
}

#[test]
fn a_difference_inside_the_smallest_effect_is_of_no_interest() {
    let options = Options { smallest_effect: Some(0.005), ..Options::default() };
    let with = |rows| {
        let [a, b] = [0.7200, 0.7203].map(|mean| searched(&[("x", mean)], 1e-6, rows));
        let (first, second) = (analyze(&a, &options), analyze(&b, &options));
        let [a, b] = [(&a, &first), (&b, &second)].map(|(trials, analysis)| Side {
            source: "x",
            analysis,
            trials: Some(trials),
        });
        Comparison::new(&a, &b).budgets.remove(0).outcome
    };
    assert_eq!(with(Some(ClassCounts { positives: 400_000, negatives: 1_600_000 })), Preference::Equivalent);
    assert_eq!(with(Some(MANY)), Preference::Undecided);
}

#[test]
fn a_smaller_loss_is_better() {
    let losses = |mean| {
        let mut ladder = searched(&[("x", mean)], 0.001, None);
        ladder.metrics = Metrics::one("log loss", Direction::Minimize);
        ladder
    };
    let comparison = compare(&losses(0.70), &losses(0.60));
    assert_eq!(comparison.budgets[0].outcome, Preference::B, "smaller is better");
    let value = comparison.budgets[0].value.as_ref().unwrap();
    near(value.difference.point, -0.10);
    assert_eq!(value.left_out, [Source::Rows]);
}

#[test]
fn few_or_adaptive_trials_are_not_compared() {
    let few = compare(&ladder(&[("x", 0.7)], Some(MANY)), &ladder(&[("x", 0.8)], Some(MANY)));
    assert_eq!(few.budgets[0].value.as_ref().unwrap().not_compared, Some(NotCompared::FewTrials));
    let mut adaptive = searched(&[("x", 0.8)], 0.001, Some(MANY));
    adaptive.studies[0].trials[11].record.origin = Some(Origin::Model);
    let comparison = compare(&searched(&[("x", 0.7)], 0.001, Some(MANY)), &adaptive);
    assert_eq!(comparison.budgets[0].value.as_ref().unwrap().not_compared, Some(NotCompared::Adaptive));
    assert_eq!(comparison.budgets[0].outcome, Preference::Undecided);
}

/// The trials that reports contain suffice for a comparison by the mean trial.
#[test]
fn reports_are_compared_by_their_mean_trials() {
    let [a, b] = [0.60, 0.70].map(|mean| searched(&[("x", mean)], 0.001, Some(MANY)));
    let (first, second) = (of(&a), of(&b));
    let side = |analysis| Side { source: "report.json", analysis, trials: None };
    let comparison = Comparison::new(&side(&first), &side(&second));
    let value = comparison.budgets[0].value.as_ref().unwrap();
    assert_eq!(value.quantity, Some(Quantity::Mean));
    let with_trials = compare(&a, &b);
    near(
        value.difference.standard_error.unwrap(),
        with_trials.budgets[0].value.as_ref().unwrap().difference.standard_error.unwrap(),
    );
    assert_eq!(comparison.budgets[0].outcome, Preference::B);
}

fn scores(rows: [u64; 4], scores: [f32; 4]) -> ValidationScores {
    ValidationScores { rows: rows.into(), labels: vec![true, true, false, false], scores: scores.into() }
}

#[test]
fn rows_of_stored_scores_are_told_to_be_the_same() {
    let rows = Some(ClassCounts { positives: 2, negatives: 2 });
    let (a, b) = (ladder(&[("x", 0.75)], rows), ladder(&[("x", 0.5)], rows));
    let scored_a = scored(&a, scores([5, 6, 7, 8], [0.9, 0.4, 0.5, 0.1]));
    let comparison = compare(&scored_a, &scored(&b, scores([5, 6, 7, 8], [0.8, 0.7, 0.6, 0.9])));
    assert_eq!(comparison.rows, RowRelation::Same);
    let comparison = compare(&scored_a, &scored(&b, scores([5, 6, 7, 9], [0.8, 0.7, 0.6, 0.9])));
    assert_eq!(comparison.rows, RowRelation::Different);
    assert_eq!(compare(&scored_a, &b).rows, RowRelation::Unknown);
}

#[test]
fn a_ladder_is_no_different_from_itself() {
    let mut own = ladder(&[("x", 0.75), ("y", 0.6)], Some(ClassCounts { positives: 2, negatives: 2 }));
    for study in &mut own.studies {
        study.trials.extend((1..9).map(|i| {
            let mut trial = trial(i, 0.5 - 0.01 * i as f64, &[("d_model", ParamValue::Int(16 * i as i64))]);
            trial.record.size = Some(ModelSize { total: 100 * i, non_embedding: i });
            trial
        }));
    }
    let own = scored(&own, scores([5, 6, 7, 8], [0.9, 0.4, 0.5, 0.1]));
    let comparison = compare(&own, &own);
    assert!(comparison.identical);
    assert_eq!(comparison.budgets[1].value.as_ref().unwrap().difference.method, Method::Identical);
    let first = comparison.budgets[0].value.as_ref().unwrap();
    assert_eq!(
        (first.difference.point, first.difference.standard_error, first.p),
        (0.0, Some(0.0), Some(1.0))
    );
    assert_eq!(comparison.budgets[0].outcome, Preference::Equivalent);
    for budget in &comparison.budgets {
        assert_eq!(budget.value.as_ref().unwrap().difference.point, 0.0);
        assert_eq!(budget.distribution.unwrap().superiority.point, 0.5);
        assert!(budget.optimum.iter().all(|optimum| !optimum.differs));
        assert!(budget.importance.iter().all(|importance| importance.a == importance.b));
        assert!(budget.importance.iter().all(|importance| importance.shares_overlap != Some(false)));
        assert!(
            !budget.importance.iter().any(|one| matches!(one.survives, Survival::OnlyA | Survival::OnlyB))
        );
    }
    assert!(comparison.gain_per_decade.is_none(), "the sizes of the budgets are not known");
    assert!(comparison.findings.appeared.is_empty() && comparison.findings.gone.is_empty());
    assert_eq!(comparison.findings.stayed.len(), of(&own).findings.len());
    assert!(comparison.only_a.is_empty() && comparison.only_b.is_empty());
}

#[test]
fn budgets_are_matched_by_label() {
    let a = ladder(&[("2M", 0.7), ("20M", 0.71), ("twice", 0.6), ("twice", 0.61)], Some(FEW));
    let b = ladder(&[("twice", 0.65), ("20M", 0.72), ("200M", 0.73)], Some(FEW));
    let comparison = compare(&a, &b);
    let labels: Vec<&str> = comparison.budgets.iter().map(|budget| budget.budget.as_str()).collect();
    assert_eq!(labels, ["20M", "twice"]);
    near(comparison.budgets[1].value.as_ref().unwrap().difference.point, 0.05);
    assert_eq!(comparison.only_a, ["2M", "twice"]);
    assert_eq!(comparison.only_b, ["200M"]);
    let apart = compare(&ladder(&[("x", 0.7)], Some(FEW)), &ladder(&[("y", 0.7)], Some(FEW)));
    assert!(apart.budgets.is_empty() && !apart.identical);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let mut loss = ladder(&[("x", 0.4)], Some(FEW));
    loss.metrics = Metrics::one("log loss", Direction::Minimize);
    let comparison = compare(&ladder(&[("x", 0.7)], Some(FEW)), &loss);
    let budget = &comparison.budgets[0];
    assert_eq!((&budget.value, budget.distribution, budget.outcome), (&None, None, Preference::Unknown));
    assert!(!budget.optimum.is_empty() && !budget.importance.is_empty(), "these have no unit");
    assert_eq!(comparison.gain_per_decade, None);
    assert_eq!(budget.sentence.reason(), Some(&Some(NoValue::DifferentMetrics)));
    let (a, b) = (("AUC".into(), Direction::Maximize), ("log loss".into(), Direction::Minimize));
    assert_eq!(obstacles(&comparison)[0], ObstacleReason::DifferentMetrics { a, b });
    let mut renamed = ladder(&[("x", 0.72)], Some(FEW));
    renamed.metrics = Metrics::one("auc", Direction::Maximize);
    let comparison = compare(&ladder(&[("x", 0.7)], None), &renamed);
    assert!(comparison.budgets[0].value.is_some(), "case does not matter");
    assert_eq!(obstacles(&comparison)[0], ObstacleReason::RowsUnknown(Sides::A));

    let (first, second) = (of(&renamed), of(&ladder(&[("x", 0.7)], Some(FEW))));
    let side = |analysis| Side { source: "report.json", analysis, trials: None };
    let comparison = Comparison::new(&side(&first), &side(&second));
    assert_eq!(comparison.budgets[0].distribution, None);
    assert_eq!(obstacles(&comparison)[0], ObstacleReason::NoTrials(Sides::Both));
    let empty = compare(&ladder(&[], None), &ladder(&[], None));
    assert!(empty.budgets.is_empty() && empty.identical);
}

/// In 5 of the 6 pairs, B has the larger value. Repeats of a configuration with an identical value count
/// once. The p-value is that of `scipy.stats.mannwhitneyu([.25, .35], [.1, .2, .3], method="asymptotic")`.
#[test]
fn values_of_all_trials_compare_searches() {
    let with = |values: &[f64], direction| {
        let trials = values.iter().enumerate().map(|(i, value)| {
            trial(i as u64, *value, &[("dropout", ParamValue::Float((100.0 * value).round() / 100.0))])
        });
        let mut ladder = ladder(&[], Some(FEW));
        ladder.metrics = Metrics::one("AUC", direction);
        ladder.studies = vec![study("x", trials.collect())];
        ladder
    };
    let both = |direction| compare(&with(&[0.1, 0.2, 0.3, 0.3], direction), &with(&[0.25, 0.35], direction));
    let distribution = both(Direction::Maximize).budgets[0].distribution.unwrap();
    near(distribution.superiority.point, 5.0 / 6.0);
    assert_eq!((distribution.a.evaluations, distribution.b.evaluations), (3, 2));
    near(distribution.a.median, 0.2);
    near(distribution.b.upper_quartile, 0.325);
    let interval = distribution.superiority.interval.unwrap();
    assert!(interval.lower < 5.0 / 6.0 && interval.upper < 1.0);
    near(distribution.p.unwrap(), 0.386_476_230_771_232_7);
    assert_eq!(distribution.p, distribution.p_holm);
    let reversed = both(Direction::Minimize).budgets[0].distribution.unwrap();
    near(reversed.superiority.point, 1.0 / 6.0);
    assert_eq!(reversed.p, distribution.p);
}

/// The width determines the value in A, the dropout in B; both ladders tried all values of both.
#[test]
fn importances_and_optima_stand_side_by_side() {
    let made = |by_width: f64, by_dropout: f64| {
        let trials = (0..48).map(|i| {
            let (width, dropout) = (1 + i % 4, i / 4 % 3);
            // A fixed disturbance with mean 0 at each value.
            let noise = 0.002 * (((i * 7) % 11) as f64 - 5.0) / 5.0;
            let value = 0.6 + by_width * width as f64 + by_dropout * dropout as f64 + noise;
            let params = [
                ("d_model", ParamValue::Int(16 * width)),
                ("dropout", ParamValue::Float(0.1 * dropout as f64)),
                // Makes each trial a configuration of its own.
                ("weight_decay", ParamValue::Float(i as f64)),
            ];
            trial(i as u64, value, &params)
        });
        let mut ladder = ladder(&[], Some(MANY));
        ladder.studies = vec![study("x", trials.collect())];
        ladder
    };
    let comparison = compare(&made(0.02, 0.0), &made(0.0, 0.02));
    let budget = &comparison.budgets[0];
    let survives = |name: &str| {
        budget.importance.iter().find(|importance| importance.parameter == name).unwrap().survives
    };
    assert_eq!((survives("d_model"), survives("dropout")), (Survival::OnlyA, Survival::OnlyB));
    assert!(budget.importance.iter().all(|importance| importance.shares_overlap == Some(false)));
    let optimum = |name: &str| budget.optimum.iter().find(|optimum| optimum.parameter == name).unwrap();
    assert_eq!(optimum("d_model").a, Some(64.into()));
    assert_eq!(optimum("d_model").agreement, Agreement::Compatible, "no width is told to be worse in B");
    assert_eq!(optimum("dropout").b, Some(0.2.into()));
    let against = compare(&made(0.02, 0.0), &made(-0.02, 0.0));
    let width = &against.budgets[0].optimum[0];
    assert_eq!((width.agreement, width.differs, width.common.len()), (Agreement::Inconsistent, true, 0));
}

#[test]
fn findings_appear_go_and_stay() {
    let a = ladder(&[("x", 0.7)], None);
    let mut b = ladder(&[("x", 0.7), ("y", 0.7)], Some(FEW));
    b.studies[0].trials.push(FrozenTrial::new(1, TrialState::Failed, None, Params::default()));
    let changes = compare(&a, &b).findings;
    let pairs = |findings: &[allometry_analysis::Finding]| -> Vec<(FindingCode, Option<String>)> {
        findings.iter().map(|finding| (finding.code, finding.budget.clone())).collect()
    };
    let appeared = pairs(&changes.appeared);
    assert!(appeared.contains(&(FindingCode::FailedTrials, Some("x".into()))));
    assert!(appeared.contains(&(FindingCode::FewTrials, Some("y".into()))));
    assert!(!appeared.contains(&(FindingCode::FewTrials, Some("x".into()))));
    let gone = pairs(&changes.gone);
    assert!(
        gone.contains(&(FindingCode::RowsUnknown, None)) && gone.contains(&(FindingCode::SingleBudget, None))
    );
    assert!(changes.stayed.iter().any(|stayed| stayed.b.code == FindingCode::FewTrials));
}

#[test]
fn unequal_sizes_and_efforts_are_said() {
    let (mut a, mut b) = (ladder(&[("2M", 0.7)], Some(FEW)), ladder(&[("2M", 0.72)], Some(FEW)));
    a.studies[0].trials[0].record.size = Some(ModelSize { total: 2_000_000, non_embedding: 1 });
    b.studies[0].trials[0].record.size = Some(ModelSize { total: 3_000_000, non_embedding: 1 });
    b.studies[0].trials.push(trial(1, 0.5, &[("d_model", 32.into())]));
    let all = caveats(&compare(&a, &b));
    let sizes = SizesOfBoth { budget: "2M".into(), a: 2_000_000, b: 3_000_000 };
    assert!(all.contains(&ComparisonCaveatReason::DifferentSizes(vec![sizes])), "{all:?}");
    let trials = TrialsOfBoth { budget: "2M".into(), a: 1, b: 2 };
    assert!(all.contains(&ComparisonCaveatReason::UnequalTrials(vec![trials])), "{all:?}");
}

/// If the infeasible trials improve with size and the feasible ones get worse, the comparison is about the
/// feasible ones only.
#[test]
fn trials_that_break_a_constraint_decide_nothing() {
    let budget = |place: usize| {
        let trials = (0..40).map(|number| {
            let noise = ((number * 7919 + 13) % 40) as f64 / 40.0;
            let is_feasible = number % 2 == 0;
            let gain = if is_feasible { -0.1 } else { 0.4 } * place as f64;
            let mut one = trial(number, gain + 0.1 * noise, &[("x", ParamValue::Float(noise))]);
            let constraint = if is_feasible { "[-1.0]" } else { "[1.0]" };
            one.system_attributes.insert("constraints".into(), constraint.into());
            one.record.origin = Some(Origin::Random);
            one
        });
        trials.collect::<Vec<_>>()
    };
    let ladder = |keeps: fn(&FrozenTrial) -> bool| {
        let one = |place: usize| {
            study(
                &format!("{}k", 10_u32.pow(place as u32)),
                budget(place).into_iter().filter(keeps).collect(),
            )
        };
        LadderTrials {
            metrics: Metrics::one("score", Direction::Maximize),
            ..LadderTrials::new((0..4).map(one).collect())
        }
    };
    let (all, feasible) = (ladder(|_| true), ladder(FrozenTrial::is_feasible));
    let (of_all, of_feasible) = (of(&all), of(&feasible));
    assert_eq!(of_all.scaling, of_feasible.scaling);
    assert_eq!(of_all.verdict.outcome, Outcome::Violated, "{:?}", of_all.verdict);
    assert_eq!(of_all.verdict.sentence, of_feasible.verdict.sentence);

    let only = |ladder: &LadderTrials, place: usize| {
        let mut study = ladder.studies[place].clone();
        study.budget = SizeBudget::nominal("1k");
        LadderTrials { studies: vec![study], ..ladder.clone() }
    };
    let values = |ladder: &LadderTrials| {
        let compared = compare(&only(ladder, 0), &only(ladder, 3));
        compared.budgets.into_iter().map(|budget| budget.value).collect::<Vec<_>>()
    };
    assert_eq!(values(&all), values(&feasible));
    assert!(values(&all)[0].is_some());
}
