//! The observer of a client: the trait, and the one that a client may have.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    event::{AttemptEvent, CallEvent, ConnectionEvent, EndpointEvent},
    trace,
};
use crate::{mechanism::outage::Note, transport::state::EndpointPhase};

/// Is told what a client does; set with [`ClientBuilder::observer`](crate::ClientBuilder::observer).
///
/// Every method does nothing by default. They are called where things happen: in the caller's task, and in the tasks that keep
/// connections. They must not block, and what they take every call takes. A panic in one is caught and has no effect on the call.
pub trait Observer: Send + Sync {
    /// An attempt of a call ended.
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let _ = event;
    }

    /// A call ended.
    fn call(&self, event: &CallEvent) {
        let _ = event;
    }

    /// An endpoint changed its phase.
    fn endpoint(&self, event: &EndpointEvent<'_>) {
        let _ = event;
    }

    /// An endpoint is none of the client's any more; so are all of them once it is closed.
    fn endpoint_removed(&self, endpoint: &str) {
        let _ = endpoint;
    }

    /// A connection was opened or closed.
    fn connection(&self, event: &ConnectionEvent<'_>) {
        let _ = event;
    }
}

/// The observer of a client, where it has one.
#[derive(Clone, Default)]
pub(crate) struct SharedObserver(Option<Arc<dyn Observer>>);

impl SharedObserver {
    pub(crate) fn new(observer: impl Observer + 'static) -> Self {
        Self(Some(Arc::new(observer)))
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// A panic would end the task that keeps an endpoint connected.
    pub(super) fn tell(&self, tell: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| tell(&**observer)));
        }
    }

    pub(crate) fn phase(&self, endpoint: &str, phase: EndpointPhase, reason: Option<&str>, note: Note) {
        trace::phase(endpoint, phase, reason, note);
        self.tell(|observer| observer.endpoint(&EndpointEvent { endpoint, phase, reason }));
    }

    pub(crate) fn removed(&self, endpoint: &str) {
        self.tell(|observer| observer.endpoint_removed(endpoint));
    }
}

impl fmt::Debug for SharedObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_none() { "no observer" } else { "an observer" })
    }
}
