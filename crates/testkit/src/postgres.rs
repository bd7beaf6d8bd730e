//! Private PostgreSQL server for tests, on a Unix socket in a temporary folder and on a loopback port.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::skip_absent;

/// Name of the superuser, who needs no password on the socket.
const SUPERUSER: &str = "postgres";

/// Shell script that starts the server, waits until its standard input is closed, then stops the server and
/// removes its folder. Nothing is left behind however the test ends.
const KEEP: &str = r#"
    "$1/pg_ctl" -D "$2/data" -l "$2/log" -w start >/dev/null || { cat "$2/log" >&2; exit 1; }
    echo started
    cat >/dev/null
    "$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$2"
"#;

/// A private PostgreSQL server, without a password on its socket and with one over TCP. Its time zone is
/// not UTC.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
    databases: AtomicUsize,
    /// Standard input of the shell, which stops the server when this is dropped.
    _lifeline: ChildStdin,
}

impl Cluster {
    /// Returns the server that the tests of this process share.
    ///
    /// If PostgreSQL is not installed, the result is `None` and `test` is reported as skipped.
    ///
    /// # Panics
    /// If it is not installed although `ALLOMETRY_REQUIRE_PEERS` is 1, or does not start.
    pub fn shared(test: &str) -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        let cluster = SHARED.get_or_init(|| Some(Self::start_with(&programs()?))).as_ref();
        if cluster.is_none() {
            skip_absent(test, "PostgreSQL is not installed");
        }
        cluster
    }

    /// Starts a server for one test, which may stop and kill it. Returns `None` as [`Self::shared`] does.
    ///
    /// # Panics
    /// As for [`Self::shared`].
    pub fn start(test: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            skip_absent(test, "PostgreSQL is not installed");
            return None;
        };
        Some(Self::start_with(&programs))
    }

    #[expect(
        clippy::zombie_processes,
        reason = "the shell ends after this process, which holds its lifeline"
    )]
    fn start_with(programs: &Path) -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let started = STARTED.fetch_add(1, Ordering::SeqCst);
        // The path of a socket is limited to about a hundred bytes.
        let folder = PathBuf::from(format!("/tmp/allometry-pg-{}-{started}", std::process::id()));
        let user = other_user();
        fs::create_dir(&folder).expect("a folder in /tmp can be made");
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).expect("root may give folders away");
        }
        let output = as_user(Command::new(programs.join("initdb")), user)
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
            .current_dir("/")
            .output()
            .expect("initdb can be started");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let port = free_port();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nfsync = off\n\
             timezone = 'Asia/Kolkata'\nmax_connections = 200\nshared_buffers = 32MB\n",
            folder.display()
        );
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(folder.join("data/postgresql.conf"))
            .expect("initdb has written the settings");
        file.write_all(settings.as_bytes()).expect("settings can be written");
        let mut keeper = as_user(Command::new("sh"), user)
            .args(["-c", KEEP, "sh"])
            .arg(programs)
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let lifeline = keeper.stdin.take().expect("it is piped");
        let mut line = String::new();
        let out = keeper.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("the shell writes text");
        assert_eq!(line, "started\n", "the server starts");
        Self {
            programs: programs.into(),
            folder,
            port,
            user,
            databases: AtomicUsize::new(0),
            _lifeline: lifeline,
        }
    }

    /// Creates an empty database and returns its URL, which uses the socket.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn database(&self) -> String {
        let name = format!("db{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.sql(&self.url(SUPERUSER), &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Returns the URL of a database, which uses the socket.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://{SUPERUSER}@/{database}?host={}&port={}", self.folder.display(), self.port)
    }

    /// Returns the loopback port, where a password is required.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns a folder that the server's user can read. It is removed with the server.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Creates [`certificates`](crate::certificates), turns TLS on for TCP connections, and returns the
    /// path of the authority's certificate.
    ///
    /// Without the program `openssl` the result is `None`, and `test` is reported as skipped.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn encrypt(&self, test: &str) -> Option<PathBuf> {
        let authority = crate::certificates(test, &self.folder, |command| as_user(command, self.user))?;
        for (setting, file) in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")] {
            let path = self.folder.join(file);
            self.sql(&self.url(SUPERUSER), &format!("ALTER SYSTEM SET {setting} = '{}'", path.display()));
        }
        self.sql(&self.url(SUPERUSER), "ALTER SYSTEM SET ssl = on");
        self.sql(&self.url(SUPERUSER), "SELECT pg_reload_conf()");
        Some(authority)
    }

    /// Makes the server listen on another address as well, where clients of `network` (such as
    /// `10.1.2.0/24`) authenticate with a password.
    ///
    /// # Panics
    /// If the server does not start again.
    pub fn listen(&self, address: &str, network: &str) {
        let path = self.folder.join("data/pg_hba.conf");
        let mut file = fs::OpenOptions::new().append(true).open(path).expect("initdb has written it");
        writeln!(file, "host all all {network} scram-sha-256").expect("a line can be written");
        let addresses = format!("ALTER SYSTEM SET listen_addresses = '127.0.0.1, {address}'");
        self.sql(&self.url(SUPERUSER), &addresses);
        self.stop("fast");
        self.start_again();
    }

    /// Runs statements and returns their output: fields separated by `|`, one line per row.
    ///
    /// # Panics
    /// If a statement fails.
    pub fn sql(&self, url: &str, statements: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statements])
            .output()
            .expect("psql can be started");
        assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Stops the server. `mode` is `smart`, `fast`, or `immediate`, which acts like a crash.
    ///
    /// # Panics
    /// If it does not stop.
    pub fn stop(&self, mode: &str) {
        self.control(&["-m", mode, "-w", "stop"]);
    }

    /// Starts the server again after [`Self::stop`].
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&self) {
        self.control(&["-w", "start"]);
    }

    fn control(&self, arguments: &[&str]) {
        let status = as_user(Command::new(self.programs.join("pg_ctl")), self.user)
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-l")
            .arg(self.folder.join("log"))
            .args(arguments)
            .current_dir("/")
            .stdout(Stdio::null())
            .status()
            .expect("pg_ctl can be started");
        assert!(status.success(), "pg_ctl {arguments:?}");
    }
}

/// Returns the folder with the programs of the newest PostgreSQL. Debian puts only some of them on `PATH`.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let folders = versions.into_iter().rev().map(|(_, folder)| folder);
    folders.chain(std::env::split_paths(&on_path)).find(|folder| folder.join("initdb").is_file())
}

/// Returns the user and group `postgres` if this process runs as root, which the server refuses.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    (id(&["-u"])? == 0).then_some(())?;
    Some((id(&["-u", SUPERUSER])?, id(&["-g", SUPERUSER])?))
}

fn as_user(mut command: Command, user: Option<(u32, u32)>) -> Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
