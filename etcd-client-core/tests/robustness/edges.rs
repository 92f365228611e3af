//! The client's types as a history writes them.

use etcd_client_core::{
    Error, Event, Outcome, Revision,
    watch::{WatchResponse, WatchResponseKind},
};
use etcd_testkit::history::{self, Change, Edge, LeaseId, OpId, Previous, Rev, Value, WatchId};

pub(super) fn revision(revision: Revision) -> Rev {
    Rev(revision.get())
}

/// How an operation failed.
pub(super) fn failure(op: OpId, error: &Error) -> Edge {
    let reason = error.report().to_string();
    match error.outcome() {
        Outcome::NotApplied => Edge::NotApplied { op, reason },
        _ => Edge::Unknown { op, reason },
    }
}

/// What a watch gave.
pub(super) fn response(watch: WatchId, response: &WatchResponse) -> Edge {
    let events = response.events.iter().map(event).collect();
    match response.kind {
        WatchResponseKind::Created => {
            Edge::WatchCreated { watch, revision: Some(revision(response.header.revision)) }
        }
        WatchResponseKind::Progress => {
            Edge::WatchProgress { watch, revision: revision(response.header.revision) }
        }
        WatchResponseKind::Resynced(at) => Edge::WatchResynced { watch, revision: revision(at), events },
        _ => Edge::WatchEvents { watch, events },
    }
}

fn event(event: &Event) -> history::Event {
    history::Event {
        revision: revision(event.revision()),
        change: if event.is_delete() { Change::Delete } else { Change::Put },
        key: history::key(&event.kv.key),
        value: Value::of(&event.kv.value),
        is_create: event.is_create(),
        lease: event.kv.lease.map(|lease| LeaseId(lease.get())),
        prev: event
            .prev_kv
            .as_ref()
            .map(|prev| Previous { revision: revision(prev.mod_revision), value: Value::of(&prev.value) }),
    }
}
