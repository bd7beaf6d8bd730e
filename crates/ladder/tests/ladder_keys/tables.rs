//! The tables of a ladder file, each with a ladder that has it.

use crate::keys::{
    BUDGET, COLLAPSE, COMMAND_KEYS, CONFIRM, DATA, ENVIRONMENT, FEATURES, HALVING, HYPERBAND, LABEL, LIST,
    MEDIAN, MODEL_KEYS, PATIENCE, PERCENTILE, PRUNER, RANGE, SAMPLER, SPACE, SPLIT, STOP, STORAGE, THRESHOLD,
    TOP, Table, VALUE, WILCOXON, WRAPPED,
};

/// A ladder of the built-in model, to which further tables can be appended.
macro_rules! model {
    ($($more:literal),*) => {
        concat!(
            "name = \"n\"\n",
            "[data]\npath = \"rows.csv\"\nlabel = \"up\"\n",
            "[model]\ncontext = 80\npatch = 16\nstride = 8\n",
            "[space]\nd_model = [16, 32]\nn_layers = [1, 2]\nn_heads = [2]\n",
            "[[budget]]\nlabel = \"S\"\nweights = 100000\n",
            $($more),*
        )
    };
}

/// A ladder of a program, whose `[command]` can be continued.
macro_rules! command {
    ($($more:literal),*) => {
        concat!(
            "name = \"n\"\n",
            "[[budget]]\nlabel = \"S\"\nweights = \"any\"\n",
            "[space.x]\nint = [2, 8]\n",
            "[space.y]\nfloat = [1.0, 8.0]\n",
            "[space.z]\nvalues = [\"a\", \"b\"]\n",
            "[command]\nrun = [\"train\"]\n",
            $($more),*
        )
    };
}

const RISE: &str = concat!(
    "name = \"n\"\n",
    "[data]\npath = \"rows.csv\"\n",
    "[data.label]\nrise = 0.01\nof = \"high\"\nover = \"close\"\n",
    "[model]\ncontext = 80\npatch = 16\nstride = 8\n",
    "[space]\nd_model = [16]\nn_layers = [1]\nn_heads = [2]\n",
    "[[budget]]\nlabel = \"S\"\nweights = 100000\n"
);
const MODEL: &str = model!("");
pub(crate) const COMMAND: &str = command!("");
pub(crate) const PATTERN: &str = command!("[command.value]\npattern = \"auc=([0-9.]+)\"\n");

pub(crate) const FLOAT: &str = concat!(
    "name = \"n\"\n",
    "[[budget]]\nlabel = \"S\"\nweights = \"any\"\n",
    "[space.x]\nfloat = [1.0, 8.0]\n",
    "[command]\nrun = [\"train\"]\n"
);

/// A ladder with folds.
pub(crate) const FOLDED: &str = concat!(
    "name = \"n\"\n",
    "[data]\npath = \"rows.csv\"\nlabel = \"up\"\nfolds = 5\n",
    "[model]\ncontext = 80\npatch = 16\nstride = 8\n",
    "[space]\nd_model = [16, 32]\nn_layers = [1, 2]\nn_heads = [2]\n",
    "[[budget]]\nlabel = \"S\"\nweights = 100000\n"
);

/// A ladder that searches the shape of its windows.
pub(crate) const SEARCHED: &str = concat!(
    "name = \"n\"\n",
    "[data]\npath = \"rows.csv\"\nlabel = \"up\"\n",
    "[model]\nepochs = 20\n",
    "[space]\nd_model = [16, 32]\nn_layers = [1, 2]\nn_heads = [2]\n",
    "context = [80]\npatch = [16]\nstride = [8]\n",
    "[[budget]]\nlabel = \"S\"\nweights = 100000\n"
);

pub(crate) const INTRODUCTION: &[&str] = &[
    "A ladder file is a TOML file that describes one experiment at several sizes. It names the data and the \
     model, or a program that trains; the search space; and the budgets. Its usual name is \
     `ladder.toml`. `allometry check` reads it and reports all problems at once, each with its place.",
    "Each key can be set on the command line: `-S model.epochs=5`, or \
     `-S budget.2M.trials=20` with the budget's label. A relative path starts at the ladder file's folder.",
    "This page is generated from the parser and tested against it (`crates/ladder/tests/ladder_keys`).",
];

