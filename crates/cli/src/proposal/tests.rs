use std::path::Path;

use allometry_ladder::{LabelSpec, ModelSpec, ObjectiveSpec, Task};
use allometry_trainer::Geometry;
use allometry_trainer::data::{ColumnDescription, Distinct, TableDescription};

use super::*;

/// Returns a column of numbers with these distinct values; without any, a column of many.
fn numbers(name: &str, values: &[f64]) -> ColumnDescription {
    let rows = 100 / values.len().max(1) as u64;
    ColumnDescription {
        name: name.into(),
        found: None,
        missing: 0,
        infinite: 0,
        range: Some((values.first().copied().unwrap_or(-1.5), values.last().copied().unwrap_or(2.5))),
        is_whole: values.iter().all(|value| value.fract() == 0.0) && !values.is_empty(),
        counts_rows: false,
        is_time: false,
        stray: None,
        distinct: (!values.is_empty())
            .then(|| values.iter().map(|value| (Distinct::Number(*value), rows)).collect()),
    }
}

fn texts(name: &str, values: &[&str]) -> ColumnDescription {
    let distinct = values.iter().map(|value| (Distinct::Text((*value).into()), 50)).collect();
    ColumnDescription {
        found: Some("text".into()),
        range: None,
        is_whole: false,
        distinct: Some(distinct),
        ..numbers(name, &[])
    }
}

fn times(name: &str) -> ColumnDescription {
    ColumnDescription { is_time: true, distinct: None, ..texts(name, &[]) }
}

fn table(columns: Vec<ColumnDescription>) -> TableDescription {
    TableDescription { rows: 100, columns }
}

fn geometry(features: usize) -> Geometry {
    Geometry::new(features, 0, &ModelSpec::new(32, 8, 8)).expect("fits")
}

#[test]
fn the_label_is_named_so_or_the_only_one_of_0_and_1() {
    let named = table(vec![numbers("a", &[0.0, 1.0]), numbers("Target", &[]), numbers("b", &[])]);
    let roles = Roles::of(&named, None, None).expect("is told");
    assert_eq!((roles.label.as_str(), roles.task), ("Target", Task::Regression));
    assert_eq!(roles.features, ["a", "b"]);
    let single = table(vec![numbers("a", &[0.0, 1.0]), numbers("b", &[])]);
    let roles = Roles::of(&single, None, None).expect("is told");
    assert_eq!((roles.label.as_str(), roles.task), ("a", Task::Binary));
    let asked = Roles::of(&single, Some("b"), None).expect("is told");
    assert_eq!((asked.label.as_str(), asked.features), ("b", vec!["a".to_owned()]));
}

#[test]
fn tasks_follow_from_the_values() {
    for (values, expected) in [
        (&[0.0, 1.0][..], Task::Binary),
        (&[0.0, 1.0, 2.0], Task::Classes),
        (&[1.0, 2.0, 3.0], Task::Regression),
        (&[-1.0, 1.0], Task::Regression),
        (&[0.0, 0.5, 1.0], Task::Regression),
        (&[], Task::Regression),
    ] {
        assert_eq!(roles::task(&numbers("y", values)), expected, "{values:?}");
    }
}

#[test]
fn texts_are_classes_of_a_label_and_are_excluded_from_features() {
    for (values, task, positive) in [
        (&["no", "yes"][..], Task::Binary, Some("yes")),
        (&["DOWN", "UP"], Task::Binary, Some("UP")),
        (&["left", "right"], Task::Binary, Some("left")),
        (&["a", "b", "c"], Task::Classes, None),
    ] {
        let columns = vec![numbers("a", &[]), texts("name", &["x", "y", "z"]), texts("Class", values)];
        let roles = Roles::of(&table(columns), None, None).expect("is told");
        assert_eq!((roles.label.as_str(), roles.task, roles.positive.as_deref()), ("Class", task, positive));
        assert_eq!(roles.excluded, [("name".to_owned(), "holds text; it can be `categorical`".to_owned())]);
    }
}

