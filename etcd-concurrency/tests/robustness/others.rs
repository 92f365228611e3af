//! Contenders that do not use this crate: Go's recipes (`ci/contender`), `etcdctl lock` and `etcdctl elect`.
//!
//! Go's double barrier is excluded: its `Enter` waits beyond the end of its session and enters on the `ready` of a later round, and a
//! late copy of its `ready`, which is unconditional, admits others without it. Without faults the two are tested in `it meeting`.
//!
//! Their view of their leases is not recorded: their holds end with their keys, as the witnesses saw them.

use std::{
    collections::HashMap,
    io::{Read as _, Seek as _},
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use etcd_client_core::Client;
use etcd_testkit::{
    StderrProgress,
    history::{Edge, HoldId, LeaseId, OpId, Recorder, Rev, Share, Value},
    obtain_contender,
    run::{Run, say},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinSet,
    time::{sleep, timeout},
};

/// The number of processes that use Go's recipes. With one `etcdctl` they are nearly as many as those of this crate.
const GO: u64 = 2;

/// The maximum number of crashes in a run.
const CRASHES: usize = 10;

/// The value that `etcdctl elect` proclaims.
const CANDIDATE: &str = "etcdctl";

/// The time limit for a command to end after it was interrupted.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the contenders. They end when `over` is set.
pub(crate) async fn start(run: &Run, over: &Arc<AtomicBool>) -> JoinSet<()> {
    let mut others = JoinSet::new();
    let endpoints = run.endpoints().join(",");
    let built = tokio::task::spawn_blocking(|| obtain_contender(&mut StderrProgress::new())).await;
    match built.expect("no panic") {
        Ok(program) => {
            for number in 0..GO {
                let (program, endpoints) = (program.clone(), endpoints.clone());
                others.spawn(go(program, endpoints, number, run.recorder().clone(), Arc::clone(over)));
            }
        }
        // Printed, because a run without Go covers less.
        Err(error) => say(format_args!("SKIPPED Go's contenders: {error:#}")),
    }
    let client = Client::builder(run.endpoints()).build().expect("the endpoints are valid");
    let etcdctl = run.cluster().binaries().etcdctl.clone();
    let command =
        Etcdctl { etcdctl, endpoints, client, recorder: run.recorder().clone(), over: Arc::clone(over) };
    others.spawn(command.clone().lock_until_over());
    others.spawn(command.elect_until_over());
    others
}

/// Runs one process after the other. If one crashes, its locks end with its leases.
async fn go(program: PathBuf, endpoints: String, number: u64, recorder: Recorder, over: Arc<AtomicBool>) {
    let mut started = 0;
    while !over.load(Ordering::Relaxed) {
        assert!(started < CRASHES, "Go's contender cannot be kept running");
        let mut command = Command::new(&program);
        command.args(["-endpoints", &endpoints, "-items", &format!("g{number}{started}-")]);
        // A file, because its log is not read while it runs.
        let mut log = tempfile::tempfile().expect("a file");
        command.stderr(log.try_clone().expect("a handle"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().expect("it starts");
        started += 1;
        if Go::new(recorder.clone(), child).follow(&over).await {
            continue;
        }
        let mut text = Vec::new();
        log.rewind().and_then(|()| log.read_to_end(&mut text)).expect("it can be read");
        let end = text.len().saturating_sub(4_000);
        say(format_args!("Go's contender ended: {}", String::from_utf8_lossy(&text[end..])));
    }
}

/// One process that uses Go's recipes, controlled line by line. Its numbers are local: those of the history are drawn as they come.
struct Go {
    recorder: Recorder,
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    holds: HashMap<u64, HoldId>,
    ops: HashMap<u64, OpId>,
}

impl Go {
    fn new(recorder: Recorder, mut child: Child) -> Self {
        let stdin = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { recorder, child, stdin, lines, holds: HashMap::new(), ops: HashMap::new() }
    }

    /// Runs until the run is over. Returns false if the process ended before.
    async fn follow(mut self, over: &AtomicBool) -> bool {
        while !over.load(Ordering::Relaxed) {
            let line = timeout(Duration::from_millis(200), self.lines.next_line()).await;
            match line {
                Ok(Ok(Some(line))) => self.take(&line).await,
                Ok(_) => return false,
                Err(_elapsed) => {}
            }
        }
        // Its locks end with its leases, and the items that it takes from now on are unknown.
        let Self { mut child, stdin, .. } = self;
        drop(stdin);
        timeout(PATIENCE, child.wait()).await.expect("it ends").expect("it is waited for");
        true
    }

    async fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<i64>().ok()).expect("a number");
        let n = number(1).unsigned_abs();
        match words[0] {
            "held" => {
                let hold = self.recorder.hold();
                self.holds.insert(n, hold);
                let (name, fence, lease) = (words[2].to_owned(), Rev(number(4)), LeaseId(number(5)));
                let share = if words[6] == "readers" { Share::Readers } else { Share::Alone };
                self.recorder.record(Edge::LockAcquired { hold, name, fence, lease, share });
            }
            "passing" => {
                let (op, name) = (self.op(n), words[2].to_owned());
                self.recorder.record(Edge::Passing { op, name });
                self.confirm(n).await;
            }
            "passed" => {
                self.recorder.record(Edge::Passed { op: self.ops[&n] });
            }
            "giving" => {
                self.recorder.record(Edge::Unlock { hold: self.holds[&n] });
                self.confirm(n).await;
            }
            "lost" => {
                let (hold, reason) = (self.holds[&n], "its session is over".to_owned());
                self.recorder.record(Edge::LockLost { hold, reason });
            }
            "put" => {
                let (op, queue, item) = (self.op(n), words[2].to_owned(), Value::of(words[3].as_bytes()));
                self.recorder.record(Edge::Enqueue { op, queue, item });
                self.confirm(n).await;
            }
            "taking" => {
                let (op, queue) = (self.op(n), words[2].to_owned());
                self.recorder.record(Edge::Dequeue { op, queue });
                self.confirm(n).await;
            }
            "took" => {
                let item = Some(Value::of(words[2].as_bytes()));
                self.recorder.record(Edge::Dequeued { op: self.ops[&n], item });
            }
            "ok" => {
                self.recorder.record(Edge::Ok { op: self.ops[&n], revision: Rev(0), changed: None });
            }
            "failed" => {
                self.recorder.record(Edge::Unknown { op: self.ops[&n], reason: "Go's error".to_owned() });
            }
            other => panic!("Go's contender writes {other}"),
        }
    }

    /// Lets the process continue with what it announced. Lines are read late under load: an operation that started before its
    /// record would look as if it had seen a state from before its start.
    async fn confirm(&mut self, n: u64) {
        // Fails only if the process is gone, which the next line shows.
        let _ = self.stdin.write_all(format!("{n}\n").as_bytes()).await;
    }

    fn op(&mut self, n: u64) -> OpId {
        *self.ops.entry(n).or_insert_with(|| self.recorder.op())
    }
}

/// Runs `etcdctl`, one command after the other.
#[derive(Clone)]
struct Etcdctl {
    etcdctl: PathBuf,
    endpoints: String,
    client: Client,
    recorder: Recorder,
    over: Arc<AtomicBool>,
}

impl Etcdctl {
    async fn lock_until_over(self) {
        while !self.over.load(Ordering::Relaxed) {
            self.lock().await;
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn elect_until_over(self) {
        while !self.over.load(Ordering::Relaxed) {
            self.elect().await;
            self.revoke_candidates().await;
            sleep(Duration::from_millis(500)).await;
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.etcdctl);
        command.arg(format!("--endpoints={}", self.endpoints));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Holds the lock once with `etcdctl lock`, whose command waits for a line before it ends.
    async fn lock(&self) {
        let mut command = self.command();
        command.args(["lock", "--ttl=4", "lock", "--", "sh", "-c", "echo $ETCD_LOCK_KEY; read line"]);
        let mut child = command.spawn().expect("etcdctl starts");
        let mut stdin = child.stdin.take().expect("piped");
        // It waits longer behind a key that a Go client left behind.
        let Some(key) = first_line(&mut child).await else { return };
        let Some(hold) = self.held("lock", key).await else { return };
        sleep(Duration::from_millis(50)).await;
        self.recorder.record(Edge::Unlock { hold });
        // Fails if it has lost the lock and has ended.
        let _ = stdin.write_all(b"\n").await;
        drop(stdin);
        let _ = timeout(PATIENCE, child.wait()).await;
    }

    /// Leads once with `etcdctl elect`, which resigns when it is interrupted.
    async fn elect(&self) {
        let mut command = self.command();
        command.args(["elect", "office", CANDIDATE]);
        let mut child = command.spawn().expect("etcdctl starts");
        if let Some(key) = first_line(&mut child).await
            && let Some(hold) = self.held("office", key).await
        {
            sleep(Duration::from_millis(50)).await;
            self.recorder.record(Edge::Unlock { hold });
        }
        // Without an id, the process has ended.
        if let Some(id) = child.id() {
            let interrupted = Command::new("kill").args(["-INT", &id.to_string()]).status().await;
            interrupted.expect("there is a kill");
        }
        let _ = timeout(PATIENCE, child.wait()).await;
    }

    /// Revokes the leases of candidates that did not resign, which have a TTL of a minute.
    async fn revoke_candidates(&self) {
        let Ok(found) = self.client.get("office/").prefix().await else { return };
        for kv in found.kvs.iter().filter(|kv| kv.value == CANDIDATE.as_bytes()) {
            if let Some(lease) = kv.lease {
                let _ = self.client.lease().revoke(lease).await;
            }
        }
    }

    /// Records that the key is held, if it still exists.
    async fn held(&self, name: &str, key: String) -> Option<HoldId> {
        let found = self.client.get(key).await.ok().and_then(etcd_client_core::kv::GetResponse::into_first);
        let kv = found.filter(|_| !self.over.load(Ordering::Relaxed))?;
        let (hold, fence) = (self.recorder.hold(), Rev(kv.create_revision.get()));
        let lease = LeaseId(kv.lease.map_or(0, etcd_client_core::LeaseId::get));
        let (name, share) = (name.to_owned(), Share::Alone);
        self.recorder.record(Edge::LockAcquired { hold, name, fence, lease, share });
        Some(hold)
    }
}

/// Returns the first line that a command writes, if it writes one soon.
async fn first_line(child: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
    timeout(PATIENCE / 2, lines.next_line()).await.ok()?.ok()?
}
