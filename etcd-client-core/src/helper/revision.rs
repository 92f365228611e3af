//! Reads the current revision of the store.

use etcd_errors::Error;

use crate::{
    model::Revision,
    op::{Get, HistoryPin, KeyRange},
    service::{CallOptions, Kv},
};

/// Returns the current revision, by a linearizable read.
///
/// It counts the first key of `range`: the cheapest read that needs no permission beyond that for `range`.
pub(super) async fn current(kv: &dyn Kv, range: &KeyRange, history: &HistoryPin) -> Result<Revision, Error> {
    let (first, _) = range.bounds();
    let options = CallOptions::default().pinned(history);
    Ok(Get::new(first).count_only().bind(kv).options(options).await?.header.revision)
}
