//! Keys of `[pruner]`, for each kind of pruner.

use super::Absent::{Is, Means, Required};
use super::Key;

pub(crate) const PRUNER: &[Key] = &[
    Key::new("kind", Required, "median", "The pruner. `collapse` has only the check for collapse."),
    Key::new(
        "collapse",
        Means("`false`; `true` with `kind = \"collapse\"`"),
        "3",
        "Whether a trial whose predictions on the validation rows are constant is stopped and \
         marked as collapsed; a number is the number of consecutive epochs.",
    ),
    Key::new(
        "complete_share",
        Is("0.2"),
        "0.5",
        "Share of the trials of a model-free sampler that are exempt from pruning. Probes \
         and the random draws of `gp` and `tpe` are exempt too.",
    ),
];

pub(crate) const COLLAPSE: &[Key] = &[
    Key::new("epochs", Is("5"), "3", "Number of consecutive epochs."),
    Key::new("spread", Is("0.01"), "0.02", "Largest difference of two predictions that counts as constant."),
];

pub(crate) const MEDIAN: &[Key] = &[
    Key::new("n_startup_trials", Is("5"), "9", "Number of complete trials before the first decision."),
    Key::new("n_warmup_steps", Is("0"), "4", "Number of steps of a trial before the first decision."),
    Key::new("interval_steps", Is("1"), "2", "Number of steps per decision."),
    Key::new("n_min_trials", Is("1"), "3", "Number of complete trials that must have reported the step."),
];

pub(crate) const PERCENTILE: &[Key] = &[Key::new(
    "percentile",
    Required,
    "10",
    "Percentile of the complete trials' values that a trial must reach; the best is 0.",
)];

pub(crate) const HALVING: &[Key] = &[
    Key::new(
        "min_resource",
        Means("1/100 of the steps, at least 1"),
        "2",
        "Number of steps to the first rung.",
    ),
    Key::new(
        "reduction_factor",
        Is("4"),
        "3",
        "Inverse of the share that passes a rung; ratio between rungs.",
    ),
    Key::new("min_early_stopping_rate", Is("0"), "1", "Number of rungs skipped at the beginning."),
    Key::new(
        "bootstrap_count",
        Is("0"),
        "4",
        "Number of trials that must reach a rung before any passes it.",
    ),
];

pub(crate) const HYPERBAND: &[Key] = &[
    Key::new(
        "min_resource",
        Is("1"),
        "2",
        "Number of steps to the first rung of the most aggressive bracket.",
    ),
    Key::new(
        "max_resource",
        Means("the largest number of steps"),
        "40",
        "Number of steps of a complete trial.",
    ),
    Key::new(
        "reduction_factor",
        Is("3"),
        "4",
        "Inverse of the share that passes a rung; ratio between rungs.",
    ),
    Key::new(
        "bootstrap_count",
        Is("0"),
        "4",
        "Number of trials that must reach a rung before any passes it.",
    ),
];

pub(crate) const THRESHOLD: &[Key] = &[
    Key::new("lower", Means("no lower bound"), "0.4", "Smallest accepted value."),
    Key::new("upper", Means("no upper bound"), "0.9", "Largest accepted value."),
    Key::new("n_warmup_steps", Is("0"), "4", "Number of steps of a trial before the first decision."),
    Key::new("interval_steps", Is("1"), "2", "Number of steps per decision."),
];

pub(crate) const PATIENCE: &[Key] = &[
    Key::new("patience", Required, "7", "Number of steps to wait."),
    Key::new("min_delta", Is("0"), "0.01", "Largest change that does not count."),
    Key::new(
        "wrapped",
        Means("the trial stops"),
        "{ kind = \"median\" }",
        "Another pruner, which decides after patience is exhausted.",
    ),
];

pub(crate) const WRAPPED: &[Key] = &[Key::new("kind", Required, "hyperband", "The pruner.")];

pub(crate) const WILCOXON: &[Key] = &[
    Key::new("p_threshold", Is("0.1"), "0.05", "Significance level of the test (Wilcoxon 1945)."),
    Key::new("n_startup_steps", Is("2"), "5", "Number of steps before the first decision, at least 2."),
];
