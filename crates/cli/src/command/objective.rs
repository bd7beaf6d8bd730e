//! The options that describe the trials of other programs.

use allometry_core::Direction;
use allometry_study::{Named, Names, Objective};
use clap::Args;

/// The options on the objective and the columns of trials of other programs, for files that do not record
/// them.
#[derive(Debug, Args)]
pub(super) struct ObjectiveArgs {
    /// Name of the metric in the report, and of the column or field that holds its values in a table. With
    /// LABEL=NAME it applies to one source.
    #[arg(long, value_name = "[LABEL=]NAME")]
    pub(super) metric: Vec<Named<String>>,

    /// Whether larger or smaller values are better, maximize or minimize, if neither the source nor the name
    /// of the metric says so. With LABEL=DIRECTION it applies to one source. For several objectives give it
    /// once for each in order, or as NAME=DIRECTION.
    #[arg(long, value_name = "[LABEL=]DIRECTION", visible_alias = "mode")]
    pub(super) direction: Vec<Named<Direction>>,

    /// Columns or fields of a table that are hyperparameters, such as lr,depth; all others then count as
    /// metrics or attributes. With LABEL=NAMES it applies to one source.
    #[arg(long, value_name = "[LABEL=]NAMES")]
    pub(super) params: Vec<Named<Names>>,

    /// Column, field or user attribute that holds the number of the model's weights. With LABEL=NAME it
    /// applies to one source.
    #[arg(long, value_name = "[LABEL=]NAME")]
    pub(super) size: Vec<Named<String>>,
}

impl ObjectiveArgs {
    /// Returns the options for readers of trials; `is_auc` if another option implies that the metric is an
    /// AUC.
    pub(super) fn to_objective(&self, is_auc: bool) -> Objective<'_> {
        Objective {
            metrics: &self.metric,
            directions: &self.direction,
            params: &self.params,
            sizes: &self.size,
            is_auc,
            otherwise: None,
            elsewhere: None,
        }
    }

    /// Returns the name of the first option that is given, `--direction` last.
    pub(super) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--metric", self.metric.is_empty()),
            ("--params", self.params.is_empty()),
            ("--size", self.size.is_empty()),
            ("--direction", self.direction.is_empty()),
        ];
        options.into_iter().find(|(_, is_absent)| !is_absent).map(|(option, _)| option)
    }
}
