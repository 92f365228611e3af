//! The counters of a proxy.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};

use super::Direction;

const PATIENCE: Duration = Duration::from_secs(30);

/// The counts of a proxy so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections of clients with any result, except for those that the system refused, which the proxy does not see.
    pub connects: usize,
    /// Connections of those that reached the server.
    pub served: usize,
    /// Served connections that are open.
    pub open: usize,
    /// The bytes of all connections.
    pub traffic: Traffic,
}

/// Bytes of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes from clients.
    pub to_server: Flow,
    /// Bytes from the server.
    pub to_client: Flow,
}

/// Bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Taken from the sender.
    pub read: u64,
    /// Given to the receiver.
    pub written: u64,
}

impl Traffic {
    pub(super) fn of(&mut self, direction: Direction) -> &mut Flow {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient | Direction::Both => &mut self.to_client,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<watch::Sender<Counts>>);

impl Ledger {
    pub(super) fn counts(&self) -> Counts {
        *self.0.borrow()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.0.send_modify(change);
    }

    pub(super) async fn wait_until(&self, condition: impl Fn(&Counts) -> bool) {
        let mut counts = self.0.subscribe();
        if timeout(PATIENCE, counts.wait_for(condition)).await.is_err() {
            panic!("the proxy did not see it within {PATIENCE:?}: {:?}", self.counts());
        }
    }
}
