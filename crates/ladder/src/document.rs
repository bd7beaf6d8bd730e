//! The ladder file as a tree whose values keep their place in the text.

use std::ops::Range;
use std::sync::Arc;

use miette::NamedSource;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Name of the source in messages about a setting of the command line.
const SETTING: &str = "--set";

/// A byte range of one of the [`Sources`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// 0 for the file, `1 + i` for the `i`-th setting of the command line.
    pub(super) source: usize,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
}

/// A value and its place in the text.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// A TOML value.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Time,
    /// An integer beyond 64 bits.
    TooLarge,
    List(Vec<Located<Node>>),
    Table(Table),
}

/// A TOML table in the order in which it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<(Located<String>, Located<Node>)>,
}

/// The texts that places refer to: the file, then each `key=value` setting.
#[derive(Debug, Clone)]
pub(super) struct Sources(Vec<NamedSource<Arc<str>>>);

impl Sources {
    pub(super) fn new(name: &str, text: &str, settings: &[(String, String)]) -> Self {
        let file = NamedSource::new(name, Arc::from(text)).with_language("TOML");
        let settings = settings
            .iter()
            .map(|(key, value)| NamedSource::new(SETTING, Arc::from(format!("{key}={value}").as_str())));
        Self(std::iter::once(file).chain(settings).collect())
    }

    pub(super) fn of(&self, place: &Place) -> &NamedSource<Arc<str>> {
        &self.0[place.source]
    }

    /// The text at `place`.
    pub(super) fn text(&self, place: &Place) -> &str {
        self.of(place).inner().get(place.start..place.end).unwrap_or_default()
    }
}

impl Node {
    /// The name of the type in messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) | Self::TooLarge => "an integer",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Time => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// The number, if it is one.
    pub(super) fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Integer(i) => Some(i as f64),
            Self::Float(x) => Some(x),
            _ => None,
        }
    }
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Located<Node>> {
        self.entries.iter().find(|(k, _)| k.value == key).map(|(_, value)| value)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Located<Node>> {
        self.entries.iter_mut().find(|(k, _)| k.value == key).map(|(_, value)| value)
    }
}

/// An error message and its byte range in the parsed text.
pub(super) struct SyntaxError {
    pub(super) message: String,
    pub(super) span: Range<usize>,
}

/// Parses a ladder file.
///
/// # Errors
/// The first syntax error; errors that the parser reports after it are mostly consequences.
pub(super) fn parse(text: &str) -> Result<Located<Table>, SyntaxError> {
    let table = DeTable::parse(text).map_err(|e| SyntaxError {
        message: e.message().to_string(),
        span: e.span().unwrap_or(text.len()..text.len()),
    })?;
    let place = Place { source: 0, start: 0, end: text.len().min(1) };
    let origin = Origin { source: 0, shift: 0 };
    Ok(Located { value: origin.table(table.get_ref()), place })
}

/// Sets one `key=value` of the command line in the tree, replacing a value of the file. `source` is its index
/// in [`Sources`].
///
/// # Errors
/// [`SyntaxError`] with a byte range in `key=value`, where it cannot be set.
pub(super) fn set(table: &mut Table, source: usize, key: &str, value: &str) -> Result<(), SyntaxError> {
    let key_span = 0..key.len();
    let refuse = |message: String| SyntaxError { message, span: key_span.clone() };
    let path = dotted_key(key).ok_or_else(|| refuse(format!("`{key}` is not a dotted key")))?;
    let value = setting_value(source, key, value)?;
    let place = Place { source, start: 0, end: key.len() };
    insert(table, &path, &place, value).map_err(refuse)
}

