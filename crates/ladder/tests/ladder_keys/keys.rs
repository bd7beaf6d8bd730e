//! The meaning and the default of each key of a ladder file.

/// A table of the ladder file.
pub(crate) struct Table {
    pub(crate) heading: &'static str,
    /// Text above the keys.
    pub(crate) about: &'static str,
    /// Text below the keys.
    pub(crate) after: &'static str,
    /// Dotted path; empty for the top of the file.
    pub(crate) at: &'static str,
    /// A ladder that has the table, with only its required keys.
    pub(crate) base: &'static str,
    pub(crate) keys: &'static [Key],
    /// Keys of this table that another entry describes.
    pub(crate) shared: &'static [&'static str],
    /// Keys that the parser reads before it looks for unknown ones.
    pub(crate) unlisted: &'static [&'static str],
}

/// A key of a table.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) absent: Absent,
    pub(crate) meaning: &'static str,
    /// A value other than the default, as TOML.
    pub(crate) example: &'static str,
    /// Settings that the key needs in order to have a meaning.
    pub(crate) requires: &'static [(&'static str, &'static str)],
    /// Accepted values in addition to those that the parser's message names.
    pub(crate) takes: &'static str,
    /// A ladder that replaces the table's base.
    pub(crate) base: Option<&'static str>,
    /// Whether its value is a table that accepts any keys.
    pub(crate) is_free_table: bool,
    /// Whether it accepts only one value.
    pub(crate) is_ignored: bool,
}

/// The meaning of an absent key.
#[derive(Clone, Copy)]
pub(crate) enum Absent {
    Required,
    /// A default value, as TOML.
    Is(&'static str),
    Means(&'static str),
}

use Absent::{Is, Means, Required};

use crate::tables::{COMMAND, FLOAT, PATTERN, SEARCHED};

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
        let (requires, takes, base): (&[(&str, &str)], _, _) = (&[], "", None);
        Self {
            name,
            absent,
            meaning,
            example,
            requires,
            takes,
            base,
            is_free_table: false,
            is_ignored: false,
        }
    }

