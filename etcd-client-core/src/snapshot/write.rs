//! Writes a snapshot to a writer or a file.

use std::{io, path::Path};

use etcd_errors::{Error, ErrorKind};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::{
    snapshot::{SnapshotStream, SnapshotSummary, client::named, file::PartFile},
    transport::check_runtime,
    types::Invalid,
};

impl SnapshotStream {
    /// Writes the snapshot to a writer and flushes it. Data is received only as fast as the writer accepts it.
    ///
    /// The digest, the last 32 bytes, is written once the whole snapshot has been verified. After an error the writer holds an incomplete
    /// snapshot, which lacks the digest and must not be used.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) if the writer fails, with its error as the source.
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if part of the snapshot was read before. Otherwise the errors of
    /// [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves an incomplete snapshot without the digest in the writer.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let stream = client.snapshot().await?;
    /// let mut buffer = Vec::new();
    /// stream.write_to(&mut buffer).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write_to<W>(self, writer: &mut W) -> Result<SnapshotSummary, Error>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        check_runtime().map_err(named)?;
        let not_written =
            |error| named(Error::new(ErrorKind::Io, "cannot write the snapshot").with_source(error));
        copy(self, writer, not_written).await
    }

    /// Saves the snapshot to a file, completely or not at all.
    ///
    /// The snapshot is first written to a temporary file next to `path`. Its name is that of `path` with `.`, 16 random hexadecimal
    /// digits and `.part` appended, and only its owner may read it. Once the snapshot is verified and synced to disk, the file is renamed
    /// to `path`, which atomically replaces an existing file, and the directory is synced. After an error the `.part` file is removed.
    ///
    /// A process that is killed leaves its `.part` file behind, which does no harm: the next save to the same `path` removes it if it
    /// has not been written to for an hour.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if `path` exists and is not a regular file. [`Io`](ErrorKind::Io) if a file cannot be
    /// created, written, synced or renamed; the error names the file, and the cause is its source. Otherwise the errors of
    /// [`write_to`](Self::write_to).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future removes the `.part` file, unless the whole snapshot has been received: then it may still replace `path`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let stream = client.snapshot().await?;
    /// println!("storage version {:?}", stream.version());
    /// stream.save_to("backup.db").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save_to(self, path: impl AsRef<Path>) -> Result<SnapshotSummary, Error> {
        check_runtime().map_err(named)?;
        PartFile::create(path.as_ref()).await?.fill(self).await
    }
}

/// Writes the whole stream and flushes the writer. `not_written` converts the errors of the writer.
pub(crate) async fn copy<W>(
    mut stream: SnapshotStream,
    writer: &mut W,
    not_written: impl Fn(io::Error) -> Error + Send,
) -> Result<SnapshotSummary, Error>
where
    W: AsyncWrite + Unpin + Send + ?Sized,
{
    if stream.received_bytes() > 0 {
        // The bytes read before would be missing from the file, which would still have a valid digest at its end.
        let invalid = Invalid::new("stream", "has been read from, so it does not contain the whole snapshot");
        return Err(named(invalid.into()));
    }
    while let Some(chunk) = stream.next().await {
        writer.write_all(&chunk?).await.map_err(&not_written)?;
    }
    writer.flush().await.map_err(&not_written)?;
    Ok(stream.summary())
}
