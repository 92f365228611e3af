//! WatchCreate: which keys to watch, from when on, and how.

use etcd_errors::Error;

use super::bind::bindable;
use super::{Invalid, KeyRange, Unbound, range_setters};
use crate::model::{Key, Revision};
use crate::service::WatchHandle;

/// The memory that undelivered events of one watch may take unless it says otherwise.
const BUFFER_BYTES: usize = 4 << 20;

/// Watches a key or a range of keys.
///
/// Awaiting it waits until a member has created the watch: whatever is written after that is seen. Dropping the future before
/// cancels the watch on the server. A timeout bounds the wait for the creation: the watch has no end of its own.
/// Watches with different metadata do not share a stream.
///
/// ```
/// use etcd_client_core::{Revision, SlowReader, WatchCreate};
///
/// let config = WatchCreate::new("config/").prefix().prev_kv();
/// let deletions = WatchCreate::new("jobs/").prefix().start_revision(Revision::new(42)).no_put();
/// let latest = WatchCreate::new("load").buffer_bytes(64 << 10).slow_reader(SlowReader::Coalesce);
/// # let _ = (config, deletions, latest);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a WatchCreate watches nothing until it is awaited"]
pub struct WatchCreate<B = Unbound> {
    pub(super) spec: WatchCreateSpec,
    pub(super) binding: B,
}

/// What a [`WatchCreate`] asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchCreateSpec {
    /// The keys to watch.
    pub range: KeyRange,
    /// The first revision whose events are wanted; zero for what happens from now on.
    pub start_revision: Revision,
    /// Whether events carry the pair before the change.
    pub prev_kv: bool,
    /// Whether puts are left out.
    pub no_put: bool,
    /// Whether deletions are left out.
    pub no_delete: bool,
    /// Whether responses without events tell how far the watch is.
    pub progress_notify: bool,
    /// Whether the creation is a response of its own.
    pub created_notify: bool,
    /// Whether the watch goes on after a compaction took events that it had not seen, from a listing.
    pub resync: bool,
    /// How many bytes of events may wait for the reader.
    pub buffer_bytes: usize,
    /// What happens when more would wait.
    pub slow_reader: SlowReader,
    /// The history that the start revision is of, where it is not the present one.
    pub(crate) history: Option<u64>,
}

/// What a watch does when its reader is slower than the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlowReader {
    /// Stops on the server, and goes on where it stopped when the reader has caught up: nothing is lost unless history is
    /// compacted meanwhile.
    #[default]
    Park,
    /// Keeps the latest event of each key, and parks when even these are too many.
    Coalesce,
    /// Ends the watch with an error.
    Fail,
}

bindable!(WatchCreate, WatchCreateSpec => WatchHandle, WatchBound: Watch.watch);

impl WatchCreate {
    /// Watches exactly `key`, from now on.
    pub fn new(key: impl Into<Key>) -> Self {
        Self::from_range(KeyRange::one(key))
    }

    /// Watches the keys of `range`, from now on.
    pub fn from_range(range: KeyRange) -> Self {
        let spec = WatchCreateSpec {
            range,
            start_revision: Revision::ZERO,
            prev_kv: false,
            no_put: false,
            no_delete: false,
            progress_notify: false,
            created_notify: false,
            resync: false,
            buffer_bytes: BUFFER_BYTES,
            slow_reader: SlowReader::default(),
            history: None,
        };
        spec.into()
    }
}

impl<B> WatchCreate<B> {
    range_setters!(spec.range);

    /// Starts with the events of this revision, which may be a past or a future one. Default: what happens from now on.
    pub fn start_revision(mut self, revision: impl Into<Revision>) -> Self {
        self.spec.start_revision = revision.into();
        self
    }

    /// Has events carry the pair before the change. Default: they do not.
    pub fn prev_kv(mut self) -> Self {
        self.spec.prev_kv = true;
        self
    }

