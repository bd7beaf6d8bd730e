//! Databases of former revisions of Optuna's schema, which are read as if they were of the present one.
//!
//! Views of the connection's own, named as the present tables, stand before the tables of the file. Each
//! gives what Optuna's migrations would make of the former rows; the file is not changed.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::failure::Failure;
use crate::schema::Former;

/// Puts views of the present shape before the tables of a former revision.
pub(super) fn view(
    connection: &Connection,
    former: Former,
    tables: &BTreeSet<String>,
) -> Result<(), Failure> {
    let mut sql = String::from("PRAGMA temp_store = MEMORY;");
    let number = if former < Former::Numbered { NUMBER } else { "number" };
    sql.push_str(&trials(number));
    if former < Former::Numbered {
        sql.push_str(ATTRIBUTES);
    }
    if former < Former::Objectives {
        sql.push_str(DIRECTIONS);
        sql.push_str(&numbers("trial_values", "trial_id", "0 AS objective", "value", "trials", false));
        sql.push_str(&numbers(
            "trial_intermediate_values",
            "trial_value_id",
            "step",
            "value",
            "trial_values",
            true,
        ));
    } else {
        if former < Former::TypedReports {
            let table = "trial_intermediate_values";
            let id = "trial_intermediate_value_id";
            sql.push_str(&numbers(table, id, "step", "intermediate_value", table, true));
        }
        if former < Former::TypedValues {
            sql.push_str(&numbers(
                "trial_values",
                "trial_value_id",
                "objective",
                "value",
                "trial_values",
                false,
            ));
        }
    }
    if !tables.contains("trial_heartbeats") {
        sql.push_str(
            "CREATE TEMP VIEW trial_heartbeats AS
                SELECT 0 AS rowid, 0 AS trial_id, NULL AS heartbeat WHERE 0;",
        );
    }
    // A connection that may only read may make no view of its own either.
    let query_only: bool = connection.query_row("PRAGMA query_only", [], |row| row.get(0))?;
    connection.pragma_update(None, "query_only", false)?;
    connection.execute_batch(&sql)?;
    connection.pragma_update(None, "query_only", query_only)?;
    Ok(())
}

/// Numbers were kept as an attribute. A trial whose client ended before it wrote that has the number of its
/// place.
const NUMBER: &str = "
           coalesce((SELECT CAST(value_json AS INTEGER) FROM main.trial_system_attributes AS a
                     WHERE a.trial_id = t.trial_id AND a.key = '_number'),
                    (SELECT count(*) FROM main.trials AS b
                     WHERE b.study_id = t.study_id AND b.trial_id < t.trial_id)) AS number";

const ATTRIBUTES: &str = "
CREATE TEMP VIEW trial_system_attributes AS
    SELECT trial_system_attribute_id AS rowid, * FROM main.trial_system_attributes WHERE key <> '_number';
";

/// A view of trials without the value that once stood among them, whose times are no longer those of the
/// machine's zone.
fn trials(number: &str) -> String {
    let utc = |column: &str| {
        format!("strftime('%Y-%m-%d %H:%M:%S', {column}, 'utc') || substr({column}, 20) AS {column}")
    };
    format!(
        "CREATE TEMP VIEW trials AS
            SELECT trial_id AS rowid, trial_id, {number}, study_id, state, {}, {} FROM main.trials AS t;",
        utc("datetime_start"),
        utc("datetime_complete")
    )
}

/// The only direction of a study was a column beside its name; nothing set is the default, to minimise.
const DIRECTIONS: &str = "
CREATE TEMP VIEW study_directions AS
    SELECT study_id AS rowid, direction, study_id, 0 AS objective FROM main.studies;
";

/// Whether a number stands for an infinity: it is one, or about the largest of 32 bits, which former clients
/// stored in its place.
fn is_infinite(x: &str) -> String {
    format!("(abs({x}) = 9e999 OR abs(abs({x}) - 3.4028234663852886e38) <= 3.4028234663852886e33)")
}

/// A view of numbers whose kind was not kept: missing ones are no value, or with `has_nan` no number.
fn numbers(view: &str, id: &str, key: &str, from: &str, table: &str, has_nan: bool) -> String {
    let column = if has_nan { "intermediate_value" } else { "value" };
    let missing = if has_nan { format!("WHEN {from} IS NULL THEN 'NAN' ") } else { String::new() };
    let condition = if has_nan { "1".to_owned() } else { format!("{from} IS NOT NULL") };
    let is_infinite = is_infinite(from);
    format!(
        "CREATE TEMP VIEW {view} AS
            SELECT {id} AS rowid, trial_id, {key},
                   CASE WHEN {is_infinite} THEN NULL ELSE {from} END AS {column},
                   CASE {missing}WHEN NOT {is_infinite} THEN 'FINITE'
                        WHEN {from} > 0 THEN 'INF_POS' ELSE 'INF_NEG' END AS {column}_type
            FROM main.{table} WHERE {condition};"
    )
}
