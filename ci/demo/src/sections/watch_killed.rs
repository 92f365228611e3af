//! Kills the member that serves a watch while keys are written. The watch resumes on another member, and no event is
//! missing or repeated.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use etcd_client_core::{
    Client, Error, Outcome, Revision,
    watch::{WatchResponse, WatchStatus, WatchStream},
};
use etcd_testkit::Member;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{show, stage::Stage};

const BEFORE: Duration = Duration::from_millis(500);
const AFTER: Duration = Duration::from_secs(1);
/// The time limit of every wait.
const PATIENCE: Duration = Duration::from_secs(20);
/// The interval between two looks at the status of the watch.
const LOOK: Duration = Duration::from_millis(10);
const PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    stage.transcript.note("A task puts new keys, and a watch reports them.");
    let (client, prefix) = (stage.client.clone(), stage.key("watched/"));
    stage.transcript.code("let mut watch = client.watch(\"watched/\").prefix().await?;");
    let watch = client.watch(&prefix).prefix().await?;
    let mut seen = Seen { watch, events: Vec::new() };
    let victim = serving(stage, &seen.watch).context("the watch is not connected")?;
    stage.transcript.result(format!("created on {}", member(stage, victim)?.name()));
    let writer = Writer::start(&client, &prefix);
    seen.during(BEFORE).await?;
    let name = member(stage, victim)?.name().to_owned();
    stage.transcript.code(&format!("kill -9 {name}   // after {} events", seen.events.len()));
    member(stage, victim)?.kill()?;
    moved(stage, &mut seen, victim).await?;
    seen.during(AFTER).await?;
    let written = writer.stop().await?;
    let end = format!("{prefix}end");
    client.put(&end, "v").await?;
    stage.transcript.during("reading up to the last event", seen.until(&end)).await?;
    let resumed = seen.watch.counters().resumed;
    judge(stage, &prefix, &written, (&seen.events, resumed)).await?;
    stage.transcript.code(&format!("restart {name}"));
    member(stage, victim)?.launch().await?;
    stage.transcript.result("all members are healthy again");
    Ok(())
}

fn member(stage: &Stage, index: usize) -> Result<&Member> {
    Ok(stage.own_cluster()?.member(index))
}

/// Returns the index of the member that serves the watch, if it is connected.
fn serving(stage: &Stage, watch: &WatchStream) -> Option<usize> {
    let WatchStatus::Connected { endpoint: Some(endpoint), .. } = watch.status() else { return None };
    let endpoint = endpoint.to_string();
    stage.cluster.as_ref()?.members().iter().position(|member| member.endpoint() == endpoint)
}

/// Shows the status of the watch until it is connected to another member.
async fn moved(stage: &mut Stage, seen: &mut Seen, victim: usize) -> Result<()> {
    stage.transcript.code("watch.status()   // until it is connected to another member");
    let killed = Instant::now();
    let mut told = false;
    while killed.elapsed() < PATIENCE {
        let after = show::duration(killed.elapsed());
        let (status, serves) = (seen.watch.status(), serving(stage, &seen.watch));
        match status {
            WatchStatus::Resuming { error, .. } if !told => {
                told = true;
                stage.transcript.result(format!("{after:>7} later  Resuming   {error}"));
            }
            WatchStatus::Ended { error } => bail!("the watch ended: {error:?}"),
            _ => {}
        }
        if let Some(other) = serves.filter(|&other| other != victim) {
            let name = member(stage, other)?.name().to_owned();
            stage.transcript.result(format!("{after:>7} later  Connected  {name}"));
            stage.transcript.holds("the watch is connected to another member", true);
            return Ok(());
        }
        seen.during(LOOK).await?;
    }
    stage.transcript.holds("the watch is connected to another member", false);
    Ok(())
}

/// Compares the events with the writes, and shows how often the watch was resumed.
async fn judge(
    stage: &mut Stage,
    prefix: &str,
    written: &Written,
    (events, resumed): (&[(String, Revision)], u64),
) -> Result<()> {
    let stored = stage.client.get(prefix).prefix().keys_only().await?;
    let failed = written.len() - written.values().filter(|put| put.is_ok()).count();
    let transcript = &mut stage.transcript;
    transcript.result(format!(
        "{} events, {} writes of which {failed} failed, {} keys; times resumed: {resumed}",
        show::count(events.len() as u64),
        show::count(written.len() as u64),
        show::count(stored.count),
    ));
    let unknown = written.values().filter_map(|put| put.as_ref().err());
    transcript.check(
        "every failed write has an unknown outcome",
        unknown.filter(|error| error.outcome() == Outcome::Unknown).count(),
        failed,
    );
    let keys: BTreeSet<&str> = events.iter().map(|(key, _)| key.as_str()).collect();
    let missed = written.iter().filter(|(key, put)| put.is_ok() && !keys.contains(key.as_str())).count();
    transcript.check("no acknowledged write was missed", missed, 0);
    transcript.check("no event was repeated", events.len(), keys.len());
    let rising = events.windows(2).all(|pair| pair[0].1 < pair[1].1);
    transcript.holds("the events are in the order of their revisions", rising);
    let there: BTreeSet<&str> = stored.kvs.iter().filter_map(|kv| kv.key_str().ok()).collect();
    transcript.holds("the events have exactly the stored keys", keys == there);
    Ok(())
}

/// A watch and the keys of its events, with their revisions.
struct Seen {
    watch: WatchStream,
    events: Vec<(String, Revision)>,
}

impl Seen {
    /// Reads for a while.
    async fn during(&mut self, span: Duration) -> Result<()> {
        let end = Instant::now() + span;
        loop {
            tokio::select! {
                response = self.watch.next() => self.take(response)?,
                () = tokio::time::sleep_until(end) => return Ok(()),
            }
        }
    }

    /// Reads up to the event of `key`.
    async fn until(&mut self, key: &str) -> Result<()> {
        let reading = async {
            while self.events.last().is_none_or(|(last, _)| last != key) {
                let response = self.watch.next().await;
                self.take(response)?;
            }
            Ok(())
        };
        timeout(PATIENCE, reading).await.context("the last event does not arrive")?
    }

    fn take(&mut self, response: Option<Result<WatchResponse, Error>>) -> Result<()> {
        for event in response.context("the watch ended")??.events {
            self.events.push((event.kv.key_str()?.to_owned(), event.revision()));
        }
        Ok(())
    }
}

/// Each key that was put, and the result.
type Written = BTreeMap<String, Result<(), Error>>;

/// A task that puts new keys, one after the other.
struct Writer {
    stop: watch::Sender<bool>,
    task: JoinHandle<Written>,
}

impl Writer {
    fn start(client: &Client, prefix: &str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (client, prefix) = (client.clone(), prefix.to_owned());
        let task = tokio::spawn(async move {
            let mut written = Written::new();
            while !*stopped.borrow() {
                let key = format!("{prefix}{:05}", written.len());
                let put = client.put(&key, "v").await.map(drop);
                written.insert(key, put);
                sleep(PAUSE).await;
            }
            written
        });
        Self { stop, task }
    }

    async fn stop(self) -> Result<Written> {
        self.stop.send_replace(true);
        Ok(self.task.await?)
    }
}
