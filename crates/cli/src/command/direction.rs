//! The values of the option `--direction`.

use std::str::FromStr;

use allometry_core::Direction;
use clap::ValueEnum;

/// Whether larger or smaller values of an objective are better.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DirectionArg {
    #[value(alias = "max")]
    Maximize,
    #[value(alias = "min")]
    Minimize,
}

impl FromStr for DirectionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false).map_err(|_| "expected maximize or minimize".into())
    }
}

impl From<DirectionArg> for Direction {
    fn from(direction: DirectionArg) -> Self {
        match direction {
            DirectionArg::Maximize => Self::Maximize,
            DirectionArg::Minimize => Self::Minimize,
        }
    }
}
