//! Process groups and their descendants.

use std::fs;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use allometry_core::{StudyIdentity, TrialNumber, TrialSpec};
use allometry_store::{Liveness, Owner};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde::{Deserialize, Serialize};

use super::descendants;
use super::files::Files;

/// Longest interval at which a process is polled.
const LONGEST_LOOK: Duration = Duration::from_millis(50);

/// Environment variable that identifies the descendants of one program.
const ATTEMPT: &str = "ALLOMETRY_ATTEMPT";
/// Environment variable with the path of a program's report.
pub(super) const REPORT: &str = "ALLOMETRY_REPORT";

/// Waits for `time` or until `ended` holds, and returns whether it holds.
pub(super) fn sleep_unless(time: Duration, ended: impl Fn() -> bool) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if ended() {
            return true;
        }
        std::thread::sleep(LONGEST_LOOK.min(until.saturating_duration_since(Instant::now())));
    }
    ended()
}

/// A process that leads its own group. When it is finished or dropped, the group and all descendants that can
/// be found are killed.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    id: Pid,
    look: Duration,
    /// Unique value of `ALLOMETRY_ATTEMPT` in the environment of its descendants.
    mark: String,
}

#[derive(Serialize, Deserialize)]
struct Recorded {
    study: StudyIdentity,
    /// Number of the attempt.
    attempt: TrialNumber,
    host: String,
    pid: u32,
    process_start: String,
}

impl Group {
    /// Starts a command that creates its own group.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let mark = format!("{}.{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let child = command.env(ATTEMPT, &mark).spawn()?;
        let id = Pid::from_child(&child);
        Ok(Self { child, id, look: Duration::from_millis(1), mark })
    }

    /// Records the process and its study in the trial's folder.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(super) fn record(&self, trial: &TrialSpec, files: &Files) -> io::Result<()> {
        let Owner { host, pid, process_start } = Owner::process(self.child.id());
        let (study, attempt) = (trial.study.clone(), trial.number);
        let recorded = Recorded { study, attempt, host, pid, process_start };
        fs::write(files.process(), serde_json::to_string(&recorded).expect("texts and a number"))
    }

    /// Kills the group of an earlier attempt of the same study if it still runs on this machine. Returns
    /// whether `trial` may start, which is not the case where a later attempt is running because this process
    /// was taken for dead.
    pub(super) fn end_recorded(trial: &TrialSpec, files: &Files) -> bool {
        let recorded = fs::read_to_string(files.process()).ok();
        let Some(recorded) = recorded.and_then(|text| serde_json::from_str::<Recorded>(&text).ok()) else {
            return true;
        };
        let Recorded { study, attempt, host, pid, process_start } = recorded;
        if study != trial.study {
            return true;
        }
        let lives = Owner { host, pid, process_start }.liveness() == Liveness::Alive;
        if attempt > trial.number {
            return !lives;
        }
        if let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw).filter(|_| lives) {
            let _ = kill_process_group(id, Signal::KILL);
        }
        descendants::end(REPORT, files.report_of(attempt).as_os_str());
        true
    }

    /// Waits for a short, increasing time, and returns whether the process has ended.
    pub(super) fn look(&mut self) -> bool {
        self.look = (self.look * 2).min(LONGEST_LOOK);
        let until = Instant::now() + self.look;
        loop {
            if self.has_ended() {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }

    /// Whether the process has ended; its id stays in use until [`Self::finish`].
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.id), options), Ok(None))
    }

    /// Asks the group to end.
    pub(super) fn ask_to_end(&self) {
        let _ = kill_process_group(self.id, Signal::TERM);
    }

    /// Kills the remaining processes of the group, and returns the exit status of the process.
    ///
    /// # Errors
    /// Where the system does not return the status.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.child.wait()
    }

    fn kill(&self) {
        let _ = kill_process_group(self.id, Signal::KILL);
        descendants::end(ATTEMPT, self.mark.as_ref());
    }
}

/// Kills the group in case of a panic.
impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
            let _ = self.child.wait();
        }
    }
}
