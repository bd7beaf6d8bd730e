//! Pages in a real browser. Chromium and its driver are Debian's `chromium` and `chromium-driver`.
//!
//! A binary of its own: it alone links the client of a browser's driver, and the paintings that it times have
//! no other test beside them.

mod dashboard;
mod driver;
mod report;
