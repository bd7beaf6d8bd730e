//! Templates: texts in which `{name}` is replaced by a value of the trial.

/// Names that have a value in every trial, in addition to its parameters.
pub const TRIAL_NAMES: [&str; 9] =
    ["args", "budget", "checkpoint_dir", "number", "params_file", "params_json", "report", "seed", "study"];

/// Why a text is not a valid template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name that has no value in any trial.
    #[error("unknown name {{{name}}}; the known names are {}", braced(.known))]
    UnknownName {
        /// The unknown name.
        name: String,
        /// The known names.
        known: Vec<String>,
    },
    /// A brace without its counterpart.
    #[error("a brace has no counterpart; write a literal brace twice")]
    Unbalanced,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// Checks that every name in a template is a name of all trials or of a parameter.
///
/// # Errors
/// [`TemplateError`] for the first name that is not, or for an unbalanced brace.
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

/// Replaces each name by its value, and names without a value, such as parameters that a budget lacks, by
/// nothing. Invalid templates are returned unchanged.
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
    fn errors_name_the_unknown_name() {
        assert_eq!(check("{lr} {seed} {{x}}", &["lr"]), Ok(()));
        let message = check("{learnig_rate}", &["learning_rate"]).unwrap_err().to_string();
        assert!(
            message.starts_with("unknown name {learnig_rate}; the known names are {learning_rate}, {args}"),
            "{message}"
        );
        for text in ["{lr", "lr}", "{", "}", "{a}}"] {
            assert!(check(text, &["lr", "a"]).is_err(), "{text}");
        }
    }
}
