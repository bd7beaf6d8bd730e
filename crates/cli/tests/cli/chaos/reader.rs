//! Reads the result of a round with plain SQL, and disturbs stores with their own means.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use allometry_testkit::Cluster;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::dice::Dice;

/// A database, read with its own client program.
pub(crate) enum Database<'a> {
    Sqlite(PathBuf),
    Postgres(&'a Cluster, String),
}

impl Database<'_> {
    /// Returns the rows of a query as texts; NULL is an empty text.
    fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Postgres(cluster, url) => {
                let lines = cluster.sql(url, sql);
                lines.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
            }
            Self::Sqlite(path) => {
                let connection = Connection::open(path).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                let columns = statement.column_count();
                let rows = statement
                    .query_map([], |row| (0..columns).map(|at| Ok(text(row.get_ref(at)?))).collect());
                rows.unwrap().collect::<Result<_, _>>().unwrap()
            }
        }
    }

    fn number(&self, sql: &str) -> u64 {
        self.rows(sql)[0][0].parse().unwrap()
    }
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

/// Selects one row per trial: its state and value, its two parameters, and the number of its reported steps
/// with the least and the largest.
const TRIALS: &str = "SELECT t.number, t.state, x.param_value, y.param_value, v.value,
    (SELECT count(*) FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id),
    (SELECT min(intermediate_value) FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id),
    (SELECT max(intermediate_value) FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id),
    (SELECT count(*) FROM trial_user_attributes a WHERE a.trial_id = t.trial_id
        AND a.key = 'allometry:record' AND a.value_json LIKE '%interrupted%')
    FROM trials t
    LEFT JOIN trial_params x ON x.trial_id = t.trial_id AND x.param_name = 'x'
    LEFT JOIN trial_params y ON y.trial_id = t.trial_id AND y.param_name = 'y'
    LEFT JOIN trial_values v ON v.trial_id = t.trial_id
    ORDER BY t.number";

/// Whether the programs of trials could write their reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Programs {
    /// All reports could be written.
    CouldWrite,
    /// A full disk may have lost lines of reports without an error.
    LostLines,
}

/// Checks what must hold of a study after any fault. Returns the numbers of complete trials and of
/// interrupted ones.
pub(crate) fn check(database: &Database<'_>, wanted: usize, programs: Programs) -> (usize, usize) {
    assert_eq!(database.number("SELECT count(*) FROM studies"), 1);
    for table in ["trial_params", "trial_values", "trial_intermediate_values", "trial_user_attributes"] {
        let orphans =
            format!("SELECT count(*) FROM {table} WHERE trial_id NOT IN (SELECT trial_id FROM trials)");
        assert_eq!(database.number(&orphans), 0, "rows of {table} without a trial");
    }
    if let Database::Sqlite(_) = database {
        assert_eq!(database.rows("PRAGMA integrity_check"), [["ok"]]);
    }
    let (mut configurations, mut complete, mut cut_off) = (BTreeSet::new(), 0, 0);
    for (place, row) in database.rows(TRIALS).into_iter().enumerate() {
        assert_eq!(row[0], place.to_string(), "numbers have no gap, and none is there twice");
        let number = |at: usize| -> f64 { row[at].parse().unwrap() };
        match row[1].as_str() {
            "COMPLETE" => {
                assert_eq!(number(4), number(2), "a trial has its own value: {row:?}");
                let steps: usize = row[5].parse().unwrap();
                assert!(steps == 3 || programs == Programs::LostLines && steps < 3, "{row:?}");
                let reported = steps == 0 || (number(6), number(7)) == (number(2), number(2));
                assert!(reported, "a trial has its own curve: {row:?}");
                assert!(configurations.insert((row[2].clone(), row[3].clone())), "evaluated twice: {row:?}");
                complete += 1;
            }
            "FAIL" => {
                assert_eq!(row[4], "", "a failed trial has no value: {row:?}");
                let interrupted = row[8] == "1" || programs == Programs::LostLines;
                assert!(interrupted, "only interruptions fail: {row:?}");
                cut_off += 1;
            }
            state => panic!("a trial is left {state}: {row:?}"),
        }
    }
    assert_eq!(complete, wanted, "the total is exact");
    (complete, cut_off)
}

/// Holds the exclusive lock of a SQLite file.
pub(crate) fn lock(path: &Path, time: Duration) -> &'static str {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_mins(1)).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    std::thread::sleep(time);
    connection.execute_batch("COMMIT").unwrap();
    "locks"
}

/// Closes all connections to a PostgreSQL database.
pub(crate) fn cut_connections(cluster: &Cluster, url: &str) -> &'static str {
    let others = "pid <> pg_backend_pid() AND datname = current_database()";
    cluster
        .sql(url, &format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"));
    "connections cut"
}

/// Removes, replaces or moves a SQLite file that is in use; returns what was done.
pub(crate) fn take_away(path: &Path, dice: &mut Dice) -> &'static str {
    match dice.below(3) {
        0 => {
            fs::remove_file(path).unwrap();
            "was removed"
        }
        1 => {
            let other = path.with_extension("other");
            fs::write(&other, "another file").unwrap();
            fs::rename(other, path).unwrap();
            "was replaced"
        }
        _ => {
            fs::rename(path, path.with_extension("away")).unwrap();
            "was moved"
        }
    }
}
