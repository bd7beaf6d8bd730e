//! Whether the program of a command is there.

use std::path::{Path, PathBuf};

use allometry_core::ladder::{CommandSpec, Invocation};

/// A program that cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProgram {
    /// There is no such program.
    #[error("there is no program `{name}`{}", .folder.as_ref().map_or_else(|| " in PATH".to_owned(), |f| format!(" in {}", f.display())))]
    Missing {
        /// As the ladder file has it.
        name: String,
        /// Where it was looked for; `None` for the folders of `PATH`.
        folder: Option<PathBuf>,
    },
    /// There is no such folder.
    #[error("there is no folder {} to start the command in", .folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
}

impl NoProgram {
    /// What the user can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "`run` in [command] begins with the program, such as \"python3\"",
            Self::NoFolder { .. } => "`folder` in [command] is taken from the ladder file's folder",
        }
    }
}

/// Looks for the program of a command. One whose name depends on the trial is looked for when it is started.
///
/// # Errors
/// [`NoProgram`].
pub(super) fn find(spec: &CommandSpec) -> Result<(), NoProgram> {
    if !folder(spec).is_dir() {
        return Err(NoProgram::NoFolder { folder: spec.folder.clone() });
    }
    let Invocation::Program(words) = &spec.run else { return Ok(()) };
    let name = &words[0];
    if name.contains('{') {
        return Ok(());
    }
    let missing = |folder| Err(NoProgram::Missing { name: name.clone(), folder });
    if name.contains('/') {
        let found = folder(spec).join(name).is_file();
        return if found { Ok(()) } else { missing(Some(spec.folder.clone())) };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).is_file()) {
        Ok(())
    } else {
        missing(None)
    }
}

/// The folder that a command is started in.
pub(super) fn folder(spec: &CommandSpec) -> &Path {
    if spec.folder.as_os_str().is_empty() { Path::new(".") } else { &spec.folder }
}
