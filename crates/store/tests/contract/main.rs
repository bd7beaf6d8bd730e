//! One contract over every store.

mod concurrent;
mod crash;
mod postgres;
mod rules;
mod support;
