//! Which ladder a worker joins, and whose word it takes for what it runs.

use std::path::{Path, PathBuf};

use allometry_core::Secret;
use allometry_core::ladder::{Ladder, ObjectiveSpec};
use allometry_store::StudyRecord;
use allometry_store::facts::StoredLadder;

use super::ladder_file;
use crate::error::CliError;
use crate::source::ladder_name;

/// Who decides which program a worker starts, and which data it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The ladder file of this machine.
    OwnFile,
    /// The store, and so everybody who may write there.
    Store,
}

/// A worker's arguments that name the ladder.
pub(super) struct Join<'a> {
    pub(super) storage: &'a Secret,
    /// Name of the ladder.
    pub(super) name: Option<&'a str>,
    pub(super) folder: Option<&'a Path>,
    pub(super) file: Option<&'a Path>,
    pub(super) settings: &'a [(String, String)],
    pub(super) trust: Trust,
}

/// The studies of a store that were begun by a ladder, and that ladder as each has it.
type Stored = Vec<(StudyRecord, StoredLadder)>;

impl Join<'_> {
    /// The ladder to run, with the trials that its studies ask for, and the place of its file.
    ///
    /// # Errors
    /// [`CliError::NotFound`] where the store has no such ladder; [`CliError::Usage`] where it has several, or where this machine has
    /// no file of it and the store is not trusted.
    pub(super) fn ladder(&self) -> Result<(Ladder, PathBuf), CliError> {
        let store = allometry_store::open_read_only(self.storage.expose())?;
        let with_ladder = |study: StudyRecord| Some((study.facts.ladder_file.clone()?, study));
        let stored: Stored =
            store.studies()?.into_iter().filter_map(with_ladder).map(|(l, s)| (s, l)).collect();
        let (mut ladder, path) = match self.trust {
            Trust::Store => self.as_stored(&stored)?,
            Trust::OwnFile => self.own(&stored)?,
        };
        for budget in &mut ladder.budgets {
            let name = format!("{}/{}", ladder.name, budget.budget.label);
            let study = stored.iter().find(|(study, _)| study.name == name);
            // A budget that `run` was not asked for has no study, or one without trials to go.
            budget.trials = study.and_then(|(study, _)| study.facts.target_trials).unwrap_or(0);
        }
        Ok((ladder, path))
    }

    /// The ladder as the store has it, and where its file would be.
    fn as_stored(&self, stored: &Stored) -> Result<(Ladder, PathBuf), CliError> {
        let (first, of_file) = self.first(stored, self.name)?;
        let path = of_file.path(self.folder);
        let read = of_file.read(&path, self.settings);
        let mut ladder = read.map_err(|errors| CliError::Ladder(Box::new(errors)))?;
        ladder.name = ladder_name(first);
        Ok((ladder, path))
    }

    /// The ladder of this machine's file, with those settings that its run was begun with which change no program and no data.
    fn own(&self, stored: &Stored) -> Result<(Ladder, PathBuf), CliError> {
        let (_, of_any) = self.first(stored, self.name)?;
        let path = self.own_file(of_any)?;
        let plain = ladder_file::read(&path, self.settings)?;
        if let Some(wanted) = self.name.filter(|wanted| *wanted != plain.name) {
            return Err(CliError::Usage {
                message: format!("{} is the file of ladder `{}`, not `{wanted}`", path.display(), plain.name),
                hint: Some("name the ladder's file, or its folder with --folder".into()),
            });
        }
        let (_, of_file) = self.first(stored, Some(&plain.name))?;
        let settings: Vec<(String, String)> =
            of_file.settings().iter().chain(self.settings).cloned().collect();
        let set = ladder_file::read(&path, &settings)?;
        if !runs_the_same(&plain, &set) {
            let given: Vec<String> =
                of_file.settings().iter().map(|(key, value)| format!("-S {key}={value}")).collect();
            return Err(CliError::Usage {
                message:
                    "the run was begun with settings that change the command or the data of this ladder file"
                        .into(),
                hint: Some(format!("give the worker those that you want too: {}", given.join(" "))),
            });
        }
        Ok((set, path))
    }

    /// The ladder file of this machine: the one named, else one in the folder that the user chose. The store is not asked where.
    fn own_file(&self, stored: &StoredLadder) -> Result<PathBuf, CliError> {
        if let Some(file) = self.file {
            return Ok(ladder_file::in_folder(file));
        }
        let folder = self.folder.unwrap_or(Path::new(""));
        let names = ["ladder.toml".as_ref()].into_iter().chain(stored.file_name());
        names.map(|name| folder.join(name)).find(|path| path.is_file()).ok_or_else(|| {
            let place = if folder.as_os_str().is_empty() { Path::new("the working directory") } else { folder };
            CliError::Usage {
                message: format!("{} has no ladder file, which says what is run", place.display()),
                hint: Some(format!(
                    "name this machine's copy of it (the run's is {}), or take the ladder from the store with --trust-store, \
                     where whoever may write to the store decides which programs run here",
                    stored.path(None).display()
                )),
            }
        })
    }

    /// The first study of the ladder of that name, or of the only one.
    fn first<'s>(
        &self,
        stored: &'s Stored,
        name: Option<&str>,
    ) -> Result<&'s (StudyRecord, StoredLadder), CliError> {
        let mut names: Vec<String> = stored.iter().map(|(study, _)| ladder_name(study)).collect();
        names.dedup();
        let mut found = stored.iter().filter(|(study, _)| name.is_none_or(|name| ladder_name(study) == name));
        let Some(first) = found.next() else {
            let (message, hint) = match name {
                Some(wanted) if !names.is_empty() => {
                    (format!("the store has no ladder `{wanted}`"), format!("it has {}", names.join(", ")))
                }
                _ => (
                    "the store has no ladder that a worker could join".to_owned(),
                    "`allometry run` begins one".to_owned(),
                ),
            };
            return Err(CliError::NotFound { message, hint: Some(hint) });
        };
        // The file of this machine names the ladder, too.
        if name.is_none() && names.len() > 1 && self.trust == Trust::Store {
            return Err(CliError::Usage {
                message: format!("the store has {} ladders", names.len()),
                hint: Some(format!("name one with --ladder: {}", names.join(", "))),
            });
        }
        Ok(first)
    }
}

/// Whether two readings of a file start the same program, or read the same data.
fn runs_the_same(one: &Ladder, other: &Ladder) -> bool {
    match (&one.objective, &other.objective) {
        (ObjectiveSpec::Command(one), ObjectiveSpec::Command(other)) => one == other,
        (ObjectiveSpec::Model { data: one, .. }, ObjectiveSpec::Model { data: other, .. }) => one == other,
        _ => false,
    }
}