fn insert(table: &mut Table, path: &[String], key: &Place, value: Located<Node>) -> Result<(), String> {
    let (first, rest) = path.split_first().ok_or("the key is empty")?;
    let located = |name: &String| Located { value: name.clone(), place: key.clone() };
    if rest.is_empty() {
        match table.entries.iter_mut().find(|(k, _)| k.value == *first) {
            Some(entry) => *entry = (located(first), value),
            None => table.entries.push((located(first), value)),
        }
        return Ok(());
    }
    if table.get(first).is_none() {
        let empty = Located { value: Node::Table(Table::default()), place: key.clone() };
        table.entries.push((located(first), empty));
    }
    let inner = table.get_mut(first).map(|n| &mut n.value);
    match inner {
        Some(Node::Table(inner)) => insert(inner, rest, key, value),
        Some(Node::List(items)) if first == "budget" => {
            let mut labels = Vec::new();
            for item in items {
                let Node::Table(budget) = &mut item.value else { continue };
                match budget.get("label").map(|n| &n.value) {
                    Some(Node::Text(label)) if *label == rest[0] => {
                        return insert(budget, &rest[1..], key, value);
                    }
                    Some(Node::Text(label)) => labels.push(format!("`{label}`")),
                    _ => {}
                }
            }
            Err(format!("there is no budget `{}`; the file has {}", rest[0], labels.join(", ")))
        }
        _ => Err(format!("`{first}` is not a table and has no key `{}`", rest[0])),
    }
}

fn dotted_key(key: &str) -> Option<Vec<String>> {
    let text = format!("{key} = 0");
    let parsed = DeTable::parse(&text).ok()?;
    let mut path = Vec::new();
    let mut table = parsed.get_ref();
    loop {
        let (name, value) = table.iter().next().filter(|_| table.len() == 1)?;
        path.push(name.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some(path),
        }
    }
}

/// Parses a setting's value as TOML, or else takes it as text, so that words need no TOML quotes inside the
/// shell's.
fn setting_value(source: usize, key: &str, value: &str) -> Result<Located<Node>, SyntaxError> {
    const PREFIX: &str = "value = ";
    let start = key.len() + 1;
    let whole = Place { source, start, end: start + value.len() };
    let text = format!("{PREFIX}{value}");
    match DeTable::parse(&text) {
        Ok(parsed) if parsed.get_ref().len() == 1 => {
            let origin = Origin { source, shift: start as isize - PREFIX.len() as isize };
            let mut table = origin.table(parsed.get_ref());
            let (_, node) = table.entries.pop().expect("the table has one entry");
            Ok(node)
        }
        Err(error) if value.starts_with(['[', '{', '"', '\'']) => {
            let span = error.span().unwrap_or(0..0);
            let shifted = |at: usize| (at + start).saturating_sub(PREFIX.len()).clamp(start, whole.end);
            Err(SyntaxError {
                message: error.message().to_string(),
                span: shifted(span.start)..shifted(span.end),
            })
        }
        _ => Ok(Located { value: Node::Text(value.into()), place: whole }),
    }
}

/// The position of parsed text in its source.
#[derive(Clone, Copy)]
struct Origin {
    source: usize,
    shift: isize,
}

impl Origin {
    fn place(self, span: &Range<usize>) -> Place {
        let shifted = |at: usize| at.saturating_add_signed(self.shift);
        Place { source: self.source, start: shifted(span.start), end: shifted(span.end) }
    }

    fn table(self, table: &DeTable<'_>) -> Table {
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let name = Located { value: key.get_ref().to_string(), place: self.place(&key.span()) };
                (name, self.node(value))
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.place.start);
        Table { entries }
    }

    fn list(self, items: &DeArray<'_>) -> Vec<Located<Node>> {
        items.iter().map(|item| self.node(item)).collect()
    }

    fn node(self, value: &Spanned<DeValue<'_>>) -> Located<Node> {
        let node = match value.get_ref() {
            DeValue::String(text) => Node::Text(text.to_string()),
            DeValue::Integer(i) => {
                i64::from_str_radix(i.as_str(), i.radix()).map_or(Node::TooLarge, Node::Integer)
            }
            DeValue::Float(x) => Node::Float(x.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(b) => Node::Boolean(*b),
            DeValue::Datetime(_) => Node::Time,
            DeValue::Array(items) => Node::List(self.list(items)),
            DeValue::Table(table) => Node::Table(self.table(table)),
        };
        Located { value: node, place: self.place(&value.span()) }
    }
}
