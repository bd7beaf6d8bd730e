//! The files of a trial.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use allometry_core::{TrialNumber, TrialSpec};

use super::folder::make_folder;
use super::folder_owner;

/// Number of bytes of a trial's output that the store keeps.
const TAIL: u64 = 64 * 1024;

/// The files of a trial, in the folder `<budget>/<study>/<number>`. A repeated attempt uses the folder of the
/// first attempt, and so its checkpoints; another study has another folder.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    attempt: TrialNumber,
}

impl Files {
    pub(super) fn of(runs: &Path, trial: &TrialSpec) -> Self {
        let study = runs.join(&trial.budget.label).join(trial.study.folder());
        Self { folder: study.join(trial.first_attempt.to_string()), attempt: trial.number }
    }

    pub(super) fn params(&self) -> PathBuf {
        self.folder.join("params.json")
    }

    /// The report of this attempt. The program of an earlier attempt, whose process was taken for dead, may
    /// still write to its own.
    pub(super) fn report(&self) -> PathBuf {
        self.report_of(self.attempt)
    }

    /// The report of another attempt at the trial.
    pub(super) fn report_of(&self, attempt: TrialNumber) -> PathBuf {
        self.folder.join(format!("report-{attempt}.jsonl"))
    }

    /// The file whose existence asks the program to end.
    pub(super) fn stop(&self) -> PathBuf {
        self.folder.join(format!("report-{}.jsonl.stop", self.attempt))
    }

    pub(super) fn checkpoints(&self) -> PathBuf {
        self.folder.join("checkpoint")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log.txt")
    }

    /// The file that names the trial of the folder.
    fn owner_file(&self) -> PathBuf {
        self.folder.join("trial.json")
    }

    /// The file that names the process of an attempt, so that a later attempt can end it.
    pub(super) fn process(&self) -> PathBuf {
        self.folder.join("process.json")
    }

    /// The lock file for starting a program, which is outside of the folder, because the folder may be
    /// cleared.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.with_extension("lock")
    }

    /// Creates the folders, writes the parameters and empties the report of an earlier attempt. Files of
    /// another trial are removed.
    pub(super) fn prepare(&self, trial: &TrialSpec) -> io::Result<()> {
        folder_owner::claim(&self.folder, &self.owner_file(), trial)?;
        make_folder(&self.checkpoints())?;
        let params = serde_json::to_string_pretty(&trial.params).expect("parameters have text keys");
        fs::write(self.params(), params + "\n")?;
        File::create(self.report())?;
        match fs::remove_file(self.stop()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Opens the log for appending.
    pub(super) fn open_log(&self) -> io::Result<File> {
        File::options().create(true).append(true).open(self.log())
    }

    /// The end of the log as text; `None` where the log does not exist or is empty.
    pub(super) fn tail(&self) -> Option<String> {
        let mut file = File::open(self.log()).ok()?;
        let length = file.metadata().ok()?.len();
        let start = length.saturating_sub(TAIL);
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        // The first line may be incomplete and is left out.
        let text = if start > 0 { text.split_once('\n').map_or(&*text, |(_, rest)| rest) } else { &text };
        Some(text.replace('\0', "\u{fffd}")).filter(|text| !text.trim().is_empty())
    }

    /// The value of `{name}` in the ladder file, except for `{args}`, which expands to several arguments.
    pub(super) fn value(&self, name: &str, ladder: &str, trial: &TrialSpec) -> Option<String> {
        Some(match name {
            "budget" => trial.budget.label.clone(),
            "checkpoint_dir" => self.checkpoints().display().to_string(),
            "number" => trial.number.to_string(),
            "params_file" => self.params().display().to_string(),
            "params_json" => serde_json::to_string(&trial.params).expect("parameters have text keys"),
            "report" => self.report().display().to_string(),
            "seed" => trial.seed.to_string(),
            "study" => format!("{ladder}/{}", trial.budget.label),
            parameter => trial.params.get(parameter)?.to_string(),
        })
    }
}
