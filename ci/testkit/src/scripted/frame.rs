//! Bytes as they stand on the wire: gRPC messages, HTTP/2 frames, header blocks.

use bytes::{BufMut, Bytes, BytesMut};

use super::script::Step;

/// The frame type HEADERS.
pub const HEADERS: u8 = 1;
/// The frame type RST_STREAM.
pub const RST_STREAM: u8 = 3;
/// The frame type SETTINGS.
pub const SETTINGS: u8 = 4;
/// The frame type GOAWAY.
pub const GOAWAY: u8 = 7;
/// The flag that a header block is complete.
pub const END_HEADERS: u8 = 4;
/// The flag that the stream is complete.
pub const END_STREAM: u8 = 1;

/// One setting, as the payload of a SETTINGS frame holds it.
#[must_use]
pub fn setting(id: u16, value: u32) -> Bytes {
    let mut payload = BytesMut::with_capacity(6);
    payload.put_u16(id);
    payload.put_u32(value);
    payload.freeze()
}

/// A gRPC message: flag 0, length, bytes.
#[must_use]
pub fn message(message: impl Into<Bytes>) -> Bytes {
    let message = message.into();
    claimed(0, u32::try_from(message.len()).unwrap_or(u32::MAX), &message)
}

/// A gRPC message with a flag and a length that need not be true.
#[must_use]
pub fn claimed(flag: u8, length: u32, bytes: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + bytes.len());
    frame.put_u8(flag);
    frame.put_u32(length);
    frame.put_slice(bytes);
    frame.freeze()
}

/// The step that sends a header block of any names and values, those that HTTP forbids included, and ends the stream.
#[must_use]
pub fn headers_step(headers: &[(&[u8], &[u8])]) -> Step {
    Step::Frame {
        kind: HEADERS,
        flags: END_HEADERS | END_STREAM,
        stream: None,
        payload: header_block(headers),
    }
}

/// A header block of literals (RFC 7541 section 6.2.2).
fn header_block(headers: &[(&[u8], &[u8])]) -> Bytes {
    let mut block = BytesMut::new();
    for (name, value) in headers {
        block.put_u8(0);
        put_string(&mut block, name);
        put_string(&mut block, value);
    }
    block.freeze()
}

/// A string that is not Huffman coded, after its length with a prefix of seven bits (RFC 7541 section 5.1).
fn put_string(block: &mut BytesMut, text: &[u8]) {
    const PREFIX: usize = 127;
    if text.len() < PREFIX {
        block.put_u8(text.len() as u8);
    } else {
        block.put_u8(PREFIX as u8);
        let mut rest = text.len() - PREFIX;
        while rest >= 128 {
            block.put_u8((rest % 128) as u8 | 128);
            rest /= 128;
        }
        block.put_u8(rest as u8);
    }
    block.put_slice(text);
}

/// A whole HTTP/2 frame (RFC 9113 section 4.1).
pub(super) fn http2(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Bytes {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut frame = BytesMut::with_capacity(9 + payload.len());
    frame.put_slice(&length.to_be_bytes()[1..]);
    frame.put_u8(kind);
    frame.put_u8(flags);
    frame.put_u32(stream);
    frame.put_slice(payload);
    frame.freeze()
}

/// The payload of a GOAWAY.
pub(super) fn go_away(last: u32, reason: u32) -> Bytes {
    Bytes::from([last.to_be_bytes(), reason.to_be_bytes()].concat())
}
