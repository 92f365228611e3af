//! Saves a snapshot of the database to a file with a progress bar, and verifies the file.

use std::{fs, path::Path, pin::pin, time::Duration};

use anyhow::{Context as _, Result, ensure};
use etcd_client_core::{Client, Error, kv::PutResponse, snapshot::SnapshotSummary};
use sha2::{Digest as _, Sha256};
use tokio::{sync::watch, task::JoinSet, time::interval};

use crate::{bar::Bar, show, stage::Stage};

const VALUE: usize = 512 << 10;
const VALUES: usize = 192;
const IN_FLIGHT: usize = 4;
const REDRAW: Duration = Duration::from_millis(40);
const DIGEST: usize = 32;

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    fill(stage).await?;
    let path = stage.own_cluster()?.dir().join("backup.db");
    let summary = save(stage, &path).await?;
    tell_version(stage, &summary).await?;
    check_file(stage, &path, &summary)
}

async fn fill(stage: &mut Stage) -> Result<()> {
    let (client, prefix) = (stage.client.clone(), stage.key("big/"));
    stage.transcript.code("client.put(key, vec![b'x'; 512 << 10]).await?   // 192 times");
    let mut bar = Bar::begin("written");
    let total = (VALUES * VALUE) as u64;
    let mut running = JoinSet::new();
    let mut done = 0;
    for number in 0..VALUES {
        running.spawn(put(client.clone(), format!("{prefix}{number:03}")));
        if running.len() >= IN_FLIGHT {
            running.join_next().await.context("one was started")?.context("a writer panicked")??;
            done += VALUE as u64;
            stage.transcript.progress(&mut bar, done, total);
        }
    }
    for put in running.join_all().await {
        put?;
        done += VALUE as u64;
        stage.transcript.progress(&mut bar, done, total);
    }
    stage.transcript.result(bar.done(done));
    let counted = client.get(&prefix).prefix().count_only().await?.count;
    stage.transcript.check("the server counts the same number of keys", counted, VALUES as u64);
    Ok(())
}

async fn put(client: Client, key: String) -> Result<PutResponse, Error> {
    client.put(key, vec![b'x'; VALUE]).timeout(Duration::from_secs(30)).await
}

async fn save(stage: &mut Stage, path: &Path) -> Result<SnapshotSummary> {
    stage.transcript.code("client.snapshot().on_progress(draw).save_to(\"backup.db\").await?");
    let (tell, told) = watch::channel(None);
    let snapshot = stage.client.snapshot().on_progress(move |progress| {
        tell.send_replace(Some(progress));
    });
    let mut saving = pin!(snapshot.save_to(path));
    let mut bar = Bar::begin("saved");
    let mut redraw = interval(REDRAW);
    let mut announced = None;
    let summary = loop {
        let ended = tokio::select! {
            ended = &mut saving => Some(ended?),
            _ = redraw.tick() => None,
        };
        if let Some(progress) = *told.borrow() {
            announced = progress.total;
            stage.transcript.progress(
                &mut bar,
                progress.received,
                progress.total.unwrap_or(progress.received),
            );
        }
        if let Some(summary) = ended {
            break summary;
        }
    };
    stage.transcript.result(bar.done(summary.bytes));
    stage.transcript.result(format!("SHA-256 {}", summary.sha256));
    stage.transcript.check("its size is the one that the member announced", announced, Some(summary.bytes));
    let written = (VALUES * VALUE) as u64;
    stage.transcript.holds("it is larger than the written values", summary.bytes > written);
    Ok(summary)
}

/// Shows the version of etcd and of its storage. Members report the storage version from etcd 3.6 on.
async fn tell_version(stage: &mut Stage, summary: &SnapshotSummary) -> Result<()> {
    let cluster = stage.own_cluster()?;
    let (endpoint, started) = (cluster.member(0).endpoint().to_owned(), cluster.version());
    let program = stage.client.maintenance().status(endpoint).await?.version;
    let storage = summary.version.as_deref();
    let told = storage.unwrap_or("not reported before etcd 3.6");
    stage.transcript.result(format!("etcd {program}, storage version {told}"));
    stage.transcript.check("the member runs the version that was started", program, started.to_string());
    if let Some(storage) = storage {
        let line = format!("{}.", started.line());
        stage.transcript.holds("the storage version is of the same line", storage.starts_with(&line));
    }
    Ok(())
}

fn check_file(stage: &mut Stage, path: &Path, summary: &SnapshotSummary) -> Result<()> {
    stage
        .transcript
        .code("sha256(&file[..file.len() - 32])   // the database, without the digest at the end");
    let file = fs::read(path).context("reading the snapshot")?;
    ensure!(file.len() > DIGEST, "the snapshot is too short");
    let (database, digest) = file.split_at(file.len() - DIGEST);
    let computed = Sha256::digest(database);
    let shown: String = computed.iter().map(|byte| format!("{byte:02x}")).collect();
    stage.transcript.result(format!("{shown} of {} of database", show::bytes(database.len() as u64)));
    let transcript = &mut stage.transcript;
    transcript.check("the file has the reported size", file.len() as u64, summary.bytes);
    transcript.holds(
        "a new digest of the file equals the reported one",
        computed[..] == summary.sha256.as_bytes()[..],
    );
    transcript
        .holds("and the one at its end, which `etcdutl snapshot restore` checks", digest == &computed[..]);
    let directory = path.parent().context("a directory")?;
    let mut names =
        fs::read_dir(directory).context("listing the directory")?.flatten().map(|e| e.file_name());
    let left = names.any(|name| name.to_string_lossy().ends_with(".part"));
    transcript.holds("no partial file is left in the folder", !left);
    Ok(())
}
