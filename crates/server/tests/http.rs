//! Tests of the dashboard over HTTP, while another process writes to the store.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use allometry_core::{
    Direction, Distribution, Failure, Origin, ParamValue, Params, SearchSpace, TrialRecord,
};
use allometry_server::{Options, ServeError, serve, token_query};
use allometry_store::facts::{Fact, LadderPlace};
use allometry_store::{
    Finished, FinishedState, NewStudy, NewTrial, Owner, SqliteStore, Start, Store as _, StudyId,
};

/// Maximum time for which a test waits.
const PATIENCE: Duration = Duration::from_mins(1);

fn start(path: &Path, token: Option<&str>) -> SocketAddr {
    let (send, receive) = mpsc::channel();
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        token: token.map(Into::into),
        storage: path.display().to_string().into(),
    };
    std::thread::spawn(move || serve(options, |address| send.send(address).unwrap()));
    receive.recv_timeout(PATIENCE).expect("the server starts")
}

/// The status, head and body of an answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    // If a request is refused before its end, the connection may be reset after the answer.
    let _ = stream.read_to_string(&mut text);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn get_with(address: SocketAddr, path: &str, headers: &str) -> Answer {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"))
}

fn get(address: SocketAddr, path: &str) -> Answer {
    get_with(address, path, "")
}

fn wait_until(address: SocketAddr, path: &str, holds: impl Fn(&str) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = get(address, path);
        if holds(&answer.body) {
            return;
        }
        assert!(Instant::now() < deadline, "{path} stays at {}", &answer.body[..answer.body.len().min(2000)]);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn space(name: &str) -> SearchSpace {
    let range = Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
    SearchSpace([(name.to_owned(), range)].into_iter().collect())
}

fn study(store: &SqliteStore, name: &str, parameter: &str) -> StudyId {
    let new = NewStudy {
        name: name.to_owned(),
        directions: vec![Direction::Maximize],
        space: space(parameter),
        // Every study is a ladder.
        facts: vec![Fact::Ladder(LadderPlace { name: name.to_owned(), tag: None, seed: 0, position: 0 })],
        ..NewStudy::default()
    };
    store.create_study(&new).unwrap()
}

fn tell(store: &SqliteStore, study: StudyId, parameter: &str, value: Result<f64, Failure>) {
    let params: Params = [(parameter, ParamValue::Float(0.5))].into_iter().collect();
    let record = TrialRecord { origin: Some(Origin::Random), ..TrialRecord::default() };
    let owner = Owner::this_process();
    let new = NewTrial {
        start: Start::Running(&owner),
        params: &params,
        space: &space(parameter),
        record: &record,
    };
    let trial = store.create_trial(study, &new).unwrap();
    let (state, values, failure) = match value {
        Ok(value) => (FinishedState::Complete, vec![value], None),
        Err(failure) => (FinishedState::Failed, Vec::new(), Some(failure)),
    };
    let finished = Finished { values, record: TrialRecord { failure, ..record }, ..Finished::default() };
    store.finish(trial.id, state, &finished).unwrap();
}

fn database(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("trials.db")
}

#[test]
fn a_new_trial_is_announced_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&database(&folder).display().to_string()).unwrap();
    let id = study(&store, "s", "x");
    tell(&store, id, "x", Ok(0.5));
    let address = start(&database(&folder), None);
    let mut events = TcpStream::connect(address).unwrap();
    events.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(events, "GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let lines = BufReader::new(events).lines().map_while(Result::ok);
    let mut versions = lines.filter_map(|line| Some(line.strip_prefix("data: ")?.to_owned()));
    let first = versions.next().expect("the state at the start");
    assert_eq!(get(address, "/api/studies/1/trials").body.matches("\"number\"").count(), 1);
    tell(&store, id, "x", Ok(0.75));
    let second = versions.next().expect("an event for the new trial");
    assert_ne!(first, second);
    wait_until(address, "/api/studies/1/trials", |body| body.contains("0.75"));
    wait_until(address, "/live", |body| body.contains("0.7500"));
    assert!(get(address, "/studies/1/trials/1").body.contains("0.7500"));
    let report = get(address, "/api/report");
    assert!(report.body.contains("allometry.report/1"), "{}", report.status);
}

