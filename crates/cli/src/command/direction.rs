//! `--direction`.

use allometry_core::Direction;
use clap::ValueEnum;

/// Which values of an objective are better.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum DirectionArg {
    #[value(alias = "max")]
    Maximize,
    #[value(alias = "min")]
    Minimize,
}

impl From<DirectionArg> for Direction {
    fn from(direction: DirectionArg) -> Self {
        match direction {
            DirectionArg::Maximize => Self::Maximize,
            DirectionArg::Minimize => Self::Minimize,
        }
    }
}
