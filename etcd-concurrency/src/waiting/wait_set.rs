//! The keys that an entry waits for, and the read that shows its position among them.

use etcd_client_core::{Get, Key, Revision, Txn, kv::GetResponse, types::KeyRange};

use super::machine::{QueuePosition, Scope};
use crate::queue_entry::{QueueEntry, contender};

/// The keys that an entry waits for: those in a range that were created before its own.
#[derive(Clone, Debug)]
pub(crate) struct WaitSet {
    pub(crate) range: KeyRange,
    pub(crate) scope: Scope,
}

impl WaitSet {
    /// All keys with `prefix` that are ahead.
    pub(crate) fn all_before(prefix: impl Into<Key>) -> Self {
        Self { range: KeyRange::prefix(prefix), scope: Scope::Predecessor }
    }

    /// All keys with `prefix` that are ahead, except for `tolerated` of them.
    pub(crate) fn all_but(tolerated: usize, prefix: impl Into<Key>) -> Self {
        Self { range: KeyRange::prefix(prefix), scope: Scope::Queue { tolerated } }
    }

    /// Returns whether an entry at `position` need not wait.
    pub(crate) fn is_turn(&self, position: &QueuePosition) -> bool {
        let tolerated = match self.scope {
            Scope::Predecessor => 0,
            Scope::Queue { tolerated } => tolerated,
        };
        position.ahead.len() <= tolerated
    }

    /// Reads the position of an entry, in one linearizable transaction.
    pub(crate) async fn position(
        &self,
        entry: &QueueEntry,
    ) -> Result<QueuePosition, etcd_client_core::Error> {
        // Keys that were created later are not ahead, and a long queue behind the entry need not be read.
        let last_before = Revision::new(entry.fence().get() - 1);
        let ahead = self.query().max_create_revision(last_before);
        let txn = Txn::new().then((Get::new(entry.key()).keys_only(), ahead));
        let response = txn.bind(entry.session().store().kv()).await?;
        let own = response.get(0).and_then(GetResponse::first).map(|kv| kv.create_revision);
        let ahead = response.get(1).map(|ahead| ahead.kvs.clone()).unwrap_or_default();
        let ahead = ahead.into_iter().map(contender).collect();
        Ok(QueuePosition { revision: response.header.revision, own, ahead })
    }

    /// Returns the read of the keys in the set. The last one created is enough where all of them have to leave.
    pub(crate) fn query(&self) -> Get {
        let all = Get::from_range(self.range.clone()).keys_only();
        match self.scope {
            Scope::Predecessor => all.last_create(),
            Scope::Queue { .. } => all,
        }
    }
}
