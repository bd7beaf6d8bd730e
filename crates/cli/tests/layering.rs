//! Tests of the layers of the workspace: a crate imports only crates to its left.
//!
//! They are a separate binary that does not link the program.

use std::collections::BTreeMap;
use std::process::Command;

/// The crates that each crate may import directly. `testkit` serves the tests of every crate.
const ALLOWED: &[(&str, &[&str])] = &[
    ("allometry-core", &[]),
    ("allometry-admission", &[]),
    ("allometry-ladder", &["allometry-core"]),
    ("allometry-search", &["allometry-core"]),
    ("allometry-store", &["allometry-core", "allometry-ladder"]),
    ("allometry-grpc", &["allometry-admission", "allometry-core", "allometry-store"]),
    ("allometry-sweep", &["allometry-core", "allometry-ladder", "allometry-store"]),
    ("allometry-trainer", &["allometry-core", "allometry-ladder"]),
    ("allometry-gpu", &["allometry-core", "allometry-ladder", "allometry-trainer"]),
    ("allometry-runner", &["allometry-core", "allometry-ladder", "allometry-search", "allometry-store"]),
    ("allometry-analysis", &["allometry-core", "allometry-search"]),
    ("allometry-report", &["allometry-core", "allometry-analysis"]),
    ("allometry-study", &["allometry-core", "allometry-ladder", "allometry-store", "allometry-analysis"]),
    (
        "allometry-session",
        &[
            "allometry-core",
            "allometry-ladder",
            "allometry-search",
            "allometry-store",
            "allometry-trainer",
            "allometry-gpu",
            "allometry-runner",
            "allometry-analysis",
            "allometry-study",
        ],
    ),
    (
        "allometry-server",
        &[
            "allometry-admission",
            "allometry-core",
            "allometry-search",
            "allometry-store",
            "allometry-analysis",
            "allometry-report",
            "allometry-study",
        ],
    ),
    (
        "allometry",
        &[
            "allometry-core",
            "allometry-ladder",
            "allometry-search",
            "allometry-store",
            "allometry-sweep",
            "allometry-grpc",
            "allometry-trainer",
            "allometry-gpu",
            "allometry-runner",
            "allometry-analysis",
            "allometry-report",
            "allometry-study",
            "allometry-server",
            "allometry-session",
        ],
    ),
    ("allometry-testkit", &[]),
];

/// Crates that the tests of a crate may import in addition.
const IN_TESTS: &[(&str, &str)] = &[("allometry-search", "allometry-ladder")];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .expect("cargo runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

#[test]
fn crates_import_only_crates_to_their_left() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let metadata = metadata();
    let members = metadata["workspace_members"].as_array().unwrap();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        if !members.contains(&package["id"]) {
            continue;
        }
        seen += 1;
        let name = package["name"].as_str().unwrap();
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("{name} has no place in the layering"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let target = dependency["name"].as_str().unwrap();
            let for_tests = dependency["kind"].as_str() == Some("dev");
            let is_for_tests = target == "allometry-testkit" || IN_TESTS.contains(&(name, target));
            if target.starts_with("allometry") && !(for_tests && is_for_tests) {
                assert!(allowed.contains(&target), "{name} imports {target}");
            }
        }
    }
    assert_eq!(seen, ALLOWED.len(), "every crate of the layering is in the workspace");
}

/// Every dependency has a licence that allows distribution under MIT or Apache-2.0.
#[test]
fn dependencies_have_permissive_licences() {
    const PERMISSIVE: &[&str] = &[
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unlicense",
        "Unicode-3.0",
        "CC0-1.0",
        "0BSD",
        "MIT-0",
        "BSL-1.0",
        "blessing",
    ];
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or("none stated");
        // `A OR B` needs one permissive licence, `A AND B` needs all; `/` is the former spelling of OR.
        let normal = licence.replace('/', " OR ").replace(['(', ')'], " ");
        let permitted = normal.split(" AND ").all(|part| {
            part.split(" OR ")
                .any(|choice| PERMISSIVE.contains(&choice.trim().trim_end_matches(" WITH LLVM-exception")))
        });
        assert!(permitted, "{} {} has licence {licence}", package["name"], package["version"]);
    }
}
