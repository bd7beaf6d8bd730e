//! The JSON document: its committed schema, its precision, what it does with odd input.

use allometry_analysis::{Knowledge, Options, analyze, lint};
use allometry_report::{
    Pictures, ReadError, ReportDocument, classic, full, json, json_schema, lint_json, lint_schema, read_json,
    words,
};
use serde_json::{Value, json as value};

use crate::support;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/report.schema.json");
const LINT_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/lint.schema.json");

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    support::assert_committed(SCHEMA, &json_schema());
    support::assert_committed(LINT_SCHEMA, &lint_schema());
}

#[test]
fn a_document_reads_back_to_the_last_digit() {
    for ladder in [support::synthetic(), support::odd()] {
        let analysis = analyze(&ladder, &Options::default());
        let document: ReportDocument = serde_json::from_str(&json(&analysis)).unwrap();
        assert_eq!(document.analysis, words::analysis(&analysis));
    }
}

#[test]
fn documents_satisfy_the_schema() {
    let documents =
        [support::synthetic(), support::odd()].map(|ladder| json(&analyze(&ladder, &Options::default())));
    support::assert_valid("documents_satisfy_the_schema", SCHEMA, &documents);
    let lints: Vec<String> = [support::synthetic(), support::odd()]
        .iter()
        .filter_map(|ladder| classic::read(&classic(ladder)).ok())
        .map(|report| lint_json(&lint(&report, &Knowledge::default(), &Options::default()), "report.md"))
        .collect();
    assert!(!lints.is_empty());
    support::assert_valid("documents_satisfy_the_schema", LINT_SCHEMA, &lints);
}

/// What is absent stays absent, what is a number stays that number, whichever template the analysis was made
/// for.
#[test]
fn the_seeds_report_reads_back_to_the_last_digit() {
    let Some(ladder) = support::seed("the_seeds_report_reads_back_to_the_last_digit") else { return };
    let mut sized = support::with_seed_sizes(ladder.clone());
    sized.rows = Some(allometry_core::ClassCounts { positives: 76, negatives: 346 });
    for ladder in [ladder, sized] {
        for options in [Options::default(), Options { permutations: 0, bootstraps: 0, ..Options::default() }]
        {
            let analysis = analyze(&ladder, &options);
            let text = json(&analysis);
            let read = read_json(&text).unwrap();
            assert_eq!(read, words::analysis(&analysis));
            assert_eq!(json(&read), text);
            let markdown = |analysis| full(analysis, &Pictures::none());
            assert_eq!(markdown(&read), markdown(&analysis));
        }
    }
}

#[test]
fn what_is_no_report_is_told_apart() {
    let whole = json(&analyze(&support::synthetic(), &Options::default()));
    let cut = &whole[..whole.len() / 2];
    assert!(matches!(read_json(cut), Err(ReadError::Json(_))));
    assert!(matches!(read_json(""), Err(ReadError::Json(_))));
    for other in ["[]", "7", "{}", r#"{"schema": 1}"#, r#"{"schema": "allometry.comparison/1"}"#] {
        assert!(matches!(read_json(other), Err(ReadError::NotAReport { .. })), "{other}");
    }
    let changed = |change: fn(&mut Value)| {
        let mut document: Value = serde_json::from_str(&whole).unwrap();
        change(&mut document);
        read_json(&document.to_string())
    };
    let newer = changed(|document| document["schema"] = value!("allometry.report/2")).unwrap_err();
    assert!(matches!(&newer, ReadError::Newer { found } if found == "allometry.report/2"));
    let missing = changed(|document| {
        document.as_object_mut().unwrap().remove("metric");
    });
    assert!(missing.unwrap_err().to_string().contains("`metric`"));
    for level in [value!(1.0), value!(0), value!(-3), value!(1e300)] {
        let mut document: Value = serde_json::from_str(&whole).unwrap();
        document["options"]["level"] = level;
        let error = read_json(&document.to_string()).unwrap_err().to_string();
        assert!(error.contains("options.level"), "{error}");
    }
}
