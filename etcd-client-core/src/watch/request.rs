//! Watch: creates a watch on keys, with its start revision and options.

use etcd_errors::Error;

use crate::{
    request::{Unbound, bound::bindable},
    types::{Invalid, Key, KeyRange, Revision, range_setters},
    watch::{WatchService, WatchStream},
};

/// The default limit for the memory that undelivered events of one watch occupy.
const BUFFER_BYTES: usize = 4 << 20;

/// Watches a key or a range of keys.
///
/// Awaiting the operation waits until a member has created the watch. The watch delivers every later event. A timeout
/// limits only this wait; the watch itself runs until it is cancelled or fails.
///
/// Watches with different metadata do not share a stream. A watch always requests large responses in fragments and
/// reassembles them.
///
/// # Cancel safety
/// Dropping the future before it completes cancels the watch on the server.
///
/// # Examples
/// ```
/// use etcd_client_core::{Revision, Watch};
/// use etcd_client_core::watch::Backpressure;
///
/// let config = Watch::new("config/").prefix().prev_kv();
/// let deletions = Watch::new("jobs/").prefix().start_revision(Revision::new(42)).no_put();
/// let latest = Watch::new("load").buffer_bytes(64 << 10).backpressure(Backpressure::Coalesce);
/// # let _ = (config, deletions, latest);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(alias = "OpWatch")]
#[doc(alias = "WithFragment")]
#[doc(alias = "WatchCreateRequest")]
#[doc(alias = "WatchOptions")]
#[must_use = "a Watch watches nothing until it is awaited"]
pub struct Watch<B = Unbound> {
    /// The keys to watch.
    pub range: KeyRange,
    /// The first revision whose events are delivered; zero starts with the next event.
    pub start_revision: Revision,
    /// Includes the previous pair in events.
    pub prev_kv: bool,
    /// Omits put events.
    pub no_put: bool,
    /// Omits delete events.
    pub no_delete: bool,
    /// Delivers progress notifications.
    pub progress_notify: bool,
    /// Delivers the creation of the watch as a response.
    pub created_notify: bool,
    /// Resumes from a new listing after a compaction removed events that were not delivered yet.
    pub resync: bool,
    /// The number of bytes of undelivered events to buffer.
    pub buffer_bytes: usize,
    /// The policy for a full buffer.
    pub backpressure: Backpressure,
    /// The history that the start revision belongs to, if it is not the current one.
    pub(crate) history: Option<u64>,
    pub(crate) binding: B,
}

/// The policy of a watch whose reader is slower than its events.
#[doc(alias = "backpressure")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backpressure {
    /// Cancels the watch on the server and resumes it from the same revision once the reader has caught up. No event
    /// is lost unless its history is compacted in the meantime.
    #[default]
    Pause,
    /// Keeps only the latest event of each key, and pauses like `Pause` if these alone exceed the buffer.
    Coalesce,
    /// Ends the watch with an error.
    Fail,
}

bindable!(Watch { range, start_revision, prev_kv, no_put, no_delete, progress_notify, created_notify, resync, buffer_bytes, backpressure, history } => WatchStream, WatchService.watch);

impl Watch {
    /// Creates a watch on exactly `key` that starts with the next event.
    pub fn new(key: impl Into<Key>) -> Self {
        Self::from_range(KeyRange::one(key))
    }

    /// Creates a watch on the keys of `range` that starts with the next event.
    pub fn from_range(range: KeyRange) -> Self {
        Self {
            range,
            start_revision: Revision::ZERO,
            prev_kv: false,
            no_put: false,
            no_delete: false,
            progress_notify: false,
            created_notify: false,
            resync: false,
            buffer_bytes: BUFFER_BYTES,
            backpressure: Backpressure::default(),
            history: None,
            binding: Unbound,
        }
    }
}

impl<B> Watch<B> {
    range_setters!(range);

