//! Tests of the lines of `allometry sampler`.

use std::collections::HashSet;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{allometry, texts};

/// Runs the sampler on lines and returns its parsed answers.
fn answers(kind: &str, lines: &[String]) -> Vec<Value> {
    let (answers, err) = heard(kind, lines);
    assert_eq!(err, "");
    answers
}

/// Runs the sampler on lines and returns its answers and its standard error.
fn heard(kind: &str, lines: &[String]) -> (Vec<Value>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = allometry(folder.path())
        .args(["sampler", "--kind", kind])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = lines.join("\n");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let (code, out, err) = texts(&child.wait_with_output().unwrap());
    writer.join().unwrap().unwrap();
    assert_eq!(code, 0, "{err}");
    (out.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), err)
}

fn header() -> String {
    json!({"name": "t", "seed": 7, "budget": 20, "workers": 1, "params": [
        {"name": "n_heads", "type": "ordinal", "values": [2, 3, 5], "log": false},
        {"name": "d_model", "type": "ordinal", "values": [32, 48, 64], "log": true},
        {"name": "act", "type": "categorical", "values": ["relu", "tanh", null, true]},
        {"name": "x", "type": "float", "low": 0, "high": 1, "log": false},
        {"name": "lr", "type": "float", "low": 1e-5, "high": 1e-1, "log": true},
        {"name": "half", "type": "float", "low": 0, "high": 2, "step": 0.5},
        {"name": "units", "type": "int", "low": 1, "high": 64, "log": true},
        {"name": "k", "type": "int", "low": 2, "high": 8, "step": 3}]})
    .to_string()
}

