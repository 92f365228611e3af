//! The task of a session: notices its end, and deletes what nobody answers for any more.

use std::{pin::Pin, sync::PoisonError};

use etcd_client_core::LeaseLost;
use futures_core::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{mpsc, watch};

use super::{Kept, cleanup::Cleanup, end_with};
use crate::{SessionEnd, Store};

/// Cleanups under way at a time: those of futures dropped in the middle of an entry take seconds each.
const AT_A_TIME: usize = 1_024;

/// What the task of a session works with.
pub(super) struct Task {
    pub(super) store: Store,
    pub(super) kept: Kept,
    pub(super) lost: Pin<Box<dyn Future<Output = LeaseLost> + Send>>,
    /// Ends the session without revoking its lease.
    pub(super) until: BoxFuture<'static, ()>,
    pub(super) end: watch::Sender<Option<SessionEnd>>,
    pub(super) received: mpsc::Receiver<Cleanup>,
}

impl Task {
    /// Runs until the session is over, or nothing refers to it and everything is cleaned up. Then the lease is not renewed any more.
    ///
    /// The end of the lease deletes every key of the session, so that nothing is left to clean up.
    pub(super) async fn run(mut self) {
        let mut told = self.end.subscribe();
        let mut running = FuturesUnordered::new();
        let mut in_use = true;
        while in_use || !running.is_empty() {
            tokio::select! {
                biased;
                _ = told.wait_for(Option::is_some) => break,
                _ = &mut self.lost => end_with(&self.end, SessionEnd::Lost),
                () = &mut self.until => end_with(&self.end, SessionEnd::Orphaned),
                Some(()) = running.next(), if !running.is_empty() => {}
                cleanup = self.received.recv(), if in_use && running.len() < AT_A_TIME => match cleanup {
                    Some(cleanup) => running.push(cleanup.run(self.store.clone())),
                    None => in_use = false,
                },
            }
        }
        end_with(&self.end, SessionEnd::Orphaned);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