    /// Leaves puts out. Default: they are reported.
    pub fn no_put(mut self) -> Self {
        self.spec.no_put = true;
        self
    }

    /// Leaves deletions out. Default: they are reported.
    pub fn no_delete(mut self) -> Self {
        self.spec.no_delete = true;
        self
    }

    /// Gives responses without events now and then, which tell how far the watch is. Default: only events.
    pub fn progress_notify(mut self) -> Self {
        self.spec.progress_notify = true;
        self
    }

    /// Makes the creation the first response, once. Default: only events.
    pub fn created_notify(mut self) -> Self {
        self.spec.created_notify = true;
        self
    }

    /// Goes on after a compaction that took events which the watch had not seen: the present pairs are listed, what differs from
    /// what was delivered comes as events, and the response is marked. Default: the watch ends with an error.
    ///
    /// The keys of the range are listed once when the watch begins and kept in memory, some 50 bytes and the key for each. A
    /// deletion that is found so carries the revision of the listing, and no event carries the pair before the change. Where history
    /// was gone already before the start revision, deletions before it are not known.
    ///
    /// The same happens once another cluster or history was [accepted](crate::Client::accept_cluster): every present pair comes as an
    /// event then, as a revision that happens to be the same proves nothing.
    pub fn resync(mut self) -> Self {
        self.spec.resync = true;
        self
    }

    /// How many bytes of events may wait for the reader. Default: 4 MiB. A single revision may be larger, and is delivered.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.spec.buffer_bytes = bytes;
        self
    }

    /// What happens when more events would wait. Default: [`SlowReader::Park`].
    pub fn slow_reader(mut self, policy: SlowReader) -> Self {
        self.spec.slow_reader = policy;
        self
    }

    /// Says which of the client's histories the start revision is of: in another one it means nothing.
    pub(crate) fn in_history(mut self, number: u64) -> Self {
        self.spec.history = Some(number);
        self
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When the range contradicts itself or is empty, the start revision is negative, both kinds of events are left out, puts are
    /// where a resync needs them, or the buffer has no room.
    pub fn validate(&self) -> Result<(), Error> {
        self.spec.check()?;
        Ok(())
    }
}

impl WatchCreateSpec {
    fn check(&self) -> Result<(), Invalid> {
        self.range.check()?;
        let (key, end) = self.range.bounds();
        if !end.is_empty() && end.as_ref() != b"\0" && key >= end {
            return Err(Invalid::new("range_end", "is not above the key"));
        }
        if self.start_revision < 0 {
            return Err(Invalid::new("start_revision", "is negative"));
        }
        if self.no_put && self.no_delete {
            return Err(Invalid::new("no_delete", "leaves nothing to watch beside no_put"));
        }
        if self.resync && self.no_put {
            return Err(Invalid::new("resync", "needs the puts, which no_put leaves out"));
        }
        if self.buffer_bytes == 0 {
            return Err(Invalid::new("buffer_bytes", "is zero"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused() {
        let field = |op: WatchCreate| op.validate().err().and_then(|error| error.field());
        assert_eq!(field(WatchCreate::new("a").prefix().prev_kv().start_revision(7)), None);
        assert_eq!(field(WatchCreate::new("").all_keys()), None);
        assert_eq!(field(WatchCreate::new("")), Some("key"));
        assert_eq!(field(WatchCreate::new("b").range_end("a")), Some("range_end"));
        assert_eq!(field(WatchCreate::new("b").range_end("b")), Some("range_end"));
        assert_eq!(field(WatchCreate::new("b").prefix().from_key()), Some("range_end"));
        assert_eq!(field(WatchCreate::new("a").start_revision(-1)), Some("start_revision"));
        assert_eq!(field(WatchCreate::new("a").no_put().no_delete()), Some("no_delete"));
        assert_eq!(field(WatchCreate::new("a").no_put().resync()), Some("resync"));
        assert_eq!(field(WatchCreate::new("a").buffer_bytes(0)), Some("buffer_bytes"));
    }
}
