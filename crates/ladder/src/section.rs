//! Typed access to the keys of one table. Keys that were never read are reported as unknown.

use std::fmt::Display;

use miette::LabeledSpan;

use super::document::{Located, Node, Place, Sources, Table};
use super::problem::{Excerpt, Problem, ProblemKind};

/// The problems found so far, with the texts that they refer to.
pub(super) struct Problems {
    pub(super) sources: Sources,
    found: Vec<(Place, Problem)>,
}

impl Problems {
    pub(super) fn new(sources: Sources) -> Self {
        Self { sources, found: Vec::new() }
    }

    pub(super) fn push(&mut self, place: &Place, kind: ProblemKind) {
        self.push_with(place, kind, None);
    }

    /// Adds a problem with a second place that explains the first; a second place in another source is
    /// omitted.
    pub(super) fn push_with(&mut self, place: &Place, kind: ProblemKind, other: Option<(&Place, &str)>) {
        let mut labels =
            vec![LabeledSpan::new(Some(kind.label().into()), place.start, place.end - place.start)];
        if let Some((other, text)) = other.filter(|(other, _)| other.source == place.source) {
            labels.push(self.label(other, text));
        }
        let source = Excerpt(self.sources.of(place).clone());
        self.found.push((place.clone(), Problem { kind, source, labels }));
    }

    /// A label of at least one character, because nothing is drawn under an empty range at the end of a text.
    fn label(&self, place: &Place, text: &str) -> LabeledSpan {
        let source = self.sources.of(place).inner();
        let start = if place.start < source.len() { place.start } else { source.len().saturating_sub(1) };
        let start = source.floor_char_boundary(start);
        let end = source.ceil_char_boundary(place.end.max(start + 1));
        LabeledSpan::new(Some(text.into()), start, end - start)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The problems in the order of the text.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }
}

/// A type that can be read from a node.
pub(super) trait FromNode: Sized {
    /// Description of the type in messages, such as `a whole number`.
    const EXPECTED: &'static str;

    /// The value, or `None` where `node` has another type.
    fn from_node(node: &Node) -> Option<Self>;
}

impl FromNode for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_node(node: &Node) -> Option<Self> {
        if let Node::Boolean(b) = node { Some(*b) } else { None }
    }
}

impl FromNode for f64 {
    const EXPECTED: &'static str = "a number";

    fn from_node(node: &Node) -> Option<Self> {
        node.as_f64()
    }
}

impl FromNode for u64 {
    const EXPECTED: &'static str = "a whole number";

    fn from_node(node: &Node) -> Option<Self> {
        match *node {
            Node::Integer(i) => u64::try_from(i).ok(),
            Node::Float(x) if x.fract() == 0.0 && (0.0..9e15).contains(&x) => Some(x as u64),
            _ => None,
        }
    }
}

impl FromNode for usize {
    const EXPECTED: &'static str = u64::EXPECTED;

    fn from_node(node: &Node) -> Option<Self> {
        u64::from_node(node).and_then(|n| Self::try_from(n).ok())
    }
}

