//! Waiting for an event, through outages and compactions.
//!
//! [`wait_event`] waits for the first event of a watch that satisfies a predicate, and [`wait_deleted`] until a key does not exist.
//!
//! ```no_run
//! # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
//! etcd_concurrency::wait::wait_deleted(&client, "maintenance").await?;
//! println!("maintenance is over");
//! # Ok(())
//! # }
//! ```

use etcd_client_core::{Event, Get, Key, Revision, Watch};

use crate::{
    Error, Store,
    backoff::{Backoff, is_transient},
};

/// Waits for the first event of a watch for which `wanted` returns true.
///
/// Waiting survives outages. Set a start revision on the watch: without one, events during an outage are received only if the
/// watch itself survives the outage.
///
/// # Errors
///
/// Returns the client's error, for instance if the start revision was compacted.
///
/// # Cancel safety
///
/// This function is cancel safe if `wanted` has no side effects.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_client_core::{Event, Watch};
/// use etcd_concurrency::wait::wait_event;
///
/// let found = client.get("jobs/").prefix().await?;
/// let watch = Watch::new("jobs/").prefix().start_revision(found.header.revision.next());
/// let event = wait_event(&client, watch, Event::is_create).await?;
/// println!("{:?} was created", event.kv.key_str());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "WaitEvents")]
#[doc(alias = "WaitPrefixEvents")]
pub async fn wait_event(
    store: impl Into<Store>,
    watch: Watch,
    mut wanted: impl FnMut(&Event) -> bool,
) -> Result<Event, Error> {
    let (store, mut watch, mut backoff) = (store.into(), watch, Backoff::OUTAGE);
    loop {
        match next_event(&store, &mut watch, &mut wanted).await {
            Ok(event) => return Ok(event),
            Err(error) if is_transient(&error) => backoff.wait().await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Runs one watch. It moves the start revision along, so that the next watch resumes after the last event.
async fn next_event(
    store: &Store,
    watch: &mut Watch,
    wanted: &mut impl FnMut(&Event) -> bool,
) -> Result<Event, etcd_client_core::Error> {
    let mut handle = watch.clone().bind(store.watch_service()).await?;
    while let Some(response) = handle.next().await {
        for event in response?.events {
            watch.start_revision = event.revision().next();
            if wanted(&event) {
                return Ok(event);
            }
        }
    }
    Err(etcd_client_core::Error::new(etcd_client_core::ErrorKind::Unavailable, "the watch ended"))
}

/// Waits until a key does not exist. Returns immediately if it does not. Waiting survives outages and compactions.
///
/// # Errors
///
/// Returns the client's error, for instance if the user may not read or watch the key.
///
/// # Cancel safety
///
/// This function is cancel safe.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// etcd_concurrency::wait::wait_deleted(&client, "maintenance").await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "waitDelete")]
pub async fn wait_deleted(store: impl Into<Store>, key: impl Into<Key>) -> Result<(), Error> {
    let (store, key) = (store.into(), key.into());
    deleted_before(&store, &key, Revision::ZERO).await
}

/// Waits until the key does not exist. If `bound` is not zero, a key that was created after it counts as missing.
pub(crate) async fn deleted_before(store: &Store, key: &Key, bound: Revision) -> Result<(), Error> {
    let mut backoff = Backoff::OUTAGE;
    loop {
        let get = Get::new(key).keys_only().max_create_revision(bound);
        match get.bind(store.kv()).await {
            Ok(response) if response.kvs.is_empty() => return Ok(()),
            Ok(response) => {
                let mut gone = Watch::new(key).start_revision(response.header.revision.next()).no_put();
                match next_event(store, &mut gone, &mut Event::is_delete).await {
                    Ok(_) => return Ok(()),
                    // The next read shows whether the key still exists.
                    Err(error) if error.is_compacted() => {}
                    Err(error) if is_transient(&error) => backoff.wait().await,
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) if is_transient(&error) => backoff.wait().await,
            Err(error) => return Err(error.into()),
        }
    }
}
