//! The source of pairs and events for caches and endpoint watches, and its current revision.

use std::{fmt::Debug, sync::Arc};

use etcd_errors::{Error, ErrorKind};

use crate::{
    client::Client,
    kv::{Get, KvService},
    request::{CallOptions, HistoryPin},
    types::{KeyRange, Revision},
    watch::WatchService,
};

/// A client, or a pair of services supplied by the user.
pub(crate) trait Source: Send + Sync + Debug {
    fn kv(&self) -> &dyn KvService;
    fn watch(&self) -> &dyn WatchService;

    /// Returns the number of the store's history. It changes when another cluster or history is accepted. Services supplied by the
    /// user have a single history.
    fn history(&self) -> u64 {
        0
    }
}

/// Returns whether a watch or a read failed because the store was replaced or its revision went back. A copy of the earlier store
/// cannot be brought up to date by a watch then.
pub(crate) fn lost_history(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WrongCluster | ErrorKind::RevisionRegressed)
}

impl Source for Client {
    fn kv(&self) -> &dyn KvService {
        self.kv()
    }

    fn watch(&self) -> &dyn WatchService {
        self.watch_service()
    }

    fn history(&self) -> u64 {
        self.channel().history().number()
    }
}

/// A KV service and a watch service of the same store.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) kv: Arc<dyn KvService>,
    pub(crate) watch: Arc<dyn WatchService>,
}

impl Source for Services {
    fn kv(&self) -> &dyn KvService {
        &*self.kv
    }

    fn watch(&self) -> &dyn WatchService {
        &*self.watch
    }
}

/// Returns the current revision, by a linearizable read.
///
/// It counts the first key of `range`: the cheapest read that needs no permission beyond that for `range`.
pub(crate) async fn current_revision(
    kv: &dyn KvService,
    range: &KeyRange,
    history: &HistoryPin,
) -> Result<Revision, Error> {
    let (first, _) = range.bounds();
    let options = CallOptions::default().pinned(history);
    Ok(Get::new(first).count_only().bind(kv).options(options).await?.header.revision)
}