#[test]
fn gp_says_once_that_tpe_goes_on() {
    let mut lines = vec![
        json!({"name": "t", "seed": 1, "budget": 400, "workers": 1, "params": [
            {"name": "x", "type": "int", "low": 0, "high": 2000}
        ]})
        .to_string(),
    ];
    for k in 0..303 {
        // Failed trials are not modelled, which saves time.
        lines.push(format!(r#"{{"ask": {k}}}"#));
        if k < 301 {
            lines.push(format!(r#"{{"tell": {k}, "value": null}}"#));
        }
    }
    let (answers, err) = heard("gp", &lines);
    assert_eq!(answers.len(), 303);
    assert_eq!(err, "note: `gp` models at most 300 trials; `tpe` suggests the following ones\n");
}

#[test]
fn every_kind_proposes_members_of_the_space_and_the_same_again() {
    for kind in ["gp", "tpe", "sobol", "random"] {
        let mut lines = vec![header()];
        for number in 0..16 {
            lines.push(json!({ "ask": number }).to_string());
            let value = if number == 3 { Value::Null } else { json!(f64::from(number * 7 % 5)) };
            lines.push(json!({"tell": number, "value": value}).to_string());
        }
        lines.push(r#"{"recommend": true}"#.into());
        let all = answers(kind, &lines);
        assert_eq!(all.len(), 17, "{kind}");
        let mut seen = HashSet::new();
        for answer in &all[..16] {
            let p = &answer["params"];
            assert!([2, 3, 5].contains(&p["n_heads"].as_i64().unwrap()), "{kind}: {answer}");
            assert!([32, 48, 64].contains(&p["d_model"].as_i64().unwrap()));
            assert!([json!("relu"), json!("tanh"), Value::Null, json!(true)].contains(&p["act"]));
            assert!((0.0..=1.0).contains(&p["x"].as_f64().unwrap()));
            assert!((1e-5..=1e-1).contains(&p["lr"].as_f64().unwrap()));
            assert_eq!(p["half"].as_f64().unwrap() % 0.5, 0.0);
            assert!((1..=64).contains(&p["units"].as_i64().unwrap()));
            assert!([2, 5, 8].contains(&p["k"].as_i64().unwrap()));
            assert_eq!(p.as_object().unwrap().len(), 8);
            assert!(seen.insert(p.to_string()), "{kind}: {p} twice");
        }
        assert!(all[..16].contains(&all[16]), "{kind}: what is recommended was told");
        assert_eq!(answers(kind, &lines), all, "{kind}");
    }
}

#[test]
fn a_grid_is_used_up_and_its_end_told() {
    let space = json!({"params": [
        {"name": "a", "type": "ordinal", "values": [1, 2]},
        {"name": "b", "type": "categorical", "values": ["x"]},
    ]});
    for kind in ["grid", "gp", "tpe"] {
        let lines: Vec<String> =
            [space.to_string()].into_iter().chain((0..3).map(|n| json!({ "ask": n }).to_string())).collect();
        let all = answers(kind, &lines);
        assert_ne!(all[0], all[1]);
        assert_eq!(all[2], json!({"error": "all 2 distinct configurations of the search space were tried"}));
    }
}

#[test]
fn a_bad_line_is_answered_and_the_command_goes_on() {
    let error = |line: &str, part: &str| (line.to_owned(), part.to_owned());
    let parameter = |p: Value| json!({ "params": [p] }).to_string();
    let bad = [
        error("{", "not a JSON object"),
        error("[1]", "not a JSON object"),
        error(r#"{"ask": 0}"#, "the first line must describe the space"),
        error(r#"{"params": []}"#, "at least one parameter"),
        error(&parameter(json!({"name": "a", "type": "ordinal", "values": []})), "at least one value"),
        error(&parameter(json!({"name": "a", "type": "ordinal", "values": [1, 1.0]})), "occurs twice"),
        error(&parameter(json!({"name": "a", "type": "real"})), "\"type\" must be"),
        error(
            &parameter(json!({"name": "a", "type": "float", "low": 0, "high": 1, "log": true})),
            "must be positive",
        ),
        error(&parameter(json!({"name": "a", "type": "float", "low": 2, "high": 1})), "must not exceed"),
        error(&parameter(json!({"name": "a", "type": "float", "low": "x", "high": 1})), "must be numbers"),
        error(
            &parameter(json!({"name": "a", "type": "float", "low": 0, "high": 1, "step": 0.3})),
            "must divide",
        ),
        error(&parameter(json!({"name": "a", "type": "int", "low": 0.5, "high": 1})), "whole numbers"),
        error(
            &parameter(json!({"name": "a", "type": "int", "low": 0, "high": 9, "log": true})),
            "at least 1",
        ),
        error(&parameter(json!({"name": "a", "type": "int", "low": 0, "high": 9, "step": 2})), "must divide"),
        error(&parameter(json!({"name": "a", "type": "int", "low": 0, "high": 1e15})), "more than a million"),
    ];
    let after = [
        error(r#"{"recommend": true}"#, "no trial has been told"),
        error(r#"{"tell": 0, "value": 1}"#, "never asked for"),
        error(r#"{"ask": -1}"#, "must be a trial's number"),
        error(r#"{"tell": 5, "value": "NaN"}"#, "finite number"),
        error(r#"{"tell": 5, "value": NaN}"#, "not a JSON object"),
        error(r#"{"tell": 5, "value": 1e999}"#, "not a JSON object"),
        error(r#"{"tell": 5}"#, "finite number"),
        error(r#"{"ask": 5}"#, "already been asked for"),
        error(r#"{"what": 5}"#, "must have one of"),
        error(&header(), "already been described"),
    ];
    let mut lines: Vec<String> = bad.iter().map(|(line, _)| line.clone()).collect();
    lines.extend([header(), String::new(), r#"{"ask": 5}"#.into()]);
    lines.extend(after.iter().map(|(line, _)| line.clone()));
    lines.extend(
        [r#"{"tell": 5, "value": 1.5}"#, r#"{"tell": 5, "value": 1.5}"#, r#"{"recommend": true}"#]
            .map(String::from),
    );
    let all = answers("gp", &lines);
    assert_eq!(all.len(), bad.len() + 1 + after.len() + 2);
    let told = |answer: &Value, part: &str| {
        assert!(answer["error"].as_str().is_some_and(|text| text.contains(part)), "{answer}: {part}");
    };
    bad.iter().zip(&all).for_each(|((_, part), answer)| told(answer, part));
    after.iter().zip(&all[bad.len() + 1..]).for_each(|((_, part), answer)| told(answer, part));
    told(&all[all.len() - 2], "already been told");
    assert_eq!(all[all.len() - 1], all[bad.len()]);
}

#[test]
fn configurations_lack_what_does_not_apply() {
    let header = |values: &str| {
        format!(
            r#"{{"name": "t", "seed": 1, "params": [
            {{"name": "n_heads", "type": "float", "low": 0, "high": 1, "when": {{"kind": [{values}]}}}},
            {{"name": "kind", "type": "categorical", "values": ["a", "b"]}}]}}"#
        )
        .replace('\n', " ")
    };
    for kind in ["gp", "tpe", "sobol", "random"] {
        let mut lines = vec![header("\"a\"")];
        for number in 0..20 {
            lines.push(json!({ "ask": number }).to_string());
            lines.push(json!({"tell": number, "value": number % 3}).to_string());
        }
        lines.push(r#"{"recommend": true}"#.into());
        let all = answers(kind, &lines);
        // `b` allows one configuration.
        let lacking = all[..20].iter().filter(|answer| answer["params"]["kind"] == "b").count();
        assert!(lacking <= 1, "{kind}: {all:?}");
        for answer in &all {
            assert_eq!(
                answer["params"].get("n_heads").is_some(),
                answer["params"]["kind"] == "a",
                "{kind}: {answer}"
            );
        }
    }
    let refused = answers("gp", &[header("\"c\"")]);
    assert_eq!(
        refused[0]["error"],
        "the condition of `n_heads` requires the value 'c', which `kind` cannot have"
    );
}
