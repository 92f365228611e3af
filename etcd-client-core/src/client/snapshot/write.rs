//! A snapshot into a writer or a file.

use std::{io, path::Path};

use etcd_errors::{Error, ErrorKind};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::{file::PartFile, named};
use crate::{
    op::Invalid,
    service::{SnapshotStream, SnapshotSummary},
    transport::channel::check_runtime,
};

impl SnapshotStream {
    /// Writes the snapshot and flushes the writer, at its pace.
    ///
    /// The digest, its last 32 bytes, is written once the whole has been found right. After an error, or when the future is
    /// dropped, the writer holds bytes that must not be taken for a snapshot: they lack the digest.
    ///
    /// # Errors
    ///
    /// [`Io`](ErrorKind::Io) when the writer fails, its error being the source;
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) when part of the snapshot was read before; else as
    /// [`next_chunk`](Self::next_chunk).
    pub async fn write_to<W>(self, writer: &mut W) -> Result<SnapshotSummary, Error>
    where
        W: AsyncWrite + Unpin + Send + ?Sized,
    {
        check_runtime().map_err(named)?;
        let not_written =
            |error| named(Error::new(ErrorKind::Io, "the snapshot cannot be written").with_source(error));
        copy(self, writer, not_written).await
    }

    /// Saves the snapshot in a file, all of it or none.
    ///
    /// The snapshot is written to a file next to `path`, whose name is that of `path` with 16 random hexadecimal digits and `.part`
    /// added, and which only its owner may read. Once checked and synced to the disk that file replaces `path` atomically, whatever
    /// file was there before, and the directory is synced. After an error the `.part` file is removed.
    ///
    /// A process that is killed leaves its `.part` file. It is in nobody's way: the next save to the same `path` removes it once
    /// nothing was written to it for an hour.
    ///
    /// # Cancel safety
    /// Dropping the future removes the `.part` file, unless the whole snapshot has been received: then it may still replace `path`.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) when `path` is a directory, or anything else but a file;
    /// [`Io`](ErrorKind::Io) when a file cannot be made, written, synced or renamed, with the file's name, and the cause as the
    /// source; else as [`write_to`](Self::write_to).
    pub async fn save_to(self, path: impl AsRef<Path>) -> Result<SnapshotSummary, Error> {
        check_runtime().map_err(named)?;
        PartFile::create(path.as_ref()).await?.fill(self).await
    }
}

/// Writes all of the stream and flushes the writer, whose errors `not_written` puts into words.
pub(super) async fn copy<W>(
    mut stream: SnapshotStream,
    writer: &mut W,
    not_written: impl Fn(io::Error) -> Error + Send,
) -> Result<SnapshotSummary, Error>
where
    W: AsyncWrite + Unpin + Send + ?Sized,
{
    if stream.received_bytes() > 0 {
        let invalid = Invalid::new("stream", "has been read from: it does not hold all of the snapshot");
        return Err(named(invalid.into()));
    }
    while let Some(chunk) = stream.next_chunk().await {
        writer.write_all(&chunk?).await.map_err(&not_written)?;
    }
    writer.flush().await.map_err(&not_written)?;
    Ok(stream.summary())
}
