//! Which process works on a trial, so that its end is noticed.

use std::fmt;
use std::fs;

/// A process, told apart from every other one, also from a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Name of the machine.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Boot of the machine, namespace of process ids and clock tick at which the process started, separated
    /// by `/`; empty where the system does not tell.
    pub process_start: String,
}

/// Whether a process still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It does.
    Alive,
    /// It ended.
    Ended,
    /// It runs, or ran, where this process cannot see it.
    Unknown,
}

impl Owner {
    /// This process.
    pub fn this_process() -> Self {
        Self::process(std::process::id())
    }

    /// A process of this machine that runs now.
    pub fn process(pid: u32) -> Self {
        let process_start = match (place(), start_tick(pid)) {
            (Some(place), Some((tick, _))) => format!("{place}/{tick}"),
            _ => String::new(),
        };
        Self { host: host_name(), pid, process_start }
    }

    /// Whether the process still lives, as far as can be seen from here.
    pub fn liveness(&self) -> Liveness {
        if self.host != host_name() {
            return Liveness::Unknown;
        }
        let (Some(here), Some((there, tick))) = (place(), self.process_start.rsplit_once('/')) else {
            return Liveness::Unknown;
        };
        // Another boot may be this machine before it was started anew, or another machine of the same name.
        if here != there {
            return Liveness::Unknown;
        }
        match start_tick(self.pid) {
            Some((now, Defunct::No)) if now == tick => Liveness::Alive,
            _ => Liveness::Ended,
        }
    }
}

/// `pid 4711 on host`.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

/// Whether a process ended but was not waited for by its parent.
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

/// Boot and namespace of process ids.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.display()))
}

/// Clock tick at which a process started (field 22 of `/proc/PID/stat`).
fn start_tick(pid: u32) -> Option<(String, Defunct)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name in parentheses, may itself hold spaces and parentheses.
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
