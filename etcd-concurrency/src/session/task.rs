//! The task of a session: notices its end, and deletes what nobody answers for any more.

use etcd_client_core::KeptLease;
use futures_core::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{mpsc, watch};

use super::{cleanup::Cleanup, end_with};
use crate::{SessionEnd, Store};

/// Cleanups under way at a time: those of futures dropped in the middle of an entry take seconds each.
const AT_A_TIME: usize = 1_024;

/// What the task of a session works with.
pub(super) struct Task {
    pub(super) store: Store,
    pub(super) kept: KeptLease,
    /// Ends the session without revoking its lease.
    pub(super) until: BoxFuture<'static, ()>,
    pub(super) end: watch::Sender<Option<SessionEnd>>,
    pub(super) received: mpsc::Receiver<Cleanup>,
}

/// Runs until the session is over, or nothing refers to it and everything is cleaned up.
///
/// The end of the lease deletes every key of the session, so that nothing is left to clean up.
pub(super) async fn run(task: Task) {
    let Task { store, kept, mut until, end, mut received } = task;
    let mut told = end.subscribe();
    let mut lost = std::pin::pin!(kept.lost());
    let mut running = FuturesUnordered::new();
    let mut in_use = true;
    while in_use || !running.is_empty() {
        tokio::select! {
            biased;
            _ = told.wait_for(Option::is_some) => break,
            _ = &mut lost => end_with(&end, SessionEnd::Lost),
            () = &mut until => end_with(&end, SessionEnd::Orphaned),
            Some(()) = running.next(), if !running.is_empty() => {}
            cleanup = received.recv(), if in_use && running.len() < AT_A_TIME => match cleanup {
                Some(cleanup) => running.push(cleanup.run(store.clone())),
                None => in_use = false,
            },
        }
    }
    end_with(&end, SessionEnd::Orphaned);
}
