//! Damaged ladder files.

use std::sync::LazyLock;

use allometry_testkit::Limits;
use proptest::prelude::*;

use super::*;

/// Limits on time and memory of reading a damaged file.
static LIMITS: LazyLock<Limits> =
    LazyLock::new(|| Limits::of(|| drop(parse(SAMPLE, Path::new("ladder.toml")).unwrap())));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// A damaged file is either a ladder or an error with at least one problem that can be shown with its
    /// place.
    #[test]
    fn every_problem_can_be_shown(bytes in allometry_testkit::damaged(SAMPLE.as_bytes().to_vec())) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(errors) = LIMITS.hold(|| parse(&text, Path::new("ladder.toml"))) {
            let shown: Vec<String> = errors.reports().map(|report| format!("{report:?}")).collect();
            prop_assert!(!shown.is_empty());
            prop_assert!(shown.iter().all(|one| one.contains("ladder.toml")), "{shown:?}");
        }
    }
}
