//! Tests of conditions against values computed by hand, of Python's precedence, and of arbitrary text.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 3] = ["a", "b", "weights"];

fn holds(text: &str) -> bool {
    Condition::parse(text, &NAMES).unwrap_or_else(|e| panic!("{text}: {e}")).holds(&[7.0, 2.0, 1_500_000.0])
}

#[test]
fn conditions_mean_what_python_means() {
    for text in [
        "a == 7",
        "a != b and not a < b",
        "2 + 3 * 4 == 14",
        "(2 + 3) * 4 == 20",
        "-2 ** 2 == -4",
        "2 ** -1 == 0.5",
        "2 ** 3 ** 2 == 512",
        "-a % 3 == 2",
        "a // b == 3 and -a // b == -4",
        "a - 2 - 1 == 4",
        "12 / 2 / 3 == 2",
        "1 < b < a <= 7",
        "a == 1 or b == 2 and a == 7",
        "not (a == 1 or b == 1)",
        "not a == 1",
        "min(a, b, 3) == 2 and max(a, b) == 7",
        "abs(b - a) == 5 and sqrt(b * 8) == 4 and log(1) == 0",
        "1_000_000 <= weights <= 1.5e6",
        "weights>=1e+6 and a>b",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in
        ["a < b", "1 < a < 5", "a / 0 > 0", "a / 0 != 1", "a % 0 == 0", "sqrt(-a) == sqrt(-a)", "not a == 7"]
    {
        assert!(!holds(text), "{text}");
    }
    let condition = Condition::parse(" a > b ", &NAMES).unwrap();
    assert_eq!(
        (condition.to_string().as_str(), condition.uses(1), condition.uses(2)),
        ("a > b", true, false)
    );
}

#[test]
fn errors_are_reported_with_their_place() {
    for (text, place, words) in [
        ("", "", "ends too early"),
        ("a >", "", "ends too early"),
        ("a", "a", "compare it with something"),
        ("a + b", "a + b", "compare it with something"),
        ("c > 1", "c", "unknown name `c`; the known names are a, b, weights"),
        ("a = 1", "=", "write `==`"),
        ("a > 1 & b > 1", "&", "write `and`"),
        ("a > 1 b", "b", "after the end"),
        ("(a > 1", "", "expected `)`"),
        ("a > 1)", ")", "after the end"),
        ("(a > 1) + 1 > 0", "(a > 1)", "this is true or false"),
        ("not a", "a", "compare it"),
        ("a and b > 1", "a", "compare it"),
        ("a > * 2", "*", "not `*`"),
        ("a > and b", "and", "before `and`"),
        ("min > 1", ">", "write `min(...)`"),
        ("abs(a, b) > 1", "abs(a, b)", "takes one number, not 2"),
        ("a > 1.2.3", "1.2.3", "not a number"),
        ("a > 2M", "2M", "not a number"),
        ("a > 1e999", "1e999", "not a number"),
        ("a > 'x'", "'", "no meaning"),
        ("a > é", "é", "unknown name"),
    ] {
        let error = Condition::parse(text, &NAMES).unwrap_err();
        assert!(error.message.contains(words), "{text}: {error}");
        assert_eq!(&text[error.span.clone()], place, "{text}: {error}");
    }
    let deep = format!("{}a{} > 1", "(".repeat(60), ")".repeat(60));
    assert!(Condition::parse(&deep, &NAMES).unwrap_err().message.contains("too deeply"));
    assert!(Condition::parse(&format!("{}a > 1", "-".repeat(90)), &NAMES).is_err());
    assert!(
        Condition::parse(&format!("a > 1{}", " ".repeat(1000)), &NAMES)
            .unwrap_err()
            .message
            .contains("longer")
    );
}

/// An arithmetic expression and its value.
fn arithmetic() -> impl Strategy<Value = (String, f64)> {
    let leaf = prop_oneof![
        (0_i32..100).prop_map(|n| (n.to_string(), f64::from(n))),
        Just(("a".to_owned(), 7.0)),
        Just(("b".to_owned(), 2.0)),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|((s, x), (t, y))| (format!("({s} + {t})"), x + y)),
            (inner.clone(), inner.clone()).prop_map(|((s, x), (t, y))| (format!("({s}-{t})"), x - y)),
            (inner.clone(), inner.clone()).prop_map(|((s, x), (t, y))| (format!("({s} * {t})"), x * y)),
            (inner.clone(), inner.clone()).prop_map(|((s, x), (t, y))| (format!("max({s}, {t})"), x.max(y))),
            inner.prop_map(|(s, x)| (format!("(-{s})"), -x)),
        ]
    })
}

proptest! {
    #[test]
    fn arithmetic_has_the_expected_value((text, value) in arithmetic(), (other, right) in arithmetic()) {
        let values = [7.0, 2.0, 0.0];
        for (symbol, expected) in
            [("<", value < right), ("<=", value <= right), ("==", value == right), ("!=", value != right)]
        {
            let condition = Condition::parse(&format!("{text} {symbol} {other}"), &NAMES);
            // Nested too deeply, it is rejected, never misread.
            if let Ok(condition) = condition {
                prop_assert_eq!(condition.holds(&values), expected);
            }
        }
    }

    #[test]
    fn any_text_is_a_condition_or_an_error_in_it(text in "\\PC{0,60}") {
        match Condition::parse(&text, &NAMES) {
            Ok(condition) => drop(condition.holds(&[1.0, 0.0, f64::NAN])),
            Err(error) => prop_assert!(text.get(error.span).is_some()),
        }
    }

    #[test]
    fn words_of_the_language_in_any_order_are_never_a_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b", "(", ")", "not", "and", "or", "<", "==", "-", "*", "**", "%", "//", "min", ",", "3",
                "0",
            ]),
            0..30,
        ),
    ) {
        let text = words.join(" ");
        match Condition::parse(&text, &NAMES) {
            Ok(condition) => drop(condition.holds(&[1.0, 0.0, f64::NAN])),
            Err(error) => prop_assert!(text.get(error.span).is_some()),
        }
    }
}
