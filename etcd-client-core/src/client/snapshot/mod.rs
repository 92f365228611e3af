//! Asking for a snapshot: which member, how long, how large.

mod file;
mod write;

use std::{fmt, path::Path, time::Duration};

use etcd_errors::Error;
use tokio::io::AsyncWrite;

use self::file::PartFile;
use crate::{
    model::Value,
    op::Invalid,
    remote::{SnapshotCall, open_snapshot},
    service::{CallOptions, OnProgress, SnapshotProgress, SnapshotStream, SnapshotSummary},
    transport::channel::{Channel, check_runtime},
};

/// A member that reads its disk answers within this, an overloaded one too.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A snapshot of the database of one member, made by [`Client::snapshot`](crate::Client::snapshot).
///
/// It is checked as it comes: against what the member announces, for its length, and for the SHA-256 at its end, which stays
/// part of it. Once a member has answered, the snapshot comes from it or fails.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let saved = client
///     .snapshot()
///     .on_progress(|progress| eprintln!("{} of {:?} bytes", progress.received, progress.total))
///     .save_to("backup.db")
///     .await?;
/// println!("{} bytes, SHA-256 {}", saved.bytes, saved.sha256);
/// # Ok(())
/// # }
/// ```
#[must_use = "a Snapshot does nothing until it is opened, written or saved"]
pub struct Snapshot {
    channel: Channel,
    member: Option<String>,
    idle_timeout: Duration,
    max_bytes: u64,
    options: CallOptions,
    on_progress: Option<OnProgress>,
}

impl Snapshot {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            channel,
            member: None,
            idle_timeout: IDLE_TIMEOUT,
            max_bytes: u64::MAX,
            options: CallOptions::default(),
            on_progress: None,
        }
    }

    /// Asks the member at this endpoint; where it is none of the client's, on a connection of its own. Default: any that is
    /// ready.
    pub fn member(mut self, endpoint: impl Into<String>) -> Self {
        self.member = Some(endpoint.into());
        self
    }

    /// Ends the snapshot when no more of it comes for this long, connecting included; what the reader takes for a chunk does not
    /// count. Default: 30 s.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// Refuses a snapshot of more bytes, the 32 of the digest included; one that is announced to be larger at once.
    /// Default: any size.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Has `on_progress` told of each chunk as it is handed on. Default: nobody is told.
    pub fn on_progress(mut self, on_progress: impl FnMut(SnapshotProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Replaces all options of the call set so far.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Ends the snapshot after `timeout`, the pace of its reader included. Default: it takes as long as it takes, whatever the
    /// client's own timeout.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Has a member that knows of no leader refuse the call. Default: it answers with what it has.
    pub fn require_leader(mut self) -> Self {
        self.options = self.options.require_leader();
        self
    }

    /// Adds a gRPC metadata entry; a name that ends in `-bin` takes any bytes, others printable ASCII.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options = self.options.metadata(name, value);
        self
    }

    /// Asks the member, and waits until it begins to answer: what it refuses it refuses here.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an idle timeout of zero,
    /// [`InvalidConfig`](crate::ErrorKind::InvalidConfig) for an endpoint that cannot be read; else as
    /// [`SnapshotStream::next_chunk`].
    pub async fn open(self) -> Result<SnapshotStream, Error> {
        let member = self.member.as_deref().map(str::parse).transpose().map_err(named)?;
        if self.idle_timeout.is_zero() {
            let invalid = Invalid::new("idle_timeout", "is zero, which fails every snapshot");
            return Err(named(invalid.into()));
        }
        let call = SnapshotCall {
            member,
            idle_timeout: self.idle_timeout,
            max_bytes: self.max_bytes,
            options: self.options,
        };
        let stream = open_snapshot(&self.channel, call).await?;
        Ok(match self.on_progress {
            Some(on_progress) => stream.on_progress(on_progress),
            None => stream,
        })
    }

    /// Asks the member and writes the snapshot: see [`SnapshotStream::write_to`].
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) and of [`SnapshotStream::write_to`].
    pub async fn write_to<W>(self, writer: &mut W) -> Result<SnapshotSummary, Error>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        self.open().await?.write_to(writer).await
    }

    /// Asks the member and saves the snapshot in a file: see [`SnapshotStream::save_to`]. The member is asked once the file can
    /// be written.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) and of [`SnapshotStream::save_to`].
    pub async fn save_to(self, path: impl AsRef<Path>) -> Result<SnapshotSummary, Error> {
        check_runtime().map_err(named)?;
        let part = PartFile::create(path.as_ref()).await?;
        part.fill(self.open().await?).await
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("member", &self.member)
            .field("idle_timeout", &self.idle_timeout)
            .field("max_bytes", &self.max_bytes)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Has an error say what was being done.
fn named(error: Error) -> Error {
    error.with_operation("snapshot")
}
