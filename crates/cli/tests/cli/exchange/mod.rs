//! Tests of copying studies between storages and files.

mod foreign;
mod optuna;
mod refused;
mod reports;
mod sweep;
