//! Tests of columns whose categories are features.

use std::path::Path;

use allometry_ladder::{SeriesSpec, SeriesSplit};

use super::super::{leaks, load_unlabelled};
use super::table::{booleans, texts};
use super::*;

const TEXT: &str = "date,a,sector,code,y";

/// Returns 48 days. The sector is `tech` or `bank`, and `space` in rows 40 and 43 of the test part. The code
/// is 7 or 12.
fn lines() -> Vec<String> {
    let sector = |i: usize| if i == 40 || i == 43 { "space" } else { ["tech", "bank"][i / 2 % 2] };
    let code = |i: usize| if i.is_multiple_of(3) { 7 } else { 12 };
    (0..48).map(|i| format!("{},{i},{},{},{}", day(i), sector(i), code(i), i % 2)).collect()
}

fn categorical(names: &[&str]) -> Table {
    let wanted = names.iter().map(|name| CategorySpec::from(*name)).collect();
    Table::csv(text(TEXT, &lines())).with(|spec| spec.features.categorical = wanted)
}

#[test]
fn each_category_of_the_training_part_is_a_feature() {
    let table = categorical(&["sector", "code"]);
    let loaded = load(&table.spec, 2, Normalize::Standard, Task::Binary).expect("is loaded");
    let dataset = &loaded.dataset;
    assert_eq!(dataset.feature_names, ["a", "sector=bank", "sector=tech", "code=12", "code=7"]);
    assert_eq!(loaded.summary.features, 5);
    let left_out: Vec<&str> = loaded.summary.left_out.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(left_out, ["date", "y"]);
    assert_eq!(dataset.preparation.scaling.as_ref().map(Vec::len), Some(1), "0 and 1 are not scaled");
    let row = |row: usize| &dataset.values[5 * row..][1..5];
    assert_eq!(row(0), [0.0, 1.0, 0.0, 1.0], "tech and 7");
    assert_eq!(row(2), [1.0, 0.0, 1.0, 0.0], "bank and 12");
    assert_eq!(row(40), [0.0, 0.0, 1.0, 0.0], "a sector that the training part lacks");
    let unseen: Vec<String> = loaded.summary.unseen.iter().map(ToString::to_string).collect();
    assert_eq!(
        unseen,
        ["`sector` has values that the training rows lack: `space` in 2 rows; all its features are 0 there"]
    );
    let included = table.with(|spec| spec.features.include = Some(vec!["sector".into(), "a".into()]));
    let names = included.load(2).expect("is loaded").dataset.feature_names;
    assert_eq!(names, dataset.feature_names, "numbers come first");
}

#[test]
fn a_column_with_learned_vectors_is_one_feature() {
    let sector = CategorySpec { embedding: Some(3), ..CategorySpec::from("sector") };
    let wanted = vec![sector, "code".into()];
    let table = Table::csv(text(TEXT, &lines())).with(|spec| spec.features.categorical = wanted.clone());
    let loaded = load(&table.spec, 2, Normalize::Standard, Task::Binary).expect("is loaded");
    let dataset = &loaded.dataset;
    assert_eq!(dataset.feature_names, ["a", "code=12", "code=7", "sector"], "vectors come last");
    assert_eq!(loaded.summary.features, 4);
    let row = |row: usize| &dataset.values[4 * row..][1..4];
    assert_eq!(row(0), [0.0, 1.0, 2.0], "7 and tech, the second sector");
    assert_eq!(row(2), [1.0, 0.0, 1.0], "12 and bank");
    assert_eq!(row(40), [1.0, 0.0, 0.0], "a sector that the training part lacks");
    let unseen: Vec<String> = loaded.summary.unseen.iter().map(ToString::to_string).collect();
    let expected =
        "`sector` has values that the training rows lack: `space` in 2 rows; its vector is 0 there";
    assert_eq!(unseen, [expected]);
    let inputs = dataset.inputs().expect("a model can have them");
    assert_eq!((inputs.features, inputs.embeddings.columns().len()), (4, 1));
    let column = inputs.embeddings.columns()[0];
    assert_eq!((column.categories, column.size), (2, 3));
    // A table to be predicted.
    let new = Table::csv("date,a,sector,code\n2024-01-01,1,space,7\n2024-01-02,2,bank,12\n");
    let rows = load_unlabelled(&new.spec.path, &dataset.feature_names, &dataset.preparation, 1);
    let rows = rows.expect("is loaded");
    assert_eq!([&rows.values[1..4], &rows.values[5..8]], [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]);
    assert_eq!(rows.unseen.len(), 1);
}

