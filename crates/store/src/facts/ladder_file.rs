//! The ladder file that a study stores.

use std::path::{Path, PathBuf};

use allometry_core::{Secret, secret};
use allometry_ladder::{Ladder, LadderErrors};
use serde::{Deserialize, Serialize, Serializer};

/// Text of a ladder file, which studies store so that processes on other machines can join them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredLadder {
    text: String,
    settings: Vec<(String, String)>,
    /// Absolute folder that relative paths in the file refer to, and the file's name. A name that is not
    /// UTF-8 is stored as displayed and cannot be found again.
    #[serde(serialize_with = "as_shown")]
    folder: PathBuf,
    #[serde(serialize_with = "as_shown")]
    file: PathBuf,
}

fn as_shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

impl StoredLadder {
    /// Returns the file at `path` with this text, without the password of its storage; `ladder` is the parsed
    /// text. Returns `None` where the password cannot be removed.
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

    /// Returns the path of the file: in `folder`, or in its own folder if this machine has it, or in the
    /// working directory.
    pub fn path(&self, folder: Option<&Path>) -> PathBuf {
        let own = Some(self.folder.as_path()).filter(|folder| folder.is_dir());
        folder.or(own).unwrap_or(Path::new("")).join(&self.file)
    }

    /// Returns the settings that overrode the file when the run started.
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// Returns the name of the file without its folder.
    pub fn file_name(&self) -> Option<&Path> {
        self.file.file_name().map(Path::new)
    }

    /// Parses and checks the ladder with additional settings. `path` is used for relative paths and messages;
    /// the file need not exist.
    ///
    /// # Errors
    /// [`LadderErrors`] if another version of Allometry wrote a text that this one refuses.
    pub fn read(&self, path: &Path, settings: &[(String, String)]) -> Result<Ladder, LadderErrors> {
        let settings: Vec<(String, String)> = self.settings.iter().chain(settings).cloned().collect();
        allometry_ladder::parse_with(&self.text, path, &settings)
    }
}

/// Returns the text of a ladder file without the passwords of its URLs; `None` if the password of its storage
/// cannot be found in the text.
fn without_password(path: &Path, text: &str, storage: Option<&Secret>) -> Option<String> {
    let in_file =
        |text: &str| allometry_ladder::parse_with(text, path, &[]).ok().and_then(|ladder| ladder.storage);
    let mut hidden = text.to_owned();
    for url in in_file(text).iter().chain(storage) {
        hidden = hidden.replace(url.expose(), &url.shown());
    }
    hidden = secret::hide_users(&hidden);
    in_file(&hidden).is_none_or(|url| url.shown() == url.expose()).then_some(hidden)
}
