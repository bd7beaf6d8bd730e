//! Any text is a journal of Optuna that a store takes in, or an error that names the file.
#![no_main]

use allometry_store::import::{self, Assumed, read_all};
use allometry_store::{StoreError, export, optuna};
use libfuzzer_sys::fuzz_target;

/// What makes a file a journal.
const FIRST: &str = r#"{"op_code": 0, "worker_id": "w", "study_name": "s", "directions": [1]}"#;

fuzz_target!(|text: &str| {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("journal.log");
    std::fs::write(&path, format!("{FIRST}\n{text}")).expect("file is written");
    if let Err(error) = import::read(&path, None, &import::Roles::default()) {
        assert!(error.to_string().contains("journal.log"));
    }
    match read_all(&path, None, &Assumed::default()) {
        Err(error) => assert!(error.to_string().contains("journal.log")),
        Ok(studies) => {
            let storage = optuna::open("sqlite:///:memory:").expect("memory is there");
            for imported in studies {
                let written: Result<String, StoreError> = export::json(&imported.study);
                written.expect("what was read is written");
                if let Err(error) = storage.create_study_with_trials(&imported.study) {
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
});
