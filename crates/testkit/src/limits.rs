//! Limits on the time and memory that reading damaged input may take, and on how costs grow with the input.

use std::time::{Duration, Instant};

/// Factor by which reading damaged input may be slower than reading valid input.
const MAX_SLOWDOWN: u32 = 10;
/// Extra time for a loaded machine, far below what unbounded or quadratic work takes.
const SLACK: Duration = Duration::from_secs(2);
/// Bytes of memory that reading damaged input may add to the peak of the process.
const MOST_MEMORY: u64 = 512 << 20;
/// Largest allowed growth of the cost for ten times the input: linear is 10, linear with a logarithm below
/// 14, quadratic 100.
pub const MOST_GROWTH: f64 = 15.0;
/// Number of runs, of which the fastest counts, so that other load on the machine matters less.
const TRIES: usize = 5;
/// Number of rounds. One of them must show proportional growth; none does if the cost is quadratic.
const ROUNDS: usize = 20;

/// Limits on the time and memory of one reader.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    wall: Duration,
}

impl Limits {
    /// Returns limits derived from the time of `clean`, which reads valid input.
    pub fn of(clean: impl FnMut()) -> Self {
        Self { wall: MAX_SLOWDOWN * fastest(clean) + SLACK }
    }

    /// Runs `damaged` and checks that it stays within the limits.
    ///
    /// # Panics
    /// If it takes more time or memory than allowed.
    pub fn hold<T>(self, damaged: impl FnOnce() -> T) -> T {
        let (before, start) = (peak_memory(), Instant::now());
        let result = damaged();
        let took = start.elapsed();
        if let (Some(before), Some(after)) = (before, peak_memory()) {
            let more = after.saturating_sub(before);
            assert!(
                more <= MOST_MEMORY,
                "it took {more} bytes of memory, and {MOST_MEMORY} at most are allowed"
            );
        }
        assert!(took <= self.wall, "it took {took:?}, and {:?} at most are allowed", self.wall);
        result
    }
}

/// Asserts that the cost of `run` grows in proportion to the size of its input: ten times the input takes
/// less than 15 times the time.
///
/// `make` creates an input of a given size, and `run` works on it. Choose `size` such that it takes
/// milliseconds.
///
/// # Panics
/// If the cost grows faster.
pub fn grows_in_proportion<I>(what: &str, size: usize, make: impl Fn(usize) -> I, mut run: impl FnMut(&I)) {
    let (small, large) = (make(size), make(10 * size));
    for round in 1.. {
        // Ten runs of the small input take about as long as one of the large one, so load on the machine
        // slows both.
        let few = took(|| (0..10).for_each(|_| run(&small))) / 10;
        let many = took(|| run(&large));
        // Below this, the clock and the caches dominate.
        let growth = many.as_secs_f64() / few.max(Duration::from_micros(500)).as_secs_f64();
        if growth < MOST_GROWTH {
            return;
        }
        assert!(round < ROUNDS, "{what}: {size} took {few:?}, ten times as many {many:?}: {growth:.1} times");
    }
}

fn took(mut run: impl FnMut()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn fastest(mut run: impl FnMut()) -> Duration {
    (0..TRIES).map(|_| took(&mut run)).min().unwrap_or_default()
}

/// Returns the peak memory of the process in bytes, if the system reports it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does `steps` steps that the compiler cannot remove.
    fn work(steps: usize) {
        for i in 0..steps {
            std::hint::black_box(i);
        }
    }

    #[test]
    fn linear_work_passes() {
        grows_in_proportion("linear", 1_000_000, |n| n, |n| work(*n));
        Limits::of(|| work(10)).hold(|| work(1000));
    }

    #[test]
    #[should_panic(expected = "quadratic")]
    fn quadratic_work_fails() {
        grows_in_proportion("quadratic", 1000, |n| n, |n| work(n * n));
    }

    #[test]
    #[should_panic(expected = "of memory")]
    fn unbounded_memory_fails() {
        Limits::of(|| ()).hold(|| std::hint::black_box(vec![1_u8; 600 << 20]));
    }
}
