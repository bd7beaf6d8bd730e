//! Any text is a ladder or an error that can be shown.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(errors) = allometry_ladder::parse(text, Path::new("ladder.toml")) {
        assert!(errors.reports().next().is_some());
    }
});
