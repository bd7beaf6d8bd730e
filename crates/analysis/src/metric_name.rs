//! Properties of a metric by its name.

/// Whether the metric with this name is the area under the ROC curve.
pub fn is_auc(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let parts = ["validation", "valid", "val", "dev", "eval", "test", "mean"];
    let whole = parts.iter().find_map(|part| name.strip_prefix(part)).unwrap_or(&name);
    ["auc", "rocauc", "aucroc", "auroc"].contains(&whole)
}
