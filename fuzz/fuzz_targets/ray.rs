//! Any files are an experiment of Ray Tune that a store takes in, or an error that names it.
#![no_main]

use allometry_store::import::{Assumed, read_all};
use allometry_store::{StoreError, export};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|files: (&[u8], &[u8], &[u8])| {
    let folder = tempfile::tempdir().expect("temporary folder");
    let trial = folder.path().join("trial");
    std::fs::create_dir(&trial).expect("folder is made");
    let (results, params, state) = files;
    for (path, bytes) in [
        (trial.join("result.json"), results),
        (trial.join("params.json"), params),
        (folder.path().join("experiment_state-1.json"), state),
    ] {
        std::fs::write(path, bytes).expect("file is written");
    }
    match read_all(folder.path(), None, &Assumed::default()) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(studies) => {
            for imported in studies {
                let written: Result<String, StoreError> = export::json(&imported.study);
                written.expect("what was read is written");
            }
        }
    }
});
