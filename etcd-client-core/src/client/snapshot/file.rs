//! A file that is there only once it is whole.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf, absolute},
    time::Duration,
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

/// How the name of an unfinished file ends.
const PART: &str = ".part";

/// How long nothing was written to an unfinished file of another save until it counts as left behind. A save that stalls for longer
/// and is resumed all the same finds its file gone and fails; it never publishes another one's.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

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
        remove_left_behind(&target);
        // A name of its own for each save: a file that a killed process left cannot be in the way, and two saves cannot mix.
        let mut part = target.clone().into_os_string();
        part.push(format!(".{:016x}{PART}", fastrand::u64(..)));
        let part = PathBuf::from(part);
        let file = options().open(&part).map_err(|error| failed("cannot make", &part, error))?;
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

/// Removes the unfinished files that killed processes left. Failing to is no reason not to save.
fn remove_left_behind(target: &Path) {
    let (Some(directory), Some(name)) = (target.parent(), target.file_name()) else { return };
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let left = is_part_of(&entry.file_name(), name)
            && entry.metadata().is_ok_and(|found| {
                let idle = found.modified().ok().and_then(|written| written.elapsed().ok());
                found.is_file() && idle.is_some_and(|idle| idle >= LEFT_BEHIND)
            });
        if left {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether `found` is the name of an unfinished file of `target`.
fn is_part_of(found: &OsStr, target: &OsStr) -> bool {
    let digits = found
        .as_encoded_bytes()
        .strip_prefix(target.as_encoded_bytes())
        .and_then(|rest| rest.strip_prefix(b"."))
        .and_then(|rest| rest.strip_suffix(PART.as_bytes()));
    digits.is_some_and(|digits| digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_unfinished_files_match() {
        for (found, matches) in [
            ("backup.db.0123456789abcdef.part", true),
            ("backup.db.part", false),
            ("backup.db.0123456789abcde.part", false),
            ("backup.db.0123456789abcdeg.part", false),
            ("other.db.0123456789abcdef.part", false),
            ("backup.db.old.0123456789abcdef.part", false),
            ("backup.db", false),
        ] {
            assert_eq!(is_part_of(OsStr::new(found), OsStr::new("backup.db")), matches, "{found}");
        }
    }
}
