//! Python's literals in cells of tables: `repr` of what pandas found there.

use serde_json::{Map, Value, json};

/// Brackets within brackets at most.
const DEPTH: usize = 64;

/// Reads a literal of Python as JSON: a dictionary, list, tuple, text, number, `True`, `False` or `None`; tuples become lists. A call such as
/// `IntDistribution(low=1, high=8)` becomes `{"name": "IntDistribution", "attributes": {"low": 1, "high": 8}}`, as Optuna writes sets.
/// `None` where the text is no such literal.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value(0)?;
    reader.rest.trim_start().is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    /// Steps over a mark, with the space before it.
    fn take(&mut self, mark: char) -> bool {
        match self.rest.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            '{' => self.dictionary(depth).map(Value::Object),
            '[' => self.list('[', ']', depth).map(Value::Array),
            '(' => self.list('(', ')', depth).map(Value::Array),
            '\'' | '"' => self.text().map(Value::String),
            _ => self.word(depth),
        }
    }

    fn dictionary(&mut self, depth: usize) -> Option<Map<String, Value>> {
        self.take('{');
        let mut entries = Map::new();
        while !self.take('}') {
            let key = match self.value(depth + 1)? {
                Value::String(key) => key,
                // As `json.dumps` writes keys that are no texts.
                key => key.to_string(),
            };
            if !self.take(':') {
                return None;
            }
            entries.insert(key, self.value(depth + 1)?);
            if !self.take(',') {
                return self.take('}').then_some(entries);
            }
        }
        Some(entries)
    }

    fn list(&mut self, open: char, close: char, depth: usize) -> Option<Vec<Value>> {
        self.take(open);
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.value(depth + 1)?);
            if !self.take(',') {
                return self.take(close).then_some(items);
            }
        }
        Some(items)
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut out = String::new();
        let mut chars = self.rest[quote.len_utf8()..].char_indices();
        while let Some((place, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.rest = &self.rest[quote.len_utf8() + place + c.len_utf8()..];
                    return Some(out);
                }
                '\\' => match chars.next()?.1 {
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    'x' => out.push(code(&mut chars, 2)?),
                    'u' => out.push(code(&mut chars, 4)?),
                    'U' => out.push(code(&mut chars, 8)?),
                    other => out.push(other),
                },
                c => out.push(c),
            }
        }
        None
    }

    /// A number, a constant, or a call.
    fn word(&mut self, depth: usize) -> Option<Value> {
        let end =
            self.rest.find(|c: char| !c.is_alphanumeric() && !"_.+-".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "True" => return Some(Value::Bool(true)),
            "False" => return Some(Value::Bool(false)),
            "None" => return Some(Value::Null),
            _ => {}
        }
        if word.starts_with(|c: char| c.is_ascii_alphabetic()) && self.rest.starts_with('(') {
            return self.call(word, depth);
        }
        if let Ok(whole) = word.parse::<i64>() {
            return Some(whole.into());
        }
        if let Ok(whole) = word.parse::<u64>() {
            return Some(whole.into());
        }
        if crate::json::is_wide(word) {
            return Some(crate::json::wide(word));
        }
        let number = word.parse::<f64>().ok()?;
        Some(crate::json::float(number))
    }

    fn call(&mut self, name: &str, depth: usize) -> Option<Value> {
        self.take('(');
        let mut attributes = Map::new();
        while !self.take(')') {
            let end = self.rest.find('=')?;
            let key = self.rest[..end].trim();
            self.rest = &self.rest[end + 1..];
            attributes.insert(key.to_owned(), self.value(depth + 1)?);
            if !self.take(',') && !self.rest.trim_start().starts_with(')') {
                return None;
            }
        }
        // `np.float64(0.5)` and the like have no names for what they hold, and end above.
        Some(json!({"name": name, "attributes": attributes}))
    }
}

fn code(chars: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + chars.next()?.1.to_digit(16)?;
    }
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_json() {
        let cases = [
            ("{'lr': 3e-05, \"n\": -4, 'x': None}", json!({"lr": 3e-5, "n": -4, "x": null})),
            ("('relu', True, [1, 2.5],)", json!(["relu", true, [1, 2.5]])),
            (r"'it\'s \x41\u00e9'", json!("it's Aé")),
            ("{}", json!({})),
            ("{'seed': 18446744073709551615}", json!({"seed": u64::MAX})),
            ("{1: 'a'}", json!({"1": "a"})),
            (
                "IntDistribution(high=8, log=False, low=1, step=1)",
                json!({"name": "IntDistribution", "attributes": {"high": 8, "log": false, "low": 1, "step": 1}}),
            ),
            (
                "CategoricalDistribution(choices=('a', None, 1.5))",
                json!({"name": "CategoricalDistribution", "attributes": {"choices": ["a", null, 1.5]}}),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for bad in [
            "",
            "{'a'}",
            "{'a': 1",
            "[1 2]",
            "'open",
            "__import__('os')",
            "IntDistribution(8)",
            "1 2",
            &"[".repeat(100_000),
        ] {
            assert_eq!(read(bad), None, "{}", &bad[..bad.len().min(40)]);
        }
    }
}
