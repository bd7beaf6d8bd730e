//! Any file is a table of data or an error.
#![no_main]

use allometry_ladder::{DataSpec, FeatureSpec, LabelSpec, MissingPolicy, Normalize, SplitSpec, Task};
use allometry_trainer::data::load;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("temporary folder");
    for name in ["table.csv", "table.parquet"] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("file is written");
        let spec = DataSpec {
            path,
            time: Some("date".to_owned()),
            label: LabelSpec::column("y"),
            features: FeatureSpec::default(),
            split: SplitSpec { train: 0.5, validation: 0.25 },
            missing: MissingPolicy::Drop,
        };
        if let Err(error) = load(&spec, 2, Normalize::Standard, Task::Binary) {
            assert!(!error.to_string().is_empty());
        }
    }
});
