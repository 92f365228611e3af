//! A lock that another process holds until it is killed.

use std::time::Duration;

use anyhow::{Context as _, Result};
use etcd_client_core::{Compare, Put};
use etcd_concurrency::{Error, Mutex, Session};
use tokio::time::{Instant, timeout};

use crate::{contender::Contender, show, stage::Stage};

/// The shortest time to live that etcd grants by default.
const TTL: Duration = Duration::from_secs(2);
/// Longer than the time to live of the lease.
const WAIT: Duration = Duration::from_secs(3);
/// etcd looks for expired leases every 500 ms and deletes their keys after that.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let name = stage.key("jobs/nightly");
    stage.transcript.note("A second process acquires a lock, and this process waits for it.");
    let mut other = Contender::start(&stage.endpoints, &name, TTL)?;
    let pid = other.pid()?;
    stage.transcript.code(&format!(
        "Mutex::new(&session, \"jobs/nightly\").lock().await?   // in process {pid}, ttl 2 s"
    ));
    let (fence, key) = stage.transcript.during("waiting for the second process", other.locked()).await?;
    let held_by = stage.short(key.as_bytes());
    stage
        .transcript
        .result(format!("process {pid} holds the lock with key {held_by}, created at revision {fence}"));
    let client = stage.client.clone();
    stage.transcript.code("let session = Session::builder(&client).ttl(Duration::from_secs(2)).await?;");
    let session = Session::builder(&client).ttl(TTL).await?;
    let mutex = Mutex::new(&session, name.as_str());
    stage.transcript.code("mutex.try_lock_for(Duration::from_secs(3)).await");
    let refused = stage.transcript.during("waiting", mutex.try_lock_for(WAIT)).await;
    stage.transcript.result(refused.as_ref().map_or_else(Error::to_string, |_guard| "locked".to_owned()));
    let busy = matches!(refused, Err(Error::TimedOut));
    stage.transcript.holds("a renewed lease keeps the lock for longer than its time to live", busy);
    stage.transcript.code(&format!("kill -9 {pid}"));
    other.kill().await?;
    let killed = Instant::now();
    stage.transcript.code("let guard = mutex.lock().await?;");
    let lock = timeout(PATIENCE, mutex.lock());
    let locked = stage.transcript.during("waiting for the lease to expire", lock).await;
    let guard = locked.context("the lock is still held")??;
    let after = show::duration(killed.elapsed());
    let transcript = &mut stage.transcript;
    transcript.result(format!(
        "{after} after the kill this process holds the lock with revision {}",
        guard.fence()
    ));
    transcript.holds("the fencing token is greater than the previous one", guard.fence() > fence);
    transcript.code(
        "client.txn().when(Compare::create_revision(key).equal(fence)).then(..).await?   // of the killed process",
    );
    let result = stage.key("result");
    let held = Compare::create_revision(&key).equal(fence);
    let late = client.txn().when(held).then(Put::new(&result, "late")).await?;
    stage.transcript.check("a late write of the killed process is rejected", late.succeeded(), false);
    stage.transcript.code("client.txn().when(guard.owned()).then(Put::new(\"result\", \"42\")).await?");
    let ours = client.txn().when(guard.owned()).then(Put::new(&result, "42")).await?;
    stage.transcript.check("a write of the current holder succeeds", ours.succeeded(), true);
    stage.transcript.code("guard.unlock().await?; session.close().await?;");
    guard.unlock().await?;
    session.close().await?;
    let left = client.get(format!("{name}/")).prefix().count_only().await?.count;
    stage.transcript.check("the lock leaves no keys", left, 0);
    Ok(())
}
