//! The end of a run: what each watch that is still open must give before it may stop.

use etcd_testkit::history::{Rev, WatchRequest};

/// The last writes: every key is put, all are deleted at once, and every key is put again.
#[derive(Clone, Debug, Default)]
pub(super) struct Goals {
    pub(super) deleted: Rev,
    pub(super) puts: Vec<(String, Rev)>,
}

impl Goals {
    /// The last revision of them that a watch has to give.
    pub(super) fn of(&self, request: &WatchRequest) -> Rev {
        if request.no_put {
            return self.deleted;
        }
        let puts = self.puts.iter().filter(|(key, _)| request.keys.cover(key));
        puts.map(|(_, revision)| *revision).max().unwrap_or_default()
    }

    /// The last revision of all.
    pub(super) fn last(&self) -> Rev {
        self.puts.last().map_or(self.deleted, |(_, revision)| *revision)
    }
}
