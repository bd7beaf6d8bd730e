//! Tests of labels whose classes have names.

use super::table::{booleans, texts};
use super::*;

/// Returns `rows` days whose label is `label(row)`.
fn labelled(rows: usize, label: impl Fn(usize) -> String) -> Table {
    let lines: Vec<String> = (0..rows).map(|i| format!("{},{i},-{i},{}", day(i), label(i))).collect();
    Table::csv(text(HEADER, &lines))
}

fn named(rows: usize, names: &'static [&'static str]) -> Table {
    labelled(rows, |i| names[i % names.len()].to_owned())
}

impl Table {
    fn positive(self, value: &str) -> Self {
        let positive = Some(value.to_owned());
        self.with(|spec| spec.label = LabelSpec::Column { name: "y".into(), horizon: 1, positive })
    }

    fn of_task(&self, task: Task) -> Result<Loaded, DataError> {
        load(&self.spec, 2, Normalize::None, task)
    }

    fn refusal(&self, task: Task) -> (String, Option<String>) {
        let error = self.of_task(task).expect_err("is refused");
        let folder: PathBuf = self.folder.path().join("");
        (error.to_string().replace(&*folder.to_string_lossy(), ""), error.hint())
    }
}

fn refused(message: &str, hint: &str) -> (String, Option<String>) {
    (message.to_owned(), Some(hint.to_owned()))
}

#[test]
fn the_positive_name_is_class_one() {
    let numbers = Table::csv(text(HEADER, &days(24))).load(2).expect("is loaded").dataset;
    for (names, positive, expected) in [
        (["no", "yes"], "yes", ["no", "yes"]),
        (["yes", "no"], "no", ["yes", "no"]),
        (["1", "2"], "2", ["1", "2"]),
        (["-1.5", "1"], "1", ["-1.5", "1"]),
        (["FALSE", "True"], "true", ["false", "true"]),
    ] {
        let table = labelled(24, |i| names[i % 2].to_owned()).positive(positive);
        let loaded = table.of_task(Task::Binary).expect("is loaded");
        assert_eq!(loaded.dataset.preparation.class_names, expected);
        assert_eq!(loaded.dataset.train, numbers.train, "{names:?}");
        assert_eq!(loaded.dataset.test, numbers.test, "{names:?}");
    }
}

#[test]
fn booleans_need_no_positive_name() {
    let numbers = Table::csv(text(HEADER, &days(24))).load(2).expect("is loaded").dataset;
    let words = named(24, &["fAlse", "TRUE", "False", "tRUE"]).of_task(Task::Binary).expect("is loaded");
    assert_eq!((words.dataset.train, words.dataset.preparation.class_names), (numbers.train, vec![]));
    let table =
        |label| Table::parquet(&[("date", floats((0..24).map(f64::from))), ("a", alternating(24)), label]);
    let typed = table(("y", booleans((0..24).map(|i| i % 2 == 1))));
    let text = table(("y", texts((0..24).map(|i| if i % 2 == 1 { "TRUE" } else { "False" }))));
    let typed = typed.of_task(Task::Binary).expect("is loaded").dataset;
    assert_eq!(text.of_task(Task::Binary).expect("is loaded").dataset, typed);
}

#[test]
fn classes_are_names_in_sorted_order_in_both_formats() {
    let names = ["up", "down", "flat"];
    let csv = named(48, &["up", "down", "flat"]).of_task(Task::Classes).expect("is loaded").dataset;
    assert_eq!(
        (csv.preparation.classes, &csv.preparation.class_names[..]),
        (3, &["down", "flat", "up"].map(String::from)[..])
    );
    let targets: Vec<f32> = csv.train.windows.iter().take(3).map(|window| window.target).collect();
    assert_eq!(targets, [0.0, 1.0, 2.0], "rows 1 to 3 are down, flat, up");
    let table = Table::parquet(&[
        ("date", floats((0..48).map(f64::from))),
        ("a", alternating(48)),
        ("y", texts((0..48).map(|i| names[i % 3]))),
    ]);
    let parquet = table.of_task(Task::Classes).expect("is loaded").dataset;
    assert_eq!(
        (&parquet.preparation.class_names, &parquet.train),
        (&csv.preparation.class_names, &csv.train)
    );
}

#[test]
fn a_missing_name_is_a_missing_label() {
    let table = labelled(30, |i| if i >= 28 { "NA".into() } else { ["no", "yes"][i % 2].into() });
    let loaded = table.positive("yes").of_task(Task::Binary).expect("labels at the end may be missing");
    assert_eq!(loaded.summary.unlabelled, 2);
    let table = labelled(30, |i| if i == 4 { String::new() } else { ["no", "yes"][i % 2].into() });
    assert_eq!(table.positive("yes").refusal(Task::Binary).0, "t.csv: line 6: label `y` is missing");
}

