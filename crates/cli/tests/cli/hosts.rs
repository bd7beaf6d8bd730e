//! Tests with several hosts, each with its own network, on one PostgreSQL server.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use allometry_core::{FrozenTrial, ParamValue, TrialState};
use allometry_testkit::{Cluster, program, skip};

use crate::support::shared::{check, project, trials, wait_for};
use crate::support::{allometry, run};

/// Number of hosts besides the server.
const HOSTS: usize = 3;
const PASSWORD: &str = "s3cret";

/// Network namespaces of the hosts, joined by a bridge on which this machine is the server. Removed on drop.
struct Network {
    name: String,
    /// First three numbers of every address.
    prefix: String,
}

impl Network {
    /// Creates the network; `None`, with a visible skip of `test`, if namespaces cannot be created.
    fn new(test: &str) -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        program(test, "ip")?;
        program(test, "unshare")?;
        let (process, made) = (std::process::id(), MADE.fetch_add(1, Ordering::SeqCst));
        let place = (process * 4 + made) % (128 * 256);
        // The name of an interface has at most 15 characters.
        let network = Self {
            name: format!("al{process:x}{made}"),
            prefix: format!("10.{}.{}", 128 + place / 256, place % 256),
        };
        let bridge = network.bridge();
        if let Err(reason) = ip(&format!("link add {bridge} type bridge")) {
            skip(test, &format!("no network can be made here: {reason}"));
            return None;
        }
        let made = ip(&format!("addr add {}/24 dev {bridge}", network.server()))
            .and_then(|()| ip(&format!("link set {bridge} up")))
            .and_then(|()| (0..HOSTS).try_for_each(|host| network.join(host)));
        if let Err(reason) = made {
            skip(test, &format!("no hosts can be made here: {reason}"));
            return None;
        }
        Some(network)
    }

    fn join(&self, host: usize) -> Result<(), String> {
        let (space, end, bridge) = (self.host(host), self.end(host), self.bridge());
        ip(&format!("netns add {space}"))?;
        ip(&format!("link add {end} type veth peer name eth0 netns {space}"))?;
        ip(&format!("link set {end} master {bridge} up"))?;
        ip(&format!("-n {space} addr add {}.{}/24 dev eth0", self.prefix, host + 2))?;
        ip(&format!("-n {space} link set eth0 up"))?;
        ip(&format!("-n {space} link set lo up"))
    }

    fn bridge(&self) -> String {
        format!("{}b", self.name)
    }

    fn host(&self, host: usize) -> String {
        format!("{}h{host}", self.name)
    }

    /// Returns the interface of the bridge to a host.
    fn end(&self, host: usize) -> String {
        format!("{}e{host}", self.name)
    }

    fn server(&self) -> String {
        format!("{}.1", self.prefix)
    }

    /// Returns a command that runs a program in the namespace of a host.
    fn on(&self, host: usize, program: &str, arguments: &[&str]) -> Command {
        let name = self.host(host);
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &name, "unshare", "--uts", "sh", "-c"])
            .args([r#"echo "$0" > /proc/sys/kernel/hostname && exec "$@""#, &name, program])
            .args(arguments);
        command
    }

    /// Disconnects a host from the network, or connects it.
    fn set_cable(&self, host: usize, state: &str) {
        ip(&format!("link set {} {state}", self.end(host))).unwrap();
    }

    /// Starts the program on a host, with its output in a file.
    fn start(&self, host: usize, folder: &Path, arguments: &[&str], log: &str) -> Process {
        let log = std::fs::File::create(folder.join(log)).unwrap();
        let mut command = self.on(host, env!("CARGO_BIN_EXE_allometry"), arguments);
        let child = command
            .current_dir(folder)
            .env_remove("ALLOMETRY_STORAGE")
            .env_remove("OPTUNA_STORAGE")
            .env("CI", "true")
            .env("PGPASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Process(child.unwrap())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for host in 0..HOSTS {
            let _ = ip(&format!("netns del {}", self.host(host)));
            // The interface of a deleted namespace disappears with a delay.
            let _ = ip(&format!("link del {}", self.end(host)));
        }
        let _ = ip(&format!("link del {}", self.bridge()));
    }
}

/// A process that is killed on drop.
struct Process(Child);

