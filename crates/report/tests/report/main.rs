//! Reports against references, oracles and snapshots.

mod classic;
mod json;
mod support;
