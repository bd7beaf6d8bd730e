//! Tests of figures of stored predictions against scikit-learn and NumPy (`oracle/predictions.py`).

use allometry_analysis::collapse::CollapseKind;
use allometry_analysis::{
    FindingCode, LadderTrials, Method, Options, StudyAnalysis, StudyPredictions, StudyTrials, analyze,
};
use allometry_core::{
    EarlyStop, FrozenTrial, Params, TrialNumber, TrialState, ValidationOutputs, ValidationScores,
};
use serde_json::Value;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("oracle/predictions.json")).unwrap()
}

fn numbers(json: &Value) -> impl Iterator<Item = f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap())
}

fn scores(case: &Value) -> ValidationScores {
    let labels: Vec<bool> = numbers(&case["labels"]).map(|label| label == 1.0).collect();
    let scores = numbers(&case["scores"]).map(|score| score as f32).collect();
    // The oracle's rows are independent draws: the same row number for all means that they have no order.
    ValidationScores { rows: vec![0; labels.len()], labels, scores }
}

/// Returns the analysis of a study of trials, given by learning rate, AUC and scores.
fn study(trials: Vec<(f64, f64, Option<ValidationScores>)>) -> StudyAnalysis {
    let mut kept = StudyPredictions::default();
    let trials = trials
        .into_iter()
        .enumerate()
        .map(|(number, (rate, auc, scores))| {
            let number = number as u64;
            assert!(scores.is_none_or(|scores| kept.insert(TrialNumber(number), scores)));
            let params: Params =
                [("learning_rate", rate), ("dropout", f64::from(number as u32 % 2))].into_iter().collect();
            FrozenTrial::new(number, TrialState::Complete, Some(auc), params)
        })
        .collect();
    let study = StudyTrials { predictions: kept, ..StudyTrials::new("2M", "oracle", trials) };
    let ladder = LadderTrials::new(vec![study]);
    analyze(&ladder, &Options::default()).studies.remove(0)
}

#[test]
fn figures_are_those_of_scikit_learn() {
    for case in cases() {
        let study = study(vec![(1e-4, case["auc"].as_f64().unwrap(), Some(scores(&case)))]);
        let best = study.collapse.best.unwrap();
        let figures = [
            ("sd_ratio", best.sd_ratio),
            ("low", best.low),
            ("high", best.high),
            ("distinct", best.distinct as f64),
            ("brier_skill", best.brier_skill),
            ("log_loss", best.log_loss),
            ("log_loss_of_prior", best.log_loss_of_prior),
            ("calibration_error", best.calibration_error),
            ("recall_at_half", best.recall_at_half),
            ("recall_at_prior", best.recall_at_prior),
        ];
        for (name, ours) in figures {
            let theirs = case[name].as_f64().unwrap();
            assert!((ours - theirs).abs() < 1e-9, "{} of {}: {ours} against {theirs}", name, case["name"]);
        }
    }
}

#[test]
fn trials_that_were_stopped_as_collapsed_are_constant() {
    let healthy = cases().into_iter().find(|case| case["name"] == "healthy").unwrap();
    let scored = scores(&healthy);
    let mut trials: Vec<FrozenTrial> = (0..6)
        .map(|number| FrozenTrial::new(number, TrialState::Complete, Some(0.8), Params::default()))
        .collect();
    for trial in &mut trials[3..] {
        (trial.state, trial.record.early_stop) = (TrialState::Pruned, Some(EarlyStop::Collapsed));
    }
    trials[5].record.early_stop = Some(EarlyStop::Pruned);
    let kept = trials[..3].iter().map(|trial| (trial.number, scored.clone())).collect();
    let study = StudyTrials { predictions: kept, ..StudyTrials::new("2M", "oracle", trials) };
    let collapse = analyze(&LadderTrials::new(vec![study]), &Options::default()).studies.remove(0).collapse;
    assert_eq!((collapse.kinds.constant, collapse.kinds.healthy, collapse.kinds.unknown), (2, 3, 0));
    assert_eq!(collapse.constant_share.unwrap().point, 0.4);
}

