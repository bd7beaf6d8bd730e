//! Statements of an analysis, as data or as text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A statement of an analysis: either a reason as data or the text from a document.
///
/// A new analysis holds reasons; one read from a document holds texts. The report crate turns reasons into
/// texts before it writes a document, which is why a reason itself cannot be serialized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement<R, T = String> {
    /// The reason, as data.
    Reason(R),
    /// The text from a document.
    Text(T),
}

impl<R, T: Clone> Statement<R, T> {
    /// Returns the text; `words` turns a reason into text.
    pub fn text(&self, words: impl FnOnce(&R) -> T) -> T {
        match self {
            Self::Reason(reason) => words(reason),
            Self::Text(text) => text.clone(),
        }
    }

    /// Replaces a reason by its text; `words` turns a reason into text.
    pub fn put_into_words(&mut self, words: impl FnOnce(&R) -> T) {
        if let Self::Reason(reason) = self {
            *self = Self::Text(words(reason));
        }
    }
}

impl<R, T> Statement<R, T> {
    /// Returns the reason; `None` if the statement was read from a document.
    pub fn reason(&self) -> Option<&R> {
        match self {
            Self::Reason(reason) => Some(reason),
            Self::Text(_) => None,
        }
    }
}

/// An empty text, for documents of earlier versions without the field.
impl<R, T: Default> Default for Statement<R, T> {
    fn default() -> Self {
        Self::Text(T::default())
    }
}

impl<R, T: Serialize> Serialize for Statement<R, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Reason(_) => Err(S::Error::custom("a reason is put into words before it is written")),
            Self::Text(text) => text.serialize(serializer),
        }
    }
}

impl<'de, R, T: Deserialize<'de>> Deserialize<'de> for Statement<R, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Text)
    }
}

impl<R, T: JsonSchema> JsonSchema for Statement<R, T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
