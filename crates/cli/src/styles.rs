//! The colours of messages: the same in errors, notes, warnings and what clap prints.

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
// miette draws its help in this colour.
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const NOTE: Style = AnsiColor::Blue.on_default().bold();

/// The colours of clap's errors and help.
pub(crate) const CLAP: Styles = Styles::styled().error(ERROR).invalid(WARNING).valid(HINT);

/// The word with which a message begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Error,
    Warning,
    Hint,
    Note,
}

/// The word with its colon in its colour.
impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (style, word) = match self {
            Self::Error => (ERROR, "error:"),
            Self::Warning => (WARNING, "warning:"),
            Self::Hint => (HINT, "hint:"),
            Self::Note => (NOTE, "note:"),
        };
        write!(f, "{style}{word}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// clap's own error has the colour of ours.
    #[test]
    fn errors_of_clap_look_like_ours() {
        let refused = crate::command::parse(["allometry", "fly"].map(Into::into)).unwrap_err();
        let text = refused.render().ansi().to_string();
        assert!(text.starts_with(&Label::Error.to_string()), "{text:?}");
    }
}
