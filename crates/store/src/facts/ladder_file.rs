//! The ladder file of a study.

use std::path::{Path, PathBuf};

use allometry_core::ladder::{self, Ladder, LadderErrors};
use allometry_core::{Secret, secret};
use serde::{Deserialize, Serialize, Serializer};

/// A ladder file as its studies keep it, so that processes elsewhere can join them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredLadder {
    text: String,
    settings: Vec<(String, String)>,
    /// Folder that paths in the file are taken from, absolute, and the file's name in it. A name that is not
    /// UTF-8 is kept as it is shown and is not found again.
    #[serde(serialize_with = "as_shown")]
    folder: PathBuf,
    #[serde(serialize_with = "as_shown")]
    file: PathBuf,
}

fn as_shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

impl StoredLadder {
    /// The file at `path` with this text, of which `ladder` was read, without the password of its storage;
    /// `None` where the password cannot be taken out.
    pub fn new(path: &Path, text: &str, settings: &[(String, String)], ladder: &Ladder) -> Option<Self> {
        let text = without_password(path, text, ladder.storage.as_ref())?;
        let of_storage = |key: &str| key.trim().trim_matches(['"', '\'']).starts_with("storage");
        let settings = settings.iter().map(|(key, value)| {
            let value = if of_storage(key) { secret::hide(value) } else { value.clone() };
            (key.clone(), value)
        });
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        Some(Self {
            text,
            settings: settings.collect(),
            folder: absolute.parent().unwrap_or(Path::new("")).to_path_buf(),
            file: absolute.file_name().unwrap_or_default().into(),
        })
    }

    /// Where the file would be: in `folder`, or in its own folder where this machine has that, or in the
    /// working directory.
    pub fn path(&self, folder: Option<&Path>) -> PathBuf {
        let own = Some(self.folder.as_path()).filter(|folder| folder.is_dir());
        folder.or(own).unwrap_or(Path::new("")).join(&self.file)
    }

    /// Settings over the file that the run was begun with.
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Name of the file, without a folder.
    pub fn file_name(&self) -> Option<&Path> {
        self.file.file_name().map(Path::new)
    }

    /// The checked ladder of the file at `path`, which need not be there, with further settings over it.
    ///
    /// # Errors
    /// [`LadderErrors`] where another version of Allometry wrote it.
    pub fn read(&self, path: &Path, settings: &[(String, String)]) -> Result<Ladder, LadderErrors> {
        let settings: Vec<(String, String)> = self.settings.iter().chain(settings).cloned().collect();
        ladder::parse_with(&self.text, path, &settings)
    }
}

/// The text of a ladder file without the passwords of its URLs; `None` where that of its storage is written
/// so that it is not found in the text.
fn without_password(path: &Path, text: &str, storage: Option<&Secret>) -> Option<String> {
    let in_file = |text: &str| ladder::parse_with(text, path, &[]).ok().and_then(|ladder| ladder.storage);
    let mut hidden = text.to_owned();
    for url in in_file(text).iter().chain(storage) {
        hidden = hidden.replace(url.expose(), &url.shown());
    }
    hidden = secret::hide_users(&hidden);
    in_file(&hidden).is_none_or(|url| url.shown() == url.expose()).then_some(hidden)
}
