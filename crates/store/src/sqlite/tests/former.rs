//! Tests of databases that earlier versions of Optuna created.

use std::path::Path;

use allometry_core::{Direction, TrialState};
use allometry_testkit::Cluster;

use super::{SHORT, folder_and_path, sql};
use crate::import::{Assumed, Imported, Roles, read, read_all, read_all_of_storage};
use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;
use crate::store::Store;

/// Tables that all former revisions share.
const COMMON: &str = "
CREATE TABLE version_info (version_info_id INTEGER PRIMARY KEY, schema_version INTEGER,
    library_version VARCHAR(256));
CREATE TABLE study_user_attributes (study_user_attribute_id INTEGER PRIMARY KEY, study_id INTEGER,
    key VARCHAR(512),
    value_json VARCHAR(2048), UNIQUE (study_id, key));
CREATE TABLE study_system_attributes (study_system_attribute_id INTEGER PRIMARY KEY, study_id INTEGER,
    key VARCHAR(512),
    value_json VARCHAR(2048), UNIQUE (study_id, key));
CREATE TABLE trial_user_attributes (trial_user_attribute_id INTEGER PRIMARY KEY, trial_id INTEGER,
    key VARCHAR(512),
    value_json VARCHAR(2048), UNIQUE (trial_id, key));
CREATE TABLE trial_system_attributes (trial_system_attribute_id INTEGER PRIMARY KEY, trial_id INTEGER,
    key VARCHAR(512),
    value_json VARCHAR(2048), UNIQUE (trial_id, key));
CREATE TABLE trial_params (param_id INTEGER PRIMARY KEY, trial_id INTEGER, param_name VARCHAR(512),
    param_value FLOAT,
    distribution_json VARCHAR(2048), UNIQUE (trial_id, param_name));
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO study_user_attributes VALUES (1, 2, 'data', '\"set\"');
INSERT INTO trial_user_attributes VALUES (1, 12, 'n_params', '1000');
INSERT INTO trial_params VALUES
    (1, 12, 'lr', -2.0,
     '{\"name\": \"UniformDistribution\", \"attributes\": {\"low\": -5.0, \"high\": 0.0}}'),
    (2, 12, 'layers', 3.0,
     '{\"name\": \"IntUniformDistribution\", \"attributes\": {\"low\": 1, \"high\": 4}}'),
    (3, 12, 'act', 1.0,
     '{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [\"relu\", \"gelu\"]}}'),
    (4, 14, 'lr', -1.0,
     '{\"name\": \"UniformDistribution\", \"attributes\": {\"low\": -5.0, \"high\": 0.0}}');
";

/// Studies and trials of Optuna 0.9 to 2.3; trials with numbers where they have a column.
const SINGLE: &str = "
CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name VARCHAR(512) NOT NULL UNIQUE,
    direction VARCHAR(8) NOT NULL);
CREATE TABLE trial_values (trial_value_id INTEGER PRIMARY KEY, trial_id INTEGER, step INTEGER, value FLOAT,
    UNIQUE (trial_id, step));
INSERT INTO studies VALUES (1, 'other', 'NOT_SET'), (2, 'old', 'MAXIMIZE');
INSERT INTO trial_values VALUES (1, 12, 1, 0.25), (2, 12, 2, NULL), (3, 12, 3, 3.4028234663852886e38);
";

const UNNUMBERED: &str = "
CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, study_id INTEGER, state VARCHAR(8) NOT NULL, value FLOAT,
    datetime_start DATETIME, datetime_complete DATETIME);
INSERT INTO trials VALUES
    (11, 1, 'COMPLETE', 9.0, '2019-05-01 10:00:00.000000', '2019-05-01 10:01:00.000000'),
    (12, 2, 'COMPLETE', 0.5, '2019-05-01 10:00:00.250000', '2019-05-01 10:01:00.000000'),
    (13, 2, 'FAIL', NULL, '2019-05-01 10:02:00.000000', NULL),
    (14, 2, 'COMPLETE', -3.4028234663852886e38, '2019-05-01 10:03:00.000000', '2019-05-01 10:04:00.000000');
INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES (11, '_number', '0'), (12, '_number',
    '0'), (13, '_number', '1');
";

const NUMBERED: &str = "
CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number INTEGER, study_id INTEGER,
    state VARCHAR(8) NOT NULL, value FLOAT,
    datetime_start DATETIME, datetime_complete DATETIME);
