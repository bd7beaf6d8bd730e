use std::sync::LazyLock;

use allometry_testkit::{Limits, damaged};
use proptest::prelude::*;

use super::*;

fn line(text: &str) -> Result<Option<Line>, String> {
    parse(text.as_bytes(), 3, TrialNumber(7)).map_err(|error| error.to_string())
}

#[test]
fn lines_are_parsed() {
    let none = BTreeMap::new();
    assert_eq!(line(r#"{"step": 3, "value": 0.71}"#), Ok(Some(Line::Step(3, 0.71, none.clone()))));
    assert_eq!(line("  "), Ok(None));
    assert_eq!(
        line(r#"{"step": 1, "value": Infinity, "metrics": {"loss": 2}}"#),
        Ok(Some(Line::Step(1, f64::INFINITY, BTreeMap::from([("loss".into(), 2.0)]))))
    );
    let Ok(Some(Line::Step(2, nan, _))) = line(r#"{"step": 2.0, "value": NaN}"#) else { panic!() };
    assert!(nan.is_nan());
    assert_eq!(
        line(r#"{"final": true, "value": 0.5, "weights": 12, "number": 7}"#),
        Ok(Some(Line::Final(Final {
            size: Some(ModelSize { total: 12, non_embedding: 12 }),
            ..Final::of(0.5)
        })))
    );
    let cost = TrainingCost {
        train_rows: Some(800),
        tokens: Some(24_000),
        flops: Some(1.5e15),
        seconds: Some(2.5),
        precision: None,
    };
    let used = r#""train_rows": 800, "tokens": 24e3, "flops": 1.5e15, "seconds": 2.5"#;
    assert_eq!(
        line(&format!(r#"{{"final": true, "value": 0.5, {used}}}"#)),
        Ok(Some(Line::Final(Final { cost, ..Final::of(0.5) })))
    );
    let none = r#"{"final": true, "value": 0.5, "flops": 0}"#;
    assert_eq!(
        line(none).unwrap_err(),
        format!("line 3 of its report has a `flops` that is not a positive number: {none}")
    );
    assert_eq!(
        line(r#"{"final": true, "values": [0.5, 20, Infinity]}"#),
        Ok(Some(Line::Final(Final { values: vec![0.5, 20.0, f64::INFINITY], ..Final::of(0.5) })))
    );
    let listed = |listed: &[f64]| Constraints { listed: listed.to_vec(), ..Constraints::default() };
    assert_eq!(
        line(r#"{"constraints": [0.5, -Infinity]}"#),
        Ok(Some(Line::Constraints(listed(&[0.5, f64::NEG_INFINITY]))))
    );
    let named = Constraints { named: BTreeMap::from([("ms".into(), -3.0)]), ..Constraints::default() };
    assert_eq!(line(r#"{"constraints": {"ms": -3}}"#), Ok(Some(Line::Constraints(named))));
    assert_eq!(
        line(r#"{"final": true, "value": 0.5, "constraints": [1]}"#),
        Ok(Some(Line::Final(Final { constraints: listed(&[1.0]), ..Final::of(0.5) })))
    );
    assert_eq!(
        line(r#"{"scores": [0.5, 1], "labels": [0, true]}"#),
        Ok(Some(Line::Predictions(Predictions::Binary(ValidationScores {
            rows: vec![0, 1],
            labels: vec![false, true],
            scores: vec![0.5, 1.0]
        }))))
    );
}

#[test]
fn outputs_are_of_classes_or_numbers() {
    assert_eq!(
        line(r#"{"outputs": [[0.2, 0.3, 0.5], [1, 0, 0]], "targets": [2, 0.0], "rows": [7, 9]}"#),
        Ok(Some(Line::Predictions(Predictions::Other(ValidationOutputs {
            rows: vec![7, 9],
            targets: vec![2.0, 0.0],
            outputs: vec![0.2, 0.3, 0.5, 1.0, 0.0, 0.0],
        }))))
    );
    let numbers = ValidationOutputs { rows: vec![0, 1], targets: vec![3.0, 0.5], outputs: vec![-1.5, 20.0] };
    for outputs in ["[-1.5, 20]", "[[-1.5], [20]]"] {
        let text = format!("{{\"outputs\": {outputs}, \"targets\": [3, 0.5]}}");
        assert_eq!(line(&text), Ok(Some(Line::Predictions(numbers.clone().into()))));
    }
}

#[test]
fn errors_name_the_line_and_the_problem() {
    for (text, problem) in [
        ("{", "is not JSON"),
        ("[1]", "is not an object: [1]"),
        ("{}", "has neither"),
        (r#"{"step": 1}"#, "has no `value`"),
        (r#"{"step": 1, "value": null}"#, "has no `value`"),
        (r#"{"step": 1, "value": "high"}"#, "has a `value` that is not a number"),
        (r#"{"step": 1.5, "value": 1}"#, "has a `step` that is not a whole number"),
        (r#"{"final": true}"#, "has no `value`"),
        (r#"{"final": true, "value": 1, "weights": -1}"#, "has a negative `weights`"),
        (r#"{"final": true, "values": []}"#, "has `values` that are not a list of numbers"),
        (r#"{"final": true, "values": [1, "fast"]}"#, "has `values` that are not a list of numbers"),
        (r#"{"final": true, "value": 1, "values": [1, 2]}"#, "has both `value` and `values`"),
        (r#"{"step": 1, "value": 1, "number": 8}"#, "belongs to trial 8, but this is trial 7"),
        (r#"{"metrics": [1]}"#, "has `metrics` that are not an object"),
        (r#"{"metrics": {"a": "b"}}"#, "has a metric `a` that is not a number"),
        (r#"{"constraints": 1}"#, "has `constraints` that are neither a list nor an object"),
        (r#"{"constraints": [NaN]}"#, "has `constraints` that are not numbers"),
        (r#"{"constraints": {"ms": "slow"}}"#, "has `constraints` that are not numbers"),
        (r#"{"constraints": [1], "metrics": {}}"#, "has both `constraints` and `metrics`"),
        (r#"{"scores": [0.1], "labels": []}"#, "has 1 scores, 0 labels and 1 rows"),
        (r#"{"scores": [1.1], "labels": [0]}"#, "has scores that are not probabilities"),
        (r#"{"scores": [0.1], "labels": [2]}"#, "has labels other than 0 and 1"),
        (r#"{"scores": [0.1], "labels": [0], "outputs": [1]}"#, "has both `scores` and `outputs`"),
        (r#"{"outputs": [0.1]}"#, "has no list `targets`"),
        (r#"{"outputs": 0.1, "targets": [1]}"#, "has no list `outputs`"),
        (r#"{"outputs": [0.1, 0.2], "targets": [1]}"#, "has 2 outputs, 1 targets and 2 rows"),
        (r#"{"outputs": [0.1], "targets": [1], "rows": [1, 2]}"#, "has 1 outputs, 1 targets and 2 rows"),
        (r#"{"outputs": [0.1], "targets": [1], "rows": [-1]}"#, "has `rows` that are not whole numbers"),
        (r#"{"outputs": [], "targets": []}"#, "has `outputs` without numbers"),
        (r#"{"outputs": [[]], "targets": [1]}"#, "has `outputs` without numbers"),
        (
            r#"{"outputs": [[0.5, 0.5], [1]], "targets": [1, 0]}"#,
            "has `outputs` with 2 and with 1 numbers per row",
        ),
        (
            r#"{"outputs": [[0.5, 0.5], 1], "targets": [1, 0]}"#,
            "has `outputs` with 2 and with 1 numbers per row",
        ),
        (r#"{"outputs": [NaN], "targets": [1]}"#, "has `outputs` that are not finite numbers"),
        (r#"{"outputs": [1e39], "targets": [1]}"#, "has `outputs` that are not finite numbers"),
        (r#"{"outputs": [["a", 1]], "targets": [1]}"#, "has `outputs` that are not finite numbers"),
        (r#"{"outputs": [[[1], 1]], "targets": [1]}"#, "has `outputs` that are not finite numbers"),
        (r#"{"outputs": [1], "targets": [Infinity]}"#, "has `targets` that are not finite numbers"),
        (r#"{"outputs": [[1.5, 0]], "targets": [1]}"#, "that are not probabilities from 0 to 1"),
        (r#"{"outputs": [[0.5, 0.5]], "targets": [2]}"#, "has `targets` that are not classes from 0 to 1"),
        (r#"{"outputs": [[0.5, 0.5]], "targets": [0.5]}"#, "has `targets` that are not classes from 0 to 1"),
    ] {
        let message = line(text).unwrap_err();
        assert!(message.starts_with("line 3 of its report ") && message.contains(problem), "{message}");
    }
    assert!(parse(&[0xff], 1, TrialNumber(0)).unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn a_line_is_read_when_it_is_complete() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report");
    let mut file = File::create(&path).unwrap();
    let mut reader = Reader::open(&path, TrialNumber(0)).unwrap();
    file.write_all(b"{\"step\": 1, \"value\": 1}\n{\"step\": 2,").unwrap();
    assert_eq!(reader.read(false).unwrap().len(), 1);
    assert_eq!(reader.read(false).unwrap(), []);
    file.write_all(b" \"value\": 2}").unwrap();
    assert_eq!(reader.read(false).unwrap(), []);
    assert_eq!(reader.read(true).unwrap(), [Line::Step(2, 2.0, BTreeMap::new())]);
    assert_eq!(reader.read(true).unwrap(), []);
}

/// A report with a line of each kind.
const REPORT: &str = r#"{"step": 1, "value": 0.6, "metrics": {"loss": 0.7}}
{"metrics": {"loss": 0.6, "seconds": 12}}
{"scores": [0.5, 0.25], "labels": [0, true], "rows": [7, 9]}
{"outputs": [[0.1, 0.9], [0.8, 0.2]], "targets": [1, 0]}

{"final": true, "value": 0.71, "weights": 12, "number": 7, "best_step": 1}
"#;

fn read_report(bytes: &[u8]) -> Result<Vec<Line>, LineError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Reader::open(file.path(), TrialNumber(7)).unwrap().read(true)
}

/// Limits on time and memory of reading a damaged report.
static LIMITS: LazyLock<Limits> =
    LazyLock::new(|| Limits::of(|| assert_eq!(read_report(REPORT.as_bytes()).unwrap().len(), 5)));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_damaged_report_is_read_or_its_line_is_named(bytes in damaged(REPORT.as_bytes().to_vec())) {
        let lines = bytes.split(|byte| *byte == b'\n').count();
        match LIMITS.hold(|| read_report(&bytes)) {
            Ok(read) => prop_assert!(read.len() <= lines),
            Err(error) => prop_assert!((1..=lines).contains(&error.line), "{error}"),
        }
    }
}