#[test]
fn names_that_do_not_fit_their_task() {
    let two = "t.csv: label `y` has two classes (`no` in 12 rows, `yes` in 12 rows), and neither is named as \
               positive";
    let hint = "positive = \"yes\" under [data] makes `yes` class 1";
    assert_eq!(named(24, &["no", "yes"]).refusal(Task::Binary), refused(two, hint));
    let three = "t.csv: label `y` has 3 classes (`a` in 8 rows, `b` in 8 rows, `c` in 8 rows), but `task = \
                 \"binary\"` predicts two";
    let hint = "`task = \"classes\"` under [model] predicts several classes; otherwise correct the label";
    assert_eq!(named(24, &["c", "a", "b"]).refusal(Task::Binary), refused(three, hint));
    let typo = labelled(24, |i| if i == 7 { "yess".into() } else { ["no", "yes"][i % 2].into() });
    let mistake = "t.csv: label `y` has 3 classes (`no` in 12 rows, `yes` in 11 rows, `yess` in 1 row; the \
                   first `yess` is in line 9), but `task = \"binary\"` predicts two";
    assert_eq!(typo.positive("yes").refusal(Task::Binary), refused(mistake, hint));
    let other =
        "t.csv: label `y` is never `Yes` (positive); its classes are `no` in 12 rows, `yes` in 12 rows";
    let hint = "did you mean positive = \"yes\"?";
    assert_eq!(named(24, &["no", "yes"]).positive("Yes").refusal(Task::Binary), refused(other, hint));
    let text = "t.csv: line 2: label `y` is `no`; it must be a finite number";
    let hint = "task = \"binary\" or task = \"classes\" under [model] predicts classes by name";
    assert_eq!(named(24, &["no", "yes"]).refusal(Task::Regression), refused(text, hint));
    let many = labelled(1010, |i| format!("id{i}")).refusal(Task::Classes).0;
    assert_eq!(many, "t.csv: line 1002: label `y` has more than 1000 classes");
}

#[test]
fn numbers_that_do_not_fit_their_task_name_the_task() {
    let refusal = |value: &'static str, task| {
        labelled(24, |i| if i == 4 { value.into() } else { (i % 2).to_string() }).refusal(task)
    };
    assert_eq!(
        refusal("2", Task::Binary),
        refused(
            "t.csv: line 6: label `y` is `2`; it must be 0 or 1",
            "task = \"classes\" under [model] predicts classes numbered from 0; task = \"regression\" under \
             [model] predicts numbers; a label of two values names the one that is class 1: positive = \"2\" \
             under [data]"
        )
    );
    assert_eq!(
        refusal("1.5", Task::Classes),
        refused(
            "t.csv: line 6: label `y` is `1.5`; it must be a whole number from 0 to 999",
            "task = \"regression\" under [model] predicts numbers"
        )
    );
    assert_eq!(
        refusal("yes", Task::Binary).1.as_deref(),
        Some("the label's first value is a number, so all must be; correct this one")
    );
}

#[test]
fn a_class_of_later_parts_only_is_refused_with_its_rows() {
    for (task, name) in [(Task::Classes, "`new`"), (Task::Classes, "2")] {
        let word = name.trim_matches('`');
        let old: &[&str] = if word == "2" { &["0", "1"] } else { &["a", "b"] };
        // Rows 36 to 47 of 48 are the test part; row 40 is line 42.
        let table = labelled(48, |i| if i == 40 || i == 43 { word.into() } else { old[i % 2].into() });
        let message = format!(
            "t.csv: class {name} of 3 of label `y` has no window in the training part; it occurs in 2 rows, \
             the first is line 42"
        );
        let hint = "a larger share for training, or one class for it and another in the table";
        assert_eq!(table.refusal(task), refused(&message, hint));
    }
    let gap = named(48, &["0", "2"]).refusal(Task::Classes);
    let message = "t.csv: class 1 of 3 of label `y` has no window in the training part; it occurs in no row";
    assert_eq!(gap, refused(message, "number the classes from 0 without gaps, or write them as names"));
    let one =
        labelled(24, |i| if (12..=17).contains(&i) { "no".into() } else { ["no", "yes"][i % 2].into() });
    let (message, _) = one.positive("yes").refusal(Task::Binary);
    assert_eq!(message, "t.csv: all 6 windows of the validation part have the label `no` in column `y`");
}

#[test]
fn columns_that_are_not_numbers_are_refused_by_name() {
    let lines: Vec<String> =
        days(24).iter().map(|l| format!("{l},{},,SPX", if l.len() > 20 { "" } else { "x" })).collect();
    let table = Table::csv(text("date,a,b,y,sector,void,ticker", &lines));
    let (message, hint) = table.complaint();
    assert_eq!(
        message,
        "t.csv: column `sector` cannot be a feature: line 2 has `x`, which is not a number; column `void` \
         cannot be a feature: it holds nothing; column `ticker` cannot be a feature: line 2 has `SPX`, which \
         is not a number"
    );
    let exclude = "exclude = [\"sector\", \"void\", \"ticker\"] under [data.features] leaves them out; \
                   categorical = [\"sector\"] under [data] makes a feature of each of its values; \
                   series = \"sector\" if it tells the series of each row";
    assert_eq!(hint.as_deref(), Some(exclude));
    let table = Table::parquet(&[
        ("date", floats((0..24).map(f64::from))),
        ("a", alternating(24)),
        ("name", texts(["SPX"; 24])),
        ("y", alternating(24)),
    ]);
    let message =
        "t.parquet: column `name` cannot be a feature: row 0 (from 0) has `SPX`, which is not a number";
    assert_eq!(
        table.complaint(),
        refused(
            message,
            "exclude = [\"name\"] under [data.features] leaves it out; categorical = [\"name\"] under [data] \
             makes a feature of each of its values; series = \"name\" if it tells the series of each row"
        )
    );
}
