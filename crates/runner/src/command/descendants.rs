//! Processes of an attempt that have left its process group.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Rounds of looking for more: a process may start others while it is being killed.
const ROUNDS: usize = 10;
/// Bytes of a process's environment that are looked at.
const LONGEST_ENVIRONMENT: u64 = 8 << 20;

/// Kills every process of this machine that has this variable of the environment with this value, whatever its process group and its parent
/// (a program may use `setsid`, and a parent that has ended is nobody's parent).
///
/// A process that has cleared its environment, or that belongs to another user, is not found.
pub(super) fn end(name: &str, value: &OsStr) {
    let variable = [name.as_bytes(), b"=", value.as_bytes()].concat();
    for _ in 0..ROUNDS {
        if kill_all(&variable) == 0 {
            return;
        }
    }
}

/// Kills whatever has `variable` in its environment, and returns how many processes that were.
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

/// Kills the process if it has `variable`. The descriptor keeps the signal from a later process of the same number.
fn kill(id: Pid, variable: &[u8]) -> bool {
    let Ok(process) = pidfd_open(id, PidfdFlags::empty()) else { return false };
    let mut environment = Vec::new();
    let read = File::open(format!("/proc/{}/environ", id.as_raw_nonzero()))
        .and_then(|file| file.take(LONGEST_ENVIRONMENT).read_to_end(&mut environment));
    read.is_ok()
        && environment.split(|byte| *byte == 0).any(|one| one == variable)
        && pidfd_send_signal(process, Signal::KILL).is_ok()
}
