//! Limits on what reading damaged bytes may cost, relative to the whole ones; and on how costs grow.

use std::time::{Duration, Instant};

/// How many times the time of the clean case a damaged one may take.
const TIMES: u32 = 10;
/// What a loaded machine may take beside it: far below what unbounded or quadratic work takes.
const SLACK: Duration = Duration::from_secs(2);
/// Memory that a damaged case may take beyond what the process had.
const MOST_MEMORY: u64 = 512 << 20;
/// Most that the cost of a tenfold input may grow: linear is 10, linear with a logarithm below 14, quadratic 100.
pub const MOST_GROWTH: f64 = 15.0;
/// Tries of which the fastest counts, so that others on the machine do not.
const TRIES: usize = 5;
/// Rounds of which one must show proportion: where cost is quadratic, none does.
const ROUNDS: usize = 20;

/// What one reader may take of time and memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    wall: Duration,
}

impl Limits {
    /// Limits by what `clean`, the reading of whole bytes, takes.
    pub fn of(clean: impl FnMut()) -> Self {
        Self { wall: TIMES * fastest(clean) + SLACK }
    }

    /// Runs `damaged` within the limits.
    ///
    /// # Panics
    /// Where it takes more time, or memory, than allowed.
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

/// Holds the cost of something to growing in proportion to its size: ten times the input takes less than 15 times the time.
///
/// `make` makes an input of a size, `run` works on it. Sizes are such that the smaller one takes milliseconds.
///
/// # Panics
/// Where the cost grows faster.
pub fn grows_in_proportion<I>(what: &str, size: usize, make: impl Fn(usize) -> I, mut run: impl FnMut(&I)) {
    let (small, large) = (make(size), make(10 * size));
    for round in 1.. {
        // Ten runs of the small input take about as long as one of the large one, so that a busy machine slows both.
        let few = took(|| (0..10).for_each(|_| run(&small))) / 10;
        let many = took(|| run(&large));
        // Below this the clock and the caches say more than the input.
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

/// The most memory that the process ever had, where the system says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work of so many steps that no compiler leaves out.
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
    fn quadratic_work_does_not() {
        grows_in_proportion("quadratic", 1000, |n| n, |n| work(n * n));
    }

    #[test]
    #[should_panic(expected = "of memory")]
    fn memory_without_bound_does_not() {
        Limits::of(|| ()).hold(|| std::hint::black_box(vec![1_u8; 600 << 20]));
    }
}
