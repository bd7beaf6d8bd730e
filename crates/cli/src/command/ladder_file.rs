//! The arguments that name a ladder file, and reading it.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use allometry_core::ladder::{self, Ladder};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// A ladder file and changes to it.
#[derive(Debug, Args)]
pub(super) struct LadderFile {
    /// The ladder file, or the folder of a ladder.toml.
    #[arg(value_name = "LADDER", default_value = "ladder.toml", value_parser = |text: &str| Ok::<_, Infallible>(in_folder(text)))]
    pub(super) ladder: PathBuf,

    /// Changes a setting of the file, such as model.epochs=20; may be repeated.
    #[arg(short = 'S', long = "set", value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub(super) set: Vec<(String, String)>,

    /// Where trials are stored, such as sqlite:///trials.db or postgresql://user@host/database.
    #[arg(long, value_name = "URL", env = "ALLOMETRY_STORAGE", hide_env_values = true)]
    pub(super) storage: Option<String>,
}

impl LadderFile {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`CliError::Read`], or [`CliError::Ladder`] with every problem of the file.
    pub(super) fn read(&self) -> Result<Ladder, CliError> {
        read(&self.ladder, &self.set)
    }
}

/// A ladder file as its studies keep it, so that processes elsewhere can join them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredLadder {
    text: String,
    settings: Vec<(String, String)>,
    /// Folder that paths in the file are taken from, absolute; name of the file in it.
    folder: PathBuf,
    file: PathBuf,
}

impl StoredLadder {
    /// Attribute of a study that it is stored in.
    pub(super) const KEY: &str = "ladder_file";

    /// # Errors
    /// [`CliError::Read`].
    pub(super) fn new(path: &Path, settings: &[(String, String)]) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| CliError::Read { path: path.to_path_buf(), source })?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        Ok(Self {
            text,
            settings: settings.to_vec(),
            folder: absolute.parent().unwrap_or(Path::new("")).to_path_buf(),
            file: absolute.file_name().unwrap_or_default().into(),
        })
    }

    /// Where the file would be: in `folder`, or in its own folder where this machine has that, or in the working directory.
    pub(super) fn path(&self, folder: Option<&Path>) -> PathBuf {
        let own = Some(self.folder.as_path()).filter(|folder| folder.is_dir());
        folder.or(own).unwrap_or(Path::new("")).join(&self.file)
    }

    /// The checked ladder of the file at `path`, which need not be there.
    ///
    /// # Errors
    /// [`CliError::Ladder`] where another version of Allometry wrote it.
    pub(super) fn read(&self, path: &Path) -> Result<Ladder, CliError> {
        ladder::parse_with(&self.text, path, &self.settings)
            .map_err(|errors| CliError::Ladder(Box::new(errors)))
    }
}

/// Reads and checks a ladder file.
///
/// # Errors
/// As [`LadderFile::read`].
pub(crate) fn read(path: &Path, set: &[(String, String)]) -> Result<Ladder, CliError> {
    let text = std::fs::read_to_string(path).map_err(|source| {
        if source.kind() == std::io::ErrorKind::NotFound {
            return CliError::NotFound {
                message: format!("there is no ladder file {}", path.display()),
                hint: Some("name one, or try `allometry demo`, which writes one to start from".into()),
            };
        }
        CliError::Read { path: path.to_path_buf(), source }
    })?;
    ladder::parse_with(&text, path, set).map_err(|errors| CliError::Ladder(Box::new(errors)))
}

/// The ladder file that a path names: a folder stands for the `ladder.toml` in it.
pub(crate) fn in_folder(path: impl Into<PathBuf>) -> PathBuf {
    let path = path.into();
    if path.is_dir() { path.join("ladder.toml") } else { path }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.trim().into())),
        _ => Err("expected KEY=VALUE".into()),
    }
}