#[test]
fn an_unreadable_study_is_named_and_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(&folder);
    let store = SqliteStore::open(&path.display().to_string()).unwrap();
    for name in ["broken", "sound"] {
        let id = study(&store, name, "x");
        tell(&store, id, "x", Ok(0.5));
    }
    drop(store);
    let connection = rusqlite::Connection::open(&path).unwrap();
    let change = "UPDATE study_user_attributes SET value_json = '{' \
                  WHERE key = 'allometry:search_space' AND study_id = 1";
    assert_eq!(connection.execute(change, []).unwrap(), 1);
    drop(connection);
    let address = start(&path, None);
    let home = get(address, "/").body;
    assert!(home.contains("sound") && !home.contains("unavailable"), "{home}");
    assert!(get(address, "/api/studies/2/trials").body.contains("0.5"));
    assert!(get(address, "/live?ladder=broken").body.contains("cannot be read"));
}

#[test]
fn a_store_may_come_go_and_return() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(&folder);
    let address = start(&path, None);
    assert!(get(address, "/").body.contains("unavailable"));
    let store = SqliteStore::open(&path.display().to_string()).unwrap();
    let id = study(&store, "s", "x");
    tell(&store, id, "x", Ok(0.5));
    wait_until(address, "/", |body| body.contains("0.5000") && !body.contains("unavailable"));
    drop(store);
    let away = folder.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    wait_until(address, "/live", |body| body.contains("unavailable") && body.contains("0.5000"));
    std::fs::rename(&away, &path).unwrap();
    wait_until(address, "/live", |body| body.contains("0.5000") && !body.contains("unavailable"));
    std::fs::remove_file(&path).unwrap();
    let store = SqliteStore::open(&path.display().to_string()).unwrap();
    let id = study(&store, "other", "x");
    tell(&store, id, "x", Ok(0.25));
    wait_until(address, "/live", |body| body.contains("0.2500") && !body.contains("0.5000"));
    drop(store);
    std::fs::write(&path, b"no database at all, but a text").unwrap();
    wait_until(address, "/live", |body| body.contains("unavailable") && body.contains("0.2500"));
}

/// Another program migrates the tables to a version of its own, and back.
#[test]
fn a_store_that_is_being_migrated_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(&folder);
    let store = SqliteStore::open(&path.display().to_string()).unwrap();
    let id = study(&store, "a study", "x");
    tell(&store, id, "x", Ok(0.25));
    let address = start(&path, None);
    wait_until(address, "/live", |body| body.contains("0.2500") && !body.contains("unavailable"));
    let migration = rusqlite::Connection::open(&path).unwrap();
    let version: String =
        migration.query_row("SELECT version_num FROM alembic_version", [], |row| row.get(0)).unwrap();
    migration.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'", []).unwrap();
    wait_until(address, "/live", |body| body.contains("v99.0.0.a"));
    let answer = get(address, "/live");
    assert!(
        answer.status == 200 && answer.body.contains("0.2500"),
        "what was read last stays: {}",
        answer.body
    );
    // Readers and writers do not block each other.
    migration.execute_batch("BEGIN IMMEDIATE").unwrap();
    migration.execute("UPDATE alembic_version SET version_num = ?1", [&version]).unwrap();
    assert_eq!(get(address, "/live").status, 200);
    migration.execute_batch("COMMIT").unwrap();
    wait_until(address, "/live", |body| body.contains("0.2500") && !body.contains("unavailable"));
    tell(&store, id, "x", Ok(0.75));
    wait_until(address, "/live", |body| body.contains("0.7500"));
}

