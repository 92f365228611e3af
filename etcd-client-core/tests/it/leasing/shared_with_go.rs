//! Handles of this crate and of Go on one prefix, under load, while members are killed and links hang.
//!
//! Each operation is recorded with the times between which it happened. No read may be stale: see [`check`](super::check).
//!
//! `ETCD_LEASING_SECONDS` sets the duration of the load, 20 s by default.

use std::{
    collections::HashMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use etcd_client_core::{Client, Error, Get, Put, leasing::Leasing};
use etcd_testkit::{Cluster, Direction, Proxied, StderrProgress, obtain_leasing_contender};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    check::{Effect, Entry, stale_reads, totals},
    start,
};
use crate::servers::{self, PATIENCE};

const PREFIX: &str = "own/";

/// In seconds. Short, so that owners that are cut off expire often.
const TTL: u64 = 4;

/// Go's client behind the links that hang. Its writes and their effects on others are judged, its own reads are not.
///
/// Go counts the end of its lease from when the response to a renewal arrived, so it reads from its cache after a late
/// response although the lease has expired: `recvKeepAlive` in client/v3/lease.go, v3.7.3.
const UNJUDGED: &str = "go, cut off";

/// The time limit of an operation.
const LIMIT: Duration = Duration::from_secs(10);

const KEYS: usize = 30;
const PURGED: usize = 4;

/// The average number of reads of a worker between two writes.
const READS_PER_WRITE: u32 = 200;

/// An operation of the load.
#[derive(Clone, Debug)]
enum Op {
    Get(String),
    Put(String),
    Delete(String),
    /// Deletes all keys of a range.
    Purge,
    /// Puts two keys in one transaction. Nothing else puts them.
    PutBoth,
    ReadBoth,
}

const BOTH: [&str; 2] = ["load/both/1", "load/both/2"];

fn purged() -> impl Iterator<Item = String> {
    (0..PURGED).map(|number| format!("load/purged/{number}"))
}

impl Op {
    fn draw() -> Self {
        let key = match fastrand::u8(..8) {
            0 => format!("load/purged/{}", fastrand::usize(..PURGED)),
            _ => format!("load/k/{}", fastrand::usize(..KEYS)),
        };
        if fastrand::u32(..READS_PER_WRITE) > 0 {
            return match fastrand::u8(..8) {
                0 => Self::ReadBoth,
                // A transaction is served from memory only if gets have acquired its keys.
                1 => Self::Get(BOTH[fastrand::usize(..2)].to_owned()),
                _ => Self::Get(key),
            };
        }
        match fastrand::u8(..40) {
            0 => Self::Purge,
            1 => Self::PutBoth,
            2..8 => Self::Delete(key),
            _ => Self::Put(key),
        }
    }

    /// Returns the keys with the effects of the operation, given the revisions of its response; none if it failed.
    fn effects(&self, revisions: Option<&[i64]>) -> Vec<(String, Effect)> {
        let found = |revision: i64| if revision == 0 { Effect::Missing } else { Effect::Found(revision) };
        let both = |effects: [Effect; 2]| BOTH.iter().map(|key| (*key).to_owned()).zip(effects).collect();
        let Some(revisions) = revisions else {
            return match self {
                Self::Delete(key) => vec![(key.clone(), Effect::MaybeDeleted)],
                Self::Purge => purged().map(|key| (key, Effect::MaybeDeleted)).collect(),
                _ => Vec::new(),
            };
        };
        let first = revisions[0];
        match self {
            Self::Get(key) => vec![(key.clone(), found(first))],
            Self::Put(key) => vec![(key.clone(), Effect::Put(first))],
            Self::Delete(key) => vec![(key.clone(), Effect::Deleted(first))],
            Self::Purge => purged().map(|key| (key, Effect::Deleted(first))).collect(),
            Self::PutBoth => both([Effect::Put(first); 2]),
            Self::ReadBoth => {
                assert_eq!(first, revisions[1], "a transaction was seen in part");
                both([found(first); 2])
            }
        }
    }
}

/// The record, and the end of the load.
#[derive(Debug, Default)]
struct Run {
    entries: Mutex<Vec<Entry>>,
    over: AtomicBool,
    failed: AtomicU64,
}

impl Run {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn record(&self, actor: &'static str, op: &Op, began: Instant, revisions: Option<&[i64]>) {
        let ended = Instant::now();
        if revisions.is_none() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        let effects = op.effects(revisions).into_iter();
        let entries = effects.map(|(key, effect)| Entry { actor, key, began, ended, effect });
        self.entries.lock().expect("no panic").extend(entries);
    }
}