INSERT INTO trials VALUES
    (11, 0, 1, 'COMPLETE', 9.0, '2019-05-01 10:00:00.000000', '2019-05-01 10:01:00.000000'),
    (12, 0, 2, 'COMPLETE', 0.5, '2019-05-01 10:00:00.250000', '2019-05-01 10:01:00.000000'),
    (13, 1, 2, 'FAIL', NULL, '2019-05-01 10:02:00.000000', NULL),
    (14, 2, 2, 'COMPLETE', -3.4028234663852886e38, '2019-05-01 10:03:00.000000',
    '2019-05-01 10:04:00.000000');
";

/// Studies and trials of Optuna 2.4 to 3.1.
const OBJECTIVES: &str = "
CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name VARCHAR(512) NOT NULL UNIQUE);
CREATE TABLE study_directions (study_direction_id INTEGER PRIMARY KEY, direction VARCHAR(8) NOT NULL,
    study_id INTEGER NOT NULL,
    objective INTEGER NOT NULL, UNIQUE (study_id, objective));
CREATE TABLE trials (trial_id INTEGER PRIMARY KEY, number INTEGER, study_id INTEGER,
    state VARCHAR(8) NOT NULL,
    datetime_start DATETIME, datetime_complete DATETIME);
INSERT INTO studies VALUES (1, 'other'), (2, 'old');
INSERT INTO study_directions VALUES (1, 'NOT_SET', 1, 0), (2, 'MAXIMIZE', 2, 0);
INSERT INTO trials VALUES
    (11, 0, 1, 'COMPLETE', '2019-05-01 10:00:00.000000', '2019-05-01 10:01:00.000000'),
    (12, 0, 2, 'COMPLETE', '2019-05-01 10:00:00.250000', '2019-05-01 10:01:00.000000'),
    (13, 1, 2, 'FAIL', '2019-05-01 10:02:00.000000', NULL),
    (14, 2, 2, 'COMPLETE', '2019-05-01 10:03:00.000000', '2019-05-01 10:04:00.000000');
";

const UNTYPED_VALUES: &str = "
CREATE TABLE trial_values (trial_value_id INTEGER PRIMARY KEY, trial_id INTEGER NOT NULL,
    objective INTEGER NOT NULL, value FLOAT,
    UNIQUE (trial_id, objective));
INSERT INTO trial_values VALUES (1, 11, 0, 9.0), (2, 12, 0, 0.5), (3, 14, 0, -3.4028234663852886e38);
";

const UNTYPED_REPORTS: &str = "
CREATE TABLE trial_intermediate_values (trial_intermediate_value_id INTEGER PRIMARY KEY,
    trial_id INTEGER NOT NULL,
    step INTEGER NOT NULL, intermediate_value FLOAT, UNIQUE (trial_id, step));
INSERT INTO trial_intermediate_values VALUES (1, 12, 1, 0.25), (2, 12, 2, NULL), (3, 12, 3,
    3.4028234663852886e38);
";

const TYPED_REPORTS: &str = "
CREATE TABLE trial_intermediate_values (trial_intermediate_value_id INTEGER PRIMARY KEY,
    trial_id INTEGER NOT NULL,
    step INTEGER NOT NULL, intermediate_value FLOAT, intermediate_value_type VARCHAR(7) NOT NULL,
    UNIQUE (trial_id, step));
INSERT INTO trial_intermediate_values VALUES (1, 12, 1, 0.25, 'FINITE'), (2, 12, 2, NULL, 'NAN'), (3, 12, 3,
    NULL, 'INF_POS');
";

const TYPED_VALUES: &str = "
CREATE TABLE trial_values (trial_value_id INTEGER PRIMARY KEY, trial_id INTEGER NOT NULL,
    objective INTEGER NOT NULL, value FLOAT,
    value_type VARCHAR(7) NOT NULL, UNIQUE (trial_id, objective));
CREATE TABLE trial_heartbeats (trial_heartbeat_id INTEGER PRIMARY KEY, trial_id INTEGER NOT NULL UNIQUE,
    heartbeat DATETIME NOT NULL);
INSERT INTO trial_values VALUES (1, 11, 0, 9.0, 'FINITE'), (2, 12, 0, 0.5, 'FINITE'), (3, 14, 0, NULL,
    'INF_NEG');
";

