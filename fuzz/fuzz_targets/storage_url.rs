//! Any text is a storage's URL or an error with a hint, and no message shows a password.
#![no_main]

use allometry_store::url;
use libfuzzer_sys::fuzz_target;

const PASSWORD: &str = "s3cr3t-Pa55";

fuzz_target!(|text: &str| {
    if let Err(error) = url::parse(text) {
        assert!(error.to_string().starts_with("cannot open") && error.hint().is_some());
    }
    let shown = url::redact(text);
    assert_eq!(url::redact(&shown), shown);
    // A host or a database that is named as the password is no secret.
    if text.contains(PASSWORD) {
        return;
    }
    // Whatever stands around it, also where nothing is escaped as it should be.
    for url in [
        format!("postgresql://me:{PASSWORD}{text}@host/db"),
        format!("postgresql://me:{PASSWORD}@{text}"),
        format!("postgres://host/{}?password={PASSWORD}", text.replace(['?', '@', ':'], "")),
    ] {
        assert!(!url::redact(&url).contains(PASSWORD), "{url}");
        if let Err(error) = url::parse(&url) {
            assert!(!error.to_string().contains(PASSWORD), "{url}");
        }
    }
});
