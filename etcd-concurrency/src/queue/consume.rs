//! Access to a queue with or without a session, and the consumer's side of both kinds of queues.

use etcd_client_core::{
    Compare, Delete, Event, Get, Key, KeyValue, Outcome, Revision, Txn, Value, Watch,
    kv::{GetResponse, SortOrder, SortTarget},
    txn::OpResponse,
};

use super::one_shot::{OneShotWrite, WriteOutcome};
use crate::{
    Error, Session, Store,
    backoff::{Backoff, is_transient},
    wait::wait_event,
};

/// The services that a queue uses: those of a store, or of a session with one-shot writes.
#[derive(Clone, Debug)]
pub(crate) enum QueueAccess {
    Store(Store),
    /// The name is that of the constructor, for [`Error::NeedsTokens`].
    Session(Session, &'static str),
}

impl QueueAccess {
    pub(crate) fn store(&self) -> &Store {
        match self {
            Self::Store(store) => store,
            Self::Session(session, _) => session.store(),
        }
    }

    /// Sends a transaction that reads `otherwise` if its conditions do not hold. With a session it is a one-shot write.
    pub(crate) async fn send(&self, txn: Txn, otherwise: Option<Get>) -> Result<WriteOutcome, Error> {
        match self {
            Self::Session(session, recipe) => OneShotWrite::new(session, recipe)?.send(txn, otherwise).await,
            Self::Store(store) => {
                let response = txn.or_else(otherwise).bind(store.kv()).await?;
                Ok(match response.succeeded() {
                    true => WriteOutcome::Applied(response.header.revision),
                    false => WriteOutcome::Rejected(response),
                })
            }
        }
    }
}

/// Takes the first value below `prefix`, and waits while there is none.
pub(crate) async fn dequeue(access: &QueueAccess, prefix: &Key, order: SortTarget) -> Result<Value, Error> {
    let mut backoff = Backoff::OUTAGE;
    let head = Head::of(prefix, order);
    loop {
        let empty_at = match head.take(access).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(empty_at)) => empty_at,
            // Retried only if it certainly took nothing: after an unknown outcome, the caller has to learn that a value may
            // be lost.
            Err(Error::Client(error)) if error.outcome() == Outcome::NotApplied && is_transient(&error) => {
                backoff.wait().await;
                continue;
            }
            Err(error) => return Err(error),
        };
        // The watch starts right after the read that found no value, so that no put in between is missed.
        let put = Watch::new(prefix).prefix().start_revision(empty_at.next()).no_delete();
        match wait_event(access.store(), put, |_: &Event| true).await {
            Ok(_) => backoff.reset(),
            Err(Error::Client(error)) if error.is_compacted() => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first of the keys below a prefix.
pub(crate) struct Head(Get);

impl Head {
    pub(crate) fn of(prefix: &Key, order: SortTarget) -> Self {
        Self(Get::new(prefix).prefix().sort(order, SortOrder::Ascend).limit(1))
    }

    /// Deletes the first key and returns its value. The inner error is the revision at which there was no key.
    ///
    /// The deletion compares the mod revision, which never recurs, so that a copy that is applied late takes nothing.
    pub(crate) async fn take(&self, access: &QueueAccess) -> Result<Result<Value, Revision>, Error> {
        let mut found = self.0.clone().bind(access.store().kv()).await?;
        let mut backoff = Backoff::CONFLICT;
        loop {
            let Some(KeyValue { key, value, mod_revision, .. }) = found.kvs.pop() else {
                return Ok(Err(found.header.revision));
            };
            let claim =
                Txn::new().when(Compare::mod_revision(&key).equal(mod_revision)).then(Delete::new(&key));
            let response = match access.send(claim, Some(self.0.clone())).await? {
                WriteOutcome::Applied(_) => return Ok(Ok(value.into())),
                WriteOutcome::Rejected(response) => response,
            };
            // Another consumer took it. The response already contains the key that is first now.
            let header = response.header;
            let next = response.into_responses().into_iter().next().and_then(OpResponse::into_get);
            found = next.unwrap_or_else(|| GetResponse::new(header, Vec::new()));
            backoff.wait().await;
        }
    }
}
