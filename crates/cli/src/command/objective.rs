//! What commands that read trials let the command line say of them.

use allometry_core::Direction;
use allometry_study::{Names, Objective, Said};
use clap::Args;

/// What the trials of other programs are after, and what the columns of their tables hold, where their files
/// do not say.
#[derive(Debug, Args)]
pub(super) struct ObjectiveArgs {
    /// The metric: the column or field that holds the values of a table, and its name in the report; LABEL=NAME for one source.
    #[arg(long, value_name = "[LABEL=]NAME")]
    pub(super) metric: Vec<Said<String>>,

    /// Which values are better, maximize or minimize, where neither the source nor the metric's name says; LABEL=DIRECTION for
    /// one source. Of several objectives, given once for each, or as NAME=DIRECTION by their names.
    #[arg(long, value_name = "[LABEL=]DIRECTION", visible_alias = "mode")]
    pub(super) direction: Vec<Said<Direction>>,

    /// The columns or fields of a table that are hyperparameters, such as lr,depth; all others are then
    /// metrics or attributes. LABEL=NAMES for one source.
    #[arg(long, value_name = "[LABEL=]NAMES")]
    pub(super) params: Vec<Said<Names>>,

    /// The column, field or user attribute that holds the number of the model's weights; LABEL=NAME for one
    /// source.
    #[arg(long, value_name = "[LABEL=]NAME")]
    pub(super) size: Vec<Said<String>>,
}

impl ObjectiveArgs {
    /// What the options say, for readers of trials; `is_auc` where another option speaks of an AUC.
    pub(super) fn of_an_auc(&self, is_auc: bool) -> Objective<'_> {
        Objective {
            metrics: &self.metric,
            directions: &self.direction,
            params: &self.params,
            sizes: &self.size,
            is_auc,
            otherwise: None,
        }
    }

    /// The name of the first option that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--metric", self.metric.is_empty()),
            ("--direction", self.direction.is_empty()),
            ("--params", self.params.is_empty()),
            ("--size", self.size.is_empty()),
        ];
        options.into_iter().find(|(_, is_absent)| !is_absent).map(|(option, _)| option)
    }
}
