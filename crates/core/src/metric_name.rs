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
/// Words that say on which rows, over what or at which point a metric is measured, and change nothing of its
/// direction.
const NEUTRAL: [&str; 66] = [
    "val",
    "valid",
    "validation",
    "test",
    "train",
    "training",
    "eval",
    "evaluation",
    "dev",
    "cv",
    "oof",
    "fold",
    "holdout",
    "best",
    "final",
    "last",
    "min",
    "max",
    "mean",
    "avg",
    "average",
    "median",
    "total",
    "overall",
    "macro",
    "micro",
    "weighted",
    "samples",
    "balanced",
    "binary",
    "multi",
    "multiclass",
    "categorical",
    "sparse",
    "root",
    "squared",
    "square",
    "absolute",
    "abs",
    "percentage",
    "percent",
    "relative",
    "log",
    "cross",
    "score",
    "metric",
    "metrics",
    "value",
    "objective",
    "epoch",
    "step",
    "roc",
    "pr",
    "curve",
    "area",
    "under",
    "the",
    "of",
    "on",
    "at",
    "k",
    "top",
    "set",
    "rate",
    "word",
    "character",
];

/// Returns the direction in which a metric of this name improves: `val_loss`, `testAccuracy`. `None` unless
/// every word of the name is known, since any other may reverse or change the metric, as in `neg_log_loss`,
/// `1-auc`, `accuracy_std` or `loss_reduction`; and `None` for names with words of both directions.
pub fn implied_direction(name: &str) -> Option<Direction> {
    let name = name.trim();
    // A sign or an operation turns a metric: `-loss`, `1/loss`, `1 - accuracy`.
    if name.starts_with(['-', '+', '1']) || name.contains(['*', '(', '^', '~', '!']) {
        return None;
    }
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    let is_known = |word: &String| {
        let word = word.as_str();
        SMALLER.contains(&word) || LARGER.contains(&word) || NEUTRAL.contains(&word) || is_number(word)
    };
    if !words.iter().all(is_known) {
        return None;
    }
    match (has(&SMALLER), has(&LARGER)) {
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
        for name in [
            "score",
            "value",
            "objective",
            "neg_log_loss",
            "loss_reduction",
            "accuracy_loss",
            "",
            "glossy",
            "1-auc",
            "1 - AUC",
            "1-accuracy",
            "r2 (1-)",
            "accuracy_drop",
            "auc_deficit",
            "accuracy_penalty",
            "non_accuracy",
            "accuracy_std",
            "auc_std",
            "auc_rank",
            "auc_pvalue",
            "-loss",
            "1/loss",
            "rmse_skill",
            "skill_vs_mse",
            "error_free",
            "num_errors_fixed",
            "not_auc",
            "loss_gap",
        ] {
            assert_eq!(implied_direction(name), None, "{name}");
        }
    }
}
