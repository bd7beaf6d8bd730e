//! Damaged ladder files.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// A damaged file is a ladder all the same, or an error with at least one problem that can be shown with its place.
    #[test]
    fn every_problem_can_be_shown(bytes in allometry_testkit::damaged(SAMPLE.as_bytes().to_vec())) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(errors) = parse(&text, Path::new("ladder.toml")) {
            let shown: Vec<String> = errors.reports().map(|report| format!("{report:?}")).collect();
            prop_assert!(!shown.is_empty());
            prop_assert!(shown.iter().all(|one| one.contains("ladder.toml")), "{shown:?}");
        }
    }
}
