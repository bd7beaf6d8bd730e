//! Studies between stores and files.

#[path = "../support/mod.rs"]
mod support;

mod foreign;
mod optuna;
mod refused;
mod reports;
mod sweep;
