//! Tests of files that are removed, replaced, read through links, or locked.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ffi};

use super::super::{PATIENCE, SqliteStore, retry, snapshot};
use super::SHORT;
use crate::change_mark::FollowedStore;
use crate::error::{Departure, StoreError};
use crate::failure::Failure;
use crate::store::{NewStudy, Store as _};

fn study(name: &str) -> NewStudy {
    NewStudy { name: name.into(), ..NewStudy::default() }
}

/// Creates a store with a thousand studies, all of them written to its file.
fn filled(path: &Path) -> SqliteStore {
    let store = SqliteStore::open_within(path, SHORT).unwrap();
    store
        .writing(|rows| {
            let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
                INSERT INTO studies (study_name) SELECT 'study ' || i FROM n";
            Ok(rows.db.execute_batch(many)?)
        })
        .unwrap();
    store.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    store.check_present().unwrap();
    store
}

fn departed(store: &SqliteStore) -> Departure {
    let looked = store.check_present();
    let Err(StoreError::Departed { how, .. }) = looked else { panic!("{looked:?}") };
    let written = store.create_study(&study("new"));
    assert!(matches!(written, Err(StoreError::Departed { .. })), "{written:?}");
    how
}

#[test]
fn a_file_that_goes_away_takes_nothing_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let store = filled(&path);
    fs::rename(&path, folder.path().join("away.db")).unwrap();
    assert_eq!(departed(&store), Departure::Removed);
    fs::write(&path, "another").unwrap();
    assert_eq!(departed(&store), Departure::Replaced);
    fs::rename(folder.path().join("away.db"), &path).unwrap();
    store.check_present().unwrap();
    store.create_study(&study("new")).unwrap();
}

#[test]
fn a_file_that_is_emptied_or_cut_off_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    for (left, how) in [(0, Departure::Emptied), (8192, Departure::CutOff)] {
        let _ = fs::remove_file(&path);
        let store = filled(&path);
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(left).unwrap();
        assert_eq!(departed(&store), how);
        drop(store);
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("x.db{suffix}")));
        }
    }
}

#[test]
fn a_file_that_another_program_compacts_is_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let store = filled(&path);
    let before = fs::metadata(&path).unwrap().len();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("DELETE FROM studies; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert!(fs::metadata(&path).unwrap().len() < before);
    store.check_present().unwrap();
    store.create_study(&study("new")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_store_behind_a_link_is_read_whole_while_somebody_writes() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("real")).unwrap();
    let (path, link) = (folder.path().join("real/x.db"), folder.path().join("link.db"));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let writer = SqliteStore::open_within(&link, SHORT).unwrap();
    writer.create_study(&study("one")).unwrap();
    let followed = FollowedStore::new(&link.display().to_string()).unwrap();
    let before = followed.mark().unwrap();
    writer.create_study(&study("two")).unwrap();
    assert_ne!(followed.mark().unwrap(), before, "what is in the log is seen");
    let reader = SqliteStore::open_read_only_within(&link, SHORT).unwrap();
    assert_eq!(reader.studies().unwrap().len(), 2);
    assert_eq!(reader.place().unwrap(), SqliteStore::open_within(&path, SHORT).unwrap().place().unwrap());
}

#[test]
fn a_reader_of_a_file_at_rest_sees_who_comes_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    drop(filled(&path));
    let bytes = fs::read(&path).unwrap();
    let reader = SqliteStore::open_read_only_within(&path, SHORT).unwrap();
    assert_eq!(reader.studies().unwrap().len(), 1000);
    assert!(
        reader.writing(|rows| Ok(rows.db.execute_batch("DELETE FROM studies")?)).is_err(),
        "it only reads"
    );
    drop(reader);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file is left beside it");
    assert!(fs::read(&path).unwrap() == bytes, "it is not changed");

    let reader = SqliteStore::open_read_only_within(&path, SHORT).unwrap();
    let writer = SqliteStore::open_within(&path, SHORT).unwrap();
    writer.writing(|rows| Ok(rows.db.execute_batch("DELETE FROM studies; ")?)).unwrap();
    writer.connection().execute_batch("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
    assert_eq!(reader.studies().unwrap().len(), 0);
    writer.create_study(&study("new")).unwrap();
    assert_eq!(reader.studies().unwrap().len(), 1);
}

#[test]
fn a_copy_in_memory_is_one_state_whatever_becomes_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    drop(filled(&path));
    let count = |connection: &Connection| -> i64 {
        connection.query_row("SELECT count(*) FROM studies", [], |row| row.get(0)).unwrap()
    };
    let copy = snapshot::open(&path, SHORT).unwrap();
    let writer = SqliteStore::open_within(&path, SHORT).unwrap();
    writer.writing(|rows| Ok(rows.db.execute_batch("DELETE FROM studies")?)).unwrap();
    // The log exists now, and is read too.
    assert_eq!(count(&snapshot::open(&path, SHORT).unwrap()), 0);
    writer.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM").unwrap();
    assert_eq!(count(&copy), 1000);
    let checked: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
    assert!(copy.execute_batch("DELETE FROM studies").is_err());
}

#[test]
fn every_kind_of_lock_is_waited_for() {
    let patience = Duration::from_mins(1);
    for code in [ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED, ffi::SQLITE_PROTOCOL, ffi::SQLITE_BUSY_SNAPSHOT] {
        let locked = || Failure::Sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        let mut tries = 0;
        let done = retry::while_locked(patience, || {
            tries += 1;
            if tries < 4 { Err(locked()) } else { Ok(tries) }
        });
        assert_eq!(done.unwrap(), 4);
        let given_up = retry::while_locked(Duration::ZERO, || Err::<(), _>(locked())).unwrap_err();
        assert!(matches!(given_up.at_file(Path::new("x.db")), StoreError::Locked { .. }));
    }
    let other = || Failure::Sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None));
    let mut tries = 0;
    let refused = retry::while_locked(patience, || {
        tries += 1;
        Err::<(), _>(other())
    });
    assert!(refused.is_err() && tries == 1);
    assert!(PATIENCE >= Duration::from_mins(1), "as long as for a server of PostgreSQL");
}
