//! `--metric` and `--direction` of commands that read trials.

use clap::Args;

use super::direction::DirectionArg;
use crate::source::{Objective, Said};

/// What trials are after, where their files do not say.
#[derive(Debug, Args)]
pub(super) struct ObjectiveArgs {
    /// The metric: the column or field that holds the values of a table, and its name in the report; LABEL=NAME for one source.
    #[arg(long, value_name = "[LABEL=]NAME")]
    pub(super) metric: Vec<Said<String>>,

    /// Which values are better, maximize or minimize, where neither the source nor the metric's name says; LABEL=DIRECTION for one source.
    #[arg(long, value_name = "[LABEL=]DIRECTION", visible_alias = "mode")]
    pub(super) direction: Vec<Said<DirectionArg>>,
}

impl ObjectiveArgs {
    /// The same as readers take it; `is_auc` where another option speaks of an AUC.
    pub(super) fn of_an_auc(&self, is_auc: bool) -> Objective<'_> {
        Objective { metrics: &self.metric, directions: &self.direction, is_auc, otherwise: None }
    }
}
