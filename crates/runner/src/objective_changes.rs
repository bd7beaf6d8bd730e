//! Differences between the objective of stored trials and that of a ladder, in words.

use std::collections::BTreeSet;

use allometry_core::Precision;
use allometry_store::facts::{DataFacts, EmbeddingFacts, ObjectiveFacts};
use serde_json::Value;

/// Most elements of a list that a description names.
const LISTED: usize = 12;

/// Returns a description of each difference of an objective from the stored one, such as
/// `model.epochs: was 2, is 60`; none if no objective is stored.
pub fn objective_changes(stored: Option<&ObjectiveFacts>, now: &ObjectiveFacts) -> Vec<String> {
    let mut changes = Vec::new();
    let Some(stored) = stored else { return changes };
    let (mut old, mut new) = (settings(stored), settings(now));
    if let (ObjectiveFacts::Model(stored), ObjectiveFacts::Model(now)) = (stored, now) {
        features(&stored.data, &now.data, &mut changes);
        for document in [&mut old, &mut new] {
            if let Some(data) = document.get_mut("data").and_then(Value::as_object_mut) {
                data.remove("features");
                data.remove("embeddings");
            }
        }
    }
    compare("", Some(&old), Some(&new), &mut changes);
    changes
}

/// Returns the settings of an objective. Their document leaves single precision out, which is not the default
/// of ladder files.
fn settings(objective: &ObjectiveFacts) -> Value {
    let mut document = objective.to_json();
    if let Some(model) = document.get_mut("model").and_then(Value::as_object_mut) {
        model.entry("precision").or_insert_with(|| Precision::F32.as_str().into());
    }
    document
}

/// Lists the differences of the features, those of columns of categories by column.
fn features(old: &DataFacts, new: &DataFacts, changes: &mut Vec<String>) {
    let (before, after) = (with_vectors(old), with_vectors(new));
    let columns: BTreeSet<&str> = before.iter().chain(&after).map(|(column, _)| *column).collect();
    let of = |columns: &[(&str, EmbeddingFacts)], name: &str| {
        columns.iter().find(|(column, _)| *column == name).map(|(_, facts)| *facts)
    };
    let mut told = BTreeSet::new();
    for column in columns {
        let (was, is) = (of(&before, column), of(&after, column));
        let set = |facts: Option<EmbeddingFacts>, data: &DataFacts| {
            let of_its_own = of_values(data, column).count();
            match facts {
                Some(facts) => Some(facts.size.to_string()),
                None if of_its_own > 0 => Some(format!("none ({of_its_own} features, one for each value)")),
                None => None,
            }
        };
        let name = format!("data.categorical, column `{column}`");
        match (set(was, old), set(is, new)) {
            (Some(was), Some(is)) => {
                told.extend([old, new].into_iter().flat_map(|data| of_values(data, column)));
                told.insert(column);
                if was != is {
                    changes.push(format!("{name}: embedding was {was}, is {is}"));
                }
            }
            (None, Some(is)) => {
                told.insert(column);
                changes.push(format!("{name}: new, with embedding {is}"));
            }
            (Some(was), None) => {
                told.insert(column);
                changes.push(format!("{name}: removed, embedding was {was}"));
            }
            (None, None) => {}
        }
        if let (Some(was), Some(is)) = (was, is)
            && was.categories != is.categories
        {
            changes.push(format!("{name}: had {} values, has {}", was.categories, is.categories));
        }
    }
    let others = |data: &DataFacts| -> Vec<String> {
        data.features.iter().filter(|name| !told.contains(name.as_str())).cloned().collect()
    };
    let (before, after) = (others(old), others(new));
    let lacking = |all: &[String], here: &[String]| -> Vec<String> {
        all.iter().filter(|name| !here.contains(name)).map(|name| format!("`{name}`")).collect()
    };
    let (removed, added) = (lacking(&before, &after), lacking(&after, &before));
    for (names, word) in [(&added, "new"), (&removed, "removed")] {
        if !names.is_empty() {
            changes.push(format!("data.features: {word}: {}", cut(names)));
        }
    }
    if removed.is_empty() && added.is_empty() && before != after {
        changes.push("data.features: the same in another order".to_owned());
    }
}

/// Returns the columns of categories with learned vectors.
fn with_vectors(data: &DataFacts) -> Vec<(&str, EmbeddingFacts)> {
    // They are the last of the features.
    let first = data.features.len().saturating_sub(data.embeddings.len());
    data.features[first..].iter().map(String::as_str).zip(data.embeddings.iter().copied()).collect()
}

