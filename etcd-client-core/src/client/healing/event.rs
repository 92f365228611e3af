//! The events of a self-healing lease.

use std::sync::{Mutex, PoisonError};

use etcd_errors::Error;
use futures_core::Stream;
use tokio::sync::broadcast;

use crate::{
    lease::LeaseLost,
    types::{Key, LeaseId},
};

/// The number of events buffered for a reader. A slower reader misses the oldest events.
const MOST_EVENTS: usize = 64;

/// An event of a self-healing lease.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HealingEvent {
    /// The lease was lost. Treat its keys as deleted until the lease is healed.
    Lost(LeaseLost),
    /// Another lease was granted, and every attached key was put with it.
    Healed {
        /// The new lease.
        lease: LeaseId,
    },
    /// Another client has put an attached key. The key is detached and keeps the value of the other client.
    Taken {
        /// The key.
        key: Key,
    },
    /// Putting an attached key failed. The key stays attached.
    ///
    /// During healing the put is retried until it succeeds or the next lease is lost. If
    /// [`attach`](crate::client::HealingLease::attach) fails for a key that was attached before, the key keeps its earlier value.
    AttachFailed {
        /// The key.
        key: Key,
        /// The error of the put.
        error: Error,
    },
    /// Granting another lease failed. The grant is retried.
    Failed(Error),
    /// Healing has ended: the lease was revoked, or the client was closed.
    Ended(LeaseLost),
}

/// The sender of the events, until the healing ends.
#[derive(Debug)]
pub(crate) struct Events(Mutex<Option<broadcast::Sender<HealingEvent>>>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Some(broadcast::Sender::new(MOST_EVENTS))))
    }

    pub(crate) fn send(&self, event: HealingEvent) {
        if let Some(sender) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // `send` fails if there is no receiver, which is not an error here.
            let _ = sender.send(event);
        }
    }

    /// Ends every stream of events, after the events that it has not yet yielded.
    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns a stream of the events from now on. It is empty after the end.
    pub(crate) fn subscribe(&self) -> impl Stream<Item = HealingEvent> + Send + Unpin + use<> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let events = sender.as_ref().map(broadcast::Sender::subscribe);
        Box::pin(futures_util::stream::unfold(events, |events| async move {
            let mut events = events?;
            loop {
                match events.recv().await {
                    Ok(event) => return Some((event, Some(events))),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        }))
    }
}
