//! Any bytes are a database whose studies are read, each by itself, or an error that names the file.
#![no_main]

use allometry_store::{SqliteStore, Store as _, StoreError, each_trial};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("trials.db");
    std::fs::write(&path, bytes).expect("file is written");
    let store = match SqliteStore::open_read_only(&path.display().to_string()) {
        Ok(store) => store,
        Err(error) => return assert!(error.to_string().contains("trials.db")),
    };
    for study in store.studies().into_iter().flatten() {
        let read = each_trial(&store, study.id, |_| Ok::<_, StoreError>(()));
        assert!(read.err().is_none_or(|error| !error.to_string().is_empty()));
    }
});