/// Returns the features that are values of a column of categories.
fn of_values<'a>(data: &'a DataFacts, column: &'a str) -> impl Iterator<Item = &'a str> {
    let is_value = move |name: &&String| name.strip_prefix(column).is_some_and(|rest| rest.starts_with('='));
    data.features.iter().filter(is_value).map(String::as_str)
}

/// Lists the leaves in which two documents differ, by dotted path. A setting with its default is not in a
/// document.
fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<String>) {
    match (old, new) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&inner, a.get(key), b.get(key), changes);
            }
        }
        _ if old == new => {}
        _ => {
            let shown = |value: Option<&Value>| value.map_or("the default".into(), shown);
            changes.push(format!("{path}: was {}, is {}", shown(old), shown(new)));
        }
    }
}

/// Returns a value as JSON. A long list is cut.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) if items.len() > LISTED => {
            cut(&items.iter().map(Value::to_string).collect::<Vec<_>>())
        }
        _ => value.to_string(),
    }
}

fn cut(names: &[String]) -> String {
    let shown = names[..names.len().min(LISTED)].join(", ");
    let rest = names.len().saturating_sub(LISTED);
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changed_leaves_are_named() {
        let old = json!({"model": {"context": 80, "patch": 16}, "rows": 10});
        let new = json!({"model": {"context": 96, "patch": 16}, "label": "up"});
        let mut changes = Vec::new();
        compare("", Some(&old), Some(&new), &mut changes);
        assert_eq!(
            changes,
            [
                "label: was the default, is \"up\"",
                "model.context: was 80, is 96",
                "rows: was 10, is the default"
            ]
        );
        let names: Vec<String> = (0..15).map(|number| number.to_string()).collect();
        compare("list", Some(&json!(names)), Some(&json!(["a"])), &mut changes);
        let all = "\"0\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\", \"11\"";
        assert_eq!(changes[3], format!("list: was {all} and 3 more, is [\"a\"]"));
    }

    /// Returns facts on plain features and columns of categories: name, number of values and size of vectors,
    /// 0 for a feature of each value.
    fn data(plain: &[&str], columns: &[(&str, usize, usize)]) -> DataFacts {
        let mut data: DataFacts = serde_json::from_value(json!({
            "rows": 10, "features": plain, "label": "y", "na": "error",
            "split": {"train": 0.6, "validation": 0.2},
        }))
        .unwrap();
        for (column, values, _) in columns.iter().filter(|(.., size)| *size == 0) {
            data.features.extend((0..*values).map(|value| format!("{column}={value}")));
        }
        for (column, categories, size) in columns.iter().filter(|(.., size)| *size > 0) {
            data.features.push((*column).to_owned());
            data.embeddings.push(EmbeddingFacts { categories: *categories, size: *size });
        }
        data
    }

    #[test]
    fn changed_columns_of_categories_are_named() {
        let of = |old: DataFacts, new: DataFacts| {
            let mut changes = Vec::new();
            features(&old, &new, &mut changes);
            changes
        };
        let with = |columns: &[(&str, usize, usize)]| data(&["x"], columns);
        assert!(of(with(&[("shop", 4, 8)]), with(&[("shop", 4, 8)])).is_empty());
        assert_eq!(
            of(with(&[("town", 3, 2), ("shop", 4, 4)]), with(&[("town", 3, 2), ("shop", 5, 8)])),
            [
                "data.categorical, column `shop`: embedding was 4, is 8",
                "data.categorical, column `shop`: had 4 values, has 5",
            ]
        );
        assert_eq!(
            of(with(&[("shop", 400, 0)]), with(&[("shop", 400, 8)])),
            ["data.categorical, column `shop`: embedding was none (400 features, one for each value), is 8"]
        );
        assert_eq!(
            of(with(&[]), with(&[("shop", 4, 8)])),
            ["data.categorical, column `shop`: new, with embedding 8"]
        );
        assert_eq!(
            of(with(&[("shop", 4, 8)]), with(&[])),
            ["data.categorical, column `shop`: removed, embedding was 8"]
        );
    }

    #[test]
    fn changed_features_are_named() {
        let of = |old: &[&str], new: &[&str]| {
            let mut changes = Vec::new();
            features(&data(old, &[]), &data(new, &[]), &mut changes);
            changes
        };
        let removed = ["data.features: new: `z`", "data.features: removed: `a`"];
        assert_eq!(of(&["a", "b"], &["b", "z"]), removed);
        assert_eq!(of(&["a", "b"], &["b", "a"]), ["data.features: the same in another order"]);
        let many: Vec<String> = (0..14).map(|number| format!("s={number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let changes = of(&many, &[]);
        assert!(changes[0].ends_with("`s=10`, `s=11` and 2 more"), "{changes:?}");
    }
}
