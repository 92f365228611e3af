//! Verification of a snapshot: the announced size, the length, and the SHA-256 digest at its end.

use std::{collections::VecDeque, fmt};

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

/// The size of the SHA-256 digest of the content, which is the end of a snapshot (`sendSnapshot` in etcd's
/// `server/etcdserver/api/v3rpc/maintenance.go`).
pub(crate) const DIGEST_BYTES: usize = 32;

/// The size of a database is a multiple of this (`hasChecksum` in etcd's `client/v3/snapshot/v3_snapshot.go`).
const SECTOR: u64 = 512;

/// Verifies the parts of a snapshot while they pass through. The last bytes are released only after all checks have
/// succeeded.
///
/// Parts are not copied, except at the end: each is held until as many bytes as a digest have followed it.
#[derive(Debug)]
pub(crate) struct SnapshotCheck {
    max_bytes: u64,
    hasher: Sha256,
    length: u64,
    /// The announced length according to the first part. It may or may not include the digest.
    announced: Option<u64>,
    /// The number of bytes that follow, according to the last part.
    remaining: u64,
    /// Parts that may contain the start of the digest.
    held: VecDeque<Bytes>,
    held_bytes: usize,
    released: VecDeque<Bytes>,
}

/// The defect of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotFault {
    /// It is larger than the caller's limit, or is announced to be.
    TooLarge { max: u64 },
    /// The announced size changes during the transfer.
    Unsteady { length: u64, remaining: u64 },
    /// More bytes arrive than were announced.
    Longer { announced: u64 },
    /// Fewer bytes arrived than were announced.
    Truncated { missing: u64 },
    /// There is no content before the digest, or not even a digest.
    Empty { length: u64 },
    /// The length is not that of a database followed by a digest.
    NoDigest { length: u64 },
    /// The digest does not match the content.
    Corrupt,
}

impl SnapshotCheck {
    /// Creates a check for a snapshot of at most `max_bytes`, including the digest.
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            hasher: Sha256::new(),
            length: 0,
            announced: None,
            remaining: 0,
            held: VecDeque::new(),
            held_bytes: 0,
            released: VecDeque::new(),
        }
    }

    /// Adds a part of any length, after which `remaining` bytes are announced.
    pub(crate) fn push(&mut self, part: Bytes, remaining: u64) -> Result<(), SnapshotFault> {
        self.length = self.length.saturating_add(part.len() as u64);
        self.remaining = remaining;
        self.check_announced()?;
        if part.is_empty() {
            return Ok(());
        }
        self.held_bytes += part.len();
        self.held.push_back(part);
        while let Some(part) = self.releasable() {
            self.held_bytes -= part.len();
            self.hasher.update(&part);
            self.released.push_back(part);
        }
        Ok(())
    }

    /// Returns the next part that may be used. Call it until it returns `None` before the next `push`.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        self.released.pop_front()
    }

    /// Checks the whole snapshot after its last part, and releases the held bytes. The last released part is the
    /// digest.
    pub(crate) fn finish(&mut self) -> Result<(), SnapshotFault> {
        let length = self.length;
        if length <= DIGEST_BYTES as u64 {
            return Err(SnapshotFault::Empty { length });
        }
        if self.remaining > 0 {
            return Err(SnapshotFault::Truncated { missing: self.remaining });
        }
        if length % SECTOR != DIGEST_BYTES as u64 {
            return Err(SnapshotFault::NoDigest { length });
        }
        // Joined, because the digest may span several parts.
        let mut rest = BytesMut::with_capacity(self.held_bytes);
        self.held.drain(..).for_each(|part| rest.extend_from_slice(&part));
        let digest = rest.split_off(rest.len() - DIGEST_BYTES);
        self.hasher.update(&rest);
        if self.hasher.finalize_reset()[..] != digest[..] {
            return Err(SnapshotFault::Corrupt);
        }
        let rest = [rest, digest].map(BytesMut::freeze);
        self.released.extend(rest.into_iter().filter(|part| !part.is_empty()));
        Ok(())
    }

    /// Returns the number of bytes received.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the total length according to the first part. etcd's announcement does not include the digest.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.announced.map(|announced| announced.saturating_add(DIGEST_BYTES as u64))
    }

    /// Returns the oldest held part once at least a digest's length has followed it.
    fn releasable(&mut self) -> Option<Bytes> {
        let first = self.held.front()?.len();
        if self.held_bytes - first >= DIGEST_BYTES { self.held.pop_front() } else { None }
    }

    /// Checks that the received and the announced bytes add up to the same sum throughout. Only the digest may exceed
    /// it.
    fn check_announced(&mut self) -> Result<(), SnapshotFault> {
        let (length, remaining) = (self.length, self.remaining);
        let unsteady = SnapshotFault::Unsteady { length, remaining };
        let sum = length.checked_add(remaining).ok_or(unsteady)?;
        let announced = *self.announced.get_or_insert(sum);
        if announced.max(length) > self.max_bytes {
            return Err(SnapshotFault::TooLarge { max: self.max_bytes });
        }
        if length.saturating_sub(announced) > DIGEST_BYTES as u64 {
            return Err(SnapshotFault::Longer { announced });
        }
        let digest = remaining == 0 && length > announced;
        if sum == announced || digest { Ok(()) } else { Err(unsteady) }
    }
}

impl fmt::Display for SnapshotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { max } => write!(f, "the snapshot is larger than max_bytes ({max})"),
            Self::Unsteady { length, remaining } => {
                write!(
                    f,
                    "the announced size of the snapshot changed: {remaining} bytes are to follow after {length}"
                )
            }
            Self::Longer { announced } => {
                write!(f, "the snapshot is longer than the {announced} bytes that were announced")
            }
            Self::Truncated { missing } => {
                write!(f, "the snapshot is truncated: {missing} of the announced bytes are missing")
            }
            Self::Empty { length } => write!(f, "the snapshot is empty: only {length} bytes were received"),
            Self::NoDigest { length } => {
                write!(
                    f,
                    "the snapshot is truncated: {length} bytes cannot be a database followed by a digest"
                )
            }
            Self::Corrupt => {
                f.write_str("the snapshot is corrupt: the digest at its end does not match its content")
            }
        }
    }
}

#[cfg(test)]
mod tests;
