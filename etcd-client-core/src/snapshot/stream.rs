//! The response to a snapshot request: a stream of its bytes.

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

use crate::types::ResponseHeader;

const DIGEST_BYTES: usize = 32;

/// The bytes of a snapshot in the format of `etcdutl snapshot restore`: the database, followed by its SHA-256 digest.
///
/// A stream of a client is verified. It yields its last chunk, the digest, only if the whole snapshot is valid, and
/// then ends. Until then it can still end with an error, so do not use the bytes received so far as a snapshot.
/// [`save_to`](Self::save_to) and [`write_to`](Self::write_to) handle this.
///
/// The member sends only as fast as the stream is read. The stream keeps the connections of its client open. Dropping
/// it cancels the call.
#[doc(alias = "SnapshotResponse")]
#[must_use = "read the snapshot with `save_to`, `write_to`, `next` or as a stream"]
pub struct SnapshotStream {
    header: Option<ResponseHeader>,
    version: Option<String>,
    total_bytes: Option<u64>,
    chunks: BoxStream<'static, Result<Bytes, Error>>,
    received_bytes: u64,
    /// The last bytes received so far, which finally are the digest.
    tail: [u8; DIGEST_BYTES],
    on_progress: Option<OnProgress>,
}

/// A callback for every chunk.
pub(crate) type OnProgress = Box<dyn FnMut(SnapshotProgress) + Send>;

impl SnapshotStream {
    /// Creates the stream from a service that yields the bytes, with the digest at the end.
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

    /// Sets the value that [`header`](Self::header) returns.
    pub fn with_header(mut self, header: Option<ResponseHeader>) -> Self {
        self.header = header;
        self
    }

    /// Sets the value that [`version`](Self::version) returns.
    pub fn with_version(mut self, version: Option<String>) -> Self {
        self.version = version;
        self
    }

    /// Sets the value that [`total_bytes`](Self::total_bytes) returns.
    pub fn with_total_bytes(mut self, total_bytes: Option<u64>) -> Self {
        self.total_bytes = total_bytes;
        self
    }

    /// Calls `on_progress` after every chunk. Replaces an earlier callback.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let snapshot = client.snapshot().await?;
    /// let snapshot = snapshot.on_progress(|progress| println!("{} of {:?} bytes", progress.received, progress.total));
    /// snapshot.save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_progress(mut self, on_progress: impl FnMut(SnapshotProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Returns the header, if the member sends one. etcd up to 3.7 does not.
    pub fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    /// Returns the storage version of the snapshot, such as `3.6.0`, or `None` from etcd before 3.6.
    ///
    /// Restore the snapshot with the same minor version of etcd.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns the announced size of the snapshot, including the digest. The member's estimate is only a hint.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// Returns the number of bytes that the stream has yielded.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// Returns the next bytes, or `None` after the last ones.
    ///
    /// # Errors
    /// - [`Timeout`](crate::ErrorKind::Timeout): the member stalls, or the deadline of the call passes.
    /// - [`Protocol`](crate::ErrorKind::Protocol): the snapshot is truncated, corrupt, too large or not as announced.
    /// - [`Unavailable`](crate::ErrorKind::Unavailable): the connection is lost.
    /// - Any error that the member returns.
    ///
    /// Every error is final. A snapshot cannot be resumed, because no other member has the same bytes.
    ///
    /// # Cancel safety
    /// This method is cancel safe: no chunk is lost if the future is dropped.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut snapshot = client.snapshot().await?;
    /// while let Some(chunk) = snapshot.next().await {
    ///     println!("{} bytes", chunk?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Returns the summary of a snapshot that was read to its end.
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
        // Keeps the last 32 bytes over chunks of any size: the digest can be split between two of them.
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

/// The progress of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotProgress {
    /// The number of bytes yielded so far.
    pub received: u64,
    /// The announced number of bytes, which is only a hint.
    pub total: Option<u64>,
}

/// The summary of a snapshot that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotSummary {
    /// The header, if the member sent one.
    pub header: Option<ResponseHeader>,
    /// The storage version; `None` from etcd before 3.6.
    pub version: Option<String>,
    /// The number of bytes written, including the digest.
    pub bytes: u64,
    /// The digest of the database, which is everything that was written except the last 32 bytes.
    pub sha256: SnapshotDigest,
}

/// A SHA-256 digest, displayed in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SnapshotDigest([u8; DIGEST_BYTES]);

impl SnapshotDigest {
    /// Returns the bytes of the digest.
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
    async fn digest_does_not_depend_on_chunks() {
        let bytes = Bytes::from_iter(0..100_u8);
        for first in 0..=bytes.len() {
            let parts = [bytes.slice(..first), bytes.slice(first..)].map(Ok);
            let mut stream = SnapshotStream::new(iter(parts));
            while let Some(chunk) = stream.next().await {
                chunk.expect("no error");
            }
            assert_eq!(stream.summary().sha256.as_bytes()[..], bytes[68..], "cut at {first}");
            assert_eq!(stream.received_bytes(), 100);
        }
    }

    #[test]
    fn digest_displays_hexadecimal() {
        let digest = SnapshotDigest([0x0f; 32]);
        assert_eq!(digest.to_string(), "0f".repeat(32));
    }
}
