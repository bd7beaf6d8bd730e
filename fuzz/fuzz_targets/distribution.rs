//! Any text is a distribution that is written as it is read, or is refused in words.
#![no_main]

use allometry_store::distribution;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match distribution::parse(text) {
    Ok(set) => {
        let _ = set.levels().map(|levels| (levels.len(), levels.get(levels.len() / 2)));
        assert!(distribution::parse(&distribution::write(&set)).is_ok());
    }
    Err(problem) => assert!(!problem.is_empty()),
});
