//! Whether a snapshot is whole: what the member announced, the length, and the SHA-256 at the end.

use std::{collections::VecDeque, fmt};

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

/// A snapshot ends with the SHA-256 of all before it (`sendSnapshot` in etcd's `server/etcdserver/api/v3rpc/maintenance.go`).
pub(crate) const DIGEST_BYTES: usize = 32;

/// A database is a whole number of these (`hasChecksum` in etcd's `client/v3/snapshot/v3_snapshot.go`).
const SECTOR: u64 = 512;

/// Takes the parts of a snapshot as they come and gives them out again, the end only once all has been checked.
///
/// No byte is copied but at the end: a part is held back until a digest's length has come after it.
#[derive(Debug)]
pub(crate) struct SnapshotCheck {
    max_bytes: u64,
    hasher: Sha256,
    length: u64,
    /// The length without or with the digest, by the first part.
    announced: Option<u64>,
    /// What the last part said is to come.
    remaining: u64,
    /// Parts that the digest may begin in.
    held: VecDeque<Bytes>,
    held_bytes: usize,
    released: VecDeque<Bytes>,
}

/// What is wrong with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotFault {
    /// It is, or is announced to be, larger than the caller allows.
    TooLarge { max: u64 },
    /// What is announced changes under way.
    Unsteady { length: u64, remaining: u64 },
    /// More comes than was announced.
    Longer { announced: u64 },
    /// Less came than was announced.
    Truncated { missing: u64 },
    /// There is nothing before the digest, or not even that.
    Empty { length: u64 },
    /// The length is not that of a database and a digest.
    NoDigest { length: u64 },
    /// The digest is not that of the content.
    Corrupt,
}

impl SnapshotCheck {
    /// A check of a snapshot of at most `max_bytes`, the digest included.
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

    /// Takes a part, of any length, after which `remaining` bytes are announced.
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

    /// The next part that may be used; to be taken until there is none before the next push.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        self.released.pop_front()
    }

    /// Checks the whole after its last part, and releases what was held back. The last part released is the digest.
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

    /// How many bytes have come.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The length of the whole by the first part's word: etcd does not count the digest.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.announced.map(|announced| announced.saturating_add(DIGEST_BYTES as u64))
    }

    /// The oldest part, once a digest fits into what came after it.
    fn releasable(&mut self) -> Option<Bytes> {
        let first = self.held.front()?.len();
        if self.held_bytes - first >= DIGEST_BYTES { self.held.pop_front() } else { None }
    }

    /// What has come and what is to come make the same sum throughout; only the digest may come on top.
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
            Self::TooLarge { max } => write!(f, "the snapshot is larger than max_bytes, which is {max}"),
            Self::Unsteady { length, remaining } => {
                write!(
                    f,
                    "{remaining} bytes are announced after {length} of the snapshot, which was not so before"
                )
            }
            Self::Longer { announced } => {
                write!(f, "more of the snapshot comes than the {announced} bytes that were announced")
            }
            Self::Truncated { missing } => {
                write!(f, "the snapshot is truncated: {missing} bytes that were announced are missing")
            }
            Self::Empty { length } => write!(f, "the snapshot is empty: {length} bytes came"),
            Self::NoDigest { length } => {
                write!(f, "the snapshot is truncated: {length} bytes are no database with a digest after it")
            }
            Self::Corrupt => {
                f.write_str("the snapshot is corrupt: the digest at its end is not that of its content")
            }
        }
    }
}

#[cfg(test)]
mod tests;