impl Process {
    fn succeeds(&mut self) -> bool {
        self.0.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// Creates a network with a database, and returns its URL for the hosts, which need the password, and for
/// this process.
fn hosts(test: &str) -> Option<(Network, Cluster, String, String)> {
    let network = Network::new(test)?;
    let cluster = Cluster::start(test)?;
    let server = network.server();
    cluster.listen(&server, &format!("{}.0/24", network.prefix));
    let here = cluster.database();
    let database = cluster.sql(&here, "SELECT current_database()");
    cluster.sql(&here, &format!("CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}'"));
    cluster.sql(&here, &format!("ALTER DATABASE {database} OWNER TO worker"));
    let there = format!("postgresql://worker@{server}:{}/{database}", cluster.port());
    Some((network, cluster, there, here))
}

fn x_of(trial: &FrozenTrial) -> f64 {
    trial.params.get("x").and_then(ParamValue::as_f64).unwrap()
}

#[test]
fn hosts_together_make_the_trials_that_are_asked_for() {
    const TRIALS: usize = 24;
    let Some((network, _cluster, url, here)) = hosts("hosts_together_make_the_trials_that_are_asked_for")
    else {
        return;
    };
    let folder = project(TRIALS);
    let path = folder.path();
    let mut first = network.start(0, path, &["run", "--quiet", "--trials", "1", "--storage", &url], "first");
    assert!(first.succeeds(), "{}", std::fs::read_to_string(path.join("first")).unwrap());
    let (code, _, err) = run(path, &["enqueue", "--in", &here, "x=0.125", "y=b"]);
    assert_eq!(code, 0, "{err}");
    let mut refused = network.on(1, env!("CARGO_BIN_EXE_allometry"), &["worker", "--storage", &url]);
    let refused = refused.current_dir(path).env("PGPASSWORD", "wrong").output().unwrap();
    assert_eq!(refused.status.code(), Some(5), "nobody gets in without the password");

    let mut processes: Vec<Process> = (0..HOSTS)
        .map(|host| {
            let arguments = ["--workers", "2", "--storage", &url];
            let verb = if host == 0 { "run" } else { "worker" };
            network.start(host, path, &[&[verb], &arguments[..]].concat(), &format!("log{host}"))
        })
        .collect();
    for (host, process) in processes.iter_mut().enumerate() {
        assert!(process.succeeds(), "{}", std::fs::read_to_string(path.join(format!("log{host}"))).unwrap());
    }
    let trials = trials(&here);
    check(&trials, TRIALS);
    assert_eq!(trials.len(), TRIALS, "nobody lost a trial");
    assert_eq!(trials.iter().filter(|trial| x_of(trial) == 0.125).count(), 1, "what was enqueued ran once");
}

#[test]
fn a_host_that_is_cut_off_loses_its_trial_and_tells_too_late() {
    const TRIALS: usize = 6;
    let test = "a_host_that_is_cut_off_loses_its_trial_and_tells_too_late";
    let Some((network, _cluster, url, here)) = hosts(test) else { return };
    let folder = project(TRIALS);
    let path = folder.path();
    let ladder = std::fs::read_to_string(path.join("ladder.toml")).unwrap();
    std::fs::write(path.join("ladder.toml"), ladder.replace("sleep 0.03", "sleep 0.7")).unwrap();
    let lease = ["--lease", "3s", "--storage", &url];
    let mut cut_off = network.start(0, path, &[&["run", "--workers", "1"], &lease[..]].concat(), "cut");
    wait_for("the first trial", || !trials(&here).is_empty());
    network.set_cable(0, "down");
    let mut others = [1, 2].map(|host| {
        network.start(
            host,
            path,
            &[&["worker", "--workers", "2"], &lease[..]].concat(),
            &format!("log{host}"),
        )
    });
    for other in &mut others {
        assert!(other.succeeds());
    }
    let before = trials(&here);
    check(&before, TRIALS);
    assert_eq!(before[0].state, TrialState::Failed, "its lease ran out");
    let again = before.iter().find(|trial| trial.record.retry_of == Some(before[0].number)).unwrap();
    assert_eq!((again.state, x_of(again)), (TrialState::Complete, x_of(&before[0])), "another made it");

    network.set_cable(0, "up");
    let said = || std::fs::read_to_string(path.join("cut")).unwrap();
    assert!(cut_off.succeeds(), "{}", said());
    assert!(said().contains("its result is discarded"), "{}", said());
    assert_eq!(trials(&here), before, "what was told late changed nothing");
    let store = allometry_store::open_read_only(&here).unwrap();
    let study = store.study("shared/s").unwrap().unwrap();
    let tells = store.late_results(study.id, before[0].number).unwrap();
    assert_eq!(tells.len(), 1, "{tells:?}");
    assert_eq!(tells[0].values, [x_of(&before[0])]);
    assert!(tells[0].teller.as_ref().unwrap().ends_with(&format!(" on {}", network.host(0))), "{tells:?}");
}

#[test]
fn a_dashboard_is_seen_from_its_own_host_alone() {
    use std::io::{BufRead as _, BufReader};
    let Some(network) = Network::new("a_dashboard_is_seen_from_its_own_host_alone") else { return };
    let folder = project(1);
    assert_eq!(run(folder.path(), &["run", "--quiet"]).0, 0);
    let mut serve = allometry(folder.path());
    serve.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut serve = Process(serve.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(serve.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
    assert!(port.parse::<u16>().is_ok(), "it says where it listens: {line}");
    let reaches = |address: &str| format!("exec 3<>/dev/tcp/{address}/{port}");
    let here = Command::new("bash").args(["-c", &reaches("127.0.0.1")]).status().unwrap();
    assert!(here.success());
    for address in [network.server(), "127.0.0.1".into()] {
        let mut there = network.on(0, "bash", &["-c", &reaches(&address)]);
        assert!(!there.stderr(Stdio::null()).status().unwrap().success(), "{address}");
    }
    // A token is required, because other machines can reach the address.
    let (code, _, err) = run(folder.path(), &["serve", "--listen", &format!("{}:0", network.server())]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("token"), "{err}");
}