/// Returns the statements that create a database of a former revision.
fn statements(revision: &str) -> String {
    let parts: &[&str] = match revision {
        "v0.9.0.a" | "v1.2.0.a" => &[SINGLE, UNNUMBERED],
        "v1.3.0.a" => &[SINGLE, NUMBERED],
        "v3.0.0.c" => &[OBJECTIVES, UNTYPED_VALUES, TYPED_REPORTS],
        "v3.0.0.d" => &[OBJECTIVES, TYPED_VALUES, TYPED_REPORTS],
        _ => &[OBJECTIVES, UNTYPED_VALUES, UNTYPED_REPORTS],
    };
    format!("{COMMON}{}INSERT INTO alembic_version VALUES ('{revision}');", parts.concat())
}

/// Creates a file of a former revision.
fn make(path: &Path, revision: &str) {
    sql(path, &statements(revision));
}

/// Creates the equivalent PostgreSQL database, with Optuna's column types.
fn make_in_postgresql(cluster: &Cluster, url: &str, revision: &str) {
    let statements = [
        ("INTEGER PRIMARY KEY", "SERIAL PRIMARY KEY"),
        ("DATETIME", "TIMESTAMP"),
        ("state VARCHAR(8)", "state trialstate"),
        ("direction VARCHAR(8)", "direction studydirection"),
    ]
    .into_iter()
    .fold(statements(revision), |text, (ours, theirs)| text.replace(ours, theirs));
    let types = "CREATE TYPE trialstate AS ENUM ('RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING');
        CREATE TYPE studydirection AS ENUM ('NOT_SET', 'MINIMIZE', 'MAXIMIZE');";
    cluster.sql(url, &format!("{types}{statements}"));
}

const REVISIONS: [&str; 9] = [
    "v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c",
    "v3.0.0.d",
];

#[test]
fn every_former_revision_is_read_alike() {
    for revision in REVISIONS {
        let (_folder, path) = folder_and_path();
        make(&path, revision);
        let before = std::fs::read(&path).unwrap();
        let study = read(&path, Some("old"), &Roles::default()).unwrap();
        assert_eq!(study.directions, [Direction::Maximize], "{revision}");
        let [complete, failed, infinite] = study.trials.as_slice() else {
            panic!("{revision}: three trials")
        };
        assert_eq!(
            study.trials.iter().map(|trial| trial.number.0).collect::<Vec<_>>(),
            [0, 1, 2],
            "{revision}"
        );
        assert_eq!((complete.state, complete.value()), (TrialState::Complete, Some(0.5)), "{revision}");
        assert_eq!(complete.params.to_string(), "lr=-2.0 layers=3 act=gelu", "{revision}");
        assert_eq!(complete.record.size.unwrap().total, 1000);
        let clock = jiff::tz::TimeZone::system().to_datetime(complete.started.unwrap());
        assert_eq!(
            clock.to_string(),
            "2019-05-01T10:00:00.25",
            "{revision}: times are of this machine's zone"
        );
        assert_eq!(complete.system_attributes.len(), 0, "{revision}: a number is no attribute");
        let reports: Vec<(i64, f64)> = complete.intermediate.iter().map(|(step, x)| (*step, *x)).collect();
        assert_eq!((reports[0], reports[2]), ((1, 0.25), (3, f64::INFINITY)), "{revision}");
        assert!(reports[1].1.is_nan(), "{revision}");
        assert_eq!((failed.state, failed.value()), (TrialState::Failed, None), "{revision}");
        assert_eq!(infinite.value(), Some(f64::NEG_INFINITY), "{revision}");
        let other = read(&path, Some("other"), &Roles::default()).unwrap();
        assert_eq!(
            (other.directions, other.trials[0].value()),
            (vec![Direction::Minimize], Some(9.0)),
            "{revision}"
        );

        let store = SqliteStore::open_read_only_within(&path, SHORT).unwrap();
        let studies = crate::Store::studies(&store).unwrap();
        assert_eq!(crate::Store::running(&store, studies[1].id).unwrap(), [], "{revision}");
        drop(store);
        let whole = read_all(&path, Some("old"), &Assumed::default()).unwrap().pop().unwrap().study;
        assert_eq!(whole.trials[0].template.values, [0.5], "{revision}");
        assert_eq!(whole.trials[0].template.user_attributes["n_params"], "1000");
        assert_eq!(whole.user_attributes["data"], "\"set\"");
        let sets: Vec<&str> =
            whole.trials[0].template.params.iter().map(|(_, _, set)| set.as_str()).collect();
        assert!(sets.iter().all(|set| !set.contains("UniformDistribution")), "{sets:?}");
        assert_eq!(std::fs::read(&path).unwrap(), before, "{revision}: the file is not changed");
    }
}