    const fn requires(self, requires: &'static [(&'static str, &'static str)]) -> Self {
        Self { requires, ..self }
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
        "Name of the objective, or a list of several [objectives](search.md#several-objectives). \
         The first objective of the built-in model is its task's metric.",
    ),
    Key::new(
        "direction",
        Is("\"maximize\""),
        "\"minimize\"",
        "Direction in which a program's metric improves; a list for several objectives, for which it \
         is required. The built-in model's metrics have fixed directions.",
    )
    .takes("a list of these")
    .base(COMMAND),
    Key::new(
        "limits",
        Means("none"),
        "[\"auc >= 0.6\"]",
        "[Limits](search.md#limits) of reported metrics; a trial that violates one is infeasible.",
    )
    .takes("text for a single one"),
    Key::new(
        "smallest_effect",
        Means("a fifth of the spread between configurations"),
        "0.002",
        "[Smallest effect of interest](search.md#the-smallest-effect-of-interest), in units of the metric.",
    ),
    Key::new(
        "train_share",
        Means("all rows alone"),
        "[0.25, 0.5]",
        "Parts of the training rows. Each budget is also searched on each part, in a study of its own \
         (`2M@25%`): [more data or more weights](../methods/data.md).",
    ),
    Key::new(
        "train_rows",
        Means("all rows alone"),
        "[500, 2000]",
        "The same with numbers of training windows; not with `train_share`.",
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
        "Program that trains, instead of `[data]` and `[model]`.",
    )
    .base(COMMAND),
    Key::new(
        "space",
        Means("empty; each budget has its own"),
        "{ d_model = [16], n_layers = [1], n_heads = [2] }",
        "Search space of all budgets.",
    ),
    Key::new(
        "budget",
        Required,
        "[{ label = \"M\", weights = 5000 }]",
        "Sizes, at least one, each with its own label.",
    ),
    Key::new("sampler", Means("`gp`"), "{ kind = \"tpe\" }", "Sampler of the configurations."),
    Key::new("stop", Means("after `trials`"), "{ expected_gain = 0.001 }", "Rule that ends a study early."),
    Key::new(
        "pruner",
        Means("no trial is stopped"),
        "{ kind = \"median\" }",
        "Pruner that stops trials early; not with several objectives.",
    ),
    Key::new("storage", Means("`trials.db` beside the file"), "{ url = \"x.db\" }", "Storage of the trials."),
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
        "Label to predict: a column's value, or [whether a threshold is reached](#datalabel).",
    ),
    Key::new(
        "positive",
        Means("none: the label is 0 and 1"),
        "up",
        "Value of the label that is class 1, where `task = \"binary\"` and the label has two values \
         other than 0 and 1, such as `no` and `yes`.",
    ),
    Key::new(
        "horizon",
        Is("1"),
        "5",
        "Number of rows ahead that the label depends on. Give it for a column that was computed over \
         several rows, such as the return of the next five days.",
    ),
    Key::new(
        "features",
        Means("all numeric columns"),
        "{ exclude = [\"x\"] }",
        "Columns to predict it from.",
    ),
    Key::new(
        "categorical",
        Is("[]"),
        "[\"sector\"]",
        "Columns of which each value is a [category](#datafeatures): text, numbers or booleans.",
    ),
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
        "Treatment of [missing or infinite features](trainer.md#guards): error, removal, or filling.",
    ),
    Key::new(
        "max_gap",
        Means("any"),
        "\"7d\"",
        "Longest time between two neighbouring rows of a [window](trainer.md#guards). Windows with a longer \
         one belong to no part.",
    )
    .requires(&[("data.time", "\"date\"")])
    .takes("a time such as \"36h\" or \"7d\", or a number above 0 where times are numbers"),
    Key::new(
        "series",
        Means("the table holds one series"),
        "\"ticker\"",
        "Column that tells the [series](trainer.md#several-series) of each row: text, numbers or booleans.",
    )
    .requires(&[("data.time", "\"date\"")]),
];

pub(crate) const LABEL: &[Key] = &[
    Key::new("rise", Required, "0.02", "Relative rise of the threshold."),
    Key::new("of", Required, "other", "Column that must reach the threshold, `horizon` rows later."),
    Key::new("over", Required, "other", "Column that the threshold is relative to, in the row itself."),
    Key::new(
        "horizon",
        Means("`horizon` of `[data]`"),
        "5",
        "Number of rows ahead; given in one of the two tables.",
    ),
];

pub(crate) const FEATURES: &[Key] = &[
    Key::new("include", Means("all numeric columns"), "[\"a\", \"b\"]", "Only these columns, in this order."),
    Key::new("exclude", Is("[]"), "[\"a\"]", "Columns that are left out."),
];

