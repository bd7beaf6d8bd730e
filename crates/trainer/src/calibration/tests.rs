//! Tests of calibrations against scikit-learn and scipy, and of what cannot be calibrated.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    method: String,
    classes: usize,
    logits: Vec<f32>,
    labels: Vec<f32>,
    asked: Vec<f32>,
    numbers: Vec<f64>,
    probabilities: Vec<f64>,
}

fn method(name: &str) -> CalibrationMethod {
    let (names, methods) = CalibrationMethod::NAMED;
    methods[names.iter().position(|one| *one == name).unwrap()]
}

fn numbers(calibration: &Calibration) -> Vec<f64> {
    match calibration {
        Calibration::Temperature { temperature } => vec![*temperature],
        Calibration::Platt { slope, intercept } => vec![*slope, *intercept],
        Calibration::Isotonic { logits, probabilities } => {
            logits.iter().chain(probabilities).copied().collect()
        }
    }
}

#[test]
fn agrees_with_scikit_learn() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../tests/oracle/calibration.json")).expect("oracle is valid");
    assert_eq!(cases.len(), 14);
    for case in cases {
        let what = format!("{} of {}", case.method, case.name);
        let fitted = fit(method(&case.method), &case.logits, &case.labels, case.classes).expect(&what);
        let found = numbers(&fitted);
        assert_eq!(found.len(), case.numbers.len(), "{what}");
        for (found, expected) in found.iter().zip(&case.numbers) {
            let close = (found - expected).abs() <= 2e-6 * expected.abs().max(1e-3);
            assert!(close, "{what}: {found}, scikit-learn {expected}");
        }
        let mut probabilities = Vec::new();
        fitted.apply(&case.asked, case.classes, &mut probabilities);
        assert_eq!(probabilities.len(), case.probabilities.len());
        for (found, expected) in probabilities.iter().zip(&case.probabilities) {
            assert!((f64::from(*found) - expected).abs() <= 1e-6, "{what}: {found}, expected {expected}");
        }
    }
}

#[test]
fn what_cannot_be_calibrated_is_said() {
    use CalibrationMethod::{Isotonic, Platt, Temperature};
    let rows = 4;
    for method in [Temperature, Platt, Isotonic] {
        assert_eq!(method.check(Task::Regression), Err(CalibrationError::Numbers));
        let constant = fit(method, &[0.3; 4], &[0.0, 1.0, 0.0, 1.0], 0);
        assert_eq!(constant, Err(CalibrationError::Constant { rows }));
        let backwards = fit(method, &[2.0, 1.0, -1.0, -2.0], &[0.0, 0.0, 1.0, 1.0], 0);
        let expected = match method {
            Temperature => CalibrationError::TooHot { rows },
            Platt | Isotonic => CalibrationError::NoTrend { rows },
        };
        assert_eq!(backwards, Err(expected));
    }
    let separated = fit(Temperature, &[-2.0, -1.0, 1.0, 2.0], &[0.0, 0.0, 1.0, 1.0], 0);
    assert_eq!(separated, Err(CalibrationError::Separated { rows }));
    assert_eq!(Temperature.check(Task::Classes), Ok(()));
    for method in [Platt, Isotonic] {
        assert_eq!(method.check(Task::Classes), Err(CalibrationError::SeveralClasses { method }));
        assert!(method.check(Task::Binary).is_ok());
    }
}

#[test]
fn calibrations_of_files_are_checked() {
    let read = |value: serde_json::Value| serde_json::from_value::<Calibration>(value).unwrap();
    let platt = || read(json!({"method": "platt", "slope": 0.5, "intercept": -1.0}));
    assert_eq!(platt().problem(Task::Binary), None);
    let cases = [
        (platt(), Task::Classes, "several classes"),
        (read(json!({"method": "temperature", "temperature": 1.0})), Task::Regression, "numbers"),
        (read(json!({"method": "temperature", "temperature": 0.0})), Task::Binary, "temperature"),
        (read(json!({"method": "platt", "slope": -0.5, "intercept": 0.0})), Task::Binary, "slope"),
        (
            read(json!({"method": "isotonic", "logits": [], "probabilities": []})),
            Task::Binary,
            "calibration.logits",
        ),
        (
            read(json!({"method": "isotonic", "logits": [1.0, 0.0], "probabilities": [0.1, 0.2]})),
            Task::Binary,
            "calibration.logits",
        ),
        (
            read(json!({"method": "isotonic", "logits": [0.0, 1.0], "probabilities": [0.1]})),
            Task::Binary,
            "calibration.probabilities",
        ),
        (
            read(json!({"method": "isotonic", "logits": [0.0, 1.0], "probabilities": [0.1, 1.2]})),
            Task::Binary,
            "between 0 and 1",
        ),
    ];
    for (calibration, task, expected) in cases {
        let problem = calibration.problem(task).unwrap();
        assert!(problem.contains(expected), "{problem}");
    }
    assert!(serde_json::from_value::<Calibration>(json!({"method": "beta"})).is_err());
}

proptest! {
    /// Calibrations keep the order of the rows: isotonic ones may only make equal.
    #[test]
    fn calibrated_probabilities_rise_with_the_logit(
        rows in prop::collection::vec((-6.0f32..6.0, any::<bool>()), 8..80),
    ) {
        let (logits, labels): (Vec<f32>, Vec<f32>) =
            rows.iter().map(|(z, label)| (*z, f32::from(u8::from(*label)))).unzip();
        let mut asked: Vec<f32> = (0..60).map(|place| place as f32 / 4.0 - 7.5).collect();
        asked.extend(&logits);
        asked.sort_by(f32::total_cmp);
        for method in CalibrationMethod::NAMED.1 {
            let Ok(calibration) = fit(*method, &logits, &labels, 0) else { continue };
            prop_assert_eq!(calibration.problem(Task::Binary), None);
            let mut probabilities = Vec::new();
            calibration.apply(&asked, 0, &mut probabilities);
            prop_assert!(probabilities.is_sorted(), "{:?}", calibration);
            prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
        }
    }
}
