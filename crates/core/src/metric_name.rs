//! The direction of optimization that the name of a metric implies.

use crate::trial::Direction;

/// Words in the names of metrics whose smaller values are better.
const SMALLER: [&str; 27] = [
    "loss",
    "losses",
    "logloss",
    "error",
    "err",
    "errors",
    "mae",
    "mse",
    "rmse",
    "rmsle",
    "mape",
    "smape",
    "msle",
    "mase",
    "perplexity",
    "ppl",
    "nll",
    "bpc",
    "bpb",
    "brier",
    "entropy",
    "crossentropy",
    "regret",
    "wer",
    "cer",
    "fid",
    "deviance",
];
/// Words in the names of metrics whose larger values are better.
const LARGER: [&str; 19] = [
    "auc",
    "auroc",
    "rocauc",
    "aucroc",
    "auprc",
    "prauc",
    "accuracy",
    "acc",
    "f1",
    "fscore",
    "r2",
    "precision",
    "recall",
    "bleu",
    "rouge",
    "ndcg",
    "iou",
    "dice",
    "mcc",
];
/// Words that reverse or change a metric: sklearn's `neg_log_loss` is better where it is larger, `negative
/// log likelihood` where it is smaller.
const TURNING: [&str; 10] =
    ["neg", "negative", "minus", "inverse", "inv", "diff", "delta", "reduction", "improvement", "gap"];

/// The direction in which a metric of this name improves, where the name is unambiguous: `val_loss`,
/// `testAccuracy`. `None` for `score`, and for names with words of both kinds.
pub fn implied_direction(name: &str) -> Option<Direction> {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    match (has(&SMALLER), has(&LARGER)) {
        _ if has(&TURNING) => None,
        (true, false) => Some(Direction::Minimize),
        (false, true) => Some(Direction::Maximize),
        _ => None,
    }
}

/// The words of a name in lower case: `valLoss@3` has `val`, `loss` and `3`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("there is a word").extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_one_thing_have_a_direction() {
        for name in [
            "loss",
            "val_loss",
            "valLoss",
            "Validation Loss",
            "test/rmse",
            "mean_squared_error",
            "eval-perplexity",
            "MAE",
        ] {
            assert_eq!(implied_direction(name), Some(Direction::Minimize), "{name}");
        }
        for name in ["AUC", "val_auc", "testAccuracy", "f1", "macro_F1", "R2", "roc_auc", "precision@5"] {
            assert_eq!(implied_direction(name), Some(Direction::Maximize), "{name}");
        }
        for name in
            ["score", "value", "objective", "neg_log_loss", "loss_reduction", "accuracy_loss", "", "glossy"]
        {
            assert_eq!(implied_direction(name), None, "{name}");
        }
    }
}
