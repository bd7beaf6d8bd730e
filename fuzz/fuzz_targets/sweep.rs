//! Any text is a sweep that becomes a valid ladder, or an error.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(converted) = allometry_sweep::convert(text, "sweep") {
        allometry_ladder::parse(&converted.ladder, Path::new("ladder.toml")).expect("the ladder is valid");
    }
});
