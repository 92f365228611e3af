//! A snapshot of a cluster, and the cluster restored from it as an operator does it.

use std::{fs, path::PathBuf, process::Stdio};

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Cluster, member::START_PATIENCE, replace::DATA};
use crate::{Line, StderrProgress, obtain};

/// The settings that restored members take from the original ones, which preserve their ids.
const KEPT: [&str; 4] =
    ["--name=", "--initial-cluster=", "--initial-cluster-token=", "--initial-advertise-peer-urls="];

/// A file that `etcdctl snapshot save` wrote. It vanishes when it is dropped.
#[derive(Debug)]
pub struct Snapshot {
    dir: TempDir,
}

impl Snapshot {
    fn file(&self) -> PathBuf {
        self.dir.path().join("snapshot.db")
    }
}

impl Cluster {
    /// Saves a snapshot with `etcdctl snapshot save`.
    ///
    /// # Errors
    /// When etcdctl fails.
    pub async fn save_snapshot(&self) -> anyhow::Result<Snapshot> {
        let snapshot = Snapshot { dir: TempDir::new().context("a directory for the snapshot")? };
        let file = snapshot.file().to_string_lossy().into_owned();
        self.member(0).etcdctl(["snapshot", "save", &file]).await.context("saving a snapshot")?;
        Ok(snapshot)
    }

    /// Kills every member, restores each from the snapshot, and starts them again: the same cluster and member ids,
    /// whose history went backwards. With `bump` the revision is raised by this much instead, and everything before is
    /// marked as compacted.
    ///
    /// Uses `etcdutl snapshot restore`: of the etcdutl next to etcd, else of one that is built from `ci/etcd`. Before
    /// etcd 3.6 it is `etcdctl snapshot restore`, which does not know `--bump-revision` in 3.4.
    ///
    /// # Errors
    /// When there is no etcdutl, it fails, or the members do not become healthy.
    pub async fn restore_snapshot(&self, snapshot: &Snapshot, bump: Option<u64>) -> anyhow::Result<()> {
        self.restore_snapshot_stopped(snapshot, bump).await?;
        for member in self.members() {
            member.launch().await?;
        }
        self.wait_healthy(START_PATIENCE).await
    }

    /// The same, without starting the members: [`Member::launch`](crate::Member::launch) does.
    ///
    /// # Errors
    /// As [`Cluster::restore_snapshot`].
    pub async fn restore_snapshot_stopped(
        &self,
        snapshot: &Snapshot,
        bump: Option<u64>,
    ) -> anyhow::Result<()> {
        let tool = self.restoring_tool().await?;
        for member in self.members() {
            // Fails only where the process has ended, which is what is wanted.
            let _ = member.kill();
        }
        for member in self.members() {
            member.wait_exit().await?;
            let data = member.dir().join(DATA);
            fs::remove_dir_all(&data).context("removing the data")?;
            let mut command = Command::new(&tool);
            command.args(["snapshot", "restore"]).arg(snapshot.file()).arg("--data-dir").arg(&data);
            command.args(member.args.iter().filter(|arg| KEPT.iter().any(|kept| arg.starts_with(kept))));
            if let Some(bump) = bump {
                command.args([format!("--bump-revision={bump}"), "--mark-compacted".to_owned()]);
            }
            let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await;
            let output = output.with_context(|| format!("running {}", tool.display()))?;
            if !output.status.success() {
                let told = String::from_utf8_lossy(&output.stderr);
                bail!("restoring {} ended with {}: {}", member.name(), output.status, told.trim());
            }
        }
        Ok(())
    }

    async fn restoring_tool(&self) -> anyhow::Result<PathBuf> {
        let line = self.version().line();
        if line < Line::V3_6 {
            return Ok(self.binaries().etcdctl.clone());
        }
        // As in etcd's release archives.
        let beside = self.binaries().etcd.with_file_name("etcdutl");
        if beside.is_file() {
            return Ok(beside);
        }
        let built = tokio::task::spawn_blocking(move || obtain::etcdutl(line, &mut StderrProgress::new()));
        built.await.context("the build panicked")?
    }
}
