//! Tests of messages and hints for servers and databases that cannot be used. None may contain a password.

use allometry_store::{ErrorKind, PostgresStore, Store as _, StoreError, import};
use allometry_testkit::Cluster;

use crate::support::{params, start, study};

const SECRET: &str = "s3cret";

fn check(error: &StoreError, kind: ErrorKind, expected: &str) {
    let text = error.to_string();
    assert!(text.contains(expected), "{text}");
    assert_eq!(error.kind(), kind, "{text}");
    let hint = error.hint().unwrap_or_else(|| panic!("{text} has a hint"));
    for shown in [text, format!("{error:?}"), hint] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

fn refused(url: &str, expected: &str) {
    check(&PostgresStore::open(url).unwrap_err(), ErrorKind::Unavailable, expected);
    check(&PostgresStore::open_read_only(url).unwrap_err(), ErrorKind::Unavailable, expected);
}

#[test]
fn urls_that_make_no_sense() {
    for (url, expected) in [
        ("postgresql://me:s3cret@127.0.0.1:1/db", "cannot reach postgresql://me:***@127.0.0.1:1/db: "),
        (
            "postgresql://me:s3cret@/db?host=/no/such/folder",
            "cannot reach postgresql://me:***@/db?host=/no/such/folder: ",
        ),
        ("postgresql://me:s3cret@127.0.0.1:x/db", "cannot open `postgresql://me:***@127.0.0.1:x/db`: "),
        ("postgresql://me:s3cret@127.0.0.1", "it names no database"),
        ("postgresql://me:s3cret@host/db?sslmode=no", "sslmode `no` is not one of disable, prefer"),
        ("postgresql://me:s3cret@host/db?colour=s", "unknown option `colour`"),
        ("postgresql://me:s3c/ret:s3cret@host/db", "postgresql://me:***@host/db"),
        (
            "postgresql://me:s3cret@host/db?sslmode=verify-full&sslrootcert=/no/such.crt",
            "sslrootcert /no/such.crt: ",
        ),
    ] {
        refused(url, expected);
    }
}

#[test]
fn servers_that_let_nobody_in() {
    let Some(cluster) = Cluster::shared("servers_that_let_nobody_in") else { return };
    let url = cluster.database();
    cluster.sql(&url, "CREATE ROLE guest LOGIN PASSWORD 's3cret-but-another'; CREATE ROLE nobody");
    let port = cluster.port();
    let name = cluster.sql(&url, "SELECT current_database()");
    refused(
        &format!("postgresql://guest:s3cret@127.0.0.1:{port}/{name}"),
        "password authentication failed for user \"guest\"",
    );
    refused(&format!("postgresql://guest@127.0.0.1:{port}/{name}"), "password missing");
    refused(&url.replacen("postgres@", "nobody:s3cret@", 1), "role \"nobody\" is not permitted to log in");
    refused(
        &format!("postgresql://guest:s3cret-but-another@127.0.0.1:{port}/nowhere"),
        "database \"nowhere\" does not exist",
    );
    let unencrypted = Cluster::start("servers_that_let_nobody_in").unwrap();
    let url = format!("postgresql://guest:s3cret@127.0.0.1:{}/{name}?sslmode=require", unencrypted.port());
    refused(&url, "server does not support TLS");
}

#[test]
fn users_who_may_not_write() {
    let Some(cluster) = Cluster::shared("users_who_may_not_write") else { return };
    let url = cluster.database();
    cluster.sql(
        &url,
        "CREATE ROLE reader LOGIN; ALTER ROLE reader SET default_transaction_read_only = on;
         CREATE ROLE stranger LOGIN",
    );
    let as_user = |name: &str| url.replacen("postgres@", &format!("{name}@"), 1);
    let error = PostgresStore::open(&as_user("stranger")).unwrap_err();
    check(&error, ErrorKind::Unavailable, "does not allow it: permission denied for schema public");

    let store = PostgresStore::open(&url).unwrap();
    let id = store.create_study(&study("s")).unwrap();
    start(&store, id, &params());
    check(
        &PostgresStore::open_read_only(&as_user("stranger")).unwrap_err(),
        ErrorKind::Unavailable,
        "permission denied",
    );
    cluster.sql(&url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    let read = PostgresStore::open_read_only(&as_user("reader")).unwrap();
    assert_eq!(read.trials(id).unwrap().len(), 1);
    check(
        &read.create_study(&study("t")).unwrap_err(),
        ErrorKind::Unavailable,
        "the user or the server may only read",
    );
    let error = PostgresStore::open(&as_user("reader")).unwrap_err();
    check(&error, ErrorKind::Unavailable, "may only read");
}

#[test]
fn databases_of_something_else() {
    let Some(cluster) = Cluster::shared("databases_of_something_else") else { return };
    let url = cluster.database();
    let empty = PostgresStore::open_read_only(&url).unwrap_err();
    check(&empty, ErrorKind::Unavailable, "holds no studies: it has no table `studies`");
    check(
        &PostgresStore::open_existing(&url).unwrap_err(),
        ErrorKind::Unavailable,
        "it has no table `studies`",
    );
    cluster.sql(&url, "CREATE TABLE songs (title TEXT); CREATE TABLE alembic_version (version_num TEXT)");
    refused(&url, "it has no table `studies`");
    cluster.sql(&url, "DROP TABLE alembic_version");
    drop(PostgresStore::open(&url).unwrap());
    assert_eq!(cluster.sql(&url, "SELECT count(*) FROM songs"), "0", "tables of others stay");

    for (change, expected) in [
        ("UPDATE allometry_version SET version = 2", "written by a newer Allometry (tables of version 2"),
        (
            "UPDATE alembic_version SET version_num = 'v9.0.0.a'",
            "has revision `v9.0.0.a` of Optuna's schema; this program writes `v3.2.0.a`",
        ),
        ("DROP TABLE alembic_version", "has revision `none` of Optuna's schema"),
    ] {
        cluster.sql(&url, change);
        refused(&url, expected);
    }
}

#[test]
fn rows_that_are_damaged() {
    let Some(cluster) = Cluster::shared("rows_that_are_damaged") else { return };
    let url = cluster.database();
    let store = PostgresStore::open(&url).unwrap();
    let id = store.create_study(&study("s")).unwrap();
    start(&store, id, &params());
    cluster.sql(&url, "UPDATE trial_params SET distribution_json = '{}' WHERE param_name = 'act'");
    let error = store.trials(id).unwrap_err();
    check(&error, ErrorKind::Unavailable, "trial 0, parameter `act`: distribution has no `name`");
    let unknown = import::read_storage(&url, Some("t"), &import::Roles::default()).unwrap_err();
    assert!(unknown.to_string().ends_with("holds no study `t`"), "{unknown}");
    assert!(unknown.hint().unwrap().contains("`s`"));
}
