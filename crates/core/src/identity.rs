//! Which study a trial belongs to, beyond its name.

use serde::{Deserialize, Serialize};

use crate::rng::stream_seed;

/// Tells a study from every other one, also from one of the same name in another storage or made anew in the same one.
///
/// Files that outlive an attempt at a trial lie in a folder named after it, and say it themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyIdentity {
    /// Name of the study.
    pub name: String,
    /// Text that was drawn at random when the study was made.
    pub id: String,
    /// Where the study is stored, without a password.
    pub storage: String,
}

impl StudyIdentity {
    /// Twelve hexadecimal digits that name the study's folder of trials.
    pub fn folder(&self) -> String {
        let hash = stream_seed(stream_seed(0, &self.id, 0), &self.storage, 1);
        format!("{:012x}", stream_seed(hash, &self.name, 2) >> 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_identity_gives_another_folder() {
        let study = |name: &str, id: &str, storage: &str| StudyIdentity {
            name: name.into(),
            id: id.into(),
            storage: storage.into(),
        };
        let folders: std::collections::BTreeSet<String> =
            [study("a", "1", "x"), study("b", "1", "x"), study("a", "2", "x"), study("a", "1", "y")]
                .iter()
                .map(StudyIdentity::folder)
                .collect();
        assert_eq!(folders.len(), 4);
        assert!(folders.iter().all(|folder| folder.len() == 12));
        assert_eq!(study("a", "1", "x").folder(), study("a", "1", "x").folder());
    }
}
