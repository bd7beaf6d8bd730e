//! Secrets that messages must not show, and the removal of passwords from messages.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Placeholder that replaces a password in a message.
pub const HIDDEN: &str = "***";

/// A text that may hold a password: a storage's URL, a token.
///
/// It has no `Display`, and its `Debug` shows a placeholder. Code that needs the text calls
/// [`expose`](Self::expose), so that every use can be found; messages use [`shown`](Self::shown).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, to connect with or to compare.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text for messages: the URL of a storage without its password.
    pub fn shown(&self) -> String {
        hide(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({HIDDEN})")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

/// Replaces the passwords of URLs, and the values of keys that are named like passwords, by [`HIDDEN`].
///
/// Doubtful cases are hidden, such as the password of a URL with unescaped `/`, `@` or blanks.
pub fn hide(text: &str) -> String {
    hide_values(&hide_users_without_scheme(&hide_users(text)))
}

fn ends_a_word(c: char) -> bool {
    c.is_whitespace() || "\"'`".contains(c)
}

/// Whether the scheme denotes a file, whose path may contain any character.
fn names_a_file(scheme: &str) -> bool {
    matches!(scheme.split('+').next(), Some("sqlite" | "file"))
}

static SCHEME: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)(?:([a-z][a-z0-9+.-]+)://|(postgres(?:ql)?(?:\+[a-z0-9]+)?):/*)";
    Regex::new(pattern).expect("a valid pattern")
});

/// Replaces the passwords of URLs, `scheme://user:password@host`, by [`HIDDEN`].
pub fn hide_users(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut starts: Vec<(usize, usize, &str)> = Vec::new();
    for found in SCHEME.captures_iter(text) {
        let matched = found.get(0).expect("the entire match");
        let scheme = found.get(1).or(found.get(2)).map_or("", |scheme| scheme.as_str());
        // A user name or a password may look like a scheme.
        let between = starts.last().map(|(_, end, _)| &text[*end..matched.start()]);
        if found.get(2).is_some() && between.is_some_and(|between| !between.contains(ends_a_word)) {
            continue;
        }
        starts.push((matched.start(), matched.end(), scheme));
    }
    let mut done = 0;
    for (place, (_, end, scheme)) in starts.iter().enumerate() {
        hidden.push_str(&text[done..*end]);
        done = *end;
        // Two slashes without a third are followed by a host, as in a server's URL.
        if names_a_file(scheme) && text[*end..].starts_with('/') {
            continue;
        }
        // The URL ends at the next URL or at the end of the line.
        let limit = starts.get(place + 1).map_or(text.len(), |(start, ..)| *start);
        let rest = &text[*end..limit];
        let rest = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let word = &rest[..rest.find(ends_a_word).unwrap_or(rest.len())];
        let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let at = word.rfind('@').or_else(|| rest.rfind('@').filter(|_| !is_web));
        let Some(at) = at else { continue };
        if let Some(colon) = rest[..at].find(':') {
            hidden.push_str(&rest[..=colon]);
            hidden.push_str(HIDDEN);
            done = *end + at;
        }
    }
    hidden.push_str(&text[done..]);
    hidden
}

static WITHOUT_SCHEME: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(^|[\s"'`=;]|//)([^\s"'`=:/@;.]+):([^\s"'`/][^\s"'`]*)@([\w.-]+)(/|:\d|)"#;
    Regex::new(pattern).expect("a valid pattern")
});

/// Whether a text holds a password in a URL that lacks its scheme: `user:password@host/database`.
pub fn lacks_scheme(text: &str) -> bool {
    let has_path = |found: Captures<'_>| !found[5].is_empty();
    !text.contains("://") && WITHOUT_SCHEME.captures_iter(text).any(has_path)
}

/// Replaces the passwords of URLs that lack their scheme, such as `user:password@host/database`.
fn hide_users_without_scheme(text: &str) -> Cow<'_, str> {
    WITHOUT_SCHEME.replace_all(text, |found: &Captures<'_>| {
        // The passwords of URLs with a scheme are hidden already.
        let is_path = &found[1] == "//" && text[..found.get(0).map_or(0, |all| all.start())].ends_with('/');
        if is_path || found[3].contains(HIDDEN) || SCHEME.is_match(&found[3]) {
            return found[0].to_owned();
        }
        format!("{}{}:{HIDDEN}@{}{}", &found[1], &found[2], &found[4], &found[5])
    })
}

