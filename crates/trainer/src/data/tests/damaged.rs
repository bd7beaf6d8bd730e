//! Tests with damaged tables.

use std::sync::LazyLock;

use allometry_testkit::Limits;
use proptest::prelude::*;

use super::*;

static CSV: LazyLock<Vec<u8>> = LazyLock::new(|| text(HEADER, &days(24)).into_bytes());

static PARQUET: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let numbers = || floats((0..24).map(f64::from));
    let columns = [("date", numbers()), ("a", numbers()), ("b", numbers()), ("y", alternating(24))];
    let table = Table::parquet(&columns);
    std::fs::read(&table.spec.path).expect("the table was written")
});

/// Limits on the cost of loading a damaged table, from the undamaged Parquet file, which is slower than the
/// CSV file.
static LIMITS: LazyLock<Limits> = LazyLock::new(|| {
    let table = Table::empty("t.parquet");
    std::fs::write(&table.spec.path, &*PARQUET).expect("file is written");
    Limits::of(|| drop(table.load(2)))
});

/// A table by pyarrow whose every second column is compressed by Brotli.
static BROTLI: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle");
    std::fs::read(format!("{folder}/parquet-arrow.parquet")).expect("is beside the script")
});

/// Loads a damaged table, which must succeed or fail with a message.
fn load_bytes(name: &str, bytes: &[u8], missing: MissingPolicy) -> Result<(), TestCaseError> {
    let table = Table::empty(name).with(|spec| spec.missing = missing);
    std::fs::write(&table.spec.path, bytes).expect("file is written");
    match LIMITS.hold(|| table.load(2)) {
        Ok(loaded) => prop_assert!(loaded.dataset.train.windows.len() <= 2 * 24),
        Err(error) => prop_assert!(!error.to_string().is_empty()),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn csv(bytes in allometry_testkit::damaged(CSV.clone()), drop: bool) {
        let missing = if drop { MissingPolicy::Drop } else { MissingPolicy::Error };
        load_bytes("t.csv", &bytes, missing)?;
    }

    #[test]
    fn parquet(bytes in allometry_testkit::damaged(PARQUET.clone())) {
        load_bytes("t.parquet", &bytes, MissingPolicy::Drop)?;
    }

    #[test]
    fn brotli(bytes in allometry_testkit::damaged(BROTLI.clone())) {
        let table = Table::empty("t.parquet").with(|spec| {
            spec.time = None;
            spec.missing = MissingPolicy::Drop;
            let include = ["int8", "int16", "int32", "int64", "float32", "float64", "boolean"];
            spec.features.include = Some(include.map(String::from).to_vec());
        });
        std::fs::write(&table.spec.path, &bytes).expect("file is written");
        match LIMITS.hold(|| table.load(2)) {
            Ok(loaded) => prop_assert!(loaded.dataset.train.windows.len() <= 2 * 24),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
