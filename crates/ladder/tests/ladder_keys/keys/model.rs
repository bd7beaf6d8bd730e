//! Keys of what trains: `[model]`, and `[command]` with its tables.

use super::Absent::{Is, Means, Required};
use super::Key;
use crate::tables::PATTERN;

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
        "precision",
        Is("\"auto\""),
        "\"bf16\"",
        "Precision of matrix products: single, or factors [rounded to bf16](../methods/precision.md) with \
         sums, weights and all else in single precision. `auto` is the precision of the ladder's stored \
         trials; without any it is `bf16` on processors with AMX, where a training step in bf16 takes about \
         half the time, and `f32` on others. `bf16` is for processors only.",
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
