//! The [`Observer`] trait, and the observer that a client may have.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::transport::{
    endpoint::{EndpointPhase, outage::Note},
    observe::{
        event::{AttemptEvent, CallEvent, ConnectionEvent, EndpointEvent},
        trace,
    },
};

/// Receives notifications about client activity. Set one with
/// [`ClientBuilder::observer`](crate::client::ClientBuilder::observer).
///
/// Every method does nothing by default. Methods run synchronously, in the caller's task and in the tasks that
/// maintain connections. They must not block, and their duration adds to every call. A panic in a method is caught and
/// does not affect the call.
pub trait Observer: Send + Sync {
    /// Called when an attempt of a call ends.
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let _ = event;
    }

    /// Called when a call ends.
    fn call(&self, event: &CallEvent) {
        let _ = event;
    }

    /// Called when an endpoint changes its phase.
    fn endpoint(&self, event: &EndpointEvent<'_>) {
        let _ = event;
    }

    /// Called when an endpoint is removed from the client. Closing the client removes all of them.
    fn endpoint_removed(&self, endpoint: &str) {
        let _ = endpoint;
    }

    /// Called when a connection is opened or closed.
    fn connection(&self, event: &ConnectionEvent<'_>) {
        let _ = event;
    }
}

/// The optional observer of a client.
#[derive(Clone, Default)]
pub(crate) struct SharedObserver(Option<Arc<dyn Observer>>);

impl SharedObserver {
    pub(crate) fn new(observer: impl Observer + 'static) -> Self {
        Self(Some(Arc::new(observer)))
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Runs a closure with the observer, if there is one. Panics are caught: one in a user's method would otherwise end
    /// the task that maintains the endpoint's connection.
    pub(crate) fn notify(&self, notify: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| notify(&**observer)));
        }
    }

    pub(crate) fn phase(&self, endpoint: &str, phase: EndpointPhase, reason: Option<&str>, note: Note) {
        trace::phase(endpoint, phase, reason, note);
        self.notify(|observer| observer.endpoint(&EndpointEvent { endpoint, phase, reason }));
    }

    pub(crate) fn removed(&self, endpoint: &str) {
        self.notify(|observer| observer.endpoint_removed(endpoint));
    }
}

impl fmt::Debug for SharedObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_none() { "no observer" } else { "an observer" })
    }
}