/// Executes operations until the load ends.
async fn work(run: Arc<Run>, actor: &'static str, execute: impl AsyncFn(&Op) -> Option<Vec<i64>>) {
    while !run.is_over() {
        let op = Op::draw();
        let began = Instant::now();
        let revisions = execute(&op).await;
        run.record(actor, &op, began, revisions.as_deref());
        if revisions.is_none() {
            sleep(Duration::from_millis(100)).await;
        }
        sleep(Duration::from_millis(fastrand::u64(1..8))).await;
    }
}

/// Executes an operation through a handle.
async fn through_handle(leasing: &Leasing, op: &Op) -> Result<Vec<i64>, Error> {
    let revision =
        |response: &etcd_client_core::kv::GetResponse| response.first().map_or(0, |kv| kv.mod_revision.get());
    let value = fastrand::u64(..).to_string();
    Ok(match op {
        Op::Get(key) => vec![revision(&leasing.get(key).timeout(LIMIT).await?)],
        Op::Put(key) => vec![leasing.put(key, value).timeout(LIMIT).await?.header.revision.get()],
        Op::Delete(key) => vec![leasing.delete(key).timeout(LIMIT).await?.header.revision.get()],
        Op::Purge => {
            let deletion = leasing.delete("load/purged/").prefix();
            vec![deletion.timeout(LIMIT).await?.header.revision.get()]
        }
        Op::PutBoth => {
            let txn = leasing.txn().then(BOTH.map(|key| Put::new(key, value.clone())));
            vec![txn.timeout(LIMIT).await?.header.revision.get()]
        }
        Op::ReadBoth => {
            let txn = leasing.txn().then(BOTH.map(Get::new)).timeout(LIMIT).await?;
            [0, 1].map(|index| txn.get(index).map(revision).expect("a get")).to_vec()
        }
    })
}

/// A program that uses Go's leasing.
struct Go {
    child: Child,
    calls: mpsc::UnboundedSender<Call>,
}

/// An operation, and where its revisions go.
type Call = (Op, oneshot::Sender<Option<Vec<i64>>>);

