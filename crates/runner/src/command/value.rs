//! The value of a program that does not report one.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use allometry_ladder::{CommandSpec, ValueSource, template};
use allometry_store::json;
use regex::bytes::Regex;

use super::attempt::Attempt;
use super::files::Files;
use super::program;

/// Largest number of bytes of a line of output that are searched.
const LONGEST_LINE: usize = 1 << 20;

/// The state of the file with a program's value, by which files of an earlier attempt or another study are
/// recognized.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written(Option<(SystemTime, u64, u64)>);

impl Written {
    /// The current state of the file; none where values are not read from a file.
    pub(super) fn of(attempt: &Attempt<'_>, files: &Files) -> Self {
        match &attempt.spec.value {
            ValueSource::File { path, .. } => Self::at(&value_file(attempt, files, path)),
            ValueSource::Report | ValueSource::Output { .. } => Self(None),
        }
    }

    fn at(path: &Path) -> Self {
        let of = |file: fs::Metadata| Some((file.modified().ok()?, file.len(), file.ino()));
        Self(fs::metadata(path).ok().and_then(of))
    }
}

/// The path of the file with a program's value.
fn value_file(attempt: &Attempt<'_>, files: &Files, path: &str) -> PathBuf {
    let path = template::fill(path, |name| files.value(name, attempt.ladder, attempt.trial));
    program::folder(attempt.spec).join(path)
}

/// The value, or the reason why there is none. The log is searched from `start`, where this attempt began; a
/// file is used only where it has changed since `before`.
pub(super) fn find(
    attempt: &Attempt<'_>,
    files: &Files,
    start: u64,
    before: &Written,
) -> Result<f64, String> {
    let CommandSpec { value, .. } = attempt.spec;
    match value {
        ValueSource::Report => Err("no value reported".into()),
        ValueSource::Output { pattern } => in_output(&files.log(), start, pattern),
        ValueSource::File { path, key } => {
            let path = value_file(attempt, files, path);
            if before.0.is_some() && Written::at(&path) == *before {
                return Err(format!("no value reported: {} is older than the attempt", path.display()));
            }
            in_file(&path, key)
        }
    }
}

/// The number in the last match of the pattern in the log.
fn in_output(log: &Path, start: u64, pattern: &str) -> Result<f64, String> {
    let cannot = |error: io::Error| format!("its output cannot be read: {error}");
    let pattern = Regex::new(pattern).expect("checked with the ladder file");
    let mut file = File::open(log).map_err(cannot)?;
    file.seek(SeekFrom::Start(start)).map_err(cannot)?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    while reader.read_until(b'\n', &mut line).map_err(cannot)? > 0 {
        line.truncate(LONGEST_LINE);
        if let Some(found) = pattern.captures_iter(&line).last() {
            last = Some(found.get(1).map_or(&b""[..], |group| group.as_bytes()).to_vec());
        }
        line.clear();
    }
    let Some(last) = last else {
        return Err(format!("no value reported: nothing in its output matches {pattern}"));
    };
    let text = String::from_utf8_lossy(&last);
    text.trim().parse().map_err(|_| format!("no value reported: `{text}` in its output is not a number"))
}

fn in_file(path: &Path, key: &str) -> Result<f64, String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("no value reported: {shown}: {error}"))?;
    let document = json::parse(&text).map_err(|error| format!("no value reported: {shown}: {error}"))?;
    let found = key.split('.').try_fold(&document, |inner, part| inner.get(part));
    let found = found.ok_or_else(|| format!("no value reported: {shown} has no `{key}`"))?;
    json::number(found).ok_or_else(|| format!("no value reported: `{key}` in {shown} is not a number"))
}
