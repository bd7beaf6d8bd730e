//! Identity and liveness of the processes that own trials.

use std::fmt;
use std::fs;

/// A process, distinguished from all others, including a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Name of the machine.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Boot id of the machine, PID namespace and clock tick of the process's start, separated by `/`; empty
    /// where the system does not provide them.
    pub process_start: String,
}

/// Whether a process is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The process runs.
    Alive,
    /// The process has ended.
    Ended,
    /// This process cannot tell: the other one is on another machine, boot or namespace.
    Unknown,
}

impl Owner {
    /// Returns the current process.
    pub fn this_process() -> Self {
        Self::process(std::process::id())
    }

    /// Returns a running process of this machine.
    pub fn process(pid: u32) -> Self {
        let process_start = match (place(), start_tick(pid)) {
            (Some(place), Some((tick, _))) => format!("{place}/{tick}"),
            _ => String::new(),
        };
        Self { host: host_name(), pid, process_start }
    }

    /// Returns whether the process is alive, as far as this machine can tell.
    pub fn liveness(&self) -> Liveness {
        if self.host != host_name() {
            return Liveness::Unknown;
        }
        let (Some(here), Some((there, tick))) = (place(), self.process_start.rsplit_once('/')) else {
            return Liveness::Unknown;
        };
        // A different boot id may mean this machine after a restart, or another machine with the same name.
        if here != there {
            return Liveness::Unknown;
        }
        match start_tick(self.pid) {
            Some((now, Defunct::No)) if now == tick => Liveness::Alive,
            _ => Liveness::Ended,
        }
    }
}

/// Writes, for example, `pid 4711 on host`.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// Whether a process is a zombie: it ended, and its parent has not waited for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defunct {
    Yes,
    No,
}

fn host_name() -> String {
    let read = |path| fs::read_to_string(path).ok();
    read("/proc/sys/kernel/hostname")
        .or_else(|| read("/etc/hostname"))
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map_or_else(|| "unknown".into(), |name| name.trim().to_owned())
}

/// Returns boot id and PID namespace.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.display()))
}

/// Returns the clock tick of a process's start (field 22 of `/proc/PID/stat`).
fn start_tick(pid: u32) -> Option<(String, Defunct)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name in parentheses, may contain spaces and parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let defunct = if matches!(fields.next()?, "Z" | "X") { Defunct::Yes } else { Defunct::No };
    Some((fields.nth(18)?.to_owned(), defunct))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn this_process_lives_and_others_of_its_id_do_not() {
        let me = Owner::this_process();
        assert_eq!(me.liveness(), Liveness::Alive);
        let (place, _) = me.process_start.rsplit_once('/').unwrap();
        let earlier = Owner { process_start: format!("{place}/1"), ..me.clone() };
        assert_eq!(earlier.liveness(), Liveness::Ended);
        let before_boot = Owner { process_start: format!("boot{}", me.process_start), ..me.clone() };
        assert_eq!(before_boot.liveness(), Liveness::Unknown);
        assert_eq!(Owner { host: "elsewhere".into(), ..me.clone() }.liveness(), Liveness::Unknown);
        assert_eq!(Owner { process_start: String::new(), ..me }.liveness(), Liveness::Unknown);
    }

    #[test]
    fn a_killed_child_has_ended_before_it_is_waited_for() {
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let (tick, _) = start_tick(child.id()).unwrap();
        let owner = Owner {
            pid: child.id(),
            process_start: format!("{}/{tick}", place().unwrap()),
            ..Owner::this_process()
        };
        assert_eq!(owner.liveness(), Liveness::Alive);
        child.kill().unwrap();
        while owner.liveness() == Liveness::Alive {
            std::thread::yield_now();
        }
        assert_eq!(owner.liveness(), Liveness::Ended);
        child.wait().unwrap();
    }
}
