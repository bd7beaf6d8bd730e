//! One contract over every store.

mod concurrent;
mod crash;
mod rules;
mod support;
