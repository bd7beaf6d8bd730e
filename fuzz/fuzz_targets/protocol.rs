//! Any bytes are lines of a trial's report or an error that names the line, in however many pieces they arrive.
#![no_main]

use std::io::Write as _;

use allometry_core::TrialNumber;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/runner/src/command/protocol.rs"]
#[allow(dead_code, reason = "the runner reads what the target only compares")]
mod protocol;

use protocol::Reader;

fuzz_target!(|input: (&[u8], usize)| {
    let (bytes, cut) = input;
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("report");
    std::fs::write(&path, bytes).expect("file is written");
    let at_once = Reader::open(&path, TrialNumber(7)).expect("it is there").read(true);

    let (first, second) = bytes.split_at(cut.min(bytes.len()));
    std::fs::write(&path, first).expect("file is written");
    let mut reader = Reader::open(&path, TrialNumber(7)).expect("it is there");
    let mut in_pieces = reader.read(false);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("it is there");
    file.write_all(second).expect("file is written");
    if let Ok(lines) = &mut in_pieces {
        match reader.read(true) {
            Ok(rest) => lines.extend(rest),
            Err(error) => in_pieces = Err(error),
        }
    }
    // NaN equals nothing: what the lines say is compared as it is shown.
    assert_eq!(format!("{at_once:?}"), format!("{in_pieces:?}"));
    if let Err(error) = at_once {
        assert!(error.to_string().starts_with("line "));
    }
});
