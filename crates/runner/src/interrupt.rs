//! SIGINT (Ctrl-C) and SIGTERM as a flag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// A request to end the program: the first one ends it after saving, the second one at once.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens for SIGINT and SIGTERM. A second signal ends the process at once with exit code 130 or 143;
    /// the store loses nothing, because every write is committed.
    ///
    /// # Errors
    /// Where the operating system rejects the handler.
    pub fn listen() -> std::io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in the order of registration, so the number is stored before the flag is visible.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&interrupt.asked),
            )?;
            signal_hook::flag::register_usize(signal, Arc::clone(&interrupt.signal), signal as usize)?;
            signal_hook::flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// Requests the end of the run, like Ctrl-C.
    pub fn ask(&self) {
        self.signal.store(SIGINT as usize, Ordering::SeqCst);
        self.asked.store(true, Ordering::SeqCst);
    }

    /// Whether the end of the run was requested.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// The exit code of a process that was interrupted: 128 plus the number of the signal.
    pub fn exit_code(&self) -> u8 {
        128 + self.signal.load(Ordering::SeqCst) as u8
    }
}
