//! Any bytes are a checkpoint or an error that names the file, in the memory that the file has.
#![no_main]

use allometry_trainer::checkpoint::Checkpoint;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("c.safetensors");
    std::fs::write(&path, bytes).expect("file is written");
    if let Err(error) = Checkpoint::load(&path) {
        assert!(error.to_string().contains("c.safetensors"));
    }
});
