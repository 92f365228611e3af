//! The answer to a snapshot: a stream of its bytes.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use etcd_errors::Error;
use futures_core::{Stream, stream::BoxStream};
use futures_util::stream::StreamExt as _;

use crate::model::ResponseHeader;

const DIGEST_BYTES: usize = 32;

/// The bytes of a snapshot, as `etcdutl snapshot restore` takes them: the database, then the SHA-256 of it.
///
/// A stream of a client has been checked: its last chunk, the digest, comes only when the whole is as it should be, and then
/// the stream ends. Until then it may still end with an error, so what came before must not be taken for a snapshot.
/// [`save_to`](Self::save_to) and [`write_to`](Self::write_to) see to that.
///
/// Its reader sets the pace. It keeps the connections of its client open; dropping it ends the call.
#[must_use = "a snapshot gives its bytes to `save_to`, to `write_to`, to `next_chunk` or as a stream"]
pub struct SnapshotStream {
    header: Option<ResponseHeader>,
    version: Option<String>,
    total_bytes: Option<u64>,
    chunks: BoxStream<'static, Result<Bytes, Error>>,
    received_bytes: u64,
    /// The last bytes so far: the digest, in the end.
    tail: [u8; DIGEST_BYTES],
    on_progress: Option<OnProgress>,
}

/// Is told of each chunk.
pub(crate) type OnProgress = Box<dyn FnMut(SnapshotProgress) + Send>;

impl SnapshotStream {
    /// The answer of a service that has the bytes as a stream, the digest last.
    pub fn new(chunks: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self {
            header: None,
            version: None,
            total_bytes: None,
            chunks: Box::pin(chunks.fuse()),
            received_bytes: 0,
            tail: [0; DIGEST_BYTES],
            on_progress: None,
        }
    }

    /// Sets what [`header`](Self::header) gives.
    pub fn with_header(mut self, header: Option<ResponseHeader>) -> Self {
        self.header = header;
        self
    }

    /// Sets what [`version`](Self::version) gives.
    pub fn with_version(mut self, version: Option<String>) -> Self {
        self.version = version;
        self
    }

    /// Sets what [`total_bytes`](Self::total_bytes) gives.
    pub fn with_total_bytes(mut self, total_bytes: Option<u64>) -> Self {
        self.total_bytes = total_bytes;
        self
    }

    /// Has `on_progress` told of each chunk as it is handed on, in place of whoever was told before.
    pub fn on_progress(mut self, on_progress: impl FnMut(SnapshotProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Who answered, where the member says so: etcd up to 3.7 does not.
    pub fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    /// The storage version of the snapshot, such as `3.6.0`: restore it with etcd of that line. `None` from etcd before 3.6.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// How long the whole will be, the digest included, by the word of the member: a hint.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// How many bytes have been handed on.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// The next bytes, `None` after the last ones.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`Timeout`](crate::ErrorKind::Timeout) when the member stalls or the deadline of the call passes,
    /// [`Protocol`](crate::ErrorKind::Protocol) when the snapshot is truncated, corrupt, too large or not as announced,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the connection is lost, and what the member answers. Every error is
    /// final: a snapshot is never continued, as no member has the bytes of another one.
    pub async fn next_chunk(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// What is known of a snapshot that was read to its end.
    pub(crate) fn summary(&self) -> SnapshotSummary {
        SnapshotSummary {
            header: self.header,
            version: self.version.clone(),
            bytes: self.received_bytes,
            sha256: SnapshotDigest(self.tail),
        }
    }

    fn hand_on(&mut self, chunk: &[u8]) {
        self.received_bytes = self.received_bytes.saturating_add(chunk.len() as u64);
        let new = &chunk[chunk.len().saturating_sub(DIGEST_BYTES)..];
        self.tail.rotate_left(new.len());
        self.tail[DIGEST_BYTES - new.len()..].copy_from_slice(new);
        if let Some(on_progress) = &mut self.on_progress {
            on_progress(SnapshotProgress { received: self.received_bytes, total: self.total_bytes });
        }
    }
}

impl Stream for SnapshotStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.chunks.as_mut().poll_next(cx));
        if let Some(Ok(chunk)) = &next {
            self.hand_on(chunk);
        }
        Poll::Ready(next)
    }
}

impl fmt::Debug for SnapshotStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotStream")
            .field("version", &self.version)
            .field("received_bytes", &self.received_bytes)
            .field("total_bytes", &self.total_bytes)
            .finish_non_exhaustive()
    }
}

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotProgress {
    /// How many bytes have been handed on.
    pub received: u64,
    /// How many there will be, by the word of the member: a hint.
    pub total: Option<u64>,
}

/// What is known of a snapshot that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotSummary {
    /// Who answered, where the member said so.
    pub header: Option<ResponseHeader>,
    /// The storage version, `None` from etcd before 3.6.
    pub version: Option<String>,
    /// How many bytes were written, the digest included.
    pub bytes: u64,
    /// The digest of the database, which is what was written without its last 32 bytes.
    pub sha256: SnapshotDigest,
}

/// A SHA-256, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapshotDigest([u8; DIGEST_BYTES]);

impl SnapshotDigest {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; DIGEST_BYTES] {
        &self.0
    }
}

impl fmt::Display for SnapshotDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SnapshotDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SnapshotDigest({self})")
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::iter;

    use super::*;

    #[tokio::test]
    async fn the_digest_is_the_end_however_it_is_cut() {
        let bytes = Bytes::from_iter(0..100_u8);
        for first in 0..=bytes.len() {
            let parts = [bytes.slice(..first), bytes.slice(first..)].map(Ok);
            let mut stream = SnapshotStream::new(iter(parts));
            while let Some(chunk) = stream.next_chunk().await {
                chunk.expect("no error");
            }
            assert_eq!(stream.summary().sha256.as_bytes()[..], bytes[68..], "cut at {first}");
            assert_eq!(stream.received_bytes(), 100);
        }
    }

    #[test]
    fn a_digest_is_shown_in_hexadecimal() {
        let digest = SnapshotDigest([0x0f; 32]);
        assert_eq!(digest.to_string(), "0f".repeat(32));
    }
}
