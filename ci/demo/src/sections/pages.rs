//! Writes many keys in parallel transactions and reads them in pages at one revision while another client writes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use etcd_client_core::{
    Client, Error, KeyValue, Put, Revision,
    kv::{Page, Pages},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{show, stage::Stage};

const KEYS: usize = 10_000;
/// etcd's default limit of operations in one transaction, `--max-txn-ops`.
const PUTS: usize = 128;
const IN_FLIGHT: usize = 8;
const PAGE: u32 = 1000;
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    write(stage).await?;
    let revision = read(stage).await?;
    read_again(stage, revision).await
}

fn key(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:05}")
}

async fn write(stage: &mut Stage) -> Result<()> {
    let (client, prefix) = (stage.client.clone(), stage.key("pages/"));
    let transcript = &mut stage.transcript;
    transcript.code("client.txn().then(puts).await?   // 128 puts each, 8 of them in flight");
    let begun = Instant::now();
    let numbers: Vec<usize> = (0..KEYS).collect();
    let mut batches = numbers.chunks(PUTS);
    let mut running = JoinSet::new();
    let (mut txns, mut written) = (0, 0);
    loop {
        while running.len() < IN_FLIGHT
            && let Some(batch) = batches.next()
        {
            let puts: Vec<Put> =
                batch.iter().map(|&number| Put::new(key(&prefix, number), number.to_string())).collect();
            let client = client.clone();
            running.spawn(async move { client.txn().then(puts).await });
        }
        let Some(done) = running.join_next().await else { break };
        let answer = done.context("a writer panicked")??;
        txns += 1;
        written += answer.responses.len();
        transcript.alive(&format!(
            "{} of {} keys written",
            show::count(written as u64),
            show::count(KEYS as u64)
        ));
    }
    let took = show::duration(begun.elapsed());
    transcript.result(format!("{} keys in {txns} transactions, {took}", show::count(written as u64)));
    transcript.check("every put succeeded", (written, txns), (KEYS, KEYS.div_ceil(PUTS)));
    let counted = client.get(&prefix).prefix().count_only().await?.count;
    transcript.check("the server counts the same number", counted, KEYS as u64);
    Ok(())
}

async fn read(stage: &mut Stage) -> Result<Revision> {
    let (client, prefix) = (stage.client.clone(), stage.key("pages/"));
    let transcript = &mut stage.transcript;
    transcript.code("let mut pages = client.get(\"pages/\").prefix().pages();");
    transcript.code("while let Some(page) = pages.next().await { .. }   // while another client writes");
    let begun = Instant::now();
    let mut seen = Seen::default();
    let mut pages = client.get(&prefix).prefix().pages();
    let first = pages.next().await.context("there is no first page")??;
    let revision = first.revision;
    seen.page(&prefix, first);
    // The first page has fixed the revision of the following pages.
    let writer = Writer::start(&stage.endpoints, &prefix)?;
    writer.wait_for_some().await?;
    seen.rest(&prefix, pages).await?;
    let took = show::duration(begun.elapsed());
    let meanwhile = writer.stop().await?;
    transcript.result(format!(
        "{} pages, {} keys, all at revision {revision}, {took}",
        seen.pages,
        seen.keys()
    ));
    transcript.result(format!("{} writes by the other client in that time", show::count(meanwhile)));
    transcript.check("all keys are returned in order, with the values of that revision", seen.in_order, KEYS);
    transcript.check("no write of the other client is visible", seen.others, 0);
    transcript.check("all pages have the same revision", seen.revisions, vec![revision]);
    transcript.holds("there was more than one page", seen.pages > 1);
    transcript.holds("the other client wrote in that time", meanwhile > 0);
    let counted = client.get(&prefix).prefix().count_only().await?.count;
    transcript.holds("a new get sees its new keys", counted > KEYS as u64);
    Ok(revision)
}

async fn read_again(stage: &mut Stage, revision: Revision) -> Result<()> {
    let (client, prefix) = (stage.client.clone(), stage.key("pages/"));
    let transcript = &mut stage.transcript;
    transcript.code("client.get(\"pages/\").prefix().revision(then).pages().page_size(1000)");
    let mut seen = Seen::default();
    let pages = client.get(&prefix).prefix().revision(revision).pages().page_size(PAGE);
    seen.rest(&prefix, pages).await?;
    transcript.result(format!("{} pages, {} keys, at revision {revision}", seen.pages, seen.keys()));
    transcript.check(
        "the same keys are returned, 1,000 in each page",
        (seen.in_order, seen.pages),
        (KEYS, 10),
    );
    transcript.check("still without the later writes", (seen.others, seen.revisions), (0, vec![revision]));
    Ok(())
}

/// The contents of the pages.
#[derive(Debug, Default)]
struct Seen {
    pages: usize,
    /// The number of keys in the expected order with their first value.
    in_order: usize,
    /// The number of all other keys.
    others: usize,
    revisions: Vec<Revision>,
}

impl Seen {
    async fn rest(&mut self, prefix: &str, mut pages: Pages<'_>) -> Result<(), Error> {
        while let Some(page) = pages.next().await {
            self.page(prefix, page?);
        }
        Ok(())
    }

    fn page(&mut self, prefix: &str, page: Page) {
        self.pages += 1;
        if !self.revisions.contains(&page.revision) {
            self.revisions.push(page.revision);
        }
        for kv in page.kvs {
            self.pair(prefix, &kv);
        }
    }

    fn pair(&mut self, prefix: &str, found: &KeyValue) {
        let number = self.in_order;
        if found.key == key(prefix, number) && found.value == number.to_string() {
            self.in_order += 1;
        } else {
            self.others += 1;
        }
    }

    fn keys(&self) -> String {
        show::count((self.in_order + self.others) as u64)
    }
}

/// Another client, which overwrites some keys and adds new ones until it is stopped.
#[derive(Debug)]
struct Writer {
    writes: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    task: JoinSet<Result<(), Error>>,
}

impl Writer {
    fn start(endpoints: &[String], prefix: &str) -> Result<Self> {
        let client = Client::builder(endpoints).build()?;
        let writes = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (writes_too, stop_too, prefix) = (Arc::clone(&writes), Arc::clone(&stop), prefix.to_owned());
        let mut task = JoinSet::new();
        task.spawn(async move {
            for number in (0..KEYS).step_by(7).cycle() {
                let key = key(&prefix, number);
                client.put(&key, "changed").await?;
                client.put(format!("{key}/new"), "new").await?;
                writes_too.fetch_add(2, Ordering::Relaxed);
                if stop_too.load(Ordering::Relaxed) {
                    break;
                }
            }
            client.close().await;
            Ok(())
        });
        Ok(Self { writes, stop, task })
    }

    fn written(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    async fn wait_for_some(&self) -> Result<()> {
        let some = async {
            while self.written() == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, some).await.context("the other client does not write")
    }

    /// Stops after the current write and returns the number of writes.
    async fn stop(mut self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.task.join_next().await.context("the other client was never started")?;
        ended.context("the other client panicked")??;
        ensure!(self.task.is_empty(), "there was more than one other client");
        Ok(self.written())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_out_of_order_or_changed_are_counted() {
        let mut seen = Seen::default();
        for (key, value) in [("p/00000", "0"), ("p/00001", "changed"), ("p/00001", "1"), ("p/00003", "3")] {
            seen.pair("p/", &KeyValue::new(key, value));
        }
        assert_eq!((seen.in_order, seen.others), (2, 2));
    }
}
