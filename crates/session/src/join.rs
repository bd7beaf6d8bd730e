//! The ladder that a worker joins, and who decides what it runs.

use std::path::{Path, PathBuf};

use allometry_core::Secret;
use allometry_ladder::{Ladder, ObjectiveSpec};
use allometry_store::StudyRecord;
use allometry_store::facts::StoredLadder;
use allometry_study::ladder_name;

use crate::SessionError;

/// Who decides which program a worker starts, and which data it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The ladder file of this machine.
    OwnFile,
    /// The store, and so everybody who can write to it.
    Store,
}

/// A worker's arguments that name the ladder.
pub struct Join<'a> {
    /// Where the studies are.
    pub storage: &'a Secret,
    /// Name of the ladder.
    pub name: Option<&'a str>,
    /// Folder of the ladder file on this machine.
    pub folder: Option<&'a Path>,
    /// The ladder file on this machine.
    pub file: Option<&'a Path>,
    /// Settings over the file.
    pub settings: &'a [(String, String)],
    /// Who decides what runs.
    pub trust: Trust,
}

/// Studies of a store, each with the ladder that began it.
type Stored = Vec<(StudyRecord, StoredLadder)>;

impl Join<'_> {
    /// Returns the ladder to run, with the trials that its studies ask for, and the path of its file.
    ///
    /// # Errors
    /// [`SessionError::NotFound`] where the store has no such ladder; [`SessionError::Usage`] where it has
    /// several, or where this machine has no ladder file and the store is not trusted.
    pub fn ladder(&self) -> Result<(Ladder, PathBuf), SessionError> {
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
            // A budget that the run leaves out has no study, or one without trials to go.
            budget.trials = study.and_then(|(study, _)| study.facts.target_trials).unwrap_or(0);
        }
        Ok((ladder, path))
    }

    /// Returns the ladder as the store has it, and where its file would be.
    fn as_stored(&self, stored: &Stored) -> Result<(Ladder, PathBuf), SessionError> {
        let (first, of_file) = self.first(stored, self.name)?;
        let path = of_file.path(self.folder);
        let read = of_file.read(&path, self.settings);
        let mut ladder = read.map_err(|errors| SessionError::Ladder(Box::new(errors)))?;
        ladder.name = ladder_name(first);
        Ok((ladder, path))
    }

    /// Returns the ladder of this machine's file, with the run's settings where they change neither the
    /// program nor the data.
    fn own(&self, stored: &Stored) -> Result<(Ladder, PathBuf), SessionError> {
        let (_, of_any) = self.first(stored, self.name)?;
        let path = self.own_file(of_any)?;
        let plain = allometry_study::read_ladder(&path, self.settings)?;
        if let Some(wanted) = self.name.filter(|wanted| *wanted != plain.name) {
            return Err(SessionError::Usage {
                message: format!("{} is the file of ladder `{}`, not `{wanted}`", path.display(), plain.name),
                hint: Some("name the ladder's file, or its folder with --folder".into()),
            });
        }
        let (_, of_file) = self.first(stored, Some(&plain.name))?;
        let settings: Vec<(String, String)> =
            of_file.settings().iter().chain(self.settings).cloned().collect();
        let set = allometry_study::read_ladder(&path, &settings)?;
        if !runs_the_same(&plain, &set) {
            let given: Vec<String> =
                of_file.settings().iter().map(|(key, value)| format!("-S {key}={value}")).collect();
            return Err(SessionError::Usage {
                message:
                    "the run was begun with settings that change the command or the data of this ladder file"
                        .into(),
                hint: Some(format!("give the worker those that you want too: {}", given.join(" "))),
            });
        }
        Ok((set, path))
    }

    /// Returns the ladder file of this machine: the one named, else one in the folder that the user chose.
    /// The store has no say in it.
    fn own_file(&self, stored: &StoredLadder) -> Result<PathBuf, SessionError> {
        if let Some(file) = self.file {
            return Ok(allometry_study::in_folder(file));
        }
        let folder = self.folder.unwrap_or(Path::new(""));
        let names = ["ladder.toml".as_ref()].into_iter().chain(stored.file_name());
        names.map(|name| folder.join(name)).find(|path| path.is_file()).ok_or_else(|| {
            let is_here = folder.as_os_str().is_empty();
            let place = if is_here { Path::new("the working directory") } else { folder };
            SessionError::Usage {
                message: format!("{} has no ladder file, which says what is run", place.display()),
                hint: Some(format!(
                    "name this machine's copy of it (the run's is {}), or take the ladder from the store \
                     with --trust-store; then everybody who can write to the store decides which programs \
                     run here",
                    stored.path(None).display()
                )),
            }
        })
    }

    /// Returns the first study of the ladder of that name, or of the only ladder.
    fn first<'s>(
        &self,
        stored: &'s Stored,
        name: Option<&str>,
    ) -> Result<&'s (StudyRecord, StoredLadder), SessionError> {
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
            return Err(SessionError::NotFound { message, hint: Some(hint) });
        };
        // This machine's file names the ladder, too.
        if name.is_none() && names.len() > 1 && self.trust == Trust::Store {
            return Err(SessionError::Usage {
                message: format!("the store has {} ladders", names.len()),
                hint: Some(format!("name one with --ladder: {}", names.join(", "))),
            });
        }
        Ok(first)
    }
}

/// Whether two ladders start the same program, or read the same data.
fn runs_the_same(one: &Ladder, other: &Ladder) -> bool {
    match (&one.objective, &other.objective) {
        (ObjectiveSpec::Command(one), ObjectiveSpec::Command(other)) => one == other,
        (ObjectiveSpec::Model { data: one, .. }, ObjectiveSpec::Model { data: other, .. }) => one == other,
        _ => false,
    }
}
