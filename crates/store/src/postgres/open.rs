//! What a database is, and what it must be.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::session::{Db, Mode, Pool};
use crate::error::StoreError;
use crate::failure::Failure;
use crate::former;
use crate::location::Location;
use crate::schema::{Former, OWN_VERSION, REVISION};

/// Lock under which tables are made; the number means nothing.
const MIGRATION_LOCK: i64 = 0x616c_6c6f_6d65_7472;
/// Days after which nobody asks for a connection's last commit any more.
const FORGET_WRITERS: &str = "DELETE FROM allometry_writers WHERE at < now() - interval '7 days'";

/// The tables that must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// Nothing: what is missing is made.
    Anything,
    /// Optuna's tables; ours are made where missing.
    Studies,
}

/// Checks the database for writing; makes the tables that are missing.
pub(super) fn writable(pool: &Pool, location: &Location, expect: Expect) -> Result<(), StoreError> {
    let make = || {
        pool.transaction(Mode::Migrate, |db| {
            let tables = tables(db)?;
            // A database may well hold tables of other programs, but not others of these names.
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
                // Optuna makes its tables without taking the lock. The commit of what failed undoes it.
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
    // Somebody else may have made them while this one waited.
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

/// Checks the database for reading; one of a former revision is read as if it were of the present one.
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
        // A user whose transactions only read may still make views of the connection's own.
        Ok(views.map(|views| format!("BEGIN READ WRITE; {views} COMMIT;")))
    })?;
    if let Some(views) = views {
        pool.read_through(views);
    }
    Ok(())
}

/// Names of the tables that are found without naming a schema.
fn tables(db: &mut Db<'_>) -> Result<BTreeSet<String>, Failure> {
    let rows = db.query(
        "SELECT relname::text FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE relkind IN ('r', 'p') AND nspname = ANY(current_schemas(false))",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The revision of Optuna's schema, where the database says one.
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
