//! Tests of predictions of classes and numbers: metrics, their errors and those of paired differences against
//! scikit-learn, NumPy and SciPy (`oracle/outputs.py`), and where the analysis uses them.

use allometry_analysis::comparison::{NotCompared, Preference, RowRelation};
use allometry_analysis::scaling::Withheld;
use allometry_analysis::stats::influence::RowMetric;
use allometry_analysis::{
    Comparison, FindingCode, LadderTrials, Method, Options, Outcome, Outputs, RowOrder, Series, Side,
    StudyPredictions, StudyTrials, analyze, paired_difference,
};
use allometry_core::Metrics;
use allometry_core::{Direction, FrozenTrial, Params, TrialNumber, TrialState, ValidationOutputs};
use serde_json::Value;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("oracle/outputs.json")).unwrap()
}

fn numbers(json: &Value) -> Vec<f32> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn stored(case: &Value, model: usize) -> ValidationOutputs {
    let targets = numbers(&case["targets"]);
    let outputs = numbers(&case["outputs"][model]);
    ValidationOutputs { rows: (0..targets.len() as u64).collect(), targets, outputs }
}

fn view(stored: &ValidationOutputs) -> Outputs<'_> {
    Outputs { rows: &stored.rows, targets: &stored.targets, outputs: &stored.outputs }
}

#[track_caller]
fn near(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1e-3), "{what}: {ours} against {theirs}");
}

#[test]
fn metrics_and_their_errors_are_those_of_the_jackknife() {
    for case in cases() {
        let models = [stored(&case, 0), stored(&case, 1)];
        let expected = case["metrics"].as_object().unwrap();
        assert_eq!(view(&models[0]).metrics().len(), expected.len());
        for (name, theirs) in expected {
            let metric = RowMetric::named(name).unwrap();
            let what = format!("{name} of {}", case["name"]);
            // The jackknife is exact for means; for the others it agrees up to the order of 1 / rows.
            let exact = !matches!(metric, RowMetric::MacroAuc | RowMetric::R2);
            let tolerance = if exact { 2e-6 } else { 0.04 };
            let ours = [0, 1].map(|model| view(&models[model]).influence(metric).unwrap());
            for (model, ours) in ours.iter().enumerate() {
                near(ours.value, theirs["values"][model].as_f64().unwrap(), 1e-6, &what);
                near(ours.standard_error(), theirs["errors"][model].as_f64().unwrap(), tolerance, &what);
                assert!(ours.rows.iter().sum::<f64>().abs() < 1e-9 * ours.rows.len() as f64, "{what}");
            }
            let (error, correlation) = ours[0].paired(&ours[1]);
            near(error, theirs["difference_error"].as_f64().unwrap(), tolerance, &what);
            assert!((correlation - theirs["correlation"].as_f64().unwrap()).abs() < tolerance, "{what}");
            let series = Series { horizon: 1, order: RowOrder::RowNumbers, panel: None, eras: None };
            let [first, second] = [view(&models[0]), view(&models[1])];
            let difference = paired_difference(metric, &first, &second, series, &Options::default()).unwrap();
            assert_eq!(difference.method, Method::PairedRows);
            // These rows are independent, so the long-run error differs only by its own random error.
            near(difference.standard_error.unwrap(), error, 0.6, &what);
            near(difference.point, ours[1].value - ours[0].value, 1e-12, &what);
            if metric == RowMetric::Mse {
                near(error, case["paired_t_error"].as_f64().unwrap().abs(), 2e-6, "SciPy's ttest_rel");
            }
        }
    }
}

/// The macro AUC of two classes is the AUC, and its error is `DeLong`'s.
#[test]
fn two_classes_are_a_binary_label() {
    let case = &cases()[0];
    let models = [stored(case, 0), stored(case, 1)];
    let labels: Vec<bool> = models[0].targets.iter().map(|t| *t == 1.0).collect();
    let of_one = |model: &ValidationOutputs| -> Vec<f64> {
        model.outputs.iter().skip(1).step_by(2).map(|p| f64::from(*p)).collect()
    };
    let [first, second] = [of_one(&models[0]), of_one(&models[1])];
    let delong = allometry_analysis::stats::delong::delong(&labels, &[&first, &second]).unwrap();
    let ours = models.each_ref().map(|model| view(model).influence(RowMetric::MacroAuc).unwrap());
    near(ours[0].value, delong.auc[0], 1e-6, "AUC");
    near(ours[0].standard_error(), delong.standard_error(0), 1e-3, "error");
    near(ours[0].paired(&ours[1]).0, delong.difference(0, 1).1, 1e-3, "error of the difference");
}