#[test]
fn the_series_may_be_a_category() {
    let lines: Vec<String> =
        (0..48).flat_map(|i| ["x", "y"].map(|shop| format!("{},{i},{shop},7,{}", day(i), i % 2))).collect();
    let shop = CategorySpec { embedding: Some(2), ..CategorySpec::from("sector") };
    let table = Table::csv(text(TEXT, &lines)).with(|spec| {
        spec.series = Some(SeriesSpec { column: "sector".into(), split: SeriesSplit::Time });
        spec.features.categorical = vec![shop.clone()];
    });
    let loaded = table.load(2).expect("is loaded");
    assert_eq!(loaded.dataset.feature_names, ["a", "code", "sector"]);
    let left_out: Vec<&str> = loaded.summary.left_out.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(left_out, ["date", "y"]);
    let codes: Vec<f32> = loaded.dataset.values.chunks_exact(3).map(|row| row[2]).collect();
    assert_eq!((codes[0], codes[47], codes[48], codes[95]), (1.0, 1.0, 2.0, 2.0));
    assert!(loaded.dataset.static_columns().is_empty(), "vectors reach the model under revin, too");
    let indicators = table.with(|spec| spec.features.categorical = vec!["sector".into()]);
    assert_eq!(indicators.load(2).expect("is loaded").dataset.static_columns(), ["sector"]);
}

#[test]
fn a_category_with_a_vector_that_gives_the_label_away_is_found() {
    let lines: Vec<String> = (0..48)
        .map(|i| format!("{},{i},{},7,{}", day(i), ["no", "yes"][i * i % 7 % 2], i * i % 7 % 2))
        .collect();
    let sector = CategorySpec { embedding: Some(2), ..CategorySpec::from("sector") };
    let table = Table::csv(text(TEXT, &lines)).with(|spec| spec.features.categorical = vec![sector.clone()]);
    let found = leaks(&table.load(2).expect("is loaded").dataset, Task::Binary, 1);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["`sector` (category `no`) is a copy of the label"]);
}

