//! Keys of `[data]` and its tables.

use super::Absent::{Is, Means, Required};
use super::Key;
use crate::tables::FOLDED;

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
        "Columns of which each value is a [category](#datafeatures): text, numbers or booleans. A table \
         `{ column = \"ticker\", embedding = 8 }` learns 8 weights for each.",
    ),
    Key::new(
        "split",
        Means("0.7 and 0.15"),
        "{ train = 0.6 }",
        "Shares of the training and validation parts.",
    ),
    Key::new(
        "folds",
        Means("one training of each trial"),
        "5",
        "Number of [walk-forward folds](trainer.md#walk-forward-folds): the validation part is cut into as \
         many eras, and a trial is trained before each. The shares of `split` are then 0.45 and 0.4 unless \
         given.",
    ),
    Key::new(
        "scheme",
        Is("\"expanding\""),
        "\"rolling\"",
        "Rows that a fold is trained on: all before its era, or the last ones, as many for every fold.",
    )
    .base(FOLDED),
    Key::new(
        "stopping",
        Is("0.15"),
        "0.2",
        "Share of each fold's training rows, the last of them, by which the best epoch is chosen.",
    )
    .base(FOLDED),
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
    .requires(&[("data.time", "\"date\"")]),
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
