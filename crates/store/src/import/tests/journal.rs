//! Tests of journals of Optuna.

use super::*;

const RATE: &str = concat!(
    r#""distribution":"{\"name\": \"FloatDistribution\", "#,
    r#"\"attributes\": {\"low\": 0.0, \"high\": 1.0, \"log\": false, \"step\": null}}""#
);

fn journal(lines: &[&str]) -> Result<ImportedStudy, ImportError> {
    let lines: Vec<String> = lines.iter().map(|line| line.replace("RATE", RATE)).collect();
    read_text("journal.log", &lines.join("\n"))
}

#[test]
fn a_journal_is_replayed_by_its_rules() {
    let study = journal(&[
        r#"{"op_code":0,"worker_id":"w","study_name":"gone","directions":[1]}"#,
        r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[2]}"#,
        // A name that is taken creates no study and no id.
        r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[1]}"#,
        r#"{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null}"#,
        r#"{"op_code":1,"worker_id":"w","study_id":0}"#,
        r#"{"op_code":4,"worker_id":"w","study_id":1,"datetime_start":"2026-01-25T10:00:00.5+00:00"}"#,
        r#"{"op_code":5,"worker_id":"w","trial_id":1,"param_name":"lr","param_value_internal":0.5,RATE}"#,
        r#"{"op_code":7,"worker_id":"w","trial_id":1,"step":1,"intermediate_value":NaN}"#,
        r#"{"op_code":7,"worker_id":"w","trial_id":1,"step":1,"intermediate_value":0.25}"#,
        r#"{"op_code":8,"worker_id":"w","trial_id":1,"user_attr":{"pred_min":0.125}}"#,
        concat!(
            r#"{"op_code":6,"worker_id":"w","trial_id":1,"state":1,"values":[0.75],"#,
            r#""datetime_complete":"2026-01-25T10:00:01+00:00"}"#
        ),
        // Operations after the end of a trial, on deleted studies and on unknown trials are dropped.
        r#"{"op_code":6,"worker_id":"w","trial_id":1,"state":3,"values":null}"#,
        r#"{"op_code":5,"worker_id":"w","trial_id":1,"param_name":"lr","param_value_internal":0.9,RATE}"#,
        r#"{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[9.0]}"#,
        r#"{"op_code":6,"worker_id":"w","trial_id":7,"state":1,"values":[9.0]}"#,
        r#"{"op_code":4,"worker_id":"w","study_id":9,"datetime_start":null}"#,
        r#"{"op_code":10,"worker_id":"w"}"#,
        concat!(
            r#"{"op_code":4,"worker_id":"w","study_id":1,"datetime_start":null,"state":4,"#,
            r#""system_attrs":{"fixed_params":{"lr":0.1}}}"#
        ),
        // An incompatible distribution.
        concat!(
            r#"{"op_code":5,"worker_id":"w","trial_id":2,"param_name":"lr","param_value_internal":1,"#,
            r#""distribution":"{\"name\": \"IntDistribution\", "#,
            r#"\"attributes\": {\"low\": 0, \"high\": 1, \"log\": false, \"step\": 1}}"}"#
        ),
        r#"{"op_code":6,"worker_id":"w","tri"#,
    ])
    .unwrap();
    assert_eq!((study.name.as_deref(), study.directions.as_slice()), (Some("a"), &[Direction::Maximize][..]));
    let [complete, waiting] = study.trials.as_slice() else { panic!("two trials: {:?}", study.trials) };
    assert_eq!((complete.state, complete.value()), (TrialState::Complete, Some(0.75)));
    assert_eq!(complete.params.to_string(), "lr=0.5");
    assert_eq!(complete.intermediate, [(1, 0.25)].into());
    assert_eq!(complete.started.unwrap().to_string(), "2026-01-25T10:00:00.5Z");
    assert_eq!(complete.completed.unwrap().to_string(), "2026-01-25T10:00:01Z");
    assert_eq!(complete.record.metrics["pred_min"], 0.125);
    assert_eq!((waiting.state, waiting.params.to_string().as_str()), (TrialState::Waiting, "lr=0.1"));
}

#[test]
fn a_damaged_journal_is_named() {
    let start = r#"{"op_code":0,"worker_id":"w","study_name":"a","directions":[2]}"#;
    let place = |line: &str| journal(&[start, line, start]).unwrap_err().to_string();
    for (line, expected) in [
        (r#"{"op_code":4,"#, "line 2, column"),
        ("[1]", "line 2: expected an object"),
        (r#"{"op_code":77}"#, "line 2, field `op_code`"),
        (r#"{"worker_id":"w"}"#, "line 2, field `op_code`"),
        (r#"{"op_code":4,"study_id":-1}"#, "line 2, field `study_id`"),
        (r#"{"op_code":4,"study_id":0,"state":9}"#, "line 2, field `state`"),
        (r#"{"op_code":4,"study_id":0,"datetime_start":"soon"}"#, "line 2, field `datetime_start`"),
        (r#"{"op_code":4,"study_id":0,"params":{"lr":1}}"#, "line 2, field `params.lr`"),
        (r#"{"op_code":0,"study_name":"b","directions":[]}"#, "line 2, field `directions`"),
    ] {
        let told = place(line);
        assert!(told.contains(expected), "{line}: {told}");
    }
    assert!(journal(&[start]).unwrap_err().to_string().ends_with("holds no trials"));
}
