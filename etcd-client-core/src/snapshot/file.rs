//! A file that appears at its path only once it is complete.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf, absolute},
    time::Duration,
};

use etcd_errors::{Error, ErrorKind};
use tokio::{io::BufWriter, task::spawn_blocking};

use crate::{
    snapshot::{SnapshotStream, SnapshotSummary, client::named, write::copy},
    types::Invalid,
};

/// The size of a write. Each write is handed to a blocking thread, so eight of etcd's 32 KiB chunks are combined.
const BUFFER: usize = 256 << 10;

/// The suffix of an unfinished file.
const PART: &str = ".part";

/// The idle time after which an unfinished file of another save is considered abandoned. A save that stalls for longer and then
/// continues finds its file missing and fails. It never publishes the file of another save.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// An unfinished file. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct PartFile {
    file: File,
    name: Name,
}

/// The path of an unfinished file, which is removed on drop unless it was published.
#[derive(Debug)]
struct Name {
    part: PathBuf,
    target: PathBuf,
    taken: bool,
}

impl PartFile {
    /// Creates the unfinished file.
    ///
    /// If the future is dropped, the file that the blocking thread still creates is removed with its result.
    pub(crate) async fn create(target: &Path) -> Result<Self, Error> {
        let target = target.to_owned();
        blocking(move || Self::create_now(&target)).await
    }

    fn create_now(target: &Path) -> Result<Self, Error> {
        let target = absolute(target).map_err(|error| failed("cannot resolve", target, error))?;
        check(&target)?;
        remove_left_behind(&target);
        // Each save has a name that no other save uses. A file left by a killed process is not in the way, and two saves to the
        // same path do not write to the same file.
        let mut part = target.clone().into_os_string();
        part.push(format!(".{:016x}{PART}", fastrand::u64(..)));
        let part = PathBuf::from(part);
        let file = options().open(&part).map_err(|error| failed("cannot create", &part, error))?;
        Ok(Self { file, name: Name { part, target, taken: false } })
    }

    /// Writes the snapshot and moves the file to its path.
    pub(crate) async fn fill(self, stream: SnapshotStream) -> Result<SnapshotSummary, Error> {
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
    /// Blocks for one system call. A spawned task could still run when the caller checks that the file is gone.
    fn drop(&mut self) {
        if !self.taken {
            // The save has failed already, or was dropped: there is no caller to report a second error to.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Accepts a path that does not exist or is a regular file. A rename would replace a device by a file.
fn check(target: &Path) -> Result<(), Error> {
    let shown = target.display();
    if target.file_name().is_none() {
        return Err(rejected(format!("{shown} does not name a file")));
    }
    match fs::metadata(target) {
        Ok(found) if found.is_dir() => Err(rejected(format!("{shown} is a directory"))),
        Ok(found) if !found.is_file() => Err(rejected(format!("{shown} exists and is not a regular file"))),
        // If the metadata cannot be read, creating the file fails as well and reports the reason.
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

/// Syncs the directory, so that the rename survives a crash. Only on Unix can a directory be opened for this.
fn sync_directory(target: &Path) -> Result<(), Error> {
    let Some(directory) = target.parent().filter(|_| cfg!(unix)) else { return Ok(()) };
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|error| failed("saved the snapshot, but could not sync", directory, error))
}

/// Removes the unfinished files that killed processes left. Errors are ignored, because they do not affect the save.
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

/// Returns whether `found` is the name of an unfinished file for `target`.
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

fn rejected(complaint: String) -> Error {
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
