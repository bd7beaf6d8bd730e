//! The processes of a round of random faults.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use super::dice::Dice;
use crate::support::{allometry, shared};

/// The kind of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Run,
    Worker,
    Dashboard,
    Storage,
}

impl Role {
    /// Returns whether the process ends by itself.
    fn ends(self) -> bool {
        matches!(self, Self::Run | Self::Worker)
    }
}

struct Member {
    role: Role,
    child: Child,
    log: PathBuf,
}

/// The processes of a round, killed on drop.
pub(crate) struct Crowd<'a> {
    folder: &'a Path,
    url: &'a str,
    members: Vec<Member>,
    started: usize,
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(folder: &'a Path, url: &'a str) -> Self {
        Self { folder, url, members: Vec::new(), started: 0 }
    }

    pub(crate) fn start(&mut self, role: Role) {
        self.started += 1;
        let log = self.folder.join(format!("log-{}.txt", self.started));
        let file = File::create(&log).unwrap();
        let mut command = allometry(self.folder);
        match role {
            Role::Run => command.arg("run"),
            Role::Worker => command.arg("worker"),
            Role::Dashboard => command.args(["serve", self.url, "--listen", "127.0.0.1:0"]),
            Role::Storage => command.args(["serve", self.url, "--grpc", "127.0.0.1:0"]),
        };
        if role.ends() {
            command.args(["--workers", "2", "--lease", "2s", "--retries", "1000", "--storage", self.url]);
        }
        let child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        self.members.push(Member { role, child, log });
    }

    /// Kills a process and starts another of its kind.
    pub(crate) fn kill_one(&mut self, dice: &mut Dice) -> &'static str {
        let mut victim = self.members.swap_remove(dice.below(self.members.len()));
        victim.child.kill().unwrap();
        victim.child.wait().unwrap();
        self.start(victim.role);
        "kills"
    }

    /// Suspends a process, possibly for longer than its lease.
    pub(crate) fn suspend_one(&mut self, dice: &mut Dice) -> &'static str {
        let victim = &self.members[dice.below(self.members.len())];
        signal(&victim.child, "-STOP");
        std::thread::sleep(dice.up_to(Duration::from_secs(3)));
        signal(&victim.child, "-CONT");
        "suspensions"
    }

    /// Starts requests to servers without finishing them.
    pub(crate) fn drop_connections(&mut self, dice: &mut Dice) -> &'static str {
        let servers = self.members.iter().filter(|member| !member.role.ends());
        let ports: Vec<String> = servers.filter_map(|member| port(&member.log)).collect();
        for port in ports {
            let Ok(mut stream) = TcpStream::connect(format!("127.0.0.1:{port}")) else { continue };
            let request = format!("GET /api/studies HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
            let _ = stream.write_all(&request.as_bytes()[..dice.below(request.len())]);
        }
        "dropped connections"
    }

    /// Returns whether every process has printed `words`.
    pub(crate) fn all_said(&self, words: &str) -> bool {
        self.members
            .iter()
            .all(|member| fs::read_to_string(&member.log).is_ok_and(|said| said.contains(words)))
    }

    /// Ends the servers and waits for the other processes; `ended` is called with the exit code of
    /// each and what it printed.
    pub(crate) fn finish(mut self, ended: impl Fn(Role, Option<i32>, &str)) {
        for member in &mut self.members {
            if !member.role.ends() {
                member.child.kill().unwrap();
                member.child.wait().unwrap();
                continue;
            }
            let child = std::cell::RefCell::new(&mut member.child);
            shared::wait_for("the end of a process", || child.borrow_mut().try_wait().unwrap().is_some());
            let code = child.into_inner().wait().unwrap().code();
            let said = fs::read_to_string(&member.log).unwrap();
            // A failing storage and a missing ladder are expected errors; all others are defects.
            assert!(matches!(code, Some(0 | 4 | 5)), "{:?} ended with {code:?}: {said}", member.role);
            ended(member.role, code, &said);
        }
        for log in 1..=self.started {
            let said = fs::read_to_string(self.folder.join(format!("log-{log}.txt"))).unwrap();
            assert!(!said.contains("panicked"), "{said}");
        }
    }
}

impl Drop for Crowd<'_> {
    fn drop(&mut self) {
        for member in &mut self.members {
            // Most processes have ended already.
            let _ = member.child.kill();
            let _ = member.child.wait();
        }
    }
}

fn signal(child: &Child, name: &str) {
    // A process that has ended but was not waited for accepts signals.
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Returns the address of a server, once it has printed it.
fn port(log: &Path) -> Option<String> {
    let said = fs::read_to_string(log).ok()?;
    let line = said.lines().next()?.trim_end_matches('/');
    line.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok()).map(str::to_owned)
}
