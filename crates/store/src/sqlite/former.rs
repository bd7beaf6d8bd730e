//! Views over files of former revisions of Optuna's schema.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::failure::Failure;
use crate::former;
use crate::schema::Former;

/// Creates views of the current shape over the tables of a former revision.
pub(super) fn view(connection: &Connection, shape: Former, tables: &BTreeSet<String>) -> Result<(), Failure> {
    let utc =
        |column: &str| format!("strftime('%Y-%m-%d %H:%M:%S', {column}, 'utc') || substr({column}, 20)");
    let views = former::views(shape, "main", tables.contains("trial_heartbeats"), utc);
    // A query-only connection cannot create temporary views either.
    let query_only: bool = connection.query_row("PRAGMA query_only", [], |row| row.get(0))?;
    connection.pragma_update(None, "query_only", false)?;
    connection.execute_batch(&format!("PRAGMA temp_store = MEMORY; {views}"))?;
    connection.pragma_update(None, "query_only", query_only)?;
    Ok(())
}
