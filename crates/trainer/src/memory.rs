//! Available memory of the system.

/// Returns the bytes available to new allocations, or `None` if the system does not report them (Linux
/// does).
pub(crate) fn available() -> Option<u64> {
    read(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn read(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_line_of_available_memory_is_read() {
        assert_eq!(read("MemTotal:  100 kB\nMemAvailable:     42 kB\nBuffers: 1 kB\n"), Some(42 * 1024));
        assert_eq!(read("MemTotal:  100 kB\n"), None);
    }
}
