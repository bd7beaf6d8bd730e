//! The JSON document: its committed schema, its precision, what it does with odd input.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use allometry_analysis::{Knowledge, Options, analyze, lint};
use allometry_report::{ReportDocument, classic, json, json_schema, lint_json, lint_schema};

use crate::support;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/report.schema.json");
const LINT_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/lint.schema.json");

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (path, schema) in [(SCHEMA, json_schema()), (LINT_SCHEMA, lint_schema())] {
        let generated = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var("ALLOMETRY_BLESS").as_deref() == Ok("1") {
            std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
            std::fs::write(path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == generated, "{path} is stale: ALLOMETRY_BLESS=1 cargo test -p allometry-report");
    }
}

#[test]
fn a_document_reads_back_to_the_last_digit() {
    for ladder in [support::synthetic(), support::odd()] {
        let analysis = analyze(&ladder, &Options::default());
        let document: ReportDocument = serde_json::from_str(&json(&analysis)).unwrap();
        assert_eq!(document.analysis, analysis);
    }
}

#[test]
fn documents_satisfy_the_schema() {
    let Some(python) = allometry_testkit::python_with("documents_satisfy_the_schema", "jsonschema") else {
        return;
    };
    let program = "import json, sys, jsonschema\n\
                   schema = json.load(open(sys.argv[1]))\n\
                   check = jsonschema.validators.validator_for(schema)\n\
                   check.check_schema(schema)\n\
                   check(schema).validate(json.load(sys.stdin))";
    let mut documents = Vec::new();
    for ladder in [support::synthetic(), support::odd()] {
        documents.push((SCHEMA, json(&analyze(&ladder, &Options::default()))));
        if let Ok(report) = classic::read(&classic(&ladder)) {
            let found = lint(&report, &Knowledge::default(), &Options::default());
            documents.push((LINT_SCHEMA, lint_json(&found, "report.md")));
        }
    }
    for (schema, document) in documents {
        let mut child = Command::new(&python)
            .args(["-c", program, schema])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
