//! What each key of a ladder file means, and what it is when the file does not give it.

/// One table of the ladder file.
pub(crate) struct Table {
    pub(crate) heading: &'static str,
    /// What stands above the keys.
    pub(crate) about: &'static str,
    /// What stands below them.
    pub(crate) after: &'static str,
    /// Dotted path, empty for the top of the file.
    pub(crate) at: &'static str,
    /// A ladder that has the table, with its required keys alone.
    pub(crate) base: &'static str,
    pub(crate) keys: &'static [Key],
    /// Keys of this table that another entry describes.
    pub(crate) shared: &'static [&'static str],
    /// Keys that the parser reads before it looks for unknown ones.
    pub(crate) unlisted: &'static [&'static str],
}

/// One key.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) absent: Absent,
    pub(crate) meaning: &'static str,
    /// A value other than the default, as TOML.
    pub(crate) example: &'static str,
    /// Settings without which the key means nothing.
    pub(crate) beside: &'static [(&'static str, &'static str)],
    /// What it takes beside what the parser's message names.
    pub(crate) takes: &'static str,
    /// In the place of the table's base.
    pub(crate) base: Option<&'static str>,
    /// Whether the table that it takes may have any keys.
    pub(crate) is_free_table: bool,
    /// Whether there is only one value.
    pub(crate) is_ignored: bool,
}

/// What holds without the key.
#[derive(Clone, Copy)]
pub(crate) enum Absent {
    Required,
    /// A value, as TOML.
    Is(&'static str),
    Means(&'static str),
}

use Absent::{Is, Means, Required};

use crate::tables::{COMMAND, FLOAT, PATTERN};

impl Table {
    pub(crate) const fn new(
        heading: &'static str,
        at: &'static str,
        base: &'static str,
        keys: &'static [Key],
    ) -> Self {
        Self { heading, about: "", after: "", at, base, keys, shared: &[], unlisted: &[] }
    }

    pub(crate) const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub(crate) const fn after(self, after: &'static str) -> Self {
        Self { after, ..self }
    }

    pub(crate) const fn shared(self, shared: &'static [&'static str]) -> Self {
        Self { shared, ..self }
    }

    pub(crate) const fn unlisted(self, unlisted: &'static [&'static str]) -> Self {
        Self { unlisted, ..self }
    }

    /// The ladder in which `key` is tried.
    pub(crate) fn base_of(&self, key: &Key) -> &'static str {
        key.base.unwrap_or(self.base)
    }
}

impl Key {
    const fn new(name: &'static str, absent: Absent, example: &'static str, meaning: &'static str) -> Self {
        let (beside, takes, base): (&[(&str, &str)], _, _) = (&[], "", None);
        Self { name, absent, meaning, example, beside, takes, base, is_free_table: false, is_ignored: false }
    }

    const fn beside(self, beside: &'static [(&'static str, &'static str)]) -> Self {
        Self { beside, ..self }
    }

    const fn takes(self, takes: &'static str) -> Self {
        Self { takes, ..self }
    }

    const fn base(self, base: &'static str) -> Self {
        Self { base: Some(base), ..self }
    }

    const fn free(self) -> Self {
        Self { is_free_table: true, ..self }
    }

    const fn ignored(self) -> Self {
        Self { is_ignored: true, ..self }
    }
}

