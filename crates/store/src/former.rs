//! Views that present databases of former revisions of Optuna's schema in the current shape.
//!
//! Temporary views, named like the current tables, shadow the tables of the database. Each view returns the
//! rows that Optuna's migrations would create; the database is not changed.

use std::fmt::Write as _;

use crate::schema::Former;

/// Returns the statements that create the views over the tables of `schema`, in SQL that both SQLite and
/// PostgreSQL accept. `utc` returns the SQL that converts a column from local time to UTC.
pub(crate) fn views(
    former: Former,
    schema: &str,
    has_heartbeats: bool,
    utc: impl Fn(&str) -> String,
) -> String {
    let mut sql = trials(former, schema, utc);
    if former < Former::Numbered {
        let _ = write!(
            sql,
            "CREATE TEMP VIEW trial_system_attributes AS
                SELECT trial_system_attribute_id AS rowid, trial_id, key, value_json
                FROM {schema}.trial_system_attributes WHERE key <> '_number';"
        );
    }
    let values = format!("{schema}.trial_values");
    if former < Former::Objectives {
        // Former revisions have one direction per study, in a column of `studies`. `NOT_SET` counts as the
        // default, to minimise.
        let _ = write!(
            sql,
            "CREATE TEMP VIEW study_directions AS
                SELECT study_id AS rowid, direction, study_id, 0 AS objective FROM {schema}.studies;"
        );
        sql += &objectives("trial_id", "0 AS objective", &format!("{schema}.trials"));
        sql += &reports("trial_value_id", "value", &values);
    } else {
        if former < Former::TypedReports {
            let table = format!("{schema}.trial_intermediate_values");
            sql += &reports("trial_intermediate_value_id", "intermediate_value", &table);
        }
        if former < Former::TypedValues {
            sql += &objectives("trial_value_id", "objective", &values);
        }
    }
    if !has_heartbeats {
        sql += "CREATE TEMP VIEW trial_heartbeats AS
                   SELECT 0 AS rowid, 0 AS trial_id, CAST(NULL AS timestamp) AS heartbeat WHERE false;";
    }
    sql
}

/// Returns a view of trials with times in UTC and without the former value column. The oldest revisions
/// keep numbers as attributes; a trial without that attribute, whose client ended too early, gets its rank
/// among the study's trials.
fn trials(former: Former, schema: &str, utc: impl Fn(&str) -> String) -> String {
    let number = if former < Former::Numbered {
        format!(
            "coalesce((SELECT CAST(value_json AS integer) FROM {schema}.trial_system_attributes AS a
                       WHERE a.trial_id = t.trial_id AND a.key = '_number'),
                      (SELECT CAST(count(*) AS integer) FROM {schema}.trials AS b
                       WHERE b.study_id = t.study_id AND b.trial_id < t.trial_id)) AS number"
        )
    } else {
        "number".to_owned()
    };
    let [start, complete] = ["datetime_start", "datetime_complete"].map(utc);
    format!(
        "CREATE TEMP VIEW trials AS
            SELECT trial_id AS rowid, trial_id, {number}, study_id, state,
                   {start} AS datetime_start, {complete} AS datetime_complete
            FROM {schema}.trials AS t;"
    )
}

/// Returns an SQL condition for infinities: true infinities, and numbers near the largest 32-bit float,
/// which former clients stored instead.
fn is_infinite(x: &str) -> String {
    format!(
        "({x} <> 'NaN' AND abs({x}) > 1.7976931348623157e308
          OR abs(abs({x}) - 3.4028234663852886e38) <= 3.4028234663852886e33)"
    )
}

/// Returns a view of objective values with a derived `value_type`; a missing value becomes no row.
fn objectives(id: &str, objective: &str, table: &str) -> String {
    let is_infinite = is_infinite("value");
    format!(
        "CREATE TEMP VIEW trial_values AS
            SELECT {id} AS rowid, trial_id, {objective},
                   CASE WHEN {is_infinite} THEN NULL ELSE value END AS value,
                   CASE WHEN NOT {is_infinite} THEN 'FINITE'
                        WHEN value > 0 THEN 'INF_POS' ELSE 'INF_NEG' END AS value_type
            FROM {table} WHERE value IS NOT NULL;"
    )
}

/// Returns a view of reports with a derived type; a missing value becomes NaN.
fn reports(id: &str, value: &str, table: &str) -> String {
    let is_infinite = is_infinite(value);
    format!(
        "CREATE TEMP VIEW trial_intermediate_values AS
            SELECT {id} AS rowid, trial_id, step,
                   CASE WHEN {is_infinite} OR {value} = 'NaN' THEN NULL ELSE {value} END
                   AS intermediate_value,
                   CASE WHEN {value} IS NULL OR {value} = 'NaN' THEN 'NAN'
                        WHEN NOT {is_infinite} THEN 'FINITE'
                        WHEN {value} > 0 THEN 'INF_POS' ELSE 'INF_NEG' END AS intermediate_value_type
            FROM {table};"
    )
}
