//! Any file is a table of data, of one series or of several, with folds or without, or an error.
#![no_main]

use allometry_ladder::{
    DataSpec, FeatureSpec, FoldScheme, FoldSpec, LabelSpec, MissingPolicy, Normalize, SeriesSpec,
    SeriesSplit, SplitSpec, Task,
};
use allometry_trainer::data::load;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("temporary folder");
    let several = SeriesSpec { column: "s".to_owned(), split: SeriesSplit::Time };
    let rolling = FoldSpec { count: 3, scheme: FoldScheme::Rolling, stopping: 0.3 };
    for (name, series, folds) in [
        ("table.csv", None, None),
        ("table.csv", Some(several.clone()), Some(rolling)),
        ("table.parquet", None, Some(rolling)),
        ("table.parquet", Some(several), None),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("file is written");
        let spec = DataSpec {
            path,
            time: Some("date".to_owned()),
            label: LabelSpec::column("y"),
            features: FeatureSpec::default(),
            split: SplitSpec { train: 0.5, validation: 0.25 },
            folds,
            missing: MissingPolicy::Drop,
            max_gap: None,
            series,
        };
        if let Err(error) = load(&spec, 2, Normalize::Standard, Task::Binary) {
            assert!(!error.to_string().is_empty());
        }
    }
});