/// Three classes in nine rows; the standard deviation of each is 0.5, so that 2% of it is 0.01.
#[test]
fn collapse_of_classes_is_told_from_predictions_or_else_from_the_recorded_metric() {
    let predicted = |spread: f32| ValidationOutputs {
        rows: (0..9).collect(),
        targets: (0..9_u8).map(|row| f32::from(row % 3)).collect(),
        outputs: (0..9_u8).flat_map(|row| [0.5 + spread * f32::from(row % 2), 0.25, 0.25]).collect(),
    };
    let of = |predicted: Option<ValidationOutputs>, recorded: Option<f64>| {
        let mut trial = FrozenTrial::new(0, TrialState::Complete, Some(0.6), Params::default());
        trial.record.metrics.extend(recorded.map(|share| ("constant".to_owned(), share)));
        let mut predictions = StudyPredictions::default();
        assert!(predicted.is_none_or(|predicted| predictions.insert(TrialNumber(0), predicted)));
        let study = StudyTrials { predictions, ..StudyTrials::new("2M", "oracle", vec![trial]) };
        let analysis = analyze(&LadderTrials::new(vec![study]), &Options::default());
        let told = analysis.findings.iter().any(|finding| finding.code == FindingCode::CollapseUnknown);
        let kinds = analysis.studies[0].collapse.kinds;
        assert_eq!(told, kinds.unknown == 1);
        (kinds.constant, kinds.healthy, kinds.unknown)
    };
    // Values of 0.5 and 0.515 have a standard deviation of 0.0079, of 0.5 and 0.525 one of 0.0132.
    assert_eq!(of(Some(predicted(0.015)), None), (1, 0, 0));
    assert_eq!(of(Some(predicted(0.025)), None), (0, 1, 0));
    assert_eq!(of(Some(predicted(0.025)), Some(1.0)), (0, 1, 0), "the predictions decide");
    assert_eq!(of(None, Some(1.0)), (1, 0, 0));
    assert_eq!(of(None, Some(0.0)), (0, 1, 0));
    assert_eq!(of(None, Some(0.4)), (0, 1, 0), "two of five folds");
    assert_eq!(of(None, Some(0.6)), (1, 0, 0), "three of five folds");
    assert_eq!(of(None, None), (0, 0, 1));
}

#[test]
fn kinds_are_told_from_predictions() {
    for case in cases().iter().filter(|case| case["labels"].as_array().unwrap().len() > 100) {
        let study = study(vec![(1e-4, case["auc"].as_f64().unwrap(), Some(scores(case)))]);
        let expected = match case["name"].as_str().unwrap() {
            "healthy" => CollapseKind::Healthy,
            "shifted" => CollapseKind::Shifted,
            "shrunken" => CollapseKind::Shrunken,
            _ => CollapseKind::Constant,
        };
        assert_eq!(study.collapse.best.unwrap().kind, expected, "{}", case["name"]);
        assert_eq!(study.summary.best[0].value.method, Method::Rows);
    }
}

/// The calibration error of a calibrated model is as large as by chance; that of an overconfident one is far
/// larger.
#[test]
fn calibration_is_held_against_chance() {
    let of = |name: &str| {
        let case = cases().into_iter().rfind(|case| case["name"] == name).unwrap();
        study(vec![(1e-4, case["auc"].as_f64().unwrap(), Some(scores(&case)))]).collapse.best.unwrap()
    };
    let shifted = of("shifted");
    assert!(shifted.p_calibration < 0.01);
    assert!(shifted.calibration_error > 3.0 * shifted.calibration_error_by_chance);
    assert!(of("healthy").p_calibration > 0.05);
}

#[test]
fn settings_that_go_with_constant_models_are_found() {
    let all = cases();
    let pick = |name: &str| all.iter().rfind(|case| case["name"] == name).unwrap();
    let (healthy, constant) = (pick("healthy"), pick("constant"));
    // Predictions are constant only at the largest rate, with any dropout.
    let trials = (0..24_u32)
        .map(|number| {
            let rate = [1e-5, 1e-4, 1e-2][number as usize % 3];
            let case = if number % 3 == 2 { constant } else { healthy };
            let mut scores = scores(healthy);
            scores.scores = self::scores(case).scores.iter().take(scores.labels.len()).copied().collect();
            (rate, 0.5 + f64::from(number) / 100.0, Some(scores))
        })
        .collect();
    let collapse = study(trials).collapse;
    assert_eq!((collapse.kinds.constant, collapse.kinds.healthy), (8, 16));
    let [rate, dropout] = collapse.settings.as_slice() else {
        panic!("two parameters: {:?}", collapse.settings)
    };
    assert_eq!((rate.parameter.as_str(), rate.value.value.as_f64()), ("learning_rate", Some(1e-2)));
    assert_eq!((rate.constant, rate.trials), (8, 8));
    assert!(rate.p_adjusted < 0.001 && dropout.p > 0.1, "{rate:?} {dropout:?}");
}