pub(crate) const TOP: &[Key] = &[
    Key::new(
        "name",
        Required,
        "m",
        "Name of the ladder; its studies are called `NAME/LABEL`. It has no `/` and no `\\`.",
    ),
    Key::new(
        "tag",
        Means("none"),
        "prices",
        "Name of the data set or of the set of features, for titles of reports.",
    ),
    Key::new(
        "trials",
        Is("50"),
        "20",
        "Trials of each budget that end with a value: complete ones and those stopped early.",
    ),
    Key::new("seed", Is("42"), "7", "Seed from which every other seed is derived."),
    Key::new(
        "metric",
        Means("the task's: `\"auc\"`, or `\"r2\"` for numbers; `\"value\"` of a program"),
        "[\"auc\", \"seconds\"]",
        "Name of what is optimised, or a list of several [objectives](search.md#several-objectives). \
         The first objective of the built-in model is its task's metric.",
    ),
    Key::new(
        "direction",
        Is("\"maximize\""),
        "\"minimize\"",
        "Which values of a program's metric are better; a list for several objectives, which then \
         is required. The built-in model's metrics have their own.",
    )
    .takes("a list of these")
    .base(COMMAND),
    Key::new(
        "limits",
        Means("none"),
        "[\"auc >= 0.6\"]",
        "[Limits](search.md#limits) of what a trial reports; a trial that breaks one is \
         infeasible.",
    )
    .takes("text for a single one"),
    Key::new(
        "smallest_effect",
        Means("a fifth of the spread between configurations"),
        "0.002",
        "[Smallest effect of interest](search.md#the-smallest-effect-of-interest), in units of the metric.",
    ),
    Key::new("data", Required, "{ path = \"other.csv\", label = \"up\" }", "Rows; not with `[command]`."),
    Key::new(
        "model",
        Required,
        "{ context = 40, patch = 8, stride = 8 }",
        "Built-in model; not with `[command]`.",
    ),
    Key::new(
        "command",
        Means("the built-in model"),
        "{ run = [\"other\"] }",
        "Program that trains, in the place of `[data]` and `[model]`.",
    )
    .base(COMMAND),
    Key::new(
        "space",
        Means("empty; each budget has its own"),
        "{ d_model = [16], n_layers = [1], n_heads = [2] }",
        "What may vary at every budget.",
    ),
    Key::new(
        "budget",
        Required,
        "[{ label = \"M\", weights = 5000 }]",
        "Sizes, at least one, each with its own label.",
    ),
    Key::new("sampler", Means("`gp`"), "{ kind = \"tpe\" }", "How configurations are chosen."),
    Key::new("stop", Means("after `trials`"), "{ expected_gain = 0.001 }", "When a study ends early."),
    Key::new(
        "pruner",
        Means("no trial is stopped"),
        "{ kind = \"median\" }",
        "How trials are stopped early; not with several objectives.",
    ),
    Key::new(
        "storage",
        Means("`trials.db` beside the file"),
        "{ url = \"x.db\" }",
        "Where trials are stored.",
    ),
    Key::new(
        "confirm",
        Means("no confirmation"),
        "{ top = 2 }",
        "Training of the best configurations on fresh seeds, scored on test rows.",
    ),
];

pub(crate) const DATA: &[Key] = &[
    Key::new("path", Required, "other.csv", "`.csv` or `.parquet` file with one row per time step."),
    Key::new("time", Means("the file's order"), "date", "Column that orders the rows."),
    Key::new(
        "label",
        Required,
        "down",
        "What is predicted: a column's value, or [whether a threshold is reached](#datalabel).",
    ),
    Key::new(
        "horizon",
        Is("1"),
        "5",
        "Rows ahead that the label looks. Give it for a column that was computed over several \
         rows, such as the return of the next five days.",
    ),
    Key::new("features", Means("all numeric columns"), "{ exclude = [\"x\"] }", "What it is predicted from."),
    Key::new(
        "split",
        Means("0.7 and 0.15"),
        "{ train = 0.6 }",
        "Shares of the training and validation parts.",
    ),
    Key::new(
        "na",
        Is("\"error\""),
        "\"drop\"",
        "What happens to rows with missing or infinite features: the command refuses them, or \
         leaves them out before windows are cut.",
    ),
];

pub(crate) const LABEL: &[Key] = &[
    Key::new("rise", Required, "0.02", "Relative rise that is asked for."),
    Key::new("of", Required, "other", "Column that must reach the threshold."),
    Key::new("over", Required, "other", "Column that the threshold is measured from."),
    Key::new(
        "horizon",
        Means("`horizon` of `[data]`"),
        "5",
        "Rows ahead; it stands in one of the two tables.",
    ),
];

