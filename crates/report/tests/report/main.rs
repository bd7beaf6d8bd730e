//! Reports against references, oracles and snapshots.

mod classic;
mod full;
mod json;
mod lint;
mod mutation;
mod property;
mod seed;
mod support;
