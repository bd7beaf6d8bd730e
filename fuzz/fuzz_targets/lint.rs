//! Any text is a classic report that can be weighed, or an error with its line.
#![no_main]

use allometry_analysis::{Knowledge, Options, lint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(report) = allometry_report::classic::read(text) {
        let found = lint(&report, &Knowledge::default(), &Options::default());
        assert!(!allometry_report::lint(&found, "report.md").is_empty());
    }
});
