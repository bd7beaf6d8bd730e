//! Any text is a report document or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(document) = allometry_report::read_json(text) {
        assert!(!allometry_report::full(&document, &allometry_report::Pictures::none()).is_empty());
    }
});
