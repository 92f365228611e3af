//! The requests of the ownership protocol: acquire, monitor, release, revoke, and wait for a release.

use std::sync::Arc;

use etcd_errors::{Error, Outcome};
use tokio::{sync::oneshot, time::sleep};

use crate::{
    kv::{Delete, Get, GetResponse, Put},
    leasing::{
        deadline::CallDeadline,
        keys::{REVOKE, owner},
        shared::Shared,
        state::{AcquireEnd, Owner, Release},
    },
    request::CallOptions,
    transport::backoff::Backoff,
    txn::{Compare, OpResponse, Txn, TxnResponse},
    types::{Event, EventType, Key, KeyValue, LeaseId, ResponseHeader, Revision},
    watch::{Watch, WatchResponse},
};

/// The state of a key, read linearizably.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) header: ResponseHeader,
    pub(crate) kv: Option<KeyValue>,
}

/// Acquires a key for the session `lease`, and sends the state that was read, if any.
///
/// Runs as a job, so that a caller that stops waiting leaves no ownership behind that the handle does not know.
pub(crate) async fn acquire(
    shared: Arc<Shared>,
    key: Key,
    lease: LeaseId,
    options: CallOptions,
    read: oneshot::Sender<Current>,
) {
    let result = shared.kv.txn(acquire_txn(&shared, &key, lease), options).await;
    let (end, current) = match result {
        Ok(response) => acquire_end(response),
        Err(error) => {
            tracing::debug!(%error, ?key, "a key was not acquired");
            let unknown = error.outcome() == Outcome::Unknown;
            (if unknown { AcquireEnd::Unknown } else { AcquireEnd::NotApplied }, None)
        }
    };
    let created = if let AcquireEnd::Created(header, _) = &end { Some(header.revision) } else { None };
    let monitored = shared.update(|state, now, _| state.finish_acquire(&key, lease, end, now.into()));
    if monitored {
        if created.is_some() {
            shared.count_acquired();
        }
        shared.start(monitor(Arc::clone(&shared), key, created));
    }
    if let Some(current) = current {
        // Fails if the caller has stopped waiting.
        let _ = read.send(current);
    }
}

/// A key with a lease is not acquired, because its lease may delete it at any time.
fn acquire_txn(shared: &Shared, key: &Key, lease: LeaseId) -> Txn {
    let ownership_key = shared.keys.of(key.as_bytes());
    Txn::new()
        .when([Compare::missing(ownership_key.clone()), Compare::lease(key.clone()).equal(None)])
        .then((Get::new(key.clone()), Put::new(ownership_key.clone(), "").lease(lease)))
        .or_else((Get::new(key.clone()), Get::new(ownership_key)))
}

fn acquire_end(response: TxnResponse) -> (AcquireEnd, Option<Current>) {
    let TxnResponse { header, succeeded, responses } = response;
    let mut gets = responses.into_iter().map(OpResponse::into_get);
    let Some(kv) = gets.next().flatten().map(GetResponse::into_first) else {
        // Not what was requested. The ownership key may exist.
        return (AcquireEnd::Unknown, None);
    };
    let end = if succeeded {
        AcquireEnd::Created(header, kv.clone())
    } else {
        let found = gets.next().flatten().and_then(GetResponse::into_first);
        found.map_or(AcquireEnd::NotApplied, |kv| AcquireEnd::Taken(owner(&kv)))
    };
    (end, Some(Current { header, kv }))
}

/// Watches the ownership key of a key, from the revision after `from` on, until it is no longer needed.
pub(crate) async fn monitor(shared: Arc<Shared>, key: Key, mut from: Option<Revision>) {
    let ownership_key = shared.keys.of(key.as_bytes());
    let mut failures = 0;
    while shared.with_state(|state, _, _| state.is_monitored(&key)) {
        let followed = match from.take() {
            Some(revision) => follow(&shared, &key, &ownership_key, revision, &mut failures).await,
            None => match Get::new(ownership_key.clone()).bind(&*shared.kv).await {
                Ok(response) => {
                    let revision = response.header.revision;
                    observe(&shared, &key, response.first(), revision);
                    follow(&shared, &key, &ownership_key, revision, &mut failures).await
                }
                Err(error) => Err(error),
            },
        };
        if let Err(error) = followed {
            tracing::debug!(%error, ?key, "the monitor of an owned key continues with a new read");
            pause(&mut failures).await;
        }
    }
}

