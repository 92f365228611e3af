//! The background task of a session: notices its end, and runs the cleanups of dropped guards and futures.

use std::{
    pin::Pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use etcd_client_core::lease::LeaseLost;
use futures_core::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

use super::{
    Keeper, SessionEnd,
    cleanup::{Cleaner, Cleanup},
    end::end_with,
};
use crate::token::pool::Pool;

/// The maximum number of concurrent cleanups. Each takes one or two requests, more only during an outage.
const MAX_CONCURRENT: usize = 1_024;

/// The state of a session's task.
pub(super) struct Task {
    pub(super) cleaner: Cleaner,
    pub(super) pool: Arc<Pool>,
    pub(super) ttl: Duration,
    pub(super) keeper: Keeper,
    pub(super) lost: Pin<Box<dyn Future<Output = LeaseLost> + Send>>,
    /// Ends the session without revoking its lease.
    pub(super) until: BoxFuture<'static, ()>,
    pub(super) end: watch::Sender<Option<SessionEnd>>,
    pub(super) received: mpsc::Receiver<Cleanup>,
}

impl Task {
    /// Runs until the session has ended, or until nothing refers to it and all cleanups are done. The lease is not renewed after
    /// that.
    ///
    /// The end of the lease deletes every key of the session, so that no cleanup is needed then.
    pub(super) async fn run(mut self) {
        let mut ended = self.end.subscribe();
        let mut running = FuturesUnordered::new();
        let mut in_use = true;
        // A cleanup that is not done one TTL after the last handle was dropped is left to the expiry of the lease, which would
        // otherwise be renewed for as long as etcd rejects the cleanup.
        let mut unused_since = std::pin::pin!(sleep(Duration::ZERO));
        while in_use || !running.is_empty() {
            tokio::select! {
                // Biased: the end of the session comes first, because its cleanups are void after that.
                biased;
                _ = ended.wait_for(Option::is_some) => break,
                _ = &mut self.lost => end_with(&self.end, SessionEnd::Lost),
                () = &mut self.until => end_with(&self.end, SessionEnd::Orphaned),
                Some(token) = running.next(), if !running.is_empty() => {
                    if let Some(token) = token {
                        self.pool.put_back(token);
                    }
                }
                cleanup = self.received.recv(), if in_use && running.len() < MAX_CONCURRENT => match cleanup {
                    Some(cleanup) => running.push(cleanup.run(self.cleaner.clone())),
                    None => {
                        in_use = false;
                        unused_since.as_mut().reset(Instant::now() + self.ttl);
                    }
                },
                () = &mut unused_since, if !in_use => break,
            }
        }
        end_with(&self.end, SessionEnd::Orphaned);
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The leases of entries that are still held or not cleaned up are not renewed either.
        self.cleaner.entries.as_ref().map(|entries| entries.take());
    }
}
