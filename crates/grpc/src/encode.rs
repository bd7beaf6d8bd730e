//! Encoding of trials from a store directly into the bytes of a reply.

use allometry_core::TrialState;
use allometry_store::optuna::{AttributeKind, TrialHead, TrialSink};
use bytes::{BufMut as _, Bytes};
use jiff::tz::TimeZone;
use prost::encoding::{self, WireType, encode_key, encode_varint};

use crate::time;

/// Bytes after which a piece of a reply is complete.
const PIECE: usize = 64 * 1024;

/// Encoder of a reply with trials in field 1, which is a single `Trial` or a repeated one.
pub(crate) struct TrialEncoder {
    zone: TimeZone,
    /// Bytes of the trial being encoded.
    trial: Vec<u8>,
    piece: Vec<u8>,
    pieces: Vec<Bytes>,
}

impl TrialEncoder {
    pub(crate) fn new() -> Self {
        Self { zone: TimeZone::system(), trial: Vec::new(), piece: Vec::new(), pieces: Vec::new() }
    }

    /// Returns the message in pieces.
    pub(crate) fn finish(mut self) -> Vec<Bytes> {
        self.take()
    }

    /// Returns the pieces encoded since the last call.
    pub(crate) fn take(&mut self) -> Vec<Bytes> {
        self.close_piece();
        std::mem::take(&mut self.pieces)
    }

    fn close_piece(&mut self) {
        if !self.piece.is_empty() {
            self.pieces.push(Bytes::copy_from_slice(&self.piece));
            self.piece.clear();
        }
    }

    fn time(&mut self, tag: u32, time: Option<jiff::Timestamp>) {
        if let Some(time) = time {
            encoding::string::encode(tag, &time::text(time, &self.zone), &mut self.trial);
        }
    }

    /// Starts an entry of a map: its key, and a value of `length` bytes including the value's tag.
    fn entry(&mut self, tag: u32, key: &str, length: usize) {
        encode_key(tag, WireType::LengthDelimited, &mut self.trial);
        encode_varint((text_length(key) + length) as u64, &mut self.trial);
        text(1, key, &mut self.trial);
    }
}

/// Encoded length in bytes of a text with its length and its tag, which is below 16.
fn text_length(text: &str) -> usize {
    1 + encoding::encoded_len_varint(text.len() as u64) + text.len()
}

fn text(tag: u32, text: &str, out: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, out);
    encode_varint(text.len() as u64, out);
    out.put_slice(text.as_bytes());
}

/// Encoded length in bytes of a double with its tag, which is below 16.
const DOUBLE_LENGTH: usize = 9;

impl TrialSink for TrialEncoder {
    fn restart(&mut self) {
        self.piece.clear();
        self.pieces.clear();
    }

    fn begin(&mut self, head: &TrialHead) {
        self.trial.clear();
        encoding::int64::encode(1, &head.id.0, &mut self.trial);
        encoding::int64::encode(2, &head.number, &mut self.trial);
        encoding::int32::encode(3, &state_number(head.state), &mut self.trial);
        self.time(5, head.started);
        self.time(6, head.completed);
    }

    fn value(&mut self, value: f64) {
        encoding::double::encode(4, &value, &mut self.trial);
    }

    fn param(&mut self, name: &str, internal: f64, distribution: &str) {
        self.entry(7, name, DOUBLE_LENGTH);
        encoding::double::encode(2, &internal, &mut self.trial);
        self.entry(8, name, text_length(distribution));
        text(2, distribution, &mut self.trial);
    }

    fn attribute(&mut self, kind: AttributeKind, key: &str, json: &str) {
        let tag = match kind {
            AttributeKind::User => 9,
            AttributeKind::System => 10,
        };
        self.entry(tag, key, text_length(json));
        text(2, json, &mut self.trial);
    }

    fn intermediate(&mut self, step: i64, value: f64) {
        encode_key(11, WireType::LengthDelimited, &mut self.trial);
        encode_varint((encoding::int64::encoded_len(1, &step) + DOUBLE_LENGTH) as u64, &mut self.trial);
        encoding::int64::encode(1, &step, &mut self.trial);
        encoding::double::encode(2, &value, &mut self.trial);
    }

    fn end(&mut self) {
        encode_key(1, WireType::LengthDelimited, &mut self.piece);
        encode_varint(self.trial.len() as u64, &mut self.piece);
        self.piece.extend_from_slice(&self.trial);
        if self.piece.len() >= PIECE {
            self.close_piece();
        }
    }
}

/// Returns the protocol's number of a state.
pub(crate) fn state_number(state: TrialState) -> i32 {
    match state {
        TrialState::Running => 0,
        TrialState::Complete => 1,
        TrialState::Pruned => 2,
        TrialState::Failed => 3,
        TrialState::Waiting => 4,
    }
}

/// Returns the state with that number.
pub(crate) fn state(number: i32) -> Option<TrialState> {
    Some(match number {
        0 => TrialState::Running,
        1 => TrialState::Complete,
        2 => TrialState::Pruned,
        3 => TrialState::Failed,
        4 => TrialState::Waiting,
        _ => return None,
    })
}
