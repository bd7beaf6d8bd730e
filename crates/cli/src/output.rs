//! Data goes to standard output or to files, whole or not at all.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// Where a document goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Standard output, `-` on the command line.
    Stdout,
    /// A file.
    File(PathBuf),
}

/// What a document is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people, as text.
    Markdown,
    /// For people, as a page.
    Html,
    /// For programs.
    Json,
}

impl Destination {
    /// Reads a command line's value: `-` or a path.
    pub(crate) fn parse(text: &str) -> Self {
        if text == "-" { Self::Stdout } else { Self::File(PathBuf::from(text)) }
    }

    /// Reads a command line's value and tells the document's format from its ending.
    ///
    /// # Errors
    /// [`CliError::Usage`] for an ending of no known format.
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

    /// Writes `content`. A file appears whole, by renaming: a full disk or a kill leaves the old one.
    ///
    /// # Errors
    /// [`CliError::Write`] naming the file. A closed pipe is no error.
    pub(crate) fn write(&self, content: &str) -> Result<(), CliError> {
        match self {
            Self::Stdout => print(content),
            Self::File(path) => write_file(path, content.as_bytes()),
        }
    }
}

/// Writes to standard output, colours only where they are shown and wanted (`NO_COLOR`); a reader that closed the pipe has
/// what it wanted.
///
/// # Errors
/// [`CliError::Write`].
pub(crate) fn print(content: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    match out.write_all(content.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::Write { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}

/// Writes one JSON document to standard output.
///
/// # Errors
/// [`CliError::Write`].
pub(crate) fn print_json(document: &serde_json::Value) -> Result<(), CliError> {
    print(&format!("{document:#}\n"))
}

/// Writes a file by way of a sibling that is renamed over it; makes the folder where it is missing.
///
/// # Errors
/// [`CliError::Write`] naming the file.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |source| CliError::Write { path: path.to_path_buf(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::Builder::new().prefix(".allometry-").tempfile_in(folder).map_err(failed)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    // Temporary files are private to their owner; reports are for everybody whom the folder lets in.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(failed)?;
    }
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
