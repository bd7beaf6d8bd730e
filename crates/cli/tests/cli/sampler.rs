//! Tests of the lines of `allometry sampler`.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{allometry, folded, texts};

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

/// Returns lines of which most cannot be followed.
fn bad_lines() -> Vec<String> {
    let parameter = |p: Value| json!({ "params": [p] }).to_string();
    vec![
        "{".into(),
        "[1]".into(),
        r#"{"ask": 0}"#.into(),
        r#"{"params": []}"#.into(),
        parameter(json!({"name": "a", "type": "ordinal", "values": []})),
        parameter(json!({"name": "a", "type": "ordinal", "values": [1, 1.0]})),
        parameter(json!({"name": "a", "type": "real"})),
        parameter(json!({"name": "a", "type": "float", "low": 0, "high": 1, "log": true})),
        parameter(json!({"name": "a", "type": "float", "low": 2, "high": 1})),
        parameter(json!({"name": "a", "type": "float", "low": "x", "high": 1})),
        parameter(json!({"name": "a", "type": "float", "low": 0, "high": 1, "step": 0.3})),
        parameter(json!({"name": "a", "type": "int", "low": 0.5, "high": 1})),
        parameter(json!({"name": "a", "type": "int", "low": 0, "high": 9, "log": true})),
        parameter(json!({"name": "a", "type": "int", "low": 0, "high": 9, "step": 2})),
        parameter(json!({"name": "a", "type": "int", "low": 0, "high": 1e15})),
        parameter(json!({"name": "a", "type": "ordinal", "values": [7]})),
        r#"{"ask": 5}"#.into(),
        r#"{"recommend": true}"#.into(),
        r#"{"tell": 0, "value": 1}"#.into(),
        r#"{"ask": -1}"#.into(),
        r#"{"tell": 5, "value": "NaN"}"#.into(),
        r#"{"tell": 5, "value": NaN}"#.into(),
        r#"{"tell": 5, "value": 1e999}"#.into(),
        r#"{"tell": 5}"#.into(),
        r#"{"ask": 5}"#.into(),
        r#"{"what": 5}"#.into(),
        parameter(json!({"name": "b", "type": "ordinal", "values": [7]})),
        r#"{"tell": 5, "value": 1.5}"#.into(),
        r#"{"tell": 5, "value": 1.5}"#.into(),
        r#"{"recommend": true}"#.into(),
    ]
}

#[test]
fn a_bad_line_is_answered_and_the_command_goes_on() {
    let lines = bad_lines();
    // The description of the space and a value that is told have no answer.
    let silent = [15, 27];
    let mut answers = answers("gp", &lines).into_iter();
    let mut conversation = String::new();
    for (number, line) in lines.iter().enumerate() {
        writeln!(conversation, "> {line}").unwrap();
        if !silent.contains(&number) {
            writeln!(conversation, "{}", answers.next().unwrap()).unwrap();
        }
    }
    assert_eq!(answers.next(), None);
    insta::assert_snapshot!(folded(&conversation), @r#"
    > {
    {"error":"the line is not a JSON object: EOF while parsing an object at line 1 column 1"}
    > [1]
    {"error":"the line is not a JSON object: invalid type: sequence, expected a map at line 1 column 0"}
    > {"ask": 0}
    {"error":"the first line must describe the space: {\"seed\": 7, \"params\": [{\"name\": \"lr\", \
    \"type\": \"ordinal\", \"values\": [0.1, 0.2]}]}"}
    > {"params": []}
    {"error":"\"params\" must have at least one parameter"}
    > {"params":[{"name":"a","type":"ordinal","values":[]}]}
    {"error":"parameter \"a\": \"values\" must have at least one value"}
    > {"params":[{"name":"a","type":"ordinal","values":[1,1.0]}]}
    {"error":"parameter \"a\": the value 1.0 occurs twice"}
    > {"params":[{"name":"a","type":"real"}]}
    {"error":"parameter \"a\": \"type\" must be \"ordinal\", \"categorical\", \"float\" or \"int\""}
    > {"params":[{"name":"a","type":"float","low":0,"high":1,"log":true}]}
    {"error":"parameter \"a\": \"low\" must be positive on a log scale"}
    > {"params":[{"name":"a","type":"float","low":2,"high":1}]}
    {"error":"parameter \"a\": \"low\" must not exceed \"high\""}
    > {"params":[{"name":"a","type":"float","low":"x","high":1}]}
    {"error":"parameter \"a\": \"low\" and \"high\" must be numbers"}
    > {"params":[{"name":"a","type":"float","low":0,"high":1,"step":0.3}]}
    {"error":"parameter \"a\": \"step\" must divide the range"}
    > {"params":[{"name":"a","type":"int","low":0.5,"high":1}]}
    {"error":"parameter \"a\": \"low\" and \"high\" must be whole numbers"}
    > {"params":[{"name":"a","type":"int","low":0,"high":9,"log":true}]}
    {"error":"parameter \"a\": \"low\" must be at least 1 on a log scale"}
    > {"params":[{"name":"a","type":"int","low":0,"high":9,"step":2}]}
    {"error":"parameter \"a\": \"step\" must divide the range"}
    > {"params":[{"name":"a","type":"int","low":0,"high":1000000000000000.0}]}
    {"error":"parameter \"a\": the range has more than a million values"}
    > {"params":[{"name":"a","type":"ordinal","values":[7]}]}
    > {"ask": 5}
    {"params":{"a":7}}
    > {"recommend": true}
    {"error":"no trial has been told a value"}
    > {"tell": 0, "value": 1}
    {"error":"trial 0 was never asked for"}
    > {"ask": -1}
    {"error":"\"ask\" must be a trial's number, from 0"}
    > {"tell": 5, "value": "NaN"}
    {"error":"\"value\" must be a finite number, or null for a failed trial"}
    > {"tell": 5, "value": NaN}
    {"error":"the line is not a JSON object: expected value at line 1 column 22"}
    > {"tell": 5, "value": 1e999}
    {"error":"the line is not a JSON object: number out of range at line 1 column 26"}
    > {"tell": 5}
    {"error":"\"value\" must be a finite number, or null for a failed trial"}
    > {"ask": 5}
    {"error":"trial 5 has already been asked for"}
    > {"what": 5}
    {"error":"the line must have one of \"ask\", \"tell\" and \"recommend\""}
    > {"params":[{"name":"b","type":"ordinal","values":[7]}]}
    {"error":"the space has already been described"}
    > {"tell": 5, "value": 1.5}
    > {"tell": 5, "value": 1.5}
    {"error":"trial 5 has already been told"}
    > {"recommend": true}
    {"params":{"a":7}}
    "#);
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
