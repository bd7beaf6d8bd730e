//! The meaning and the default of each key of a ladder file.

mod data;
mod model;
mod pruner;

pub(crate) use data::{DATA, FEATURES, LABEL, SPLIT};
pub(crate) use model::{COMMAND_KEYS, ENVIRONMENT, MODEL_KEYS, VALUE};
pub(crate) use pruner::{
    COLLAPSE, HALVING, HYPERBAND, MEDIAN, PATIENCE, PERCENTILE, PRUNER, THRESHOLD, WILCOXON, WRAPPED,
};

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

use crate::tables::{COMMAND, FLOAT, SEARCHED};

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
    Key::new(
        "repeats",
        Is("false"),
        "true",
        "Whether `gp` may try a leading configuration again with another seed, where that is worth more \
         than a new one. The recommendation is better; budgets have unequal numbers of configurations, \
         which makes the verdict wider. It needs lists, or ranges with steps, of all parameters, a single \
         objective and no `limits`.",
    ),
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
