//! The check that the program of a command exists.

use std::path::{Path, PathBuf};

use allometry_ladder::{CommandSpec, Invocation};

/// A program that cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProgram {
    /// The program does not exist.
    #[error("there is no program `{name}`{}", searched(.folder.as_deref()))]
    Missing {
        /// Name of the program in the ladder file.
        name: String,
        /// Folder that was searched; `None` for the folders of `PATH`.
        folder: Option<PathBuf>,
    },
    /// The folder does not exist.
    #[error("there is no folder {} to start the command in", .folder.display())]
    NoFolder {
        /// Path of the folder.
        folder: PathBuf,
    },
}

impl NoProgram {
    /// Advice for the user.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "start `run` in [command] with the program, such as \"python3\"",
            Self::NoFolder { .. } => "`folder` in [command] is relative to the ladder file's folder",
        }
    }
}

/// The searched folders, for a message.
fn searched(folder: Option<&Path>) -> String {
    folder.map_or_else(|| " in PATH".to_owned(), |folder| format!(" in {}", folder.display()))
}

/// Checks that the program of a command exists. A program whose name depends on the trial is not checked.
///
/// # Errors
/// [`NoProgram`] where the program or its folder does not exist.
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

/// The working directory of a command.
pub(super) fn folder(spec: &CommandSpec) -> &Path {
    if spec.folder.as_os_str().is_empty() { Path::new(".") } else { &spec.folder }
}