#[test]
fn tables_without_numbers_and_parquet_have_categories() {
    let csv = categorical(&["sector", "code"]).with(|spec| spec.features.exclude = vec!["a".into()]);
    let csv = load(&csv.spec, 2, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    assert_eq!(csv.feature_names, ["sector=bank", "sector=tech", "code=12", "code=7"]);
    let lines = lines();
    let cell = |row: usize, column: usize| lines[row].split(',').nth(column).expect("is there").to_owned();
    let table = Table::parquet(&[
        ("date", floats((0..48).map(f64::from))),
        ("sector", texts((0..48).map(|row| cell(row, 2)))),
        ("code", floats((0..48).map(|row| cell(row, 3).parse().expect("is a number")))),
        ("y", alternating(48)),
        ("flag", booleans((0..48).map(|row| row % 5 == 0))),
    ]);
    let table = table.with(|spec| {
        spec.features.categorical = vec!["sector".into(), "code".into()];
        spec.features.exclude = vec!["flag".into()];
    });
    let parquet = load(&table.spec, 2, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    assert_eq!((&parquet.feature_names, &parquet.values), (&csv.feature_names, &csv.values));
    let flags = table.with(|spec| {
        spec.features = FeatureSpec { categorical: vec!["flag".into()], ..FeatureSpec::default() };
        spec.features.exclude = vec!["sector".into(), "code".into()];
    });
    assert_eq!(flags.load(2).expect("is loaded").dataset.feature_names, ["flag=false", "flag=true"]);
}

#[test]
fn tables_to_be_predicted_have_the_categories_of_the_training() {
    let table = categorical(&["sector", "code"]);
    let trained = load(&table.spec, 2, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    let again = |path: &Path| load_unlabelled(path, &trained.feature_names, &trained.preparation, 2);
    let found = again(&table.spec.path).expect("is loaded");
    assert_eq!(found.values, trained.values);
    assert_eq!(found.unseen[0].categories, [("space".to_owned(), 2)]);
    let other =
        Table::csv("date,code,sector,a\n2024-01-01,9,tech,1\n2024-01-02,7,bank,2\n2024-01-03,,bank,3");
    let message = again(&other.spec.path).expect_err("a code is missing").to_string();
    assert!(message.ends_with("line 4: column `code` is empty"), "{message}");
    let mut dropping = trained.preparation.clone();
    dropping.missing = MissingPolicy::Drop;
    let found = load_unlabelled(&other.spec.path, &trained.feature_names, &dropping, 2).expect("is loaded");
    assert_eq!((found.dropped, found.gaps), (1, vec![("code".to_owned(), 1)]));
    assert_eq!(found.unseen[0].categories, [("9".to_owned(), 1)]);
    assert_eq!(found.values[1..5], [0.0, 1.0, 0.0, 0.0], "tech, and a code that the training part lacks");
}

#[test]
fn columns_that_cannot_be_categories_are_refused() {
    let refused = |name: &str| categorical(&[name]).complaint();
    let (message, hint) = refused("sectro");
    assert_eq!(message, "t.csv: there is no column `sectro` (categorical)");
    assert_eq!(hint.as_deref(), Some("did you mean `sector`?"));
    assert_eq!(refused("y").0, "t.csv: column `y` is the label, so it cannot be a feature too");
    let many: Vec<String> = (0..1100).map(|i| format!("{i},{i},id{i},,{}", i % 2)).collect();
    let many = Table::csv(text(TEXT, &many)).with(|spec| spec.features.categorical = vec!["sector".into()]);
    let (message, hint) = many.with(|spec| spec.features.exclude = vec!["code".into()]).complaint();
    assert_eq!(message, "t.csv: line 1002: column `sector` has more than 1000 categories");
    assert_eq!(
        hint.as_deref(),
        Some(
            "categorical = [{ column = \"sector\", embedding = 8 }] under [data] learns 8 weights for each \
             of up to 1000000 categories; exclude = [\"sector\"] under [data.features] leaves it out"
        )
    );
    let empty: Vec<String> = (0..48).map(|i| format!("{i},{i},,,{}", i % 2)).collect();
    let empty = Table::csv(text(TEXT, &empty)).with(|spec| spec.features.categorical = vec!["code".into()]);
    assert_eq!(
        empty.with(|spec| spec.features.exclude = vec!["sector".into()]).complaint().0,
        "t.csv: column `code` (categorical) holds nothing, not categories"
    );
    let dates =
        Table::parquet(&[("when", int32(0..24).days()), ("a", alternating(24)), ("y", alternating(24))]);
    let dates = dates.with(|spec| {
        spec.time = None;
        spec.features.categorical = vec!["when".into()];
    });
    assert_eq!(
        dates.complaint().0,
        "t.parquet: column `when` (categorical) holds values of type Date, not text, numbers or booleans"
    );
}

#[test]
fn a_category_that_gives_the_label_away_is_named_by_its_column() {
    let lines: Vec<String> =
        (0..96).map(|i| format!("{i},{},{},{}", i * 7 % 13, ["x", "z"][i % 2], i % 2)).collect();
    let table = Table::csv(text("date,a,sector,y", &lines));
    let table = table.with(|spec| spec.features.categorical = vec!["sector".into()]);
    let dataset = load(&table.spec, 2, Normalize::Standard, Task::Binary).expect("is loaded").dataset;
    let found: Vec<String> = leaks(&dataset, Task::Binary, 1).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["`sector` (category `x`) is a copy of the label"]);
}
