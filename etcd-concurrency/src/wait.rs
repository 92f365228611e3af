//! Waiting for an event, through outages and compactions.

use etcd_client_core::{Event, Get, Key, Revision, WatchCreate};

use crate::{
    Error, Store,
    pause::{Pauses, passes},
};

/// Waits for the first event that `wanted` accepts, of a watch that is told from which revision on.
///
/// Go has this as `WaitEvents` and `WaitPrefixEvents`. Outages are waited out; without a start revision, what happens
/// during one is seen when the watch itself survives it. Cancel safe, as far as `wanted` is.
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_concurrency::Error> {
/// use etcd_client_core::{Event, WatchCreate};
///
/// let found = client.get("jobs/").prefix().await?;
/// let new = WatchCreate::new("jobs/").prefix().start_revision(found.header.revision.next());
/// let event = etcd_concurrency::wait_event(&client, new, Event::is_create).await?;
/// println!("{:?} was created", event.kv.key_str());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The client's: that the start revision was compacted, among others.
pub async fn wait_event(
    store: impl Into<Store>,
    watch: WatchCreate,
    mut wanted: impl FnMut(&Event) -> bool,
) -> Result<Event, Error> {
    let (store, mut watch, mut pauses) = (store.into(), watch, Pauses::OUTAGE);
    loop {
        match next_event(&store, &mut watch, &mut wanted).await {
            Ok(event) => return Ok(event),
            Err(error) if passes(&error) => pauses.pause().await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// One watch; where it breaks, the next goes on after what was seen.
async fn next_event(
    store: &Store,
    watch: &mut WatchCreate,
    wanted: &mut impl FnMut(&Event) -> bool,
) -> Result<Event, etcd_client_core::Error> {
    let mut handle = watch.clone().bind(store.watch_service()).await?;
    while let Some(response) = handle.next().await {
        for event in response?.events {
            watch.spec_mut().start_revision = event.revision().next();
            if wanted(&event) {
                return Ok(event);
            }
        }
    }
    Err(etcd_client_core::Error::new(etcd_client_core::ErrorKind::Unavailable, "the watch ended"))
}

/// Waits until a key does not exist; returns at once where it does not. Outages and compactions are waited out.
///
/// Cancel safe.
///
/// # Errors
/// The client's, when the key may not be read or watched.
pub async fn wait_deleted(store: impl Into<Store>, key: impl Into<Key>) -> Result<(), Error> {
    let (store, key) = (store.into(), key.into());
    deleted_before(&store, &key, Revision::ZERO).await
}

/// Waits until there is no such key, or only one that was created after `bound`, where that is not zero.
pub(crate) async fn deleted_before(store: &Store, key: &Key, bound: Revision) -> Result<(), Error> {
    let mut pauses = Pauses::OUTAGE;
    loop {
        let get = Get::new(key).keys_only().max_create_revision(bound);
        match get.bind(store.kv()).await {
            Ok(response) if response.kvs.is_empty() => return Ok(()),
            Ok(response) => {
                let mut gone = WatchCreate::new(key).start_revision(response.header.revision.next()).no_put();
                match next_event(store, &mut gone, &mut Event::is_delete).await {
                    Ok(_) => return Ok(()),
                    Err(error) if error.is_compacted() => {}
                    Err(error) if passes(&error) => pauses.pause().await,
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) if passes(&error) => pauses.pause().await,
            Err(error) => return Err(error.into()),
        }
    }
}
