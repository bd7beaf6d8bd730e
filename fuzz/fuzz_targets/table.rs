//! Any file is a table of data, of one series or of several, or an error.
#![no_main]

use allometry_ladder::{
    DataSpec, FeatureSpec, LabelSpec, MissingPolicy, Normalize, SeriesSpec, SeriesSplit, SplitSpec, Task,
};
use allometry_trainer::data::load;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("temporary folder");
    let several = SeriesSpec { column: "s".to_owned(), split: SeriesSplit::Time };
    for (name, series) in [
        ("table.csv", None),
        ("table.csv", Some(several.clone())),
        ("table.parquet", None),
        ("table.parquet", Some(several)),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("file is written");
        let spec = DataSpec {
            path,
            time: Some("date".to_owned()),
            label: LabelSpec::column("y"),
            features: FeatureSpec::default(),
            split: SplitSpec { train: 0.5, validation: 0.25 },
            missing: MissingPolicy::Drop,
            max_gap: None,
            series,
        };
        if let Err(error) = load(&spec, 2, Normalize::Standard, Task::Binary) {
            assert!(!error.to_string().is_empty());
        }
    }
});
