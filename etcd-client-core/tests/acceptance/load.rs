//! The callers: each writes a key of its own, reads it back, and begins anew.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use etcd_client_core::{Client, Error};
use tokio::{task::JoinSet, time::Instant};

use crate::{
    history::{Call, History, Kind},
    servers::eventually,
};

const CALLERS: usize = 64;

/// What all keys begin with.
pub(super) const PREFIX: &str = "load/";

#[derive(Debug)]
pub(super) struct Load {
    state: Arc<State>,
    callers: JoinSet<Vec<Call>>,
}

#[derive(Debug)]
struct State {
    began: Instant,
    answered: AtomicUsize,
    /// When the youngest of the answered calls began, in microseconds.
    youngest: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    pub(super) fn start(client: &Client) -> Self {
        let state = Arc::new(State {
            began: Instant::now(),
            answered: AtomicUsize::default(),
            youngest: AtomicU64::default(),
            stop: AtomicBool::default(),
        });
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            callers.spawn(call(client.clone(), Arc::clone(&state), caller));
        }
        Self { state, callers }
    }

    /// Waits until so many more calls are answered.
    pub(super) async fn answered(&self, more: usize) {
        let answered = || self.state.answered.load(Ordering::Relaxed);
        let before = answered();
        eventually(format!("{more} more calls are answered"), async || answered() >= before + more).await;
    }

    /// Waits until a call is answered that began at `at` or later.
    pub(super) async fn answered_since(&self, at: Instant) {
        let at = micros(at, self.state.began);
        let youngest = || self.state.youngest.load(Ordering::Relaxed);
        eventually("a later call is answered", async || youngest() >= at).await;
    }

    /// Lets every caller end its call, and gives what all did.
    pub(super) async fn stop(self) -> History {
        self.state.stop.store(true, Ordering::Relaxed);
        let calls = self.callers.join_all().await;
        History { calls: calls.into_iter().flatten().collect() }
    }
}

impl State {
    fn record(
        &self,
        calls: &mut Vec<Call>,
        kind: Kind,
        key: &str,
        start: Instant,
        outcome: Result<u64, Error>,
    ) {
        if outcome.is_ok() {
            self.answered.fetch_add(1, Ordering::Relaxed);
            self.youngest.fetch_max(micros(start, self.began), Ordering::Relaxed);
        }
        calls.push(Call { kind, key: key.to_owned(), start, end: Instant::now(), outcome });
    }
}

async fn call(client: Client, state: Arc<State>, caller: usize) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut acknowledged: Option<String> = None;
    for n in 0.. {
        if state.stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("{PREFIX}{caller:02}/{n}");
        let start = Instant::now();
        let put = client.put(key.clone(), "v").await.map(|put| put.header.raft_term);
        let written = put.is_ok();
        state.record(&mut calls, Kind::Write, &key, start, put);
        if written {
            acknowledged = Some(key);
        }
        let Some(key) = &acknowledged else { continue };
        let start = Instant::now();
        let got = client.get(key.clone()).await;
        if let Ok(got) = &got {
            let versions: Vec<i64> = got.kvs.iter().map(|kv| kv.version.get()).collect();
            assert_eq!(versions, [1], "{key} was acknowledged, and then read");
        }
        state.record(&mut calls, Kind::Read, key, start, got.map(|got| got.header.raft_term));
    }
    calls
}

fn micros(at: Instant, since: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(since).as_micros()).unwrap_or(u64::MAX)
}