pub(crate) const SPLIT: &[Key] = &[
    Key::new("train", Is("0.7"), "0.6", "Share of the training part."),
    Key::new("validation", Is("0.15"), "0.2", "Share of the validation part."),
    Key::new(
        "by",
        Is("\"time\""),
        "\"series\"",
        "Parts of a table of several series: times, the same for all series; or series, with all rows.",
    )
    .requires(&[("data.series", "\"ticker\""), ("data.time", "\"date\"")]),
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
        "Kind of label: one of two classes; one of several; any number, which is standardized on the \
         training part and reported in its own units.",
    ),
    Key::new(
        "normalize",
        Is("\"standard\""),
        "\"none\"",
        "Scaling of the inputs: by the training part; each window by itself (Kim et al. 2022), \
         which removes the level; none.",
    ),
    Key::new(
        "revin_affine",
        Is("false"),
        "true",
        "Whether `revin` has a learned scale and shift for each feature.",
    )
    .requires(&[("model.normalize", "revin")]),
    Key::new(
        "channels",
        Is("\"mixed\""),
        "\"independent\"",
        "A patch contains all features; or each feature is a separate series that shares the \
         encoder and is combined with the others in the head.",
    ),
    Key::new(
        "feature_embedding",
        Is("0"),
        "8",
        "Number of columns of a learned linear map of a row's features, applied before patches are \
         cut; 0 for no map. It saves weights where there are many features.",
    ),
    Key::new("head", Is("\"flatten\""), "\"mean\"", "Input of the head: all patches, or their mean."),
    Key::new("head_dropout", Is("0"), "0.2", "Dropout of the head's input."),
    Key::new(
        "parametrization",
        Is("\"standard\""),
        "\"mup\"",
        "How initial weights, learning rates and attention scores depend on the width: \
         [`mup`](../methods/parametrization.md) keeps the best learning rate nearly the same at every \
         width (Yang et al. 2022). On processors only.",
    ),
    Key::new("base_width", Is("64"), "32", "The `d_model` at which `mup` starts and trains like `standard`.")
        .requires(&[("model.parametrization", "mup")]),
    Key::new(
        "base_head_width",
        Is("16"),
        "8",
        "The `d_model / n_heads` at which attention scores under `mup` are those of `standard`.",
    )
    .requires(&[("model.parametrization", "mup")]),
    Key::new(
        "loss",
        Is("\"bce\""),
        "\"soft_auc\"",
        "Loss of classes: cross-entropy, binary or over a softmax; `weighted`, with windows weighted by \
         their class; and, of a binary label only, focal (Lin et al. 2017) or the mean of \
         log(1 + exp(z- - z+)) over all pairs of a batch, which is consistent with the AUC (Gao & Zhou \
         2015) and whose predictions rank but are not calibrated. With `task = \"classes\"` the weight of \
         a class is the number of training windows, divided by the number of classes and by its own \
         windows: rare classes count as much as frequent ones, and predicted probabilities are those of \
         equally frequent classes.",
    ),
    Key::new(
        "positive_weight",
        Means("the training part's negatives per positive"),
        "2.5",
        "Weight of positive windows in the loss `weighted` of a binary label.",
    )
    .requires(&[("model.loss", "weighted")]),
    Key::new("focal_gamma", Is("2"), "1.5", "Exponent of the loss `focal`.")
        .requires(&[("model.loss", "focal")]),
    Key::new(
        "label_smoothing",
        Is("0"),
        "0.1",
        "Share of the label smoothing, which mixes labels with the uniform distribution over classes; \
         for classes, and not with `soft_auc`.",
    ),
    Key::new("epochs", Is("50"), "20", "Largest number of epochs of a trial."),
    Key::new("patience", Is("10"), "3", "Epochs without an improvement after which a trial stops."),
    Key::new("minimum_gain", Is("0"), "0.001", "Gain in the monitored metric that counts as an improvement."),
    Key::new(
        "collapse_epochs",
        Is("0"),
        "5",
        "Number of consecutive epochs with constant predictions after which a trial stops as collapsed; \
         0 for never.",
    ),
    Key::new(
        "monitor",
        Means("the task's metric"),
        "\"brier\"",
        "Metric that early stopping monitors and that selects the best epoch, each in its own \
         direction. The trial's value is still the task's metric.",
    ),
    Key::new(
        "batch_size",
        Is("128"),
        "64",
        "Number of windows in a batch; `\"auto\"` is 128, from 1 million weights 64, from 8 million 32.",
    )
    .takes("`\"auto\"`"),
    Key::new(
        "accumulate",
        Is("1"),
        "4",
        "Number of batches whose gradients are averaged for one update: a large batch in little memory.",
    ),
    Key::new(
        "average_epochs",
        Is("1"),
        "5",
        "The weights after an epoch are the mean of the final weights of this many latest epochs \
         (Izmailov et al. 2018, as a moving window).",
    ),
    Key::new("gradient_clip", Is("1"), "inf", "Largest L2 norm of the gradient."),
    Key::new(
        "schedule",
        Is("\"constant\""),
        "\"cosine\"",
        "Learning rate schedule: constant, or falling to zero along a half cosine or a line.",
    ),
    Key::new(
        "warmup_epochs",
        Is("0"),
        "2",
        "Number of epochs of linear warm-up of the learning rate from zero; at most `epochs`.",
    ),
    Key::new(
        "device",
        Is("\"cpu\""),
        "\"wgpu\"",
        "[Device](trainer.md#graphics-processors) that trains. It is not stored with the studies, \
         which can resume on another device.",
    ),
];

