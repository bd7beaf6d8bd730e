//! Tests of messages: each refusal says where, what and how to go on.

use super::*;

use crate::import::field::{COUNTS, DISTRIBUTIONS, OF_THE_SET, TIMES};
use crate::import::flat::LISTS;

/// Checks what a file of a name and a text is refused with: a part of the message, and the whole hint.
fn for_each_hint(cases: &[(&str, &str, &str, &str)]) {
    for (name, text, expected, hint) in cases {
        let told = message(read_text(name, text));
        assert!(told.contains(expected), "{text}: {told}");
        assert!(told.ends_with(&format!(" ({hint})")), "{text}: {told}");
    }
}

#[test]
fn every_refusal_of_a_list_has_a_hint() {
    let deep = format!(r#"[{{"value": 1, "params": {{"x": {}}}}}]"#, "[".repeat(200));
    for_each_hint(&[
        ("t.json", r#"[{"number": 1.5, "value": 1}]"#, "field `number`: expected a count from 0", COUNTS),
        (
            "t.json",
            r#"[{"number": -1, "value": 1, "params": {}}]"#,
            "field `number`: expected a count from 0",
            COUNTS,
        ),
        (
            "t.json",
            r#"[{"value": "0.5", "params": {}}]"#,
            "field `value`: expected a number or null",
            "write numbers without quotes, and with a decimal point",
        ),
        (
            "t.json",
            r#"[{"value": 0.5, "params": "{\"x\": 1}"}]"#,
            "field `params`: expected an object",
            "write an object such as {\"lr\": 0.1} into the field, and no text of one",
        ),
        (
            "t.json",
            r#"[{"value": 0.5, "params": {"x": 1},
                "distributions": {"x": {"name": "Odd", "attributes": {}}}}]"#,
            "field `distributions.x`: expected a distribution: distribution class `Odd` is unknown",
            DISTRIBUTIONS,
        ),
        (
            "t.json",
            r#"[{"value": 0.5, "params": {"x": 3}, "distributions": {"x": {"choices": [1]}}}]"#,
            "field `distributions.x`: expected a distribution that has 3",
            OF_THE_SET,
        ),
        ("t.json", r#"{"a": 1}"#, "line 1: expected a list of trials", LISTS),
        ("t.json", "[1, 2]", "trial 0 of the list: expected an object", LISTS),
        ("t.json", &deep, "recursion limit exceeded", "lists and objects may be nested 127 deep"),
    ]);
}

#[test]
fn every_refusal_of_a_table_has_a_hint() {
    for_each_hint(&[
        (
            "t.csv",
            "number,value,params_x\n-1,1,2\n",
            "column `number`: expected a count from 0, found `-1`",
            COUNTS,
        ),
        (
            "t.csv",
            "trial,value,params_x\n1.5,1,2\n",
            "column `trial`: expected a count from 0, found `1.5`",
            COUNTS,
        ),
        (
            "t.csv",
            "number,value,params_x,distributions_x\n0,1,2,odd\n",
            "column `distributions_x`: expected a distribution: distribution is not JSON: line 1, column 1: \
             expected value, found `odd`",
            DISTRIBUTIONS,
        ),
        (
            "t.csv",
            "number,value,params_x,datetime_start\n0,1,2,yesterday\n",
            "column `datetime_start`: expected a date and time, found `yesterday`",
            TIMES,
        ),
        (
            "t.csv",
            "number,value,params_x,datetime_start\n0,1,2,1704103200000\n",
            "column `datetime_start`: expected a date and time, found `1704103200000`",
            "convert it: `pandas.to_datetime(column, unit=\"ms\")`, or \"s\" for seconds",
        ),
        (
            "t.csv",
            "# trials of May\nnumber,value,params_x\n0,1,2\n",
            "line 2: 3 fields, but the header has 1",
            "the first line must contain the names of the columns: remove comments above it",
        ),
        (
            "t.csv",
            "number value params_x\n0 1 2\n",
            "line 1: no column holds the objective",
            "write a comma, a semicolon, a tab or a bar between the cells",
        ),
        (
            "t.csv",
            "number value params_x\n0 1,5 2\n",
            "line 2: 2 fields, but the header has 1",
            "write a comma, a semicolon, a tab or a bar between the cells",
        ),
        (
            "t.csv",
            "number,value,params_x\n0,1\n",
            "line 2: 2 fields, but the header has 3",
            "leave the cell of a missing value empty, but keep its comma",
        ),
    ]);
}