pub(crate) const FEATURES: &[Key] = &[
    Key::new("include", Means("all numeric columns"), "[\"a\", \"b\"]", "Only these columns, in this order."),
    Key::new("exclude", Is("[]"), "[\"a\"]", "Columns that are left out."),
];

pub(crate) const SPLIT: &[Key] = &[
    Key::new("train", Is("0.7"), "0.6", "Share of the training part."),
    Key::new("validation", Is("0.15"), "0.2", "Share of the validation part."),
];

pub(crate) const MODEL_KEYS: &[Key] = &[
    Key::new("kind", Is("\"patchtst\""), "\"patchtst\"", "The model (Nie et al. 2023).").ignored(),
    Key::new("context", Required, "96", "Rows in a window."),
    Key::new("patch", Required, "8", "Rows in a patch, at most `context`."),
    Key::new("stride", Required, "4", "Rows from one patch to the next."),
    Key::new(
        "task",
        Is("\"binary\""),
        "\"regression\"",
        "What is learned of the label: 0 or 1; a whole number from 0; any number, scaled by the \
         training part and reported in its own units.",
    ),
    Key::new(
        "normalize",
        Is("\"standard\""),
        "\"none\"",
        "How inputs are scaled: by the training part; each window by itself (Kim et al. 2022), \
         which removes the level; not at all.",
    ),
    Key::new(
        "revin_affine",
        Is("false"),
        "true",
        "After `revin`, a learned factor and shift for each feature.",
    )
    .beside(&[("model.normalize", "revin")]),
    Key::new(
        "channels",
        Is("\"mixed\""),
        "\"independent\"",
        "A patch holds all features; or each feature is a series of its own that shares the \
         encoder and meets the others in the head.",
    ),
    Key::new(
        "feature_embedding",
        Is("0"),
        "8",
        "Columns of a learned linear map of a row's features, before patches are cut; 0 for no \
         map. It saves weights where features are many.",
    ),
    Key::new("head", Is("\"flatten\""), "\"mean\"", "The head sees all patches, or their mean."),
    Key::new("head_dropout", Is("0"), "0.2", "Dropout of the head's input."),
    Key::new(
        "loss",
        Is("\"bce\""),
        "\"soft_auc\"",
        "Loss of a binary label: cross-entropy; with positive windows weighted; focal (Lin et al. \
         2017); the mean of log(1 + exp(z- - z+)) over all pairs of a batch, which is consistent \
         with the AUC (Gao & Zhou 2015) and whose predictions rank but are not calibrated.",
    ),
    Key::new(
        "positive_weight",
        Means("the training part's negatives per positive"),
        "2.5",
        "Weight of positive windows in the loss `weighted`.",
    )
    .beside(&[("model.loss", "weighted")]),
    Key::new("focal_gamma", Is("2"), "1.5", "Exponent of the loss `focal`.")
        .beside(&[("model.loss", "focal")]),
    Key::new(
        "label_smoothing",
        Is("0"),
        "0.1",
        "Share by which labels are moved towards all classes alike; for classes, and not with \
         `soft_auc`.",
    ),
    Key::new("epochs", Is("50"), "20", "Most epochs of a trial."),
    Key::new("patience", Is("10"), "3", "Epochs without an improvement after which a trial stops."),
    Key::new("minimum_gain", Is("0"), "0.001", "Gain in the monitored metric that counts as an improvement."),
    Key::new(
        "collapse_epochs",
        Is("0"),
        "5",
        "A trial whose predictions were constant in this many epochs in a row stops as collapsed; \
         0 for never.",
    ),
    Key::new(
        "monitor",
        Means("the task's metric"),
        "\"brier\"",
        "Metric that early stopping watches and by which the best epoch is kept, each in its own \
         direction. The trial's value stays the task's metric.",
    ),
    Key::new(
        "batch_size",
        Is("128"),
        "64",
        "Windows in a batch; `\"auto\"` is 128, from 1 million weights 64, from 8 million 32.",
    )
    .takes("`\"auto\"`"),
    Key::new(
        "accumulate",
        Is("1"),
        "4",
        "Batches whose gradients are averaged for one update: a large batch in little memory.",
    ),
    Key::new(
        "average_epochs",
        Is("1"),
        "5",
        "The weights after an epoch are the mean of those at the ends of this many last epochs \
         (Izmailov et al. 2018, as a moving window).",
    ),
    Key::new("gradient_clip", Is("1"), "inf", "Largest L2 norm of the gradient."),
    Key::new(
        "schedule",
        Is("\"constant\""),
        "\"cosine\"",
        "Learning rate over the epochs: it stays, or falls to zero along a half cosine or a line.",
    ),
    Key::new(
        "warmup_epochs",
        Is("0"),
        "2",
        "Epochs in which the learning rate first rises linearly from zero; at most `epochs`.",
    ),
    Key::new(
        "device",
        Is("\"cpu\""),
        "\"wgpu\"",
        "[Device](trainer.md#graphics-processors) that trains. It is not stored with the studies, \
         which go on on another device.",
    ),
];