    /// Starts with the events of this revision, which may be in the past or the future. The default is the next
    /// event.
    #[doc(alias = "WithRev")]
    #[doc(alias = "with_start_revision")]
    pub fn start_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.start_revision = revision.into();
        self
    }

    /// Includes the previous pair in events. It is omitted by default.
    #[doc(alias = "WithPrevKV")]
    #[doc(alias = "with_prev_key")]
    pub fn prev_kv(mut self) -> Self {
        self.prev_kv = true;
        self
    }

    /// Omits put events. They are delivered by default.
    #[doc(alias = "WithFilterPut")]
    #[doc(alias = "with_filters")]
    pub fn no_put(mut self) -> Self {
        self.no_put = true;
        self
    }

    /// Omits delete events. They are delivered by default.
    #[doc(alias = "WithFilterDelete")]
    #[doc(alias = "with_filters")]
    pub fn no_delete(mut self) -> Self {
        self.no_delete = true;
        self
    }

    /// Delivers progress notifications: responses without events that report the revision the watch has reached. By
    /// default only events are delivered.
    #[doc(alias = "WithProgressNotify")]
    #[doc(alias = "with_progress_notify")]
    pub fn progress_notify(mut self) -> Self {
        self.progress_notify = true;
        self
    }

    /// Delivers the creation of the watch as the first response, once. By default only events are delivered.
    #[doc(alias = "WithCreatedNotify")]
    pub fn created_notify(mut self) -> Self {
        self.created_notify = true;
        self
    }

    /// Resumes the watch after a compaction removed events that it had not delivered. By default the watch ends with
    /// an error.
    ///
    /// The client then lists the range, compares the pairs with the events that it has delivered, and delivers each
    /// difference as an event. The response is marked as
    /// [`Resynced`](crate::watch::WatchResponseKind::Resynced). A deletion found in this way has the revision of the
    /// listing, and none of these events has a previous pair. If the history is already compacted at the start
    /// revision when the watch is created, keys that were deleted before are not reported.
    ///
    /// The keys of the range are listed once when the watch is created. They are kept in memory, at about 50 bytes
    /// plus the key for each.
    ///
    /// A resync also follows once another cluster or history was [accepted](crate::client::Client::accept_cluster). Every
    /// current pair is then delivered as an event, because revisions of different histories cannot be compared.
    pub fn resync(mut self) -> Self {
        self.resync = true;
        self
    }

    /// Sets the number of bytes of undelivered events to buffer. The default is 4 MiB. A single larger revision is
    /// still delivered.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.buffer_bytes = bytes;
        self
    }

    /// Sets the policy for a full buffer. The default is [`Backpressure::Pause`].
    pub fn backpressure(mut self, policy: Backpressure) -> Self {
        self.backpressure = policy;
        self
    }

    /// Sets the history that the start revision belongs to. In another history the revision has no meaning.
    pub(crate) fn in_history(mut self, number: u64) -> Self {
        self.history = Some(number);
        self
    }
}

impl Watch {
    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if the range is contradictory or empty, the start revision is negative, both kinds of events
    /// are omitted, `no_put` is combined with `resync`, or the buffer size is zero.
    pub fn validate(&self) -> Result<(), Error> {
        self.check()?;
        Ok(())
    }
}

impl Watch {
    fn check(&self) -> Result<(), Invalid> {
        self.range.check()?;
        let (key, end) = self.range.bounds();
        if !end.is_empty() && end.as_ref() != b"\0" && key >= end {
            return Err(Invalid::new("range_end", "must be greater than the key"));
        }
        if self.start_revision < 0 {
            return Err(Invalid::new("start_revision", "must not be negative"));
        }
        if self.no_put && self.no_delete {
            return Err(Invalid::new("no_delete", "cannot be combined with no_put: no events would be left"));
        }
        if self.resync && self.no_put {
            return Err(Invalid::new("resync", "cannot be combined with no_put"));
        }
        if self.buffer_bytes == 0 {
            return Err(Invalid::new("buffer_bytes", "must be greater than zero"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_contradictory_requests() {
        let field = |op: Watch| op.validate().err().and_then(|error| error.field());
        assert_eq!(field(Watch::new("a").prefix().prev_kv().start_revision(7)), None);
        assert_eq!(field(Watch::new("").all_keys()), None);
        assert_eq!(field(Watch::new("")), Some("key"));
        assert_eq!(field(Watch::new("b").range_end("a")), Some("range_end"));
        assert_eq!(field(Watch::new("b").range_end("b")), Some("range_end"));
        assert_eq!(field(Watch::new("b").prefix().from_key()), Some("range_end"));
        assert_eq!(field(Watch::new("a").start_revision(-1)), Some("start_revision"));
        assert_eq!(field(Watch::new("a").no_put().no_delete()), Some("no_delete"));
        assert_eq!(field(Watch::new("a").no_put().resync()), Some("resync"));
        assert_eq!(field(Watch::new("a").buffer_bytes(0)), Some("buffer_bytes"));
    }
}
