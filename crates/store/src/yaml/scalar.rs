//! Values of plain scalars by the rules of `PyYAML`, which are those of YAML 1.1 except that a float has a
//! point, and a sign in its exponent: `1e-4` and `1.0e5` are texts.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::json;

/// Texts of a missing value.
const NULLS: [&str; 5] = ["", "~", "null", "Null", "NULL"];

/// Texts of truth values: in lower case, in upper case, and with a capital.
const TRUTHS: [(&str, bool); 6] =
    [("true", true), ("yes", true), ("on", true), ("false", false), ("no", false), ("off", false)];

/// Floats: with digits in front of the point, with digits after it alone, and of base 60 (`190:20:30.15`).
const FLOATS: &str = concat!(
    r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?",
    r"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?",
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$"
);

/// Integers: binary, octal with a zero in front, decimal, hexadecimal, and of base 60 (`1:30`).
const INTEGERS: &str =
    r"^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$";

static FLOAT: LazyLock<Regex> = LazyLock::new(|| Regex::new(FLOATS).expect("the expression is valid"));
static INTEGER: LazyLock<Regex> = LazyLock::new(|| Regex::new(INTEGERS).expect("the expression is valid"));

/// Returns the value of a plain scalar. Dates and times stay texts, as in JSON.
pub(super) fn plain(text: &str) -> Value {
    if NULLS.contains(&text) {
        return Value::Null;
    }
    if let Some((_, truth)) = TRUTHS.iter().find(|(word, _)| is_spelled(text, word)) {
        return (*truth).into();
    }
    if [".nan", ".NaN", ".NAN"].contains(&text) {
        return json::float(f64::NAN);
    }
    let digits = text.strip_prefix('+').unwrap_or(text).replace('_', "");
    let (negative, size) = signed(&digits);
    if [".inf", ".Inf", ".INF"].contains(&size) {
        return json::float(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let number = if FLOAT.is_match(text) {
        float(&digits)
    } else if INTEGER.is_match(text) {
        integer(&digits)
    } else {
        None
    };
    number.unwrap_or_else(|| text.into())
}

/// Whether a text is a word in lower case, in upper case, or with a capital.
fn is_spelled(text: &str, word: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    text.eq_ignore_ascii_case(word)
        && (text == word || rest == &word[1..] || text.bytes().all(|byte| byte.is_ascii_uppercase()))
}

fn float(digits: &str) -> Option<Value> {
    let (negative, digits) = signed(digits);
    let size = digits.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?;
    Some(json::float(if negative { -size } else { size }))
}

fn integer(digits: &str) -> Option<Value> {
    let (negative, digits) = signed(digits);
    let of_base = |digits: &str, base: u32| i128::from_str_radix(digits, base).ok();
    let size = match digits.as_bytes() {
        [b'0'] => Some(0),
        [b'0', b'b', ..] => of_base(&digits[2..], 2),
        [b'0', b'x', ..] => of_base(&digits[2..], 16),
        [b'0', ..] => of_base(digits, 8),
        _ if digits.contains(':') => digits
            .split(':')
            .try_fold(0, |sum: i128, part| sum.checked_mul(60)?.checked_add(part.parse().ok()?)),
        _ => of_base(digits, 10),
    };
    let sign = if negative { "-" } else { "" };
    let Some(size) = size else {
        // Decimal digits beyond 128 bits.
        return (!digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| json::wide(&format!("{sign}{digits}")));
    };
    let value = if negative { -size } else { size };
    let narrow = i64::try_from(value).map(Value::from).or_else(|_| u64::try_from(value).map(Value::from));
    Some(narrow.unwrap_or_else(|_| json::wide(&value.to_string())))
}

/// Splits the sign off.
fn signed(digits: &str) -> (bool, &str) {
    digits.strip_prefix('-').map_or((false, digits), |rest| (true, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each value is that of `yaml.safe_load`; the test of the exchange with Optuna compares them.
    #[test]
    fn plain_scalars_are_those_of_pyyaml() {
        for text in [
            "y",
            "n",
            "1e3",
            "08",
            "1e-4",
            "1E5",
            "+1e5",
            "1e+5",
            ".1e3",
            "1.e5",
            "+.5",
            "-.5e3",
            "0o17",
            "7e84321",
            "tRUE",
            "yEs",
            "0o8",
            "1e",
            "0.0.1",
            "nan",
            ".Nan",
            "-.nan",
            "1:60",
            "0b",
            "_1",
            "2024-01-01",
            "1,5",
            "=",
            "--1",
            "inF",
            ".iNF",
        ] {
            assert_eq!(plain(text), Value::from(text), "{text}");
        }
        for (text, value) in [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("TRUE", json!(true)),
            ("~", Value::Null),
            ("NULL", Value::Null),
            ("+12", json!(12)),
            ("-0b11", json!(-3)),
            ("0777", json!(511)),
            ("0", json!(0)),
            ("-0x1F", json!(-31)),
            ("1_000", json!(1000)),
            ("1:30", json!(90)),
            ("-190:20:30", json!(-685_230)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1_0.5", json!(10.5)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-1.5e-3", json!(-0.0015)),
            ("190:20:30.15", json!(685_230.15)),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
        assert_eq!(
            plain("-123456789012345678901234567890123456789012"),
            json::wide("-123456789012345678901234567890123456789012")
        );
        assert_eq!(json::number(&plain("-.INF")), Some(f64::NEG_INFINITY));
        assert_eq!(json::number(&plain("+.inf")), Some(f64::INFINITY));
        assert!(json::number(&plain(".NaN")).unwrap().is_nan());
    }
}
