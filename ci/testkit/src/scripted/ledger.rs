//! The counters of a server.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use tokio::{sync::watch, time::timeout};

const PATIENCE: Duration = Duration::from_secs(30);

/// The counts of a server so far.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Connections accepted.
    pub connections: usize,
    /// Connections that are open.
    pub open_connections: usize,
    /// Calls that were begun and not answered yet.
    pub open_calls: usize,
    /// The most calls that were open at a time.
    pub peak_calls: usize,
    /// RST_STREAM frames sent, scripted ones and those for breaking the rules of HTTP/2.
    pub resets: usize,
    /// The requests that were received whole, in the order of their ends.
    pub received: Vec<Received>,
    /// The empty Txns of new connections, which are in no other count.
    pub probes: Vec<Received>,
    probes_begun: usize,
    /// Calls begun, by path.
    begun: BTreeMap<String, usize>,
}

/// A request that was received whole.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// The encoded message.
    pub message: Bytes,
    /// Set unless the response showed that the server did not process the request.
    pub applied: bool,
}

impl Counts {
    /// The requests of this method that were received whole.
    #[must_use]
    pub fn received(&self, path: &str) -> usize {
        self.received.iter().filter(|request| request.path == path).count()
    }

    /// The requests of this method that a server would have processed.
    #[must_use]
    pub fn applied(&self, path: &str) -> usize {
        self.received.iter().filter(|request| request.path == path && request.applied).count()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    counts: Arc<watch::Sender<Counts>>,
}

impl Ledger {
    pub(super) fn read<T>(&self, read: impl FnOnce(&Counts) -> T) -> T {
        read(&self.counts.borrow())
    }

    pub(super) async fn wait_until(&self, condition: impl Fn(&Counts) -> bool) {
        let mut counts = self.counts.subscribe();
        if timeout(PATIENCE, counts.wait_for(condition)).await.is_err() {
            panic!("the server did not see it within {PATIENCE:?}: {:?}", self.counts.borrow());
        }
    }

    pub(super) fn reset(&self) {
        self.counts.send_modify(|counts| counts.resets += 1);
    }

    pub(super) fn received(&self, request: Received) {
        self.counts.send_modify(|counts| counts.received.push(request));
    }

    pub(super) fn probed(&self, request: Received) {
        self.counts.send_modify(|counts| counts.probes.push(request));
    }

    /// Gives a probe its number.
    pub(super) fn probe(&self) -> (usize, Open) {
        let mut number = 0;
        self.counts.send_modify(|counts| {
            counts.probes_begun += 1;
            number = counts.probes_begun;
        });
        (number, Open { ledger: self.clone(), close: |_| {} })
    }

    /// Counts a connection in and gives it its number; the guard counts it out.
    pub(super) fn connection(&self) -> (usize, Open) {
        let mut number = 0;
        self.counts.send_modify(|counts| {
            counts.connections += 1;
            counts.open_connections += 1;
            number = counts.connections;
        });
        (number, Open { ledger: self.clone(), close: |counts| counts.open_connections -= 1 })
    }

    /// Counts a call in and gives it its number; the guard counts it out.
    pub(super) fn call(&self, path: &str) -> (usize, Open) {
        let mut number = 0;
        self.counts.send_modify(|counts| {
            counts.open_calls += 1;
            counts.peak_calls = counts.peak_calls.max(counts.open_calls);
            let begun = counts.begun.entry(path.to_owned()).or_default();
            *begun += 1;
            number = *begun;
        });
        (number, Open { ledger: self.clone(), close: |counts| counts.open_calls -= 1 })
    }
}

/// Counts something out when it is dropped.
#[derive(Debug)]
pub(super) struct Open {
    ledger: Ledger,
    close: fn(&mut Counts),
}

impl Drop for Open {
    fn drop(&mut self) {
        self.ledger.counts.send_modify(self.close);
    }
}