#[test]
fn what_cannot_be_told_is_asked_for() {
    let both = [numbers("a", &[0.0, 1.0]), numbers("b", &[0.0, 1.0])];
    let several = table([&both[..], &[texts("word", &["n", "y"])]].concat());
    let unclear = Roles::of(&several, None, None).expect_err("is unclear");
    assert!(unclear.is_usage());
    assert_eq!(
        unclear.to_string(),
        "cannot tell which column is the label; it could be `a` (0 and 1), `b` (0 and 1), `word` (`n`, `y`)"
    );
    assert_eq!(unclear.hint().expect("there is one"), "name it with --label COLUMN");
    let unknown = Roles::of(&several, Some("c"), None).expect_err("is not there");
    assert_eq!(unknown.to_string(), "--label: there is no column `c`");
    let both = Roles::of(&several, Some("a"), Some("a")).expect_err("is refused");
    assert!(both.is_usage());
    let many: Vec<String> = (0..21).map(|i| format!("t{i:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let several = table([&several.columns[..], &[texts("id", &many)]].concat());
    let text = Roles::of(&several, Some("id"), None).expect_err("is refused");
    assert_eq!(
        (text.is_usage(), text.to_string().as_str()),
        (false, "column `id` cannot be the label: it holds text, not numbers or a few classes")
    );
    let constant = table(vec![numbers("a", &[1.0]), numbers("b", &[])]);
    assert!(matches!(Roles::of(&constant, Some("a"), None), Err(Unclear::ConstantLabel { .. })));
    let words = table(vec![texts("word", &["n", "y"])]);
    let none = Roles::of(&words, None, None).expect_err("is refused");
    assert!(matches!(none, Unclear::NoFeatures { .. }));
    assert!(none.hint().expect("there is one").ends_with("fields must be separated by commas"));
}

#[test]
fn times_are_found_by_what_they_hold_and_by_name() {
    let time = |columns| Roles::of(&table(columns), Some("y"), None).expect("is told").time;
    let y = || numbers("y", &[0.0, 1.0]);
    let whole = |name| ColumnDescription { is_whole: true, ..numbers(name, &[]) };
    assert_eq!(time(vec![times("born"), times("date"), whole("a"), y()]).as_deref(), Some("date"));
    assert_eq!(time(vec![times("born"), whole("time"), y()]).as_deref(), Some("born"));
    assert_eq!(time(vec![whole("a"), whole("Timestamp"), y()]).as_deref(), Some("Timestamp"));
    assert_eq!(time(vec![whole("a"), whole("t"), y()]).as_deref(), Some("t"));
    assert_eq!(time(vec![whole("a"), numbers("month", &[1.0, 2.0, 3.0]), y()]), None);
    assert_eq!(time(vec![numbers("t", &[]), y()]), None, "fractions are a measurement");
    let repeated = |name| ColumnDescription { is_whole: true, ..numbers(name, &[1.0, 2.0, 3.0]) };
    let shop = || texts("shop", &["a", "b"]);
    assert_eq!(time(vec![whole("a"), repeated("t"), shop(), y()]).as_deref(), Some("t"));
    assert_eq!(time(vec![whole("a"), repeated("t"), y()]), None, "no column tells the series");
    assert_eq!(time(vec![repeated("nr"), repeated("year"), y()]).as_deref(), Some("year"));
    assert_eq!(time(vec![repeated("shop_id"), repeated("year"), y()]).as_deref(), Some("year"));
    assert_eq!(time(vec![whole("a"), repeated("month"), shop(), y()]), None, "months repeat every year");
    assert_eq!(time(vec![repeated("year"), repeated("month"), shop(), y()]), None, "which one is unclear");
}

#[test]
fn columns_that_teach_nothing_are_left_out() {
    let sparse = ColumnDescription { missing: 30, ..numbers("sparse", &[]) };
    let few = ColumnDescription { missing: 3, ..numbers("few", &[]) };
    let id = ColumnDescription { counts_rows: true, is_whole: true, ..numbers("id", &[]) };
    let index = numbers("", &[]);
    let table = table(vec![index, id, numbers("flat", &[7.0]), sparse, few, numbers("y", &[0.0, 1.0])]);
    let roles = Roles::of(&table, None, None).expect("is told");
    assert_eq!(roles.features, ["few"]);
    assert!(roles.has_gaps);
    let left_out: Vec<&str> = roles.excluded.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(left_out, ["id", "flat", "sparse"]);
}

#[test]
fn budgets_lie_where_models_are() {
    for features in [1, 3, 105, 2_000] {
        for windows in [1, 40, 4_000, 3_000_000] {
            let budgets = budgets(geometry(features), windows);
            assert_eq!(budgets.len(), 3, "{features} features, {windows} windows");
            assert!(budgets.windows(2).all(|pair| pair[1].weights == 4 * pair[0].weights));
        }
    }
    let labels: Vec<String> = budgets(geometry(8), 4_200).into_iter().map(|b| b.label).collect();
    assert_eq!(labels, ["5k", "20k", "80k"]);
}

#[test]
fn windows_leave_room_in_the_test_part() {
    let lengths: Vec<usize> = [1, 20, 60, 400, 1_000_000].into_iter().map(context).collect();
    assert_eq!(lengths, [1, 1, 2, 8, 32]);
    assert_eq!([1, 2, 4, 32].map(patch), [1, 1, 1, 8]);
}

#[test]
fn the_written_ladder() {
    let flat = numbers("flat", &[7.0]);
    let columns = vec![times("date"), numbers("a", &[]), flat, numbers("label", &[0.0, 1.0])];
    let roles = Roles::of(&table(columns), None, None).expect("is told");
    let proposal = Proposal {
        path: "data/prices.csv",
        roles: &roles,
        span: Some(("2010-01-01", "2026-06-04")),
        dropped: 0,
        context: 32,
        patch: 8,
        budgets: &budgets(geometry(1), 4_200),
        trials: 24,
        confirms: true,
        holes: None,
    };
    insta::assert_snapshot!(proposal.text());
}

#[test]
fn names_keep_their_characters() {
    let hostile = "a \"b\"\\ = [\n# x\t\u{7f}\u{202e}'''\u{1f600}";
    let columns = vec![numbers("v", &[]), numbers(hostile, &[7.0]), numbers("\u{0}", &[0.0, 1.0])];
    let roles = Roles::of(&table(columns), None, None).expect("is told");
    let proposal = Proposal {
        path: "sub/..\n.csv",
        roles: &roles,
        span: None,
        dropped: 1,
        context: 4,
        patch: 1,
        budgets: &budgets(geometry(1), 50),
        trials: 1,
        confirms: false,
        holes: None,
    };
    let ladder = allometry_ladder::parse(&proposal.text(), Path::new("ladder.toml")).expect("is valid");
    let ObjectiveSpec::Model { data, .. } = ladder.objective else { panic!("a model is trained") };
    assert_eq!(data.path, Path::new("sub/..\n.csv"));
    assert_eq!(data.label, LabelSpec::column("\u{0}"));
    assert_eq!(data.features.exclude, [hostile]);
}