/// Every table, in the order of the page.
pub(crate) const TABLES: &[Table] = &[
    Table::new("Top of the file", "", MODEL, TOP).about("These keys stand above the first `[table]`."),
    Table::new("`[data]`", "data", MODEL, DATA)
        .about("The rows that the built-in model trains on. A ladder with `[command]` has none.")
        .after(
            "The parts are cut in time order: training, validation, test. Between two parts \
                 lies an embargo of `context` and `horizon` rows, so that no window and no label \
                 reaches into another part ([decision 4](../adr/0004-embargo.md)). A horizon must \
                 be shorter than each part. It is stored with the studies: after a change the \
                 ladder needs another `name`.\n\nA label column holds numbers, `true` and `false` in \
                 any capitalisation, or text. The first value decides: below a text, numbers are \
                 names too; below a number, a text is an error. A binary label is 0 and 1, or any two \
                 values of which `positive` names class 1. With `task = \"classes\"` the classes are \
                 whole numbers from 0, or texts in sorted order (by code point), at most 1000. Every \
                 class of the table must occur in the training part: one that occurs only later is \
                 an error with its first row and its number of rows. A binary validation part must \
                 have both classes; the test part only for a confirmation.",
        ),
    Table::new("`[data.label]`", "data.label", RISE, LABEL).about(
        "A label by threshold: row t is 1 where `of` in row t + `horizon` is at least \
             `1 + rise` times `over` in row t, and 0 otherwise. It compares that one row, not the \
             greatest `of` of the rows between: for a maximum over several rows, compute it as a \
             column of the table, and give that as `of`, or the label itself as a column. Rows are \
             counted in time order, before any is left out. The last `horizon` rows have no label.",
    ),
    Table::new("`[data.features]`", "data.features", model!("[data.features]\n"), FEATURES).about(
        "Features are the numeric columns that are neither the time nor the label. A column of \
             anything else is refused by name until it is excluded or `categorical`; `allometry \
             check` lists the features, and why each other column is not one. The row index that \
             pandas writes is never a feature.\n\nA column that `categorical` of `[data]` names is a \
             feature for each of its values in the training part, at most 1000: 1 in the rows with \
             that value, 0 in others. These features stand after the numbers, are not scaled by \
             `standard`, and count in the weights of a budget. A value that only later rows or a \
             table to be predicted have is 0 in all of them; `check` and `predict` count such rows. \
             A missing value is one as of any feature: `na` treats it. With `normalize = \"revin\"` a \
             category that is constant in a window is invisible.\n\nFor many categories `{ column = \
             \"ticker\", embedding = 8 }` learns a vector of 8 weights for each value of the training \
             part instead ([categories](trainer.md#guards)). The column of the series may be one.",
    ),
    Table::new("`[data.split]`", "data.split", model!("[data.split]\n"), SPLIT)
        .about("Shares of the rows, each above 0 and below 1. The rest is the test part."),
    Table::new("`[model]`", "model", MODEL, MODEL_KEYS)
        .about(
            "Settings of the built-in PatchTST model that are fixed for all trials, unless \
             [trials choose them](trainer.md#settings-that-trials-choose). [The \
                 trainer](trainer.md) describes the model.",
        )
        .after(
            "A key that has no effect with the other keys is rejected with its place: \
                 `focal_gamma` without the focal loss, `revin_affine` without `revin`, `base_width` \
                 without `mup`.",
        ),
    Table::new("`[command]`", "command", COMMAND, COMMAND_KEYS).about(
        "A program that trains and scores a configuration, instead of `[data]` and \
             `[model]`. [The protocol](protocol.md) describes its inputs and reports.",
    ),
    Table::new(
        "`[command.value]`",
        "command.value",
        command!("[command.value]\nfile = \"metrics.json\"\nkey = \"auc\"\n"),
        VALUE,
    )
    .about(
        "Source of the value of a program that does not report it. Give `pattern`, or \
         `file` and `key`.",
    ),
    Table::new(
        "`[command.environment]`",
        "command.environment",
        command!("[command.environment]\n"),
        ENVIRONMENT,
    )
    .about("Environment variables of the program, in addition to those of [the protocol](protocol.md)."),
    Table::new("`[space]` and `[budget.space]`", "space", MODEL, SPACE)
        .unlisted(&["constraints"])
        .about(
            "The search space. Each key is a hyperparameter with the set of its values: a \
                 single value, a list, or one of the two tables below. The keys here are those of \
                 the built-in model; a ladder with `[command]` can use any names (letters, digits, \
                 `_`, `-`, `.`) and also words, `true` and `false` as values.",
        )
        .after(
            "A parameter in `[budget.space]` replaces that of `[space]`, including its condition; \
             constraints are added. `batch_size` and the keys after it are settings of `[model]` that \
             [trials choose](trainer.md#settings-that-trials-choose) where they stand here. A setting stands \
             in one of the two places, for all budgets: in `[model]`, or in the space of every budget.",
        ),
    Table::new("A range: `{ int = [low, high] }` or `{ float = [low, high] }`", "space.x", COMMAND, RANGE)
        .about(
            "Both bounds belong to the range. `d_model`, `n_layers`, `n_heads`, `d_ff_ratio`, `batch_size`, \
             `epochs`, `context`, `patch` and `stride` accept only `int`; `loss` and `normalize` have no \
             range.",
        ),
    Table::new("A list with a condition: `{ values = [...] }`", "space.z", COMMAND, LIST)
        .about("A list that needs no condition is written as a plain list."),
    Table::new("`[[budget]]`", "budget", MODEL, BUDGET)
        .about("One size. The file has one `[[budget]]` for each; each is one study, `NAME/LABEL`."),
    Table::new("`[sampler]`", "sampler", model!("[sampler]\n"), SAMPLER)
        .about("Sampler of the configurations. [Samplers](../methods/samplers.md) describes each."),
    Table::new("`[stop]`", "stop", model!("[stop]\n"), STOP)
        .about("Rule that ends a study before all its `trials` are done."),
    Table::new("`[confirm]`", "confirm", model!("[confirm]\n"), CONFIRM).about(
        "With this table, even an empty one, `allometry run` ends with [a \
             confirmation](../methods/confirm.md) on the test rows.",
    ),
    Table::new("`[storage]`", "storage", model!("[storage]\nurl = \"sqlite:///trials.db\"\n"), STORAGE)
        .about("Storage of the trials. [Storages](storage.md) lists settings that take precedence."),
    Table::new("`[pruner]`", "pruner", model!("[pruner]\nkind = \"collapse\"\n"), PRUNER).about(
        "Pruner that stops trials early. Names, defaults and decisions are Optuna's. These keys \
             exist for every kind.",
    ),
    Table::new(
        "`[pruner.collapse]`",
        "pruner.collapse",
        model!("[pruner]\nkind = \"median\"\n[pruner.collapse]\n"),
        COLLAPSE,
    )
    .about("Definition of constant predictions on the validation rows."),
    Table::new(
        "`[pruner]` with `kind = \"median\"`",
        "pruner",
        model!("[pruner]\nkind = \"median\"\n"),
        MEDIAN,
    )
    .shared(EVERY_PRUNER)
    .about("Stops a trial that is worse than the median of the complete trials at that step."),
    Table::new(
        "`[pruner]` with `kind = \"percentile\"`",
        "pruner",
        model!("[pruner]\nkind = \"percentile\"\npercentile = 25\n"),
        PERCENTILE,
    )
    .shared(&[
        "collapse",
        "complete_share",
        "interval_steps",
        "kind",
        "n_min_trials",
        "n_startup_trials",
        "n_warmup_steps",
    ])
    .about(
        "Stops a trial that is outside the best `percentile` percent at that step. It has the \
         keys of `median` too.",
    ),
    Table::new(
        "`[pruner]` with `kind = \"successive_halving\"`",
        "pruner",
        model!("[pruner]\nkind = \"successive_halving\"\n"),
        HALVING,
    )
    .shared(EVERY_PRUNER)
    .about(
        "Stops a trial that is not among the best of its rung (asynchronous successive halving, \
         Li et al. 2020).",
    ),
    Table::new(
        "`[pruner]` with `kind = \"hyperband\"`",
        "pruner",
        model!("[pruner]\nkind = \"hyperband\"\n"),
        HYPERBAND,
    )
    .shared(EVERY_PRUNER)
    .about("Successive halving in several brackets (Li et al. 2018)."),
    Table::new(
        "`[pruner]` with `kind = \"threshold\"`",
        "pruner",
        model!("[pruner]\nkind = \"threshold\"\nlower = 0.5\n"),
        THRESHOLD,
    )
    .shared(EVERY_PRUNER)
    .about("Stops a trial whose value is outside a range. Give `lower`, `upper` or both."),
    Table::new(
        "`[pruner]` with `kind = \"patience\"`",
        "pruner",
        model!("[pruner]\nkind = \"patience\"\npatience = 5\n"),
        PATIENCE,
    )
    .shared(EVERY_PRUNER)
    .about("Stops a trial without improvement for `patience` steps."),
    Table::new(
        "`[pruner.wrapped]`",
        "pruner.wrapped",
        model!("[pruner]\nkind = \"patience\"\npatience = 5\n[pruner.wrapped]\nkind = \"median\"\n"),
        WRAPPED,
    )
    .shared(&["interval_steps", "n_min_trials", "n_startup_trials", "n_warmup_steps"])
    .about("The pruner that decides after patience is exhausted, with the keys of its kind."),
    Table::new(
        "`[pruner]` with `kind = \"wilcoxon\"`",
        "pruner",
        model!("[pruner]\nkind = \"wilcoxon\"\n"),
        WILCOXON,
    )
    .shared(EVERY_PRUNER)
    .about(
        "Stops a trial that a signed-rank test finds worse than the best trial at the steps \
             that both have.",
    ),
];

const EVERY_PRUNER: &[&str] = &["collapse", "complete_share", "kind"];
