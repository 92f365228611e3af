//! What a client tells of itself: to an observer, and to a subscriber of `tracing`.

mod canary;
mod observer;
mod spans;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use etcd_client_core::{
    Code, ErrorKind,
    observe::{
        AttemptEvent, CallEnd, CallEvent, ConnectionChange, ConnectionEvent, ConnectionPurpose,
        EndpointEvent, Observer,
    },
    transport::EndpointPhase,
};

/// An event, without the times.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Attempt {
        operation: &'static str,
        number: u32,
        sent: bool,
        error: Option<ErrorKind>,
        code: Option<Code>,
        retried: bool,
    },
    Call {
        operation: &'static str,
        attempts: u32,
        end: CallEnd,
    },
    Phase(EndpointPhase),
    Removed,
    Connection(ConnectionPurpose, ConnectionChange, usize),
}

/// Remembers all events, each of which has to be about `endpoint`.
#[derive(Clone, Debug, Default)]
struct Recorder {
    seen: Arc<Mutex<Vec<Seen>>>,
    endpoints: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn note(&self, endpoint: Option<&str>, seen: Seen) {
        self.seen.lock().expect("not poisoned").push(seen);
        self.endpoints.lock().expect("not poisoned").extend(endpoint.map(str::to_owned));
    }

    fn all(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }

    fn of(&self, kind: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        self.all().into_iter().filter(kind).collect()
    }

    /// Attempts and calls.
    fn calls(&self) -> Vec<Seen> {
        self.of(|seen| matches!(seen, Seen::Attempt { .. } | Seen::Call { .. }))
    }
}

impl Observer for Recorder {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        assert!(event.elapsed < Duration::from_secs(60), "{event:?}");
        let AttemptEvent { operation, number, sent, retried, .. } = *event;
        let (error, code) =
            (event.error.map(|error| error.kind()), event.error.and_then(|error| error.code()));
        self.note(Some(event.endpoint), Seen::Attempt { operation, number, sent, error, code, retried });
    }

    fn call(&self, event: &CallEvent) {
        let CallEvent { operation, attempts, end, .. } = *event;
        self.note(None, Seen::Call { operation, attempts, end });
    }

    fn endpoint(&self, event: &EndpointEvent<'_>) {
        assert_eq!(event.reason.is_some(), matches!(event.phase, EndpointPhase::Down), "{event:?}");
        self.note(Some(event.endpoint), Seen::Phase(event.phase));
    }

    fn endpoint_removed(&self, endpoint: &str) {
        self.note(Some(endpoint), Seen::Removed);
    }

    fn connection(&self, event: &ConnectionEvent<'_>) {
        self.note(Some(event.endpoint), Seen::Connection(event.purpose, event.change, event.count));
    }
}
