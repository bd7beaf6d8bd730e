//! Studies between stores and files.

mod foreign;
mod optuna;
mod refused;
mod reports;
mod sweep;
