//! Reads the current revision of the store.

use etcd_errors::Error;

use crate::{
    kv::{Get, KvService},
    request::{CallOptions, HistoryPin},
    types::{KeyRange, Revision},
};

/// Returns the current revision, by a linearizable read.
///
/// It counts the first key of `range`: the cheapest read that needs no permission beyond that for `range`.
pub(crate) async fn current(
    kv: &dyn KvService,
    range: &KeyRange,
    history: &HistoryPin,
) -> Result<Revision, Error> {
    let (first, _) = range.bounds();
    let options = CallOptions::default().pinned(history);
    Ok(Get::new(first).count_only().bind(kv).options(options).await?.header.revision)
}