pub(crate) const COMMAND_KEYS: &[Key] = &[
    Key::new(
        "run",
        Required,
        "[\"other\"]",
        "The program and its arguments. No shell reads them unless `shell = true`.",
    ),
    Key::new(
        "shell",
        Is("false"),
        "true",
        "Whether `run` is one line of text for `sh -c`, in which values are quoted.",
    )
    .beside(&[("command.run", "train {x}")]),
    Key::new("folder", Means("the ladder file's folder"), "work", "Folder in which the program starts."),
    Key::new(
        "steps",
        Means("unknown"),
        "50",
        "Most steps that a trial reports; pruners and progress use it.",
    ),
    Key::new("timeout", Means("none"), "2h", "Longest time of one trial; a longer trial fails."),
    Key::new("grace", Is("10s"), "30s", "Time between the steps of ending a program."),
    Key::new(
        "retries",
        Is("3"),
        "0",
        "How often a trial that exits with 75 is started again, after 1, 2, 4, ... seconds, at \
         most 60.",
    ),
    Key::new(
        "value",
        Means("the program reports it"),
        "{ pattern = \"auc=(.*)\" }",
        "Where else the value is read from.",
    ),
    Key::new(
        "environment",
        Means("all variables"),
        "{ inherit = false }",
        "Variables that the program finds.",
    ),
    Key::new(
        "weights",
        Means("unknown; every budget has `weights = \"any\"`"),
        "\"12 * n_layers * d_model ** 2\"",
        "Exact weights of a configuration: an expression over `d_model`, `n_layers`, `n_heads` \
         and `d_ff_ratio`, such as `12 * n_layers * d_model ** 2`. Budgets can then have a size.",
    ),
    Key::new(
        "horizon",
        Is("1"),
        "5",
        "Rows ahead that a row's label looks. The program splits its rows itself; errors over \
         rows need to know how far labels overlap.",
    ),
    Key::new(
        "test_part",
        Is("false"),
        "true",
        "Whether the program scores its test rows when `ALLOMETRY_PART` is `test`, which [a \
         confirmation](../methods/confirm.md) asks for.",
    ),
];

pub(crate) const VALUE: &[Key] = &[
    Key::new(
        "pattern",
        Means("none"),
        "loss=(.*)",
        "Regular expression whose one group is the value; its last match in standard output \
         counts, where the program reported no value.",
    )
    .base(PATTERN),
    Key::new(
        "file",
        Means("none"),
        "other.json",
        "JSON file that the program writes. It counts only where the attempt has written it.",
    ),
    Key::new(
        "key",
        Means("required beside `file`"),
        "loss",
        "Key of the value in the file, dotted for inner objects.",
    ),
];

pub(crate) const ENVIRONMENT: &[Key] = &[
    Key::new(
        "inherit",
        Is("true"),
        "[\"HOME\"]",
        "All variables of the process that starts the trial; `false` for `PATH` and `HOME` alone; \
         or a list of names besides these two.",
    ),
    Key::new(
        "set",
        Means("none"),
        "{ OMP_NUM_THREADS = \"1\" }",
        "Further variables, by name. Names that begin with `ALLOMETRY_` are refused.",
    )
    .free(),
];