#[test]
fn requests_that_are_not_ours_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&database(&folder).display().to_string()).unwrap();
    tell(&store, study(&store, "s", "x"), "x", Ok(0.5));
    let address = start(&database(&folder), None);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        let answer =
            ask(address, &format!("{method} / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.head.contains("allow: get, head"), "{method}: {}", answer.head);
    }
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""] {
        let answer = ask(address, &format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert_eq!(answer.status, 403, "{host}");
        assert!(!answer.body.contains("0.5000"));
    }
    assert_eq!(ask(address, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status, 400);
    assert_eq!(get_with(address, "/", "Origin: http://evil.example\r\n").status, 403);
    assert_eq!(get_with(address, "/", "Origin: null\r\n").status, 403);
    assert_eq!(get_with(address, "/", &format!("Origin: http://{address}\r\n")).status, 200);
    assert_eq!(get_with(address, "/", &format!("X: {}\r\n", "x".repeat(20_000))).status, 431);
    let many = "X: 1\r\n".repeat(200);
    assert_eq!(get_with(address, "/", &many).status, 431);
    for path in [
        "/nothing",
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/studies/9/trials/1",
        "/ladders/none",
        "/api/studies/7/trials",
    ] {
        assert_eq!(get(address, path).status, 404, "{path}");
    }
    for path in ["/studies/x/trials/y", "/api/studies/-/trials"] {
        assert_eq!(get(address, path).status, 400, "{path}");
    }
    assert_eq!(get(address, "/compare?trials=1:0,nonsense").status, 404);
    assert_eq!(ask(address, "nonsense\r\n\r\n").status, 400);
    let page = get(address, "/");
    assert_eq!(page.status, 200);
    for rule in
        ["content-security-policy: default-src 'none'", "nosniff", "no-referrer", "frame-ancestors 'none'"]
    {
        assert!(page.head.contains(rule), "{rule}: {}", page.head);
    }
    let head = ask(address, &format!("HEAD / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn slow_clients_stand_in_nobodys_way_and_are_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&database(&folder).display().to_string()).unwrap();
    tell(&store, study(&store, "s", "x"), "x", Ok(0.5));
    let address = start(&database(&folder), None);
    let mut slow: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: 127").unwrap();
    }
    assert_eq!(get(address, "/").status, 200);
    for mut stream in slow {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        match stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
        }
    }
}

#[test]
fn a_token_is_asked_for_where_one_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let options = |token: Option<&str>| Options {
        listen: "0.0.0.0:0".parse().unwrap(),
        token: token.map(Into::into),
        storage: database(&folder).display().to_string().into(),
    };
    for token in [None, Some("")] {
        assert!(matches!(serve(options(token), |_| unreachable!()), Err(ServeError::NeedsToken(_))));
    }
    let address = start(&database(&folder), Some("secret"));
    assert_eq!(get(address, "/").status, 401);
    assert_eq!(get(address, "/api/ladders").status, 401);
    assert_eq!(get_with(address, "/", "Authorization: Bearer secre\r\n").status, 401);
    assert_eq!(get_with(address, "/", "Authorization: Bearer secret\r\n").status, 200);
    assert_eq!(get(address, "/?token=wrong").status, 401);
    let entered = get(address, "/?token=secret");
    assert_eq!(entered.status, 200);
    assert!(
        entered.head.contains("set-cookie: allometry-token=secret; httponly; samesite=lax"),
        "{}",
        entered.head
    );
    assert_eq!(get_with(address, "/", "Cookie: a=b; allometry-token=secret\r\n").status, 200);
    assert_eq!(get_with(address, "/", "Cookie: allometry-token=secret2\r\n").status, 401);
}

/// The address bar, the history and a copied link of a browser hold no token.
#[test]
fn a_page_is_shown_at_an_address_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "a; b%=ü";
    let address = start(&database(&folder), Some(secret));
    let page = "Accept: text/html,*/*;q=0.8\r\n";
    let query = token_query(&secret.into());
    let entered = get_with(address, &format!("/report{query}&ladder=x"), page);
    assert_eq!(entered.status, 303);
    assert!(entered.head.contains("location: /report?ladder=x"), "{}", entered.head);
    let cookie = entered.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert_eq!(get_with(address, "/", &format!("{cookie}{page}")).status, 200);
    let refused = get_with(address, "/?token=wrong", page);
    assert_eq!(refused.status, 401);
    assert!(!refused.head.contains("set-cookie"), "{}", refused.head);
    assert!(refused.body.contains("<h1>Unauthorized</h1>"), "{}", refused.body);
    let lost = get_with(address, "/nowhere", &format!("{cookie}{page}"));
    assert_eq!(lost.status, 404);
    assert!(lost.body.contains("<h1>Not found</h1>"), "{}", lost.body);
}

