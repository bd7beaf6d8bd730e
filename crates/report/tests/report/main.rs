//! Reports against references, oracles and snapshots.

mod brief;
mod classic;
mod comparison;
mod full;
mod json;
mod lint;
mod mutation;
mod property;
mod seed;
mod support;
mod terminal;
