//! Python dictionaries of strings and values, as the comparison of best values prints them.

use allometry_analysis::consistency::BestValue;
use allometry_analysis::lint::stated::value_of;
use allometry_core::ParamValue;

/// Reads `{'2M': 0.1, '20M': 'gelu'}`; `None` for anything else.
pub(super) fn dictionary(text: &str) -> Option<Vec<BestValue>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (budget, after) = string(rest)?;
        let (value, after) = value(after.trim_start().strip_prefix(':')?.trim_start())?;
        values.push(BestValue { budget, value });
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(values)
}

fn value(text: &str) -> Option<(ParamValue, &str)> {
    if text.starts_with(['\'', '"']) {
        return string(text).map(|(word, rest)| (ParamValue::Text(word), rest));
    }
    let end = text.find([',', ' ']).unwrap_or(text.len());
    match value_of(&text[..end]) {
        ParamValue::Text(_) => None,
        value => Some((value, &text[end..])),
    }
}

/// Returns a quoted string and the text after it.
fn string(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut out = String::new();
    let mut rest = text[1..].char_indices();
    while let Some((at, c)) = rest.next() {
        if c == quote {
            return Some((out, &text[1 + at + 1..]));
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next()?.1 {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'x' => {
                let digits: String = [rest.next()?.1, rest.next()?.1].into_iter().collect();
                out.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
            }
            other => out.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_prints_reads_back() {
        let text = "{'2M': 1e-05, \"it's\": 'a, b}', 'x\\x01\\\\': None, '': True, 'n': nan}";
        let read = dictionary(text).unwrap();
        let pairs: Vec<(&str, String)> =
            read.iter().map(|best| (best.budget.as_str(), best.value.repr())).collect();
        let expected =
            [("2M", "1e-05"), ("it's", "'a, b}'"), ("x\u{1}\\", "None"), ("", "True"), ("n", "nan")];
        assert_eq!(pairs, expected.map(|(budget, value)| (budget, value.to_owned())));
        assert_eq!(dictionary("{}"), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_none() {
        for bad in
            ["", "{", "{'a'}", "{'a': }", "{'a': b}", "{'a': 1 'b': 2}", "{a: 1}", "{'a': 'x}", "{'\\xé': 1}"]
        {
            assert_eq!(dictionary(bad), None, "{bad}");
        }
    }
}