/// Returns a name with every byte percent-encoded.
fn encoded(name: &str) -> String {
    let bytes: Vec<String> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

#[test]
fn names_of_users_are_text() {
    let payloads = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'><svg onload=alert(1)>",
        "</script><script>alert(1)</script>",
        "</title><b>",
        "[a](javascript:alert(1))",
    ];
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&database(&folder).display().to_string()).unwrap();
    let long = "n".repeat(100_000);
    for (position, payload) in payloads.iter().chain([&long.as_str()]).enumerate() {
        let id = study(&store, &format!("{position}{payload}"), payload);
        for trial in 0..4 {
            tell(&store, id, payload, Ok(f64::from(trial) / 10.0));
        }
        let failure = Failure { reason: format!("reason {payload}"), detail: format!("detail {payload}") };
        tell(&store, id, payload, Err(failure));
    }
    let address = start(&database(&folder), None);
    let known: serde_json::Value = serde_json::from_str(&get(address, "/api/ladders").body).unwrap();
    let ladders = known.as_array().unwrap();
    assert_eq!(ladders.len(), payloads.len() + 1);
    let mut pages = vec!["/".to_owned(), "/compare?trials=1:0,2:1".into()];
    for (position, ladder) in ladders.iter().enumerate() {
        let name = encoded(ladder["name"].as_str().unwrap());
        if name.len() < 10_000 {
            pages.extend(["live", "charts", "report"].map(|part| format!("/{part}?ladder={name}")));
            pages.push(format!("/ladders/{name}"));
        }
        pages.push(format!("/studies/{}/trials/4", position + 1));
    }
    for page in pages {
        let answer = get(address, &page);
        assert_eq!(answer.status, 200, "{page}");
        for harm in ["<script>alert", "<img src=x", "<svg onload", "</title><b>", "href=\"javascript:"] {
            assert!(!answer.body.contains(harm), "{page} holds {harm}");
        }
        assert!(answer.body.len() < 1_000_000, "{page} has {} bytes", answer.body.len());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_closed_tab_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&database(&folder).display().to_string()).unwrap();
    tell(&store, study(&store, "s", "x"), "x", Ok(0.5));
    let address = start(&database(&folder), None);
    let established = || {
        let port = format!("{:04X}", address.port());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let of_server = |line: &&str| {
            let mut fields = line.split_whitespace().skip(1);
            fields.next().is_some_and(|local| local.ends_with(&port)) && fields.nth(1) != Some("0A")
        };
        // Closed connections in the state TIME_WAIT (06) belong to the kernel, not to the server.
        table.lines().filter(of_server).filter(|line| line.split_whitespace().nth(3) != Some("06")).count()
    };
    let tabs: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut tab = TcpStream::connect(address).unwrap();
            write!(tab, "GET /events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
            let mut first = [0; 512];
            assert!(tab.read(&mut first).unwrap() > 0);
            tab
        })
        .collect();
    assert!(established() >= 50);
    drop(tabs);
    let deadline = Instant::now() + PATIENCE;
    while established() > 0 {
        assert!(Instant::now() < deadline, "{} connections stay", established());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(get(address, "/").status, 200);
}

#[test]
fn connections_that_say_nothing_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.db");
    study(&SqliteStore::open(&path.display().to_string()).unwrap(), "a", "x");
    let address = start(&path, Some("s3cret"));
    let silent: Vec<TcpStream> = (0..600).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert_eq!(get(address, "/").status, 401);
    assert_eq!(get(address, "/?token=s3cret").status, 200);
    drop(silent);
}
