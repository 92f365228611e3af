//! One watch: the keys it is about, and how far it is.

use etcd_proto::etcdserverpb::WatchCreateRequest;
use etcd_proto::etcdserverpb::watch_create_request::FilterType;
use etcd_proto::mvccpb::Event;
use etcd_proto::mvccpb::event::EventType;

use crate::store::{Change, Span, Store};

/// The largest number of revisions in one response to a watch that is behind: `watchBatchMaxRevs` of
/// `server/storage/mvcc/watcher_group.go`.
const MAX_REVISIONS: usize = 1000;

/// The position of a watch relative to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It gets each commit at once.
    Synced,
    /// It has to read the log first.
    Behind,
    /// The history that it needs is compacted. It is gone for the client, and keeps its identifier until the client
    /// cancels it.
    Compacted,
}

/// One watch.
#[derive(Debug, Clone)]
pub(crate) struct Watcher {
    pub(crate) span: Span,
    pub(crate) request: WatchCreateRequest,
    pub(super) standing: Standing,
    /// The first revision that the watch has not got yet.
    pub(super) next_revision: i64,
    /// Set if the next periodic report is due. An event makes it superfluous.
    pub(super) report_due: bool,
}

/// Events for a watch that was behind.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    /// The revision after these events, if there are more.
    pub(super) more: Option<i64>,
}

impl Watcher {
    pub(super) fn new(request: &WatchCreateRequest, span: Span, store: &Store) -> Self {
        let start = request.start_revision;
        let synced = start == 0 || start > store.revision();
        Self {
            span,
            request: request.clone(),
            standing: if synced { Standing::Synced } else { Standing::Behind },
            next_revision: if synced { start.max(store.revision() + 1) } else { start },
            report_due: true,
        }
    }

    /// Returns whether the client can still get events.
    pub(crate) fn is_live(&self) -> bool {
        self.standing != Standing::Compacted
    }

    /// Returns whether the progress of this watch can be reported: it is synced, and does not start in the future.
    pub(super) fn can_report(&self, revision: i64) -> bool {
        self.standing == Standing::Synced && self.request.start_revision <= revision
    }

    /// Returns the events of `changes` for this watch.
    pub(super) fn events(&self, changes: &[Change], store: &Store) -> Vec<Event> {
        changes.iter().filter(|change| self.wants(change)).map(|change| self.event(change, store)).collect()
    }

    /// Reads the log of the store from where this watch is.
    pub(super) fn batch(&self, store: &Store) -> Batch {
        let mut batch = Batch { events: Vec::new(), more: None };
        let (mut revisions, mut last) = (0, 0);
        for change in store.changes_since(self.next_revision) {
            if !self.span.contains(&change.kv.key) {
                continue;
            }
            if change.revision() > last {
                revisions += 1;
                last = change.revision();
            }
            if revisions > MAX_REVISIONS {
                batch.more = Some(change.revision());
                break;
            }
            if self.wants(change) {
                batch.events.push(self.event(change, store));
            }
        }
        batch
    }

    fn wants(&self, change: &Change) -> bool {
        let unwanted = if change.deleted { FilterType::Nodelete } else { FilterType::Noput };
        change.revision() >= self.next_revision
            && self.span.contains(&change.kv.key)
            && !self.request.filters.contains(&(unwanted as i32))
    }

    fn event(&self, change: &Change, store: &Store) -> Event {
        let kind = if change.deleted { EventType::Delete } else { EventType::Put };
        let has_previous = self.request.prev_kv && !change.creates();
        let prev_kv =
            has_previous.then(|| store.at(&change.kv.key, change.revision() - 1)).flatten().cloned();
        Event { r#type: kind as i32, kv: Some(change.kv.clone()), prev_kv }
    }
}
