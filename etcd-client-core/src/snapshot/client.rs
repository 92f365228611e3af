//! The snapshot operation and its options.

use std::{fmt, path::Path, pin::Pin, time::Duration};

use etcd_errors::Error;
use tokio::io::AsyncWrite;

use crate::{
    request::CallOptions,
    snapshot::{
        OnProgress, SnapshotProgress, SnapshotStream, SnapshotSummary,
        file::PartFile,
        remote::{SnapshotCall, open_snapshot},
    },
    transport::{call::channel::Channel, check_runtime},
    types::{Endpoint, Invalid, Value},
};

/// The default idle timeout. Even an overloaded member that reads its disk sends the next chunk within this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A snapshot of the database of one member, returned by [`Client::snapshot`](crate::client::Client::snapshot).
///
/// The snapshot is verified while it is received: its length against the size that the member announced, and its content against the
/// SHA-256 digest at its end, which is part of the snapshot. All of the snapshot comes from one member. If that member fails after its
/// first response, the snapshot fails.
///
/// [`save_to`](Self::save_to) and [`write_to`](Self::write_to) store the snapshot. Awaiting the request itself returns a
/// [`SnapshotStream`] once the member begins to send.
///
/// # Errors
///
/// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an idle timeout of zero,
/// [`InvalidConfig`](crate::ErrorKind::InvalidConfig) for a malformed endpoint. Otherwise those of
/// [`SnapshotStream::next`]. If the member rejects the call, awaiting the request fails and not the stream.
///
/// # Cancel safety
///
/// Cancel safe.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let saved = client
///     .snapshot()
///     .on_progress(|progress| eprintln!("{} of {:?} bytes", progress.received, progress.total))
///     .save_to("backup.db")
///     .await?;
/// println!("{} bytes, SHA-256 {}", saved.bytes, saved.sha256);
///
/// let mut stream = client.snapshot().await?;
/// while let Some(chunk) = stream.next().await {
///     println!("{} bytes", chunk?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a Snapshot does nothing until it is awaited, written or saved"]
pub struct Snapshot {
    channel: Channel,
    member: Option<Result<Endpoint, Error>>,
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

    /// Takes the snapshot from the member at this endpoint. Default: any ready member.
    ///
    /// The endpoint need not be one of the client's; another member is called on a separate connection.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.snapshot().member("http://10.0.0.2:2379").save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn member(mut self, endpoint: impl TryInto<Endpoint, Error: Into<Error>>) -> Self {
        self.member = Some(endpoint.try_into().map_err(Into::into));
        self
    }

    /// Sets how long to wait for the next chunk, connecting included, before the snapshot fails. Default: 30 s.
    ///
    /// The time that the reader takes to process a chunk does not count.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// client.snapshot().idle_timeout(Duration::from_secs(120)).save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// Sets the maximum size of the snapshot, including the 32 bytes of the digest. Default: unlimited.
    ///
    /// If the member announces a larger snapshot, the call fails immediately.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.snapshot().max_bytes(8 << 30).save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets a callback that is called for each chunk that is passed on. Default: none.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client
    ///     .snapshot()
    ///     .on_progress(|progress| eprintln!("{} of {:?} bytes", progress.received, progress.total))
    ///     .save_to("backup.db")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_progress(mut self, on_progress: impl FnMut(SnapshotProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(on_progress));
        self
    }

    /// Replaces all options of the call.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::CallOptions;
    ///
    /// client.snapshot().options(CallOptions::default().require_leader()).save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets a deadline for the whole snapshot, including the time its reader takes. Default: no deadline, not even that of the client.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use std::time::Duration;
    ///
    /// client.snapshot().timeout(Duration::from_secs(3600)).save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Fails if the member has no leader. By default a member without a leader sends the data that it has.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.snapshot().require_leader().save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "WithRequireLeader")]
    pub fn require_leader(mut self) -> Self {
        self.options = self.options.require_leader();
        self
    }

    /// Adds a gRPC metadata entry. A name that ends in `-bin` accepts any bytes, other names printable ASCII.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// client.snapshot().metadata("x-request-id", "backup-42").save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options = self.options.metadata(name, value);
        self
    }

    /// Waits until the member begins to send the snapshot, which shows whether it rejects the call.
    async fn open(self) -> Result<SnapshotStream, Error> {
        let member = self.member.transpose().map_err(named)?;
        if self.idle_timeout.is_zero() {
            let invalid = Invalid::new("idle_timeout", "must be greater than zero");
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

    /// Opens the snapshot and writes it to a writer. See [`SnapshotStream::write_to`].
    ///
    /// # Errors
    ///
    /// Returns the errors of awaiting the request and of [`SnapshotStream::write_to`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves an incomplete snapshot without the digest in the writer.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut buffer = Vec::new();
    /// let written = client.snapshot().write_to(&mut buffer).await?;
    /// println!("SHA-256 {}", written.sha256);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write_to<W>(self, writer: &mut W) -> Result<SnapshotSummary, Error>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        self.open().await?.write_to(writer).await
    }

    /// Opens the snapshot and saves it to a file, completely or not at all. See [`SnapshotStream::save_to`].
    ///
    /// The member is called once the file can be written.
    ///
    /// # Errors
    ///
    /// Returns the errors of awaiting the request and of [`SnapshotStream::save_to`].
    ///
    /// # Cancel safety
    ///
    /// The same as for [`SnapshotStream::save_to`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let saved = client.snapshot().save_to("backup.db").await?;
    /// println!("{} bytes, SHA-256 {}", saved.bytes, saved.sha256);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save_to(self, path: impl AsRef<Path>) -> Result<SnapshotSummary, Error> {
        check_runtime().map_err(named)?;
        let part = PartFile::create(path.as_ref()).await?;
        part.fill(self.open().await?).await
    }
}

impl IntoFuture for Snapshot {
    type Output = Result<SnapshotStream, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
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

/// Adds the name of the operation to an error.
pub(crate) fn named(error: Error) -> Error {
    error.with_operation("snapshot")
}