impl Go {
    async fn start(program: &Path, endpoints: &str) -> Self {
        let mut command = Command::new(program);
        command.args(["-endpoints", endpoints, "-prefix", PREFIX, "-ttl", &TTL.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = timeout(PATIENCE, lines.next_line()).await.expect("in time").expect("text");
        assert_eq!(ready.as_deref(), Some("ready"));
        let (calls, mut received) = mpsc::unbounded_channel::<Call>();
        tokio::spawn(async move {
            let (mut number, mut waiting) = (0_u64, HashMap::new());
            loop {
                tokio::select! {
                    call = received.recv() => {
                        let Some((op, answer)) = call else { return };
                        number += 1;
                        stdin.write_all(format!("{number} {}\n", command_of(&op, number)).as_bytes()).await.expect("it reads");
                        waiting.insert(number, answer);
                    }
                    line = lines.next_line() => {
                        let line = line.expect("text").expect("it runs until its stdin ends");
                        let words: Vec<&str> = line.split(' ').collect();
                        let number = |at: usize| words[at].parse::<i64>().expect("a number");
                        let revisions = (words[1] == "ok").then(|| (2..words.len()).map(number).collect());
                        let answer = waiting.remove(&number(0).unsigned_abs()).expect("it was asked");
                        // The worker waits for each answer.
                        let _ = answer.send(revisions);
                    }
                }
            }
        });
        Self { child, calls }
    }

    async fn execute(calls: &mpsc::UnboundedSender<Call>, op: &Op) -> Option<Vec<i64>> {
        let (answer, answered) = oneshot::channel();
        calls.send((op.clone(), answer)).expect("it runs");
        timeout(PATIENCE, answered).await.expect("in time").expect("it runs")
    }
}

fn command_of(op: &Op, value: u64) -> String {
    let [first, second] = BOTH;
    match op {
        Op::Get(key) => format!("get {key}"),
        Op::Put(key) => format!("put {key} {value}"),
        Op::Delete(key) => format!("delete {key}"),
        Op::Purge => "purge load/purged/".to_owned(),
        Op::PutBoth => format!("both {first} {second} {value}"),
        Op::ReadBoth => format!("read {first} {second}"),
    }
}

/// Kills a member, or holds the links of one client, possibly for longer than its lease lasts.
async fn disturb(cluster: &Cluster, links: &Proxied) {
    if fastrand::bool() {
        let member = cluster.member(fastrand::usize(..3));
        member.kill().expect("killed");
        sleep(Duration::from_millis(fastrand::u64(500..2000))).await;
        member.restart().await.expect("restarted");
    } else {
        let directions = [Direction::Both, Direction::ToServer, Direction::ToClient];
        let direction = directions[fastrand::usize(..3)];
        links.proxies().iter().for_each(|proxy| proxy.hold(direction));
        sleep(Duration::from_millis(fastrand::u64(500..2 * TTL * 1000))).await;
        for proxy in links.proxies() {
            proxy.heal().await;
        }
    }
    sleep(Duration::from_millis(fastrand::u64(500..2500))).await;
}

fn say(line: &str) {
    // To the stream itself: the harness holds back what a test prints, and a run without Go covers less.
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn contender() -> Option<PathBuf> {
    let built = tokio::task::spawn_blocking(|| obtain_leasing_contender(&mut StderrProgress::new())).await;
    match built.expect("no panic") {
        Ok(program) => Some(program),
        Err(error) => {
            say(&format!("SKIPPED Go's leasing: {error:#}"));
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_stale_on_a_prefix_shared_with_go() {
    let seconds = std::env::var("ETCD_LEASING_SECONDS").map_or(20, |text| text.parse().expect("a number"));
    let Some(program) = contender().await else { return };
    let Some(cluster) = Cluster::builder().members(3).start_or_skip().await else { return };
    let links = cluster.proxied().expect("proxies");
    let run = Arc::new(Run::default());
    let mut workers = JoinSet::new();

    let direct = servers::client(cluster.endpoints());
    let proxied = servers::client(links.endpoints());
    let handles = [
        ("rust 1", start(&direct, PREFIX, TTL).await),
        ("rust 2", start(&direct, PREFIX, TTL).await),
        ("rust, cut off", start(&proxied, PREFIX, TTL).await),
    ];
    for (actor, handle) in &handles {
        for _ in 0..2 {
            let handle = handle.clone();
            let execute = async move |op: &Op| through_handle(&handle, op).await.ok();
            workers.spawn(work(Arc::clone(&run), actor, execute));
        }
    }
    let go = [
        Go::start(&program, &cluster.endpoints().join(",")).await,
        Go::start(&program, &links.endpoints().join(",")).await,
    ];
    for (actor, go) in ["go 1", UNJUDGED].into_iter().zip(&go) {
        for _ in 0..2 {
            let calls = go.calls.clone();
            workers.spawn(work(Arc::clone(&run), actor, async move |op: &Op| Go::execute(&calls, op).await));
        }
    }
    workers.spawn(read_plainly(Arc::clone(&run), servers::client(cluster.endpoints())));

    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        disturb(&cluster, &links).await;
    }
    run.over.store(true, Ordering::Relaxed);
    while let Some(worker) = timeout(PATIENCE, workers.join_next()).await.expect("all end") {
        worker.expect("no panic");
    }
    for Go { mut child, calls } in go {
        drop(calls);
        timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it is waited for");
    }
    report(&run, &handles);
}

/// Reads as a client without a cache, which shows what others must not miss.
async fn read_plainly(run: Arc<Run>, client: Client) {
    while !run.is_over() {
        let op = Op::draw();
        let Op::Get(key) = &op else { continue };
        let began = Instant::now();
        let response = client.get(key).timeout(LIMIT).await;
        let revision = response.map(|response| response.first().map_or(0, |kv| kv.mod_revision.get()));
        run.record("plain", &op, began, revision.ok().map(|revision| [revision]).as_ref().map(|it| &it[..]));
        sleep(Duration::from_millis(2)).await;
    }
}

fn report(run: &Run, handles: &[(&'static str, Leasing)]) {
    let entries = run.entries.lock().expect("no panic");
    // Judged together: on a busy machine, an actor behind links that hang may do little.
    let (mut all_reads, mut all_writes) = (0, 0);
    for (actor, (reads, writes)) in totals(&entries) {
        say(&format!("{actor}: {reads} reads, {writes} writes"));
        all_reads += reads;
        all_writes += writes;
    }
    assert!(all_reads > 0 && all_writes > 0, "{all_reads} reads, {all_writes} writes");
    let (mut cached, mut acquired, mut released) = (0, 0, 0);
    for (actor, handle) in handles {
        let counters = handle.counters();
        say(&format!("{actor}: {counters:?}"));
        cached += counters.cached_reads;
        acquired += counters.acquired;
        released += counters.released;
    }
    assert!(
        cached > 0 && acquired > 0 && released > 0,
        "{cached} cached reads, {acquired} acquired and {released} released keys"
    );
    let (unjudged, stale): (Vec<_>, Vec<_>) =
        stale_reads(&entries).into_iter().partition(|read| read.actor == UNJUDGED);
    let failed = run.failed.load(Ordering::Relaxed);
    say(&format!("{failed} failed operations, {} stale reads; {UNJUDGED}: {}", stale.len(), unjudged.len()));
    let shown: Vec<_> = stale.iter().take(20).map(|read| &read.text).collect();
    assert!(stale.is_empty(), "{} stale reads: {shown:#?}", stale.len());
}
