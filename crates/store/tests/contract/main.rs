//! Contract tests for all stores.

mod concurrent;
mod crash;
mod postgres;
mod rules;
mod support;
