//! Tests of the connections that each `sslmode` accepts.

use allometry_store::{PostgresStore, StoreError};
use allometry_testkit::Cluster;

#[test]
fn each_mode_checks_what_it_says() {
    let Some(cluster) = Cluster::start("each_mode_checks_what_it_says") else { return };
    let Some(authority) = cluster.encrypt("each_mode_checks_what_it_says") else { return };
    let url = cluster.database();
    let name = cluster.sql(&url, "SELECT current_database()");
    let grant = format!(
        "CREATE ROLE me LOGIN PASSWORD 's3cret'; GRANT ALL ON DATABASE {name} TO me;
         GRANT ALL ON SCHEMA public TO me"
    );
    cluster.sql(&url, &grant);
    let open = |host: &str, mode: &str| {
        let url = format!("postgresql://me:s3cret@{host}:{}/{name}?{mode}", cluster.port());
        PostgresStore::open(&url).map(drop)
    };
    let trusted = format!("sslrootcert={}", authority.display());
    for mode in ["sslmode=disable", "sslmode=prefer", "", "sslmode=require", "sslmode=verify-full&"] {
        let mode = if mode.ends_with('&') { format!("{mode}{trusted}") } else { mode.to_owned() };
        open("localhost", &mode).unwrap();
    }
    // The certificate is valid for `localhost` only.
    open("127.0.0.1", &format!("sslmode=verify-ca&{trusted}")).unwrap();
    open("127.0.0.1", &format!("sslmode=require&{trusted}")).unwrap();
    let refused = |opened: Result<(), StoreError>, why: &str| {
        let error = opened.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(why) && !error.to_string().contains("s3cret"), "{error}");
    };
    refused(open("127.0.0.1", &format!("sslmode=verify-full&{trusted}")), "not valid for name");
    let other = cluster.folder().join("other.crt");
    for mode in ["verify-ca", "verify-full", "require"] {
        let distrusted = format!("sslmode={mode}&sslrootcert={}", other.display());
        refused(open("localhost", &distrusted), "invalid peer certificate");
    }
    cluster.sql(&url, "ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.2'");
    cluster.sql(&url, "ALTER SYSTEM SET ssl_max_protocol_version = 'TLSv1.2'");
    cluster.sql(&url, "SELECT pg_reload_conf()");
    open("localhost", &format!("sslmode=verify-full&{trusted}")).unwrap();
}
