//! The identity of a study beyond its name.

use serde::{Deserialize, Serialize};

use crate::rng::stream_seed;

/// Identifies a study among all studies, including those of the same name in another storage or recreated in
/// the same one.
///
/// Files that outlive an attempt at a trial lie in a folder named after the identity, and contain it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyIdentity {
    /// Name of the study.
    pub name: String,
    /// Random text drawn when the study was created.
    pub id: String,
    /// URL or path of the storage, without a password.
    pub storage: String,
}

impl StudyIdentity {
    /// Name of the folder of the study's trials: twelve hexadecimal digits.
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
