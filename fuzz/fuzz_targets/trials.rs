//! Any file is a study of another program or an error that names it.
#![no_main]

use allometry_store::import;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("temporary folder");
    for name in ["trials.json", "trials.csv", "trials.yaml"] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("file is written");
        if let Err(error) = import::read(&path, None, &import::Roles::default()) {
            assert!(error.to_string().contains(name));
        }
    }
});
