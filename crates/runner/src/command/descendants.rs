//! Descendants of an attempt that have left its process group.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Largest number of searches: a process can start others while it is being killed.
const ROUNDS: usize = 10;
/// Largest number of bytes of a process's environment that are searched.
const LONGEST_ENVIRONMENT: u64 = 8 << 20;

/// Kills every process of this machine whose environment variable `name` has this value, independent of its
/// process group and parent. (A program may use `setsid`, and a parent may have ended.)
///
/// Processes that have cleared their environment or that belong to another user are not found.
pub(super) fn end(name: &str, value: &OsStr) {
    let variable = [name.as_bytes(), b"=", value.as_bytes()].concat();
    for _ in 0..ROUNDS {
        if kill_all(&variable) == 0 {
            return;
        }
    }
}

/// Kills all processes with `variable` in their environment, and returns their number.
fn kill_all(variable: &[u8]) -> usize {
    let Ok(processes) = fs::read_dir("/proc") else { return 0 };
    let own = std::process::id().cast_signed();
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|id| *id != own)
        .filter_map(Pid::from_raw)
        .filter(|id| kill(*id, variable))
        .count()
}

/// Kills the process if it has `variable`. The descriptor ensures that no later process with the same id gets
/// the signal.
fn kill(id: Pid, variable: &[u8]) -> bool {
    let Ok(process) = pidfd_open(id, PidfdFlags::empty()) else { return false };
    let mut environment = Vec::new();
    let read = File::open(format!("/proc/{}/environ", id.as_raw_nonzero()))
        .and_then(|file| file.take(LONGEST_ENVIRONMENT).read_to_end(&mut environment));
    read.is_ok()
        && environment.split(|byte| *byte == 0).any(|one| one == variable)
        && pidfd_send_signal(process, Signal::KILL).is_ok()
}
