//! The task of a session: notices its end, and deletes what nobody answers for any more.

use std::{
    pin::Pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use etcd_client_core::LeaseLost;
use futures_core::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    Kept, end_with,
    settle::{Settlement, Settler},
};
use crate::{SessionEnd, token::pool::Pool};

/// Settlements under way at a time: each is one or two requests, more only during an outage.
const AT_A_TIME: usize = 1_024;

/// What the task of a session works with.
pub(super) struct Task {
    pub(super) settler: Settler,
    pub(super) pool: Arc<Pool>,
    pub(super) ttl: Duration,
    pub(super) kept: Kept,
    pub(super) lost: Pin<Box<dyn Future<Output = LeaseLost> + Send>>,
    /// Ends the session without revoking its lease.
    pub(super) until: BoxFuture<'static, ()>,
    pub(super) end: watch::Sender<Option<SessionEnd>>,
    pub(super) received: mpsc::Receiver<Settlement>,
}

impl Task {
    /// Runs until the session is over, or nothing refers to it and everything is settled. Then the lease is not renewed any more.
    ///
    /// The end of the lease deletes every key of the session, so that nothing is left to settle.
    pub(super) async fn run(mut self) {
        let mut told = self.end.subscribe();
        let mut running = FuturesUnordered::new();
        let mut in_use = true;
        // What cannot be settled in this time after the last handle was dropped is left to the end of the lease, which
        // would otherwise be renewed for as long as etcd refuses.
        let mut unused_since = std::pin::pin!(sleep(Duration::ZERO));
        while in_use || !running.is_empty() {
            tokio::select! {
                biased;
                _ = told.wait_for(Option::is_some) => break,
                _ = &mut self.lost => end_with(&self.end, SessionEnd::Lost),
                () = &mut self.until => end_with(&self.end, SessionEnd::Orphaned),
                Some(token) = running.next(), if !running.is_empty() => {
                    if let Some(token) = token {
                        self.pool.put_back(token);
                    }
                }
                left = self.received.recv(), if in_use && running.len() < AT_A_TIME => match left {
                    Some(left) => running.push(left.run(self.settler.clone())),
                    None => {
                        in_use = false;
                        unused_since.as_mut().reset(Instant::now() + self.ttl);
                    }
                },
                () = &mut unused_since, if !in_use => break,
            }
        }
        end_with(&self.end, SessionEnd::Orphaned);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        // What is still held or not settled is not renewed either.
        self.settler.entries.as_ref().map(|entries| entries.take());
    }
}
