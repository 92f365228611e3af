//! gRPC message frames: a flag byte, a four-byte length, the message.

use std::mem;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;
use zeroize::Zeroizing;

const HEADER: usize = 5;

/// The maximum allocation that is based on the peer's length field alone. Beyond it, memory grows with the received
/// bytes. Any value that a member with etcd's default request limit of 1.5 MiB can hold is below this size, and so is
/// copied only once.
const TRUSTED_LENGTH: usize = 2 << 20;

/// Encodes a request into a frame of its exact size.
pub(crate) fn encode(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(HEADER + length);
    write(message, length, &mut frame);
    frame.freeze()
}

/// Appends the frame of a request to a buffer.
pub(crate) fn append(message: &impl Message, frames: &mut BytesMut) {
    let length = message.encoded_len();
    frames.reserve(HEADER + length);
    write(message, length, frames);
}

/// Encodes a request like [`encode`], into memory that is wiped when its last copy is dropped.
pub(crate) fn encode_wiped(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    // Allocated with the exact size: a growing buffer leaves unwiped copies behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(HEADER + length));
    write(message, length, &mut *frame);
    Bytes::from_owner(frame)
}

fn write(message: &impl Message, length: usize, frame: &mut impl BufMut) {
    frame.put_u8(0);
    // Validation limits requests to `Limits::max_send_bytes`, far below 4 GiB.
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    message.encode(frame).expect("the buffer grows");
}

/// The reason why a frame cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The message is compressed, although no compression was offered.
    Compressed,
    /// The message is larger than the configured limit.
    TooLarge { length: usize, limit: usize },
}

/// Splits a stream of DATA payloads into messages.
///
/// A message that lies within one payload is a slice of it, without a copy.
#[derive(Debug)]
pub(crate) struct Decoder {
    limit: usize,
    /// The received bytes that belong to no complete message yet.
    pending: Pending,
}

#[derive(Debug)]
enum Pending {
    /// A slice of a single payload.
    Slice(Bytes),
    /// Several payloads, concatenated.
    Joined(Vec<u8>),
}

impl Decoder {
    /// Creates a decoder that rejects messages longer than `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, pending: Pending::Slice(Bytes::new()) }
    }

    /// Adds the payload of one DATA frame.
    pub(crate) fn push(&mut self, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        match &mut self.pending {
            Pending::Slice(slice) if slice.is_empty() => *slice = payload,
            Pending::Slice(slice) => {
                let mut joined = Vec::new();
                join(&mut joined, slice);
                join(&mut joined, &payload);
                self.pending = Pending::Joined(joined);
            }
            Pending::Joined(joined) => join(joined, &payload),
        }
    }

    /// Returns the next complete message, or `None` if more bytes are needed.
    pub(crate) fn pop(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some((compressed, length)) = header(self.bytes()) else { return Ok(None) };
        if compressed {
            return Err(FrameError::Compressed);
        }
        if length > self.limit {
            return Err(FrameError::TooLarge { length, limit: self.limit });
        }
        if self.bytes().len() < HEADER + length {
            return Ok(None);
        }
        Ok(Some(self.take(length)))
    }

    /// Returns true if there are no bytes of an incomplete message.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    fn bytes(&self) -> &[u8] {
        match &self.pending {
            Pending::Slice(slice) => slice,
            Pending::Joined(joined) => joined,
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        let mut bytes = match mem::replace(&mut self.pending, Pending::Slice(Bytes::new())) {
            Pending::Slice(slice) => slice,
            Pending::Joined(joined) => joined.into(),
        };
        bytes.advance(HEADER);
        let message = bytes.split_to(length);
        self.pending = Pending::Slice(bytes);
        message
    }
}

/// Appends `part`. If the capacity is exceeded, it grows to the size of the whole message if the length field is
/// trusted, and doubles otherwise.
fn join(joined: &mut Vec<u8>, part: &[u8]) {
    let length = joined.len() + part.len();
    if length > joined.capacity() {
        let start = if joined.is_empty() { part } else { joined.as_slice() };
        let message_length = header(start).map_or(0, |(_, length)| length.saturating_add(HEADER));
        let trusted = message_length.min(TRUSTED_LENGTH.max(2 * joined.len()));
        joined.reserve_exact(trusted.max(length) - joined.len());
    }
    joined.extend_from_slice(part);
}