pub(crate) const SPACE: &[Key] = &[
    Key::new("d_model", Required, "[64]", "Width."),
    Key::new("n_layers", Required, "[3]", "Encoder blocks."),
    Key::new("n_heads", Required, "[4]", "Attention heads; only divisors of `d_model` are tried."),
    Key::new("d_ff_ratio", Means("4"), "[2]", "Width of the feed-forward layer over `d_model`."),
    Key::new("learning_rate", Means("0.0001"), "[0.001]", "Peak learning rate."),
    Key::new("dropout", Means("0.1"), "[0.2]", "Probability with which a value is dropped."),
    Key::new("weight_decay", Means("0"), "[0.01]", "Decoupled weight decay."),
    Key::new(
        "constraints",
        Means("none"),
        "[\"d_model >= 16\"]",
        "[Conditions](search.md#constraints) that every configuration must meet.",
    )
    .takes("text for a single one"),
];

pub(crate) const RANGE: &[Key] = &[
    Key::new("int", Means("`float` is given"), "[2, 9]", "Lowest and highest whole number."),
    Key::new("float", Means("`int` is given"), "[1.0, 9.0]", "Lowest and highest number.").base(FLOAT),
    Key::new("log", Is("false"), "true", "Whether the scale is logarithmic; not with `step`."),
    Key::new(
        "step",
        Means("1 of `int`, none of `float`"),
        "2",
        "Distance of neighbouring values; steps must lead from one end to the other.",
    )
    .takes("a number above 0 beside `float`"),
    Key::new(
        "when",
        Means("the parameter always exists"),
        "{ z = \"a\" }",
        "[Condition](search.md#conditions): the parameter exists only where each parameter named \
         here has one of the values.",
    ),
];

pub(crate) const LIST: &[Key] = &[
    Key::new("values", Required, "[\"a\", \"c\"]", "The values.").takes("a list of these"),
    Key::new("when", Means("the parameter always exists"), "{ x = [2, 3] }", "As above."),
];

pub(crate) const BUDGET: &[Key] = &[
    Key::new("label", Required, "M", "Name of the budget."),
    Key::new(
        "weights",
        Required,
        "5000",
        "Trainable weights that an architecture is to have; `\"any\"` for no target.",
    ),
    Key::new(
        "tolerance",
        Is("0.25"),
        "0.1",
        "Largest relative deviation from `weights`; other architectures are not tried. Not beside \
         `\"any\"`.",
    ),
    Key::new("trials", Means("`trials` of the file"), "7", "Trials of this budget."),
    Key::new(
        "space",
        Means("`[space]`"),
        "{ d_model = [64] }",
        "What varies differently at this budget; written `[budget.space]` below it.",
    ),
];

pub(crate) const SAMPLER: &[Key] = &[
    Key::new(
        "kind",
        Is("\"gp\""),
        "\"sobol\"",
        "Gaussian process; tree-structured Parzen estimator; Owen-scrambled Sobol points; \
         independent draws; every configuration in order. Beyond 300 trials `gp` goes on as \
         `tpe`.",
    ),
    Key::new(
        "probes",
        Is("true"),
        "false",
        "Whether the first trials put each parameter of the architecture at its ends.",
    ),
    Key::new(
        "random",
        Is("0.2"),
        "0.5",
        "Share of the trials that `gp` and `tpe` leave to random draws, which the statistics \
         need.",
    ),
    Key::new(
        "share",
        Is("\"none\""),
        "\"budgets\"",
        "Whose trials `gp` learns from besides its own study's: nobody's, or those of the other \
         budgets, each of which then has a size.",
    ),
];

pub(crate) const STOP: &[Key] = &[Key::new(
    "expected_gain",
    Means("not used"),
    "0.001",
    "A study ends where the sampler's model expects less than this of another trial, in units \
         of the metric.",
)];