/// Replaces the values of `password=...` and similar keys, in a URL's query or on their own.
fn hide_values(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut done = 0;
    for (equals, _) in text.match_indices('=') {
        if equals < done {
            continue;
        }
        let before = text[done..equals].trim_end_matches(' ');
        let is_of_key = |c: char| c.is_ascii_alphanumeric() || "_%-".contains(c);
        let key = &before[before.trim_end_matches(is_of_key).len()..];
        if !is_password_key(key) {
            continue;
        }
        let value = text[equals + 1..].trim_start_matches(' ');
        let start = text.len() - value.len();
        let length = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inside = value[1..].find([quote, '\n']);
                inside.map_or(
                    value.len(),
                    |at| if value[1 + at..].starts_with(quote) { at + 2 } else { at + 1 },
                )
            }
            _ => value.find(|c| ends_a_word(c) || "&,;)".contains(c)).unwrap_or(value.len()),
        };
        hidden.push_str(&text[done..start]);
        hidden.push_str(if length > 0 { HIDDEN } else { "" });
        done = start + length;
    }
    hidden.push_str(&text[done..]);
    hidden
}

/// Whether a key, percent-encoded or not, is named like a password.
fn is_password_key(key: &str) -> bool {
    let mut decoded = String::new();
    let mut rest = key;
    while let Some(c) = rest.chars().next() {
        let escaped =
            (c == '%').then(|| rest.get(1..3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let (c, taken) = escaped.map_or((c, c.len_utf8()), |byte| (char::from(byte), 3));
        decoded.push(c.to_ascii_lowercase());
        rest = &rest[taken..];
    }
    ["password", "passwd", "pwd", "token"].iter().any(|ending| decoded.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_be_read_where_it_is_formatted() {
        let secret = Secret::from("postgresql://me:s3cret@host/db");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(format!("{:?}", Some(&secret)), "Some(Secret(***))");
        assert_eq!(secret.shown(), "postgresql://me:***@host/db");
    }

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        for (text, hidden) in [
            ("postgresql://me:p@ss@host/db", "postgresql://me:***@host/db"),
            ("postgresql://me:p/s?s@host/db", "postgresql://me:***@host/db"),
            (" postgresql://me:x@host/db ", " postgresql://me:***@host/db "),
            ("x=postgresql://me:x@host/db:study", "x=postgresql://me:***@host/db:study"),
            ("POSTGRESQL://me:x@host/db", "POSTGRESQL://me:***@host/db"),
            ("postgresql:/me:x@host/db", "postgresql:/me:***@host/db"),
            ("postgresql:me:x@host/db", "postgresql:me:***@host/db"),
            ("url = \"mysql+x://me:x y@host/db\"", "url = \"mysql+x://me:***@host/db\""),
            ("no file postgresql://me:x@host/db; use it", "no file postgresql://me:***@host/db; use it"),
            ("postgresql:///db?PASSWORD=y&host=/tmp", "postgresql:///db?PASSWORD=***&host=/tmp"),
            ("postgresql:///db?p%61ssword=y&host=/tmp", "postgresql:///db?p%61ssword=***&host=/tmp"),
            ("host=x password=y dbname=z", "host=x password=*** dbname=z"),
            ("postgresql://postgres:x@/db?host=/tmp", "postgresql://postgres:***@/db?host=/tmp"),
            ("postgresql://me:postgres:x@host", "postgresql://me:***@host"),
            ("x=postgresql:///db?a=b&PASSWORD=y, and", "x=postgresql:///db?a=b&PASSWORD=***, and"),
            ("password = \"a b\" next", "password = *** next"),
            ("--token=abc", "--token=***"),
            ("sqlite://me:x@host/d", "sqlite://me:***@host/d"),
            ("me:x@host/d", "me:***@host/d"),
            ("me:x@host", "me:***@host"),
            ("//me:x@h/d", "//me:***@h/d"),
            ("postgresql//me:x@h/d", "postgresql//me:***@h/d"),
            ("x=postgresql;//me:x@h:5432/d", "x=postgresql;//me:***@h:5432/d"),
            ("2M=me:x@y@host:5432/d", "2M=me:***@host:5432/d"),
            ("cannot open `me:x/y@host/d`", "cannot open `me:***@host/d`"),
            ("redis://:x@host a postgresql://me:z@host", "redis://:***@host a postgresql://me:***@host"),
        ] {
            assert_eq!(hide(text), hidden);
        }
    }

    #[test]
    fn what_holds_no_password_stays() {
        for text in [
            "postgresql://me@host:5432/db",
            "sqlite:///a:b@c.db",
            "folder/a:b@c.db",
            "2M=trials.db:run@3",
            "http://127.0.0.1:8080/ is served to me@host",
            "no budget `1M`; it has 2M, 4M",
            "tokens=5 and passwords",
        ] {
            assert_eq!(hide(text), text);
        }
    }
}
