//! Damaged copies of valid files.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Byte sequences that readers often mishandle.
const FRAGMENTS: [&[u8]; 24] = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"\n",
    b"\r",
    b",",
    b"\"",
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b":",
    b"=",
    b"|",
    b"#",
    b"-",
    b"NaN",
    b"Infinity",
    b"1e999",
    b"-9223372036854775809",
    b"null",
    b"\xc3\xa9",
    b"0.1.2",
];

#[derive(Debug, Clone)]
enum Change {
    Replace(Index, Index, &'static [u8]),
    Repeat(Index, Index),
    Truncate(Index),
    Flip(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        (place(), place(), select(&FRAGMENTS[..])).prop_map(|(a, b, text)| Change::Replace(a, b, text)),
        (place(), place()).prop_map(|(a, b)| Change::Repeat(a, b)),
        place().prop_map(Change::Truncate),
        (place(), 1..=255_u8).prop_map(|(place, bits)| Change::Flip(place, bits)),
    ]
}

/// Strategy for copies of `good` with one to four changes: a short range replaced by a fragment that
/// readers often mishandle, a range repeated, the end cut off, or one byte changed.
pub fn damaged(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    vec(change(), 1..=4).prop_map(move |changes| {
        let mut bytes = good.clone();
        for change in changes {
            if bytes.is_empty() {
                break;
            }
            let length = bytes.len();
            match change {
                Change::Replace(start, size, text) => {
                    let start = start.index(length);
                    let end = (start + size.index(12)).min(length);
                    bytes.splice(start..end, text.iter().copied());
                }
                Change::Repeat(start, size) => {
                    let start = start.index(length);
                    let end = (start + size.index(60)).min(length);
                    let copy = bytes[start..end].to_vec();
                    bytes.splice(end..end, copy);
                }
                Change::Truncate(place) => bytes.truncate(place.index(length)),
                Change::Flip(place, bits) => bytes[place.index(length)] ^= bits,
            }
        }
        bytes
    })
}
