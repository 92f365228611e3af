//! A directory that goes with the test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

pub(super) struct Directory(TempDir);

impl Directory {
    pub(super) fn new() -> Self {
        Self(TempDir::with_prefix("etcd-snapshot-").expect("a directory of its own"))
    }

    pub(super) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of what is in it.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("readable").map(|entry| entry.expect("readable"));
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Whether a name is that of an unfinished `backup.db`.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with("backup.db.") && name.ends_with(".part")
}
