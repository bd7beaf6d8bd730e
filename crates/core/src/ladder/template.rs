//! Texts with `{name}` in them for the values of a trial.

/// Names that every trial has a value for, beside its parameters.
pub const TRIAL_NAMES: [&str; 9] =
    ["args", "budget", "checkpoint_dir", "number", "params_file", "params_json", "report", "seed", "study"];

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name that no trial has a value for.
    #[error("there is no {{{name}}}; there are {}", braced(.known))]
    UnknownName {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A brace without its counterpart.
    #[error("a brace has no counterpart; a brace itself is written twice")]
    Unbalanced,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Whether every name in a template is a trial's or a parameter's.
///
/// # Errors
/// [`TemplateError`] for the first that is not.
pub fn check(text: &str, parameters: &[&str]) -> Result<(), TemplateError> {
    for piece in pieces(text)? {
        if let Piece::Name(name) = piece
            && !TRIAL_NAMES.contains(&name)
            && !parameters.contains(&name)
        {
            let known = parameters.iter().chain(&TRIAL_NAMES).map(|name| (*name).to_owned()).collect();
            return Err(TemplateError::UnknownName { name: name.into(), known });
        }
    }
    Ok(())
}

/// The text with each name's value in its place; nothing for a name without a value, as a parameter that a budget does not
/// have. A text that is no template stays as it is.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let Ok(pieces) = pieces(text) else { return text.to_owned() };
    let filled = pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Name(name) => value(name).unwrap_or_default(),
    });
    filled.collect()
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        pieces.push(Piece::Text(&rest[..at]));
        let brace = &rest[at..=at];
        let after = &rest[at + 1..];
        if let Some(doubled) = after.strip_prefix(brace) {
            pieces.push(Piece::Text(brace));
            rest = doubled;
        } else {
            let end = after.find('}').filter(|_| brace == "{").ok_or(TemplateError::Unbalanced)?;
            pieces.push(Piece::Name(&after[..end]));
            rest = &after[end + 1..];
        }
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

fn braced(names: &[String]) -> String {
    names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_and_doubled_braces_are_braces() {
        let value = |name: &str| (name == "lr").then(|| "0.1".to_owned());
        for (template, filled) in [
            ("--lr={lr}", "--lr=0.1"),
            ("{lr}{lr}", "0.10.1"),
            ("{{\"a\": {lr}}}", "{\"a\": 0.1}"),
            ("{other}x", "x"),
            ("plain", "plain"),
            ("äö{lr}ü", "äö0.1ü"),
        ] {
            assert_eq!(fill(template, value), filled, "{template}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(check("{lr} {seed} {{x}}", &["lr"]), Ok(()));
        let message = check("{learnig_rate}", &["learning_rate"]).unwrap_err().to_string();
        assert!(
            message.starts_with("there is no {learnig_rate}; there are {learning_rate}, {args}"),
            "{message}"
        );
        for text in ["{lr", "lr}", "{", "}", "{a}}"] {
            assert!(check(text, &["lr", "a"]).is_err(), "{text}");
        }
    }
}