pub(crate) const CONFIRM: &[Key] = &[
    Key::new("top", Is("1"), "3", "Best distinct configurations of each budget that are trained again."),
    Key::new("seeds", Is("5"), "3", "Fresh seeds under which each is trained."),
];

pub(crate) const STORAGE: &[Key] = &[Key::new("url", Required, "x.db", "URL or path of the storage.")];

pub(crate) const PRUNER: &[Key] = &[
    Key::new("kind", Required, "median", "The pruner. `collapse` is none but the check for collapse."),
    Key::new(
        "collapse",
        Means("`false`; `true` with `kind = \"collapse\"`"),
        "3",
        "Whether a trial whose predictions on the validation rows are constant is stopped and \
         marked as collapsed; a number counts the epochs in a row.",
    ),
    Key::new(
        "complete_share",
        Is("0.2"),
        "0.5",
        "Share of the trials of a sampler without a model that always run to their end. Probes \
         and the random draws of `gp` and `tpe` do too.",
    ),
];

pub(crate) const COLLAPSE: &[Key] = &[
    Key::new("epochs", Is("5"), "3", "Epochs in a row."),
    Key::new("spread", Is("0.01"), "0.02", "Largest difference of two predictions that counts as constant."),
];

pub(crate) const MEDIAN: &[Key] = &[
    Key::new("n_startup_trials", Is("5"), "9", "Complete trials before the pruner decides."),
    Key::new("n_warmup_steps", Is("0"), "4", "Steps of a trial before the pruner decides."),
    Key::new("interval_steps", Is("1"), "2", "The pruner decides once in this many steps."),
    Key::new("n_min_trials", Is("1"), "3", "Complete trials that must have reported the step."),
];

pub(crate) const PERCENTILE: &[Key] = &[Key::new(
    "percentile",
    Required,
    "10",
    "Percentile of the complete trials' values that a trial must reach; the best is 0.",
)];

pub(crate) const HALVING: &[Key] = &[
    Key::new("min_resource", Means("a hundredth of the steps, at least 1"), "2", "Steps to the first rung."),
    Key::new("reduction_factor", Is("4"), "3", "One in this many goes on; rungs lie apart by this factor."),
    Key::new("min_early_stopping_rate", Is("0"), "1", "Rungs that are left out at the beginning."),
    Key::new("bootstrap_count", Is("0"), "4", "Trials that must reach a rung before any goes on."),
];

pub(crate) const HYPERBAND: &[Key] = &[
    Key::new("min_resource", Is("1"), "2", "Steps to the first rung of the bracket that stops most."),
    Key::new("max_resource", Means("the most steps of a trial"), "40", "Steps of a whole trial."),
    Key::new("reduction_factor", Is("3"), "4", "One in this many goes on; rungs lie apart by this factor."),
    Key::new("bootstrap_count", Is("0"), "4", "Trials that must reach a rung before any goes on."),
];

pub(crate) const THRESHOLD: &[Key] = &[
    Key::new("lower", Means("no lower end"), "0.4", "A value below it stops the trial."),
    Key::new("upper", Means("no upper end"), "0.9", "A value above it stops the trial."),
    Key::new("n_warmup_steps", Is("0"), "4", "Steps of a trial before the pruner decides."),
    Key::new("interval_steps", Is("1"), "2", "The pruner decides once in this many steps."),
];

pub(crate) const PATIENCE: &[Key] = &[
    Key::new("patience", Required, "7", "Steps to wait."),
    Key::new("min_delta", Is("0"), "0.01", "Gain that does not count."),
    Key::new(
        "wrapped",
        Means("the trial stops"),
        "{ kind = \"median\" }",
        "Another pruner that decides once patience is exhausted.",
    ),
];

pub(crate) const WRAPPED: &[Key] = &[Key::new("kind", Required, "hyperband", "The pruner.")];

pub(crate) const WILCOXON: &[Key] = &[
    Key::new("p_threshold", Is("0.1"), "0.05", "Level of the test (Wilcoxon 1945)."),
    Key::new("n_startup_steps", Is("2"), "5", "Steps before the pruner decides, at least 2."),
];
