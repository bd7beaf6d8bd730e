//! Processes and their descendants.

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

/// Longest time between two looks at a process.
const LONGEST_LOOK: Duration = Duration::from_millis(50);

/// The variable that tells the descendants of one program from all others.
const ATTEMPT: &str = "ALLOMETRY_ATTEMPT";
/// The variable with the path that a program reports to.
pub(super) const REPORT: &str = "ALLOMETRY_REPORT";

/// Waits, and says early whether `ended` came to hold.
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

/// A process, leader of a group of its own. Nothing of the group survives it, and no descendant outside of the group that can be
/// found.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    id: Pid,
    look: Duration,
    /// What its descendants have as `ALLOMETRY_ATTEMPT`, and nothing else has.
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
    /// Starts a command that makes its own group.
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

    /// Writes down beside the trial which process this is and for which study it works.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn record(&self, trial: &TrialSpec, files: &Files) -> io::Result<()> {
        let Owner { host, pid, process_start } = Owner::process(self.child.id());
        let (study, attempt) = (trial.study.clone(), trial.number);
        let recorded = Recorded { study, attempt, host, pid, process_start };
        fs::write(files.process(), serde_json::to_string(&recorded).expect("texts and a number"))
    }

    /// Kills the group that an earlier attempt of the same study left behind, if this machine still has it. Whether `trial` may be
    /// begun: not where a later attempt is at work, since this one's process was taken for dead.
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

    /// Waits a little, ever longer, unless the process ends.
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

    /// Whether the process has ended, which leaves its number taken until [`Self::finish`].
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.id), options), Ok(None))
    }

    /// Asks the group to end.
    pub(super) fn ask_to_end(&self) {
        let _ = kill_process_group(self.id, Signal::TERM);
    }

    /// Kills what is left of the group, and says how the process ended.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.child.wait()
    }

    fn kill(&self) {
        let _ = kill_process_group(self.id, Signal::KILL);
        descendants::end(ATTEMPT, self.mark.as_ref());
    }
}

/// A panic in between leaves nothing running either.
impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
            let _ = self.child.wait();
        }
    }
}
