//! The files of one trial.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use allometry_core::{TrialNumber, TrialSpec};

use super::belonging;

/// Bytes of a trial's output that are kept with it in the store.
const TAIL: u64 = 64 * 1024;

/// Makes a folder, and those above it that are missing, for its owner alone: logs and parameters are nobody else's.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Where a trial's files are: `<budget>/<study>/<number>`. A repetition has the folder of the first attempt, and so its
/// checkpoints; another study has another folder.
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

    /// Each attempt has its own: a program of an earlier one, whose process was taken for dead, writes into no other's.
    pub(super) fn report(&self) -> PathBuf {
        self.report_of(self.attempt)
    }

    /// The report of another attempt at the trial.
    pub(super) fn report_of(&self, attempt: TrialNumber) -> PathBuf {
        self.folder.join(format!("report-{attempt}.jsonl"))
    }

    /// Appears when the program should end.
    pub(super) fn stop(&self) -> PathBuf {
        self.folder.join(format!("report-{}.jsonl.stop", self.attempt))
    }

    pub(super) fn checkpoints(&self) -> PathBuf {
        self.folder.join("checkpoint")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log.txt")
    }

    /// Says which trial the folder belongs to.
    fn belonging(&self) -> PathBuf {
        self.folder.join("trial.json")
    }

    /// Tells a process that goes on with the trial which one may still be at work on it.
    pub(super) fn process(&self) -> PathBuf {
        self.folder.join("process.json")
    }

    /// Is locked by whoever starts a program on the trial; beside the folder, which may be cleared.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.with_extension("lock")
    }

    /// Makes the folders, writes the parameters and empties the report of an earlier attempt. What another trial left there is
    /// removed.
    pub(super) fn prepare(&self, trial: &TrialSpec) -> io::Result<()> {
        belonging::claim(&self.folder, &self.belonging(), trial)?;
        make_folder(&self.checkpoints())?;
        let params = serde_json::to_string_pretty(&trial.params).expect("parameters have text keys");
        fs::write(self.params(), params + "\n")?;
        File::create(self.report())?;
        match fs::remove_file(self.stop()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Opens the log for more.
    pub(super) fn open_log(&self) -> io::Result<File> {
        File::options().create(true).append(true).open(self.log())
    }

    /// The end of the log as text; `None` where there is none, or nothing in it.
    pub(super) fn tail(&self) -> Option<String> {
        let mut file = File::open(self.log()).ok()?;
        let length = file.metadata().ok()?.len();
        let start = length.saturating_sub(TAIL);
        file.seek(SeekFrom::Start(start)).ok()?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        // A cut in the middle of a line, perhaps of a character, is no line.
        let text = if start > 0 { text.split_once('\n').map_or(&*text, |(_, rest)| rest) } else { &text };
        Some(text.replace('\0', "\u{fffd}")).filter(|text| !text.trim().is_empty())
    }

    /// What a `{name}` in the ladder file stands for, beside what expands to several arguments.
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
