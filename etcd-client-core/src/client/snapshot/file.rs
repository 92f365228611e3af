//! A file that is there only once it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf, absolute},
};

use etcd_errors::{Error, ErrorKind};
use tokio::{io::BufWriter, task::spawn_blocking};

use super::{named, write::copy};
use crate::{
    op::Invalid,
    service::{SnapshotStream, SnapshotSummary},
};

/// Each write of a file crosses to another thread: eight of etcd's chunks at a time.
const BUFFER: usize = 256 << 10;

/// A file under way to its place. Dropping it removes it.
#[derive(Debug)]
pub(super) struct PartFile {
    file: File,
    name: Name,
}

/// The name of a file under way, which goes when this goes.
#[derive(Debug)]
struct Name {
    part: PathBuf,
    target: PathBuf,
    taken: bool,
}

impl PartFile {
    /// Makes the file. Where this is dropped, what is made meanwhile is removed.
    pub(super) async fn create(target: &Path) -> Result<Self, Error> {
        let target = target.to_owned();
        blocking(move || Self::create_now(&target)).await
    }

    fn create_now(target: &Path) -> Result<Self, Error> {
        let target = absolute(target).map_err(|error| failed("cannot find", target, error))?;
        check(&target)?;
        let mut part = target.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = options().open(&part).map_err(|error| not_created(&part, error))?;
        Ok(Self { file, name: Name { part, target, taken: false } })
    }

    /// Writes the snapshot and puts the file in its place.
    pub(super) async fn fill(self, stream: SnapshotStream) -> Result<SnapshotSummary, Error> {
        let Self { file, name } = self;
        let mut writer = BufWriter::with_capacity(BUFFER, tokio::fs::File::from_std(file));
        let summary = copy(stream, &mut writer, |error| failed("cannot write", &name.part, error)).await?;
        let file = writer.into_inner().into_std().await;
        blocking(move || name.publish(&file)).await?;
        Ok(summary)
    }
}

impl Name {
    fn publish(mut self, file: &File) -> Result<(), Error> {
        file.sync_all().map_err(|error| failed("cannot sync", &self.part, error))?;
        fs::rename(&self.part, &self.target)
            .map_err(|error| failed("cannot replace", &self.target, error))?;
        self.taken = true;
        sync_directory(&self.target)
    }
}

impl Drop for Name {
    /// One system call, where a task would outlive the caller who looks whether the file is gone.
    fn drop(&mut self) {
        if !self.taken {
            // Nobody is left to be told.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Only a file is replaced, or nothing: a rename would put a file where a device was.
fn check(target: &Path) -> Result<(), Error> {
    let shown = target.display();
    if target.file_name().is_none() {
        return Err(refused(format!("{shown} names no file")));
    }
    match fs::metadata(target) {
        Ok(found) if found.is_dir() => Err(refused(format!("{shown} is a directory"))),
        Ok(found) if !found.is_file() => Err(refused(format!("{shown} is there and no file"))),
        // What cannot be looked at cannot be made either, which says why.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the new name last; elsewhere than on Unix a directory cannot be opened for it.
fn sync_directory(target: &Path) -> Result<(), Error> {
    let Some(directory) = target.parent().filter(|_| cfg!(unix)) else { return Ok(()) };
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| failed("the snapshot is in its place, but cannot sync", directory, error))
}

fn not_created(part: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        let why = "exists: another save is under way, or one was killed and this file can be removed";
        return named(Error::new(ErrorKind::Io, format!("{} {why}", part.display())).with_source(error));
    }
    failed("cannot make", part, error)
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    named(Error::new(ErrorKind::Io, format!("{what} {}", path.display())).with_source(error))
}

fn refused(complaint: String) -> Error {
    named(Invalid::new("path", complaint).into())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let ended = |_| named(Error::new(ErrorKind::NoRuntime, "the tokio runtime has ended"));
    spawn_blocking(work).await.unwrap_or_else(|error| Err(ended(error)))
}