pub(crate) const COMMAND_KEYS: &[Key] = &[
    Key::new(
        "run",
        Required,
        "[\"other\"]",
        "The program and its arguments. No shell interprets them unless `shell = true`.",
    ),
    Key::new(
        "shell",
        Is("false"),
        "true",
        "Whether `run` is one line of text for `sh -c`, in which inserted values are quoted.",
    )
    .requires(&[("command.run", "train {x}")]),
    Key::new("folder", Means("the ladder file's folder"), "work", "Working directory of the program."),
    Key::new(
        "steps",
        Means("unknown"),
        "50",
        "Largest number of steps that a trial reports; pruners and progress use it.",
    ),
    Key::new("timeout", Means("none"), "2h", "Time limit of one trial; a longer trial fails."),
    Key::new("grace", Is("10s"), "30s", "Time between the steps of ending a program."),
    Key::new(
        "retries",
        Is("3"),
        "0",
        "Number of restarts of a trial that exits with 75, after 1, 2, 4, ... seconds, at \
         most 60.",
    ),
    Key::new(
        "value",
        Means("the program reports it"),
        "{ pattern = \"auc=(.*)\" }",
        "Source of a value that the program does not report.",
    ),
    Key::new(
        "environment",
        Means("all variables"),
        "{ inherit = false }",
        "Environment variables of the program.",
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
        "Number of rows ahead that the label of a row depends on. The program splits its rows itself; \
         errors over rows need to know how far labels overlap.",
    ),
    Key::new(
        "test_part",
        Is("false"),
        "true",
        "Whether the program scores its test rows when `ALLOMETRY_PART` is `test`, which [a \
         confirmation](../methods/confirm.md) requires.",
    ),
];

pub(crate) const VALUE: &[Key] = &[
    Key::new(
        "pattern",
        Means("none"),
        "loss=(.*)",
        "Regular expression whose only group is the value; its last match in standard output \
         is used where the program reported no value.",
    )
    .base(PATTERN),
    Key::new(
        "file",
        Means("none"),
        "other.json",
        "JSON file that the program writes. It is used only where the attempt has written it.",
    ),
    Key::new(
        "key",
        Means("required with `file`"),
        "loss",
        "Key of the value in the file, with dots for nested objects.",
    ),
];

pub(crate) const ENVIRONMENT: &[Key] = &[
    Key::new(
        "inherit",
        Is("true"),
        "[\"HOME\"]",
        "All variables of Allometry's own process; `false` for only `PATH` and `HOME`; \
         or a list of further names in addition to these two.",
    ),
    Key::new(
        "set",
        Means("none"),
        "{ OMP_NUM_THREADS = \"1\" }",
        "Further variables, by name. Names that begin with `ALLOMETRY_` are rejected.",
    )
    .free(),
];

