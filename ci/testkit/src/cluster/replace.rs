//! A member that comes back as another one at the same address: wiped, recreated, or restored from a copy of its data.

use std::{fs, path::Path};

use anyhow::Context as _;
use tempfile::TempDir;

use super::member::{Member, START_PATIENCE};

/// The data directory of a member, below its directory.
pub(super) const DATA: &str = "data";

/// A copy of a member's data directory, of when it was stopped. It vanishes when it is dropped.
#[derive(Debug)]
pub struct Backup {
    dir: TempDir,
}

/// For clusters of one member: others would keep the history that is taken away here.
impl Member {
    /// Stops the member in order, copies its data, and starts it again.
    ///
    /// # Errors
    /// When the data cannot be copied, or the member does not become healthy again.
    pub async fn back_up(&self) -> anyhow::Result<Backup> {
        self.stop().await?;
        let dir = TempDir::new().context("a directory for the copy")?;
        copy(&self.dir().join(DATA), &dir.path().join(DATA))?;
        self.restart().await?;
        Ok(Backup { dir })
    }

    /// Kills the member and starts it with a copy of this data: the same cluster with an older history.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Member::back_up`].
    pub async fn restore(&self, backup: &Backup) -> anyhow::Result<()> {
        self.clear().await?;
        copy(&backup.dir.path().join(DATA), &self.dir().join(DATA))?;
        self.restart().await
    }

    /// Kills the member and starts it without data. The cluster id stays the same, and the history starts again.
    ///
    /// # Errors
    ///
    /// Returns an error if the data cannot be removed or the member does not become healthy.
    pub async fn wipe(&self) -> anyhow::Result<()> {
        self.clear().await?;
        self.restart().await
    }

    /// Kills the member and starts it as the first one of another cluster, whose id `token` makes different.
    ///
    /// # Errors
    /// As [`Member::wipe`].
    pub async fn recreate(&self, token: &str) -> anyhow::Result<()> {
        self.clear().await?;
        self.spawn_with(&[format!("--initial-cluster-token={token}")])?;
        self.wait_healthy(START_PATIENCE).await
    }

    async fn clear(&self) -> anyhow::Result<()> {
        // Fails only where the process has ended, which is what is wanted.
        let _ = self.kill();
        self.wait_exit().await?;
        fs::remove_dir_all(self.dir().join(DATA)).context("removing the data")
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to).with_context(|| format!("writing {}", to.display()))?;
        }
    }
    Ok(())
}
