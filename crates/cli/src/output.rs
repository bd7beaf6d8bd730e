//! Output to standard output, standard error and files. Files are written completely or not at all.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use allometry_core::secret;
use allometry_core::visible::{is_obeyed, visible, visible_lines};
use terminal_size::{Width, terminal_size_of};

use crate::error::CliError;
use crate::styles::Label;

/// The destination of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Standard output, `-` on the command line.
    Stdout,
    /// A file.
    File(PathBuf),
}

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Markdown text.
    Markdown,
    /// An HTML page.
    Html,
    /// A JSON document.
    Json,
}

impl Destination {
    /// Parses a value of the command line: `-` or a path.
    pub(crate) fn parse(text: &str) -> Self {
        if text == "-" { Self::Stdout } else { Self::File(PathBuf::from(text)) }
    }

    /// Parses a value of the command line and returns it with the format of its extension.
    ///
    /// # Errors
    /// [`CliError::Usage`] for an unknown extension.
    pub(crate) fn with_format(text: &str) -> Result<(Self, Format), CliError> {
        let ending = text.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let format = match ending.as_deref() {
            _ if text == "-" => Format::Markdown,
            Some("md" | "markdown") => Format::Markdown,
            Some("html" | "htm") => Format::Html,
            Some("json") => Format::Json,
            _ => {
                return Err(CliError::Usage {
                    message: format!("cannot tell the format of `{text}`"),
                    hint: Some(
                        "end its name in .md, .html or .json, or write - for Markdown on standard output"
                            .into(),
                    ),
                });
            }
        };
        Ok((Self::parse(text), format))
    }

    /// Writes `content`. A file is replaced by renaming, so a full disk or a kill leaves the old file.
    ///
    /// # Errors
    /// [`CliError::Write`] that names the file. A closed pipe is not an error.
    pub(crate) fn write(&self, content: &str) -> Result<(), CliError> {
        match self {
            Self::Stdout => print(content),
            Self::File(path) => write_file(path, content.as_bytes()),
        }
    }
}

/// Writes to standard output. Colours are kept only on a terminal without `NO_COLOR`.
///
/// # Errors
/// [`CliError::Write`]. A closed pipe is not an error.
pub(crate) fn print(content: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    match out.write_all(content.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::Write { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}

/// Returns the columns of the terminal on standard output; 80 if it is no terminal.
pub(crate) fn width() -> usize {
    const USUAL: usize = 80;
    terminal_size_of(std::io::stdout()).map_or(USUAL, |(Width(columns), _)| columns.into())
}

/// Appends a line to a text for standard output, with terminal control characters escaped.
pub(crate) fn push_line(text: &mut String, line: &str) {
    text.push_str(&visible(line));
    text.push('\n');
}

/// Prints a line on standard error, with terminal control characters escaped and passwords hidden.
pub(crate) fn say(line: &str) {
    // A closed standard error should not end a run.
    let _ = writeln!(std::io::stderr(), "{}", visible_lines(&secret::hide(line)));
}

/// Prints a message after its coloured label on standard error, like [`say`].
pub(crate) fn tell(label: Label, message: &str) {
    // A closed standard error should not end a run.
    let _ = writeln!(anstream::stderr(), "{label} {}", visible_lines(&secret::hide(message)));
}

/// Writes one JSON document to standard output.
///
/// # Errors
/// [`CliError::Write`].
pub(crate) fn print_json(document: &serde_json::Value) -> Result<(), CliError> {
    print(&json_text(&format!("{document:#}\n")))
}

/// Returns the JSON document with terminal control characters written as JSON escapes. They occur only in its
/// strings.
pub(crate) fn json_text(document: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| c != '\n' && is_obeyed(c);
    if !document.chars().any(is_escaped) {
        return Cow::Borrowed(document);
    }
    let mut out = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a string cannot fail");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Writes a file by renaming a temporary file; creates the folder if it is missing.
///
/// # Errors
/// [`CliError::Write`] that names the file.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_path_buf(), source };
    temporary_file(path, content)?.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a file that must not exist yet.
///
/// # Errors
/// [`CliError::Write`] that names the file, also if it exists.
pub(crate) fn write_new_file(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_path_buf(), source };
    temporary_file(path, content)?.persist_noclobber(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Creates a temporary file with the content in the folder of `path`, synced to disk and readable by all.
fn temporary_file(path: &Path, content: &[u8]) -> Result<tempfile::NamedTempFile, CliError> {
    let failed = |source| CliError::Write { path: path.to_path_buf(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".allometry-").tempfile_in(folder).map_err(failed)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    // Temporary files are readable by their owner only; access to reports is left to the folder.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(failed)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_without_control_characters_has_equal_content() {
        let value = serde_json::json!({"x\u{202e}": "\u{9b}31m\u{7f}\u{e0041}\n"});
        let text = format!("{value:#}");
        let shown = json_text(&text);
        assert!(!shown.chars().any(|c| c != '\n' && is_obeyed(c)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/report.md");
        write_file(&path, b"old").unwrap();
        write_file(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        let inside_a_file = path.join("report.md");
        let error = write_file(&inside_a_file, b"x").unwrap_err();
        assert!(error.to_string().contains("report.md"), "{error}");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