/// A table that is being read.
pub(super) struct Section<'a> {
    /// Name in messages: `[data]`, `the file`.
    name: String,
    table: &'a Table,
    place: Place,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn new(name: impl Into<String>, table: &'a Table, place: Place) -> Self {
        Self { name: name.into(), table, place, known: Vec::new() }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn table(&self) -> &'a Table {
        self.table
    }

    /// The node of `key`, of any type.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'a Located<Node>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.get(key)
    }

    /// The value of `key`; `None` where it is absent or has the wrong type, which is reported.
    pub(super) fn read<T: FromNode>(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Located<T>> {
        let node = self.node(key)?;
        let value = T::from_node(&node.value);
        if value.is_none() {
            problems.push(&node.place, wrong_type(key, T::EXPECTED, &node.value));
        }
        Some(Located { value: value?, place: node.place.clone() })
    }

    /// The value of `key` where it passes `test`, otherwise `default`; a value that fails is reported.
    pub(super) fn within<T: FromNode + Display + Copy>(
        &mut self,
        key: &'static str,
        default: T,
        (test, allowed): (fn(T) -> bool, &'static str),
        problems: &mut Problems,
    ) -> T {
        match self.read::<T>(key, problems) {
            Some(read) if test(read.value) => read.value,
            Some(read) => {
                let value = problems.sources.text(&read.place).to_owned();
                problems.push(&read.place, ProblemKind::OutOfRange { key: key.into(), value, allowed });
                default
            }
            None => default,
        }
    }

    /// A whole number of at least 1; `None` where it is missing or invalid, which is reported.
    pub(super) fn required_count(
        &mut self,
        key: &'static str,
        example: &'static str,
        problems: &mut Problems,
    ) -> Option<Located<usize>> {
        let place = self.table.get(key).map(|n| n.place.clone());
        let count = self.within::<usize>(key, 0, AT_LEAST_ONE, problems);
        if place.is_none() {
            self.missing(key, example, problems);
        }
        place.filter(|_| count > 0).map(|place| Located { value: count, place })
    }

    /// The text of `key`. On the command line, numbers are also accepted as text.
    pub(super) fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Located<String>> {
        let node = self.node(key)?;
        text_of(key, node, problems)
    }

    /// The text of `key`, where a missing key is reported.
    pub(super) fn required_text(
        &mut self,
        key: &'static str,
        example: &'static str,
        problems: &mut Problems,
    ) -> Option<Located<String>> {
        if self.node(key).is_none() {
            self.missing(key, example, problems);
            return None;
        }
        self.text(key, problems)
    }

    /// The value that belongs to one of `words`; `None` where the key is missing, or has another word, which
    /// is reported.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        (words, values): (&'static [&'static str], &[T]),
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(key, problems)?;
        let found = words.iter().position(|w| *w == text.value);
        if found.is_none() {
            let kind = ProblemKind::UnknownWord { key: key.into(), word: text.value, known: words };
            problems.push(&text.place, kind);
        }
        found.map(|i| values[i])
    }

    /// The table `key` as a section.
    pub(super) fn section(&mut self, key: &'static str, problems: &mut Problems) -> Option<Section<'a>> {
        let node = self.node(key)?;
        if let Node::Table(table) = &node.value {
            return Some(Section::new(format!("[{key}]"), table, node.place.clone()));
        }
        problems.push(&node.place, wrong_type(key, "a table", &node.value));
        None
    }

    /// The table `key` as a section, where a missing table is reported.
    pub(super) fn required_section(
        &mut self,
        key: &'static str,
        example: &'static str,
        problems: &mut Problems,
    ) -> Option<Section<'a>> {
        if self.node(key).is_none() {
            problems.push(&self.place, ProblemKind::MissingTable { table: key, example });
            return None;
        }
        self.section(key, problems)
    }

    pub(super) fn missing(&self, key: &'static str, example: &'static str, problems: &mut Problems) {
        let kind = ProblemKind::MissingKey { key, table: self.name.clone(), example };
        problems.push(&self.place, kind);
    }

    /// Reports the keys that were never read.
    pub(super) fn finish(self, problems: &mut Problems) {
        for (key, _) in &self.table.entries {
            if !self.known.contains(&key.value.as_str()) {
                let kind = ProblemKind::UnknownKey {
                    key: key.value.clone(),
                    table: self.name.clone(),
                    known: self.known.clone(),
                };
                problems.push(&key.place, kind);
            }
        }
    }
}

pub(super) const AT_LEAST_ONE: (fn(usize) -> bool, &str) = (|n| n >= 1, "at least 1");

pub(super) fn wrong_type(key: &str, expected: &'static str, found: &Node) -> ProblemKind {
    let found = match found {
        Node::Integer(i) if *i < 0 => "a negative number",
        Node::Float(x) if x.fract() != 0.0 => "a fraction",
        other => other.type_name(),
    };
    ProblemKind::WrongType { key: key.into(), expected, found }
}

pub(super) fn text_of(key: &str, node: &Located<Node>, problems: &mut Problems) -> Option<Located<String>> {
    let located = |value: String| Some(Located { value, place: node.place.clone() });
    match &node.value {
        Node::Text(text) => located(text.clone()),
        Node::List(_) | Node::Table(_) => {
            problems.push(&node.place, wrong_type(key, "text", &node.value));
            None
        }
        _ if node.place.source > 0 => located(problems.sources.text(&node.place).into()),
        other => {
            problems.push(&node.place, wrong_type(key, "text", other));
            None
        }
    }
}