/// Other tests compare the file with Optuna; a PostgreSQL database must have equal contents.
#[test]
fn a_former_postgresql_database_is_read_as_the_file_is() {
    let test = "a_former_postgresql_database_is_read_as_the_file_is";
    let Some(cluster) = Cluster::shared(test) else { return };
    for revision in REVISIONS {
        let (_folder, path) = folder_and_path();
        make(&path, revision);
        let url = cluster.database();
        make_in_postgresql(cluster, &url, revision);
        let file = SqliteStore::open_read_only_within(&path, SHORT).unwrap();
        cluster.sql(
            &url,
            "CREATE ROLE former LOGIN; ALTER ROLE former SET default_transaction_read_only = on;
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO former",
        );
        let reader = url.replacen("postgres@", "former@", 1);
        let server = PostgresStore::open_read_only(&reader).unwrap();
        let studies = server.studies().unwrap();
        assert_eq!(studies, file.studies().unwrap(), "{revision}");
        for study in &studies {
            let trials = |store: &dyn Store| {
                let mut trials = store.trials(study.id).unwrap();
                // NaN is not equal to itself.
                let reports = trials.iter_mut().map(|trial| std::mem::take(&mut trial.intermediate));
                let reports = format!("{:?}", reports.collect::<Vec<_>>());
                (trials, reports)
            };
            assert_eq!(trials(&server), trials(&file), "{revision}");
            assert_eq!(server.running(study.id).unwrap(), [], "{revision}");
        }
        let json = |mut found: Vec<Imported>| crate::export::json(&found.pop().unwrap().study).unwrap();
        drop(server);
        cluster.sql(&url, "DROP OWNED BY former; DROP ROLE former");
        let whole = read_all_of_storage(&url, Some("old"), &Assumed::default()).unwrap();
        assert_eq!(
            json(whole),
            json(read_all(&path, Some("old"), &Assumed::default()).unwrap()),
            "{revision}"
        );
        let error = PostgresStore::open(&url).unwrap_err();
        assert!(error.to_string().contains(&format!("has revision `{revision}`")), "{error}");
    }
}

#[test]
fn going_on_with_a_former_revision_asks_for_the_upgrade() {
    for revision in REVISIONS {
        let (_folder, path) = folder_and_path();
        make(&path, revision);
        let before = std::fs::read(&path).unwrap();
        let error = SqliteStore::open_within(&path, SHORT).unwrap_err();
        assert!(error.to_string().contains(&format!("has revision `{revision}`")), "{error}");
        assert!(error.hint().unwrap().contains("optuna storage upgrade"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_former_database_that_lacks_its_tables_is_named() {
    let (_folder, path) = folder_and_path();
    make(&path, "v2.6.0.a");
    sql(&path, "DROP TABLE trial_values");
    let error = read(&path, Some("old"), &Roles::default()).unwrap_err().to_string();
    assert!(error.contains("trial_values"), "{error}");
}

/// Optuna 5 upgrades these revisions; it may refuse older ones.
#[test]
fn optunas_own_upgrade_makes_the_same() {
    let Some(python) = allometry_testkit::python_with("optunas_own_upgrade_makes_the_same", "optuna") else {
        return;
    };
    for revision in ["v2.4.0.a", "v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c", "v3.0.0.d"] {
        let (_folder, path) = folder_and_path();
        make(&path, revision);
        let text = |path: &Path| {
            let mut whole = read_all(path, Some("old"), &Assumed::default()).unwrap().pop().unwrap();
            for trial in &mut whole.study.trials {
                // The upgrade leaves times unchanged, and Optuna 5 interprets them as UTC.
                (trial.template.started, trial.template.completed) = (None, None);
            }
            crate::export::json(&whole.study).unwrap()
        };
        let before = text(&path);
        let script = "import sys; from optuna.storages import RDBStorage; \
                      RDBStorage(sys.argv[1], skip_compatibility_check=True).upgrade()";
        let url = crate::url::of_sqlite(&path);
        let output = std::process::Command::new(&python).args(["-c", script, &url]).output().unwrap();
        assert!(output.status.success(), "{revision}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(text(&path), before, "{revision}");
        SqliteStore::open_within(&path, SHORT).unwrap();
    }
}