fn header(bytes: &[u8]) -> Option<(bool, usize)> {
    let (&flag, rest) = bytes.split_first()?;
    let length: [u8; 4] = rest.get(..4)?.try_into().ok()?;
    Some((flag != 0, u32::from_be_bytes(length) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(message: &[u8]) -> Vec<u8> {
        let mut frame = vec![0];
        frame.extend_from_slice(&u32::try_from(message.len()).expect("short").to_be_bytes());
        frame.extend_from_slice(message);
        frame
    }

    #[test]
    fn a_message_in_one_payload_is_not_copied() {
        let payload = Bytes::from([frame(b"first"), frame(b""), frame(b"third")].concat());
        let range = payload.as_ptr_range();
        let mut decoder = Decoder::new(100);
        decoder.push(payload);
        let messages: Vec<Bytes> = std::iter::from_fn(|| decoder.pop().expect("well formed")).collect();
        assert_eq!(messages, ["first", "", "third"]);
        assert!(range.contains(&messages[0].as_ptr()) && range.contains(&messages[2].as_ptr()));
        assert!(decoder.is_empty());
    }

    #[test]
    fn every_split_of_the_bytes_gives_the_same_messages() {
        let bytes = [frame(b"alpha"), frame(b""), frame(b"omega!")].concat();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut decoder = Decoder::new(100);
                let mut messages = Vec::new();
                for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                    decoder.push(Bytes::copy_from_slice(part));
                    while let Some(message) = decoder.pop().expect("well formed") {
                        messages.push(message);
                    }
                }
                assert_eq!(messages, ["alpha", "", "omega!"], "split at {first} and {second}");
                assert!(decoder.is_empty());
            }
        }
    }

    #[test]
    fn a_claimed_length_allocates_nothing_by_itself() {
        let mut decoder = Decoder::new(i32::MAX as usize);
        decoder.push(Bytes::from_static(&[0, 0x7f, 0xff]));
        decoder.push(Bytes::from_static(&[0xff, 0xff, 1, 2, 3]));
        decoder.push(Bytes::from_static(&[4, 5, 6]));
        assert_eq!(decoder.pop(), Ok(None));
        let Pending::Joined(joined) = &decoder.pending else { panic!("three payloads are joined") };
        assert_eq!(joined.capacity(), TRUSTED_LENGTH);
        assert!(!decoder.is_empty());
    }

    #[test]
    fn a_message_of_a_known_length_is_allocated_once() {
        let mut decoder = Decoder::new(i32::MAX as usize);
        let frame = Bytes::from(frame(&vec![7; 100_000]));
        for part in frame.chunks(16 << 10) {
            assert_eq!(decoder.pop(), Ok(None));
            decoder.push(frame.slice_ref(part));
            if let Pending::Joined(joined) = &decoder.pending {
                assert_eq!(joined.capacity(), frame.len());
            }
        }
        assert_eq!(decoder.pop(), Ok(Some(frame.slice(HEADER..))));
    }

    #[test]
    fn hostile_headers_are_typed() {
        let mut decoder = Decoder::new(10);
        decoder.push(Bytes::from_static(&[0, 0, 0, 0, 11]));
        assert_eq!(decoder.pop(), Err(FrameError::TooLarge { length: 11, limit: 10 }));
        let mut decoder = Decoder::new(10);
        decoder.push(Bytes::from_static(&[1, 0, 0, 0, 0]));
        assert_eq!(decoder.pop(), Err(FrameError::Compressed));
    }

    #[test]
    fn encode_writes_one_exact_frame() {
        let message = "text".to_owned();
        let encoded = encode(&message);
        assert_eq!(encoded, encode_wiped(&message));
        assert_eq!(encoded[..5], [0, 0, 0, 0, 6]);
        assert_eq!(String::decode(encoded.slice(5..)), Ok(message));
    }
}