pub(crate) const SPACE: &[Key] = &[
    Key::new("d_model", Required, "[64]", "Width."),
    Key::new("n_layers", Required, "[3]", "Encoder blocks."),
    Key::new("n_heads", Required, "[4]", "Attention heads; only divisors of `d_model` are tried."),
    Key::new("d_ff_ratio", Means("4"), "[2]", "Width of the feed-forward layer over `d_model`."),
    Key::new("learning_rate", Means("0.0001"), "[0.001]", "Peak learning rate."),
    Key::new("dropout", Means("0.1"), "[0.2]", "Dropout probability."),
    Key::new("weight_decay", Means("0"), "[0.01]", "Decoupled weight decay."),
    Key::new("batch_size", Means("that of `[model]`"), "[64]", "Number of windows in a batch."),
    Key::new("epochs", Means("those of `[model]`"), "[20]", "Largest number of epochs of a trial."),
    Key::new(
        "warmup_epochs",
        Means("those of `[model]`"),
        "[1.5]",
        "Epochs of linear warm-up of the learning rate; only combinations with at least as many `epochs` \
         are tried.",
    ),
    Key::new("loss", Means("that of `[model]`"), "[\"focal\"]", "Loss of classes.").takes("a list of these"),
    Key::new("normalize", Means("that of `[model]`"), "[\"none\"]", "Scaling of the inputs.")
        .takes("a list of these"),
    Key::new(
        "context",
        Means("that of `[model]`"),
        "[96]",
        "Rows in a window; all parts are cut for the longest.",
    )
    .base(SEARCHED),
    Key::new(
        "patch",
        Means("that of `[model]`"),
        "[8]",
        "Rows in a patch; only combinations with at least as long a `context` are tried.",
    )
    .base(SEARCHED),
    Key::new("stride", Means("that of `[model]`"), "[4]", "Rows from one patch to the next.").base(SEARCHED),
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
        "Distance of neighbouring values; steps must lead from one bound to the other.",
    )
    .takes("a number above 0 with `float`"),
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
        "Target number of trainable weights of an architecture; `\"any\"` for no target.",
    ),
    Key::new(
        "tolerance",
        Is("0.25"),
        "0.1",
        "Largest relative deviation from `weights`; other architectures are infeasible. Not with \
         `\"any\"`.",
    ),
    Key::new("trials", Means("`trials` of the file"), "7", "Trials of this budget."),
    Key::new(
        "space",
        Means("`[space]`"),
        "{ d_model = [64] }",
        "Parameters that differ at this budget; written `[budget.space]` below it.",
    ),
];

pub(crate) const SAMPLER: &[Key] = &[
    Key::new(
        "kind",
        Is("\"gp\""),
        "\"sobol\"",
        "Gaussian process; tree-structured Parzen estimator; Owen-scrambled Sobol points; \
         independent random draws; all configurations in order. After 300 trials `gp` continues as \
         `tpe`.",
    ),
    Key::new(
        "probes",
        Is("true"),
        "false",
        "Whether the first trials probe the ends of each architecture parameter.",
    ),
    Key::new(
        "random",
        Is("0.2"),
        "0.5",
        "Share of the trials that `gp` and `tpe` draw at random, for statistics that need random \
         trials.",
    ),
    Key::new(
        "share",
        Is("\"none\""),
        "\"budgets\"",
        "Other studies whose trials `gp` uses: none, or those of the other budgets, all of which then \
         need `weights`.",
    ),
    Key::new(
        "rate_exponent",
        Means("-0.713 (Step Law, Li et al. 2025); 0 with `parametrization = \"mup\"`"),
        "-0.5",
        "Exponent of the weights with which the best learning rate changes, for trials of other budgets. The \
         report of a finished ladder has [its estimate](../methods/learning-rate.md).",
    )
    .requires(&[("sampler.share", "\"budgets\"")]),
];

pub(crate) const STOP: &[Key] = &[Key::new(
    "expected_gain",
    Means("not used"),
    "0.001",
    "Smallest expected gain of another trial, in units of the metric, below which a study ends.",
)];

pub(crate) const CONFIRM: &[Key] = &[
    Key::new("top", Is("1"), "3", "Number of best distinct configurations per budget to train again."),
    Key::new("seeds", Is("5"), "3", "Number of fresh seeds per configuration."),
];

pub(crate) const STORAGE: &[Key] = &[Key::new("url", Required, "x.db", "URL or path of the storage.")];

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
