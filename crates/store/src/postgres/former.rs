//! Databases of former revisions of Optuna's schema, which are read as if they were of the present one.
//!
//! Each connection makes temporary views, named as the present tables, that stand before those of the
//! database. Each gives what Optuna's migrations would make of the former rows; the database is not changed.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::schema::Former;

/// The statements that make the views for the tables of `schema`, a quoted name.
pub(super) fn views(former: Former, schema: &str, has_heartbeats: bool) -> String {
    // A user whose transactions only read may still make views of the connection's own.
    let mut sql = String::from("BEGIN READ WRITE;");
    sql += &trials(former, schema);
    if former < Former::Numbered {
        let _ = write!(
            sql,
            "CREATE TEMP VIEW trial_system_attributes AS
                SELECT * FROM {schema}.trial_system_attributes WHERE key <> '_number';"
        );
    }
    if former < Former::Objectives {
        // The only direction of a study was a column beside its name.
        let _ = write!(
            sql,
            "CREATE TEMP VIEW study_directions AS
                SELECT direction, study_id, 0 AS objective FROM {schema}.studies;"
        );
        sql += &numbers("trial_values", "0 AS objective", "value", &format!("{schema}.trials"));
        sql += &reports("value", &format!("{schema}.trial_values"));
    } else {
        if former < Former::TypedReports {
            sql += &reports("intermediate_value", &format!("{schema}.trial_intermediate_values"));
        }
        if former < Former::TypedValues {
            sql += &numbers("trial_values", "objective", "value", &format!("{schema}.trial_values"));
        }
    }
    if !has_heartbeats {
        sql += "CREATE TEMP VIEW trial_heartbeats AS
                   SELECT 0 AS trial_id, NULL::timestamp AS heartbeat WHERE false;";
    }
    sql + "COMMIT;"
}

/// A view of trials without the value that once stood among them, whose times are no longer those of the
/// machine's zone. A trial without a number has that of its place.
fn trials(former: Former, schema: &str) -> String {
    let number = if former < Former::Numbered {
        format!(
            "coalesce((SELECT value_json::int4 FROM {schema}.trial_system_attributes AS a
                       WHERE a.trial_id = t.trial_id AND a.key = '_number'),
                      (SELECT count(*)::int4 FROM {schema}.trials AS b
                       WHERE b.study_id = t.study_id AND b.trial_id < t.trial_id)) AS number"
        )
    } else {
        "number".to_owned()
    };
    let zone = TimeZone::system().iana_name().unwrap_or("UTC").replace('\'', "''");
    let utc = |column: &str| format!("({column} AT TIME ZONE '{zone}') AT TIME ZONE 'UTC' AS {column}");
    format!(
        "CREATE TEMP VIEW trials AS
            SELECT trial_id, {number}, study_id, state, {}, {} FROM {schema}.trials AS t;",
        utc("datetime_start"),
        utc("datetime_complete")
    )
}

/// Whether a number stands for an infinity: it is one, or about the largest of 32 bits, which former clients
/// stored in its place.
fn is_infinite(x: &str) -> String {
    format!("(abs({x}) = 'Infinity' OR abs(abs({x}) - 3.4028234663852886e38) <= 3.4028234663852886e33)")
}

/// A view of numbers whose kind was not kept; missing ones are no value.
fn numbers(view: &str, key: &str, from: &str, table: &str) -> String {
    let is_infinite = is_infinite(from);
    format!(
        "CREATE TEMP VIEW {view} AS
            SELECT trial_id, {key}, CASE WHEN {is_infinite} THEN NULL ELSE {from} END AS value,
                   CASE WHEN NOT {is_infinite} THEN 'FINITE' WHEN {from} > 0 THEN 'INF_POS' ELSE 'INF_NEG' END
                   AS value_type
            FROM {table} WHERE {from} IS NOT NULL;"
    )
}

/// A view of reports whose kind was not kept; missing ones are no number.
fn reports(from: &str, table: &str) -> String {
    let is_infinite = is_infinite(from);
    format!(
        "CREATE TEMP VIEW trial_intermediate_values AS
            SELECT trial_id, step,
                   CASE WHEN {is_infinite} OR {from} = 'NaN' THEN NULL ELSE {from} END AS intermediate_value,
                   CASE WHEN {from} IS NULL OR {from} = 'NaN' THEN 'NAN' WHEN NOT {is_infinite} THEN 'FINITE'
                        WHEN {from} > 0 THEN 'INF_POS' ELSE 'INF_NEG' END AS intermediate_value_type
            FROM {table};"
    )
}
