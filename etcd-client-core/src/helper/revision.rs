//! The revision that the store is at.

use etcd_errors::Error;

use crate::{
    model::Revision,
    op::{Get, HistoryPin, KeyRange},
    service::{CallOptions, Kv},
};

/// The current revision, linearizable, by the cheapest read that whoever may read `range` may make: whether its first key exists.
pub(super) async fn current(kv: &dyn Kv, range: &KeyRange, history: &HistoryPin) -> Result<Revision, Error> {
    let (first, _) = range.bounds();
    let options = CallOptions::default().pinned(history);
    Ok(Get::new(first).count_only().bind(kv).options(options).await?.header.revision)
}
