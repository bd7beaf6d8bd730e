//! Pages in a real browser. Chromium and its driver are Debian's `chromium` and `chromium-driver`.

mod dashboard;
mod driver;
#[path = "../support/mod.rs"]
mod support;

mod report;
