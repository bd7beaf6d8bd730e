//! Tests of the pages in a real browser, Debian's `chromium` with `chromium-driver`.
//!
//! They are a separate binary, because only they link the client of the web driver, and because no other test
//! may run while they measure painting times.

mod dashboard;
mod driver;
mod report;
mod selection;