/// Follows an ownership key. Returns if it is no longer monitored, or with the error of the watch.
async fn follow(
    shared: &Arc<Shared>,
    key: &Key,
    ownership_key: &Key,
    revision: Revision,
    failures: &mut u32,
) -> Result<(), Error> {
    let watch = Watch::new(ownership_key.clone()).start_revision(revision.next());
    let mut watch = watch.bind(&*shared.watch).no_timeout().await?;
    while shared.with_state(|state, _, _| state.is_monitored(key)) {
        let Some(WatchResponse { events, .. }) = watch.next().await.transpose()? else {
            return Err(ended());
        };
        *failures = 0;
        for event in events {
            let found = (event.event_type == EventType::Put).then_some(&event.kv);
            observe(shared, key, found, event.kv.mod_revision);
        }
    }
    Ok(())
}

/// Takes note of the ownership key at `revision`.
fn observe(shared: &Arc<Shared>, key: &Key, found: Option<&KeyValue>, revision: Revision) {
    shared.update(|state, now, _| match found {
        Some(kv) => state.observe_owner(key, owner(kv), now.into()),
        None => state.observe_absence(key, revision, now.into()),
    });
}

/// Deletes an ownership key, with retries. A late copy has no effect on a later ownership.
pub(crate) async fn release(shared: Arc<Shared>, release: Release) {
    let Release { key, created } = release;
    let txn =
        Txn::new().when(shared.keys.guard(&key, created)).then(Delete::new(shared.keys.of(key.as_bytes())));
    let mut failures = 0;
    while let Err(error) = shared.kv.txn(txn.clone(), CallOptions::default()).await {
        tracing::debug!(%error, ?key, "a key was not released yet");
        pause(&mut failures).await;
    }
}

/// Waits until the ownership of a key has ended. Asks its owner to give it up, unless that is this handle.
///
/// # Errors
/// Returns the error of a request, or a timeout after the deadline of the call.
pub(crate) async fn wait_for_release(
    shared: &Arc<Shared>,
    key: &Key,
    found: Owner,
    call: &CallDeadline,
) -> Result<(), Error> {
    let ours = shared.update(|state, now, _| {
        let ours = found.lease.is_some() && found.lease == state.session();
        // The response to the attempt that created it may have arrived in the meantime.
        let cached = state.ownership(key) == Some(found.created);
        if ours && !cached {
            state.observe_owner(key, Owner { revoked: true, ..found }, now.into());
        }
        ours.then_some(cached)
    });
    match ours {
        Some(true) => Ok(()),
        Some(false) => call.limit(released(shared, key, found.created, None)).await?,
        None => {
            let mut txn = Txn::new().when(shared.keys.guard(key, found.created));
            txn = txn.then(Put::new(shared.keys.of(key.as_bytes()), REVOKE).ignore_lease());
            let asked = shared.kv.txn(txn, call.options()).await.map_err(before_the_write)?;
            if !asked.succeeded {
                return Ok(());
            }
            call.limit(released(shared, key, found.created, Some(asked.header.revision))).await?
        }
    }
}

/// Waits until the ownership key that was created at `created` is gone. It existed at `from`.
async fn released(
    shared: &Shared,
    key: &Key,
    created: Revision,
    mut from: Option<Revision>,
) -> Result<(), Error> {
    let ownership_key = shared.keys.of(key.as_bytes());
    let mut failures = 0;
    loop {
        let revision = match from.take() {
            Some(revision) => revision,
            None => {
                let response = Get::new(ownership_key.clone()).bind(&*shared.kv).await?;
                if response.first().is_none_or(|kv| kv.create_revision != created) {
                    return Ok(());
                }
                response.header.revision
            }
        };
        match deleted(shared, &ownership_key, created, revision).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_closed() => return Err(error),
            Err(_) => pause(&mut failures).await,
        }
    }
}

async fn deleted(
    shared: &Shared,
    ownership_key: &Key,
    created: Revision,
    revision: Revision,
) -> Result<(), Error> {
    let watch = Watch::new(ownership_key.clone()).start_revision(revision.next());
    let mut watch = watch.bind(&*shared.watch).await?;
    let ended_by =
        |event: &Event| event.event_type == EventType::Delete || event.kv.create_revision != created;
    while let Some(response) = watch.next().await {
        if response?.events.iter().any(ended_by) {
            return Ok(());
        }
    }
    Err(ended())
}

/// The write itself has not been sent, so the error of a request before it leaves nothing unknown about it.
pub(crate) fn before_the_write(error: Error) -> Error {
    error.with_outcome(Outcome::NotApplied)
}

fn ended() -> Error {
    Error::new(etcd_errors::ErrorKind::Unavailable, "the watch ended")
}

async fn pause(failures: &mut u32) {
    *failures += 1;
    sleep(Backoff::RECONNECT.wait_at_least_half(*failures, fastrand::u64(..))).await;
}