#[test]
fn what_a_metric_does_not_fit_has_none() {
    let numbers = [1.0, 2.0, 3.0];
    let some =
        |metric: RowMetric, targets: &[f32], outputs: &[f32]| metric.influence(targets, outputs).is_some();
    assert!(some(RowMetric::R2, &numbers, &[1.0, 2.5, 2.0]));
    assert!(!some(RowMetric::LogLoss, &numbers, &[1.0, 2.5, 2.0]), "no classes");
    assert!(!some(RowMetric::R2, &[2.0, 2.0], &[1.0, 2.0]), "nothing to explain");
    assert!(!some(RowMetric::Mse, &[0.0, 1.0], &[0.5; 4]), "classes");
    assert!(!some(RowMetric::Accuracy, &[0.0, 2.0], &[0.5; 4]), "a class beyond the columns");
    assert!(!some(RowMetric::MacroAuc, &[0.0, 0.0, 1.0], &[0.5; 6]), "one row of a class");
    assert!(!some(RowMetric::Mae, &[1.0], &[1.0]) && !some(RowMetric::Mae, &[], &[]));
    assert_eq!(RowMetric::named("log loss"), Some(RowMetric::LogLoss));
    assert_eq!(RowMetric::named("value"), None);
}

#[test]
fn predictions_of_other_rows_are_not_kept() {
    let first = stored(&cases()[3], 0);
    let mut kept = StudyPredictions::default();
    assert!(kept.is_empty());
    assert!(kept.insert(TrialNumber(3), first.clone()));
    let mut moved = first.clone();
    moved.rows[0] = 7_000;
    assert!(!kept.insert(TrialNumber(4), moved));
    let cut = ValidationOutputs { outputs: first.outputs[1..].into(), ..first.clone() };
    assert!(!kept.insert(TrialNumber(4), cut));
    let mut broken = first.clone();
    broken.outputs[5] = f32::NAN;
    assert!(!kept.insert(TrialNumber(4), broken));
    assert_eq!(kept.outputs(TrialNumber(3)), Some(view(&first)));
    assert!(kept.outputs(TrialNumber(4)).is_none());
}

/// Returns two budgets; the best trial of each is one of the case's models.
fn ladder(case: &Value, metric: &str, name: &str) -> LadderTrials {
    let budgets = [("2M", 0), ("20M", 1)].map(|(label, model)| {
        let value = case["metrics"][name]["values"][model].as_f64().unwrap();
        let trial = FrozenTrial::new(0, TrialState::Complete, Some(value), Params::default());
        let outputs = [(TrialNumber(0), stored(case, model))].into_iter().collect();
        StudyTrials { predictions: outputs, ..StudyTrials::new(label, "oracle", vec![trial]) }
    });
    LadderTrials { metrics: Metrics::one(metric, Direction::Maximize), ..LadderTrials::new(budgets.into()) }
}

#[test]
fn one_trial_a_budget_has_an_error_over_rows_and_no_verdict() {
    for (place, metric, name) in [(1, "AUC", "auc"), (3, "R2", "r2")] {
        let case = &cases()[place];
        let theirs = &case["metrics"][name];
        let ladder = ladder(case, metric, name);
        let analysis = analyze(&ladder, &Options::default());
        let best = analysis.studies[0].summary.incumbent().unwrap().value;
        assert_eq!(best.method, Method::Rows);
        near(best.standard_error.unwrap(), theirs["errors"][0].as_f64().unwrap(), 0.6, name);
        assert!(best.effective_rows.is_some());
        assert_eq!(analysis.verdict.outcome, Outcome::Unknown);
        assert!(matches!(analysis.scaling.withheld, Some(Withheld::OneTrial { .. })));
        let codes: Vec<FindingCode> = analysis.findings.iter().map(|finding| finding.code).collect();
        assert!(
            !codes.contains(&FindingCode::MissingScores) && !codes.contains(&FindingCode::RowsUnknown),
            "{codes:?}"
        );

        let mut other = ladder.clone();
        other.studies.truncate(1);
        other.studies[0].trials[0].values = ladder.studies[1].trials[0].values.clone();
        other.studies[0].predictions = ladder.studies[1].predictions.clone();
        let (first, second) = (&analysis, analyze(&other, &Options::default()));
        let comparison = Comparison::new(
            &Side { source: "a", analysis: first, trials: Some(&ladder) },
            &Side { source: "b", analysis: &second, trials: Some(&other) },
        );
        assert_eq!(comparison.rows, RowRelation::Same);
        let value = comparison.budgets[0].value.as_ref().unwrap();
        assert_eq!(value.not_compared, Some(NotCompared::FewTrials));
        assert_eq!(comparison.budgets[0].outcome, Preference::Undecided);
    }
}

#[test]
fn a_value_that_the_predictions_do_not_have_keeps_its_error_unknown() {
    let mut ladder = ladder(&cases()[3], "R2", "r2");
    ladder.studies[0].trials[0].values = vec![0.99];
    let analysis = analyze(&ladder, &Options::default());
    assert_eq!(analysis.studies[0].summary.incumbent().unwrap().value.method, Method::Observed);
}
