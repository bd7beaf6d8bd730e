//! Finds out which values the parser accepts from its messages about invalid ones.

use std::fmt;
use std::path::Path;

use allometry_ladder::{Ladder, LadderErrors, ProblemKind, parse_with};

use crate::keys::{Key, Table};

/// The accepted values of a key, in the parser's words.
pub(crate) enum Expected {
    Table,
    Words(&'static [&'static str]),
    /// A type and, where only some of its values are accepted, a description of these.
    Value(&'static str, Option<&'static str>),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("a table"),
            Self::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                f.write_str(&words.join(", "))
            }
            // A condition that holds for all numbers is not shown.
            Self::Value(kind, None | Some("a finite number")) => f.write_str(&code(kind)),
            Self::Value(kind, Some(allowed)) if allowed.starts_with(kind) => f.write_str(&code(allowed)),
            Self::Value("text", Some(allowed)) => f.write_str(&code(allowed)),
            Self::Value(kind, Some(allowed)) => write!(f, "{}, {}", code(kind), code(allowed)),
        }
    }
}

/// The text with TOML in braces or brackets marked as code.
fn code(text: &str) -> String {
    let mut written = String::new();
    let mut depth = 0;
    for character in text.chars() {
        if "{[".contains(character) {
            depth += 1;
            written.push_str(if depth == 1 { "`" } else { "" });
        }
        written.push(character);
        if "}]".contains(character) {
            depth -= 1;
            written.push_str(if depth == 0 { "`" } else { "" });
        }
    }
    written
}

pub(crate) fn parses(text: &str, settings: &[(String, String)]) -> Result<Ladder, Vec<ProblemKind>> {
    let kinds = |errors: LadderErrors| errors.problems().iter().map(|problem| problem.kind.clone()).collect();
    parse_with(text, Path::new("ladder.toml"), settings).map_err(kinds)
}

/// The setting `table.key=value` of the command line.
pub(crate) fn setting(table: &Table, key: &Key, value: &str) -> (String, String) {
    (dotted(table, key.name), value.to_owned())
}

fn dotted(table: &Table, key: &str) -> String {
    let at = match table.at {
        "" => String::new(),
        at if at.starts_with("budget") => at.replacen("budget", "budget.S", 1) + ".",
        at => format!("{at}."),
    };
    format!("{at}{key}")
}

/// The keys that the parser reads in the table.
pub(crate) fn known_keys(table: &Table) -> Vec<String> {
    let unknown = "no_such_key";
    let mut all: Vec<String> = table.unlisted.iter().map(|key| (*key).to_owned()).collect();
    for base in std::iter::once(table.base).chain(table.keys.iter().filter_map(|key| key.base)) {
        let settings = [(dotted(table, unknown), "0".to_owned())];
        let problems = parses(base, &settings).expect_err("the key is unknown");
        let known = problems.into_iter().find_map(|kind| match kind {
            ProblemKind::UnknownKey { key, known, .. } if key == unknown => Some(known),
            ProblemKind::UnknownParameter { name, known } if name == unknown => Some(known),
            _ => None,
        });
        let known = known.unwrap_or_else(|| panic!("{} takes any key", table.heading));
        all.extend(known.into_iter().map(ToOwned::to_owned));
    }
    all.sort();
    all.dedup();
    all
}

/// The base without a key, or, for a table, without its lines.
pub(crate) fn without(table: &Table, key: &Key) -> String {
    let header = match table.at {
        "budget" => "[[budget]]".to_owned(),
        at => format!("[{at}]"),
    };
    let headers = [format!("[{}]", key.name), format!("[[{}]]", key.name)];
    let base = table.base_of(key);
    let (mut here, mut inside) = (table.at.is_empty(), false);
    let mut kept = Vec::new();
    for line in base.lines() {
        if line.starts_with('[') {
            here = line == header;
            inside = table.at.is_empty() && headers.iter().any(|header| header == line);
        }
        let is_key = line.split_once('=').is_some_and(|(name, _)| name.trim() == key.name);
        let is_left_out = inside || (here && is_key);
        if !is_left_out {
            kept.push(line);
        }
    }
    assert!(kept.len() < base.lines().count(), "{} has no line for {}", table.heading, key.name);
    kept.join("\n")
}

/// Whether a problem is about something missing.
pub(crate) fn is_missing(problem: &ProblemKind) -> bool {
    use ProblemKind::{MissingKey, MissingParameter, MissingTable, MissingWeights, NoBudget, NotARange};
    matches!(
        problem,
        MissingKey { .. }
            | MissingParameter { .. }
            | MissingTable { .. }
            | MissingWeights { .. }
            | NoBudget
            | NotARange { .. }
    )
}

/// The accepted values of a key according to the parser.
pub(crate) fn expected(table: &Table, key: &Key) -> Expected {
    let refused = |values: &[&str], pick: &dyn Fn(ProblemKind) -> Option<Expected>| {
        values.iter().find_map(|value| {
            let mut settings: Vec<(String, String)> =
                key.requires.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            settings.push(setting(table, key, value));
            parses(table.base_of(key), &settings).err()?.into_iter().find_map(pick)
        })
    };
    // Problems of a range name its parameter.
    let parameter = table.at.strip_prefix("space.");
    let of_key = |other: &str| other == key.name || Some(other) == parameter;
    let words = refused(&["no-such-word"], &|kind| match kind {
        ProblemKind::UnknownWord { key, known, .. } if of_key(&key) => Some(Expected::Words(known)),
        _ => None,
    });
    if let Some(words) = words {
        return words;
    }
    let kind = refused(&["1979-05-27", "[[0]]", "{ a = { b = 0 } }"], &|kind| match kind {
        ProblemKind::WrongType { key, expected, .. } if of_key(&key) => Some(Expected::Value(expected, None)),
        _ => None,
    });
    let kind = match kind {
        Some(Expected::Value("a table", _)) => return Expected::Table,
        Some(Expected::Value(kind, _)) => kind,
        _ => "",
    };
    let outside = ["-1", "0", "70", "9e14", "1e300", "-1e300", "inf", "nan", "no-such-word", "[-7, -7]"];
    let allowed = refused(&outside, &|problem| match problem {
        ProblemKind::OutOfRange { key, allowed, .. } if of_key(&key) => {
            Some(Expected::Value(kind, Some(allowed)))
        }
        _ => None,
    });
    assert!(allowed.is_some() || !kind.is_empty(), "{} {} takes anything", table.heading, key.name);
    allowed.unwrap_or(Expected::Value(kind, None))
}
