//! Checks of a database, and creation of its tables.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::session::{Db, Mode, Pool};
use crate::error::StoreError;
use crate::failure::Failure;
use crate::former;
use crate::location::Location;
use crate::schema::{Former, OWN_VERSION, REVISION};

/// Key of the advisory lock that protects the creation of tables; an arbitrary number.
const MIGRATION_LOCK: i64 = 0x616c_6c6f_6d65_7472;
/// Deletes writers whose last commit no session can ask for any more.
const FORGET_WRITERS: &str = "DELETE FROM allometry_writers WHERE at < now() - interval '7 days'";

/// Tables that must exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// None: missing tables are created.
    Anything,
    /// Optuna's tables; Allometry's own are created if missing.
    Studies,
}

/// Checks that the database can be written; creates missing tables.
pub(super) fn writable(pool: &Pool, location: &Location, expect: Expect) -> Result<(), StoreError> {
    let make = || {
        pool.transaction(Mode::Migrate, |db| {
            let tables = tables(db)?;
            // The database may contain tables of other programs, but no other tables with these names.
            let ours = ["studies", "trials", "alembic_version"].iter().any(|table| tables.contains(*table));
            if ours || expect == Expect::Studies {
                check(db, location, &tables)?;
            }
            let only_read = db.first(
                "SELECT current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery()",
                &[],
            )?;
            if only_read.is_some_and(|row| row.get(0)) {
                return Err(StoreError::ReadOnly { location: location.clone() }.into());
            }
            if ["allometry_version", "allometry_late_tells"].iter().all(|table| tables.contains(*table)) {
                db.execute(FORGET_WRITERS, &[])?;
                return Ok(Made::Whole);
            }
            make_missing(db).map(|()| Made::Whole).or_else(|failure| {
                // Optuna creates its tables without taking the lock. The commit of a failed transaction rolls
                // it back.
                if failure.is_made_already() { Ok(Made::BySomebodyElse) } else { Err(failure) }
            })
        })
    };
    for _ in 0..3 {
        if make()? == Made::Whole {
            return Ok(());
        }
    }
    make().map(drop)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Whole,
    BySomebodyElse,
}

fn make_missing(db: &mut Db<'_>) -> Result<(), Failure> {
    db.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])?;
    // Another session may have created them while this one waited for the lock.
    let tables = tables(db)?;
    if !tables.contains("studies") {
        db.batch(include_str!("schema.sql"))?;
    }
    if !tables.contains("allometry_version") {
        db.batch(include_str!("own.sql"))?;
    }
    if !tables.contains("allometry_late_tells") {
        db.batch(include_str!("late.sql"))?;
    }
    Ok(())
}

/// Checks that the database can be read; one of a former revision is read through views.
pub(super) fn readable(pool: &Pool, location: &Location) -> Result<(), StoreError> {
    let views = pool.transaction(Mode::Read, |db| {
        let tables = tables(db)?;
        let found = if tables.contains("trials") { revision(db, &tables)? } else { None };
        let Some(former) = found.as_deref().and_then(Former::of) else {
            return check(db, location, &tables).map(|()| None);
        };
        let schema =
            "SELECT quote_ident(nspname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                      WHERE pg_class.oid = 'trials'::regclass";
        let schema: Option<String> = db.first(schema, &[])?.map(|row| row.get(0));
        let zone = TimeZone::system().iana_name().unwrap_or("UTC").replace('\'', "''");
        let utc = |column: &str| format!("({column} AT TIME ZONE '{zone}') AT TIME ZONE 'UTC'");
        let has_heartbeats = tables.contains("trial_heartbeats");
        let views = schema.map(|schema| former::views(former, &schema, has_heartbeats, utc));
        // A user whose transactions are read-only by default may still create temporary views.
        Ok(views.map(|views| format!("BEGIN READ WRITE; {views} COMMIT;")))
    })?;
    if let Some(views) = views {
        pool.set_views(views);
    }
    Ok(())
}

/// Returns the names of the tables in the search path.
fn tables(db: &mut Db<'_>) -> Result<BTreeSet<String>, Failure> {
    let rows = db.query(
        "SELECT relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE relkind IN ('r', 'p') AND nspname = ANY(current_schemas(false))",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Returns the revision of Optuna's schema, if the database contains one.
fn revision(db: &mut Db<'_>, tables: &BTreeSet<String>) -> Result<Option<String>, Failure> {
    if !tables.contains("alembic_version") {
        return Ok(None);
    }
    Ok(db.first("SELECT version_num::text FROM alembic_version", &[])?.map(|row| row.get(0)))
}

fn check(db: &mut Db<'_>, location: &Location, tables: &BTreeSet<String>) -> Result<(), Failure> {
    if let Some(missing) = ["studies", "trials"].iter().find(|table| !tables.contains(**table)) {
        return Err(Failure::NotAStore(format!("it has no table `{missing}`")));
    }
    let found = revision(db, tables)?.unwrap_or_else(|| "none".into());
    if found != REVISION {
        let location = location.clone();
        return Err(StoreError::OtherRevision { location, found, supported: REVISION }.into());
    }
    if !tables.contains("allometry_version") {
        return Ok(());
    }
    let found = db.first("SELECT max(version)::bigint FROM allometry_version", &[])?;
    let found: i64 = found.and_then(|row| row.get(0)).unwrap_or_default();
    if found > OWN_VERSION {
        let location = location.clone();
        return Err(StoreError::NewerTables { location, found, supported: OWN_VERSION }.into());
    }
    Ok(())
}
