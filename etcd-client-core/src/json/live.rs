//! A typed value that follows the store.

use std::{collections::BTreeMap, fmt, sync::Arc};

use etcd_errors::{Error, ErrorKind};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    cache::{Cache, CacheStatus},
    client::Client,
    json::reading::{EachKey, OneKey, Reading},
    types::{Key, KeyRange, Revision},
};

/// The values of a prefix, by their keys: the type of [`Live::prefix`].
pub type LiveMap<V> = BTreeMap<Key, Arc<V>>;

/// The state of a [`Live`].
#[non_exhaustive]
pub struct LiveState<T> {
    /// The last valid value, or `None` if there was none yet.
    pub value: Option<Arc<T>>,
    /// The reason why the stored value is not used: the key does not exist, it is not valid JSON for its type, or the cache has ended.
    /// For a prefix, the first key that is not valid.
    pub error: Option<Error>,
    /// The revision of the store up to which it was followed, zero before the first read.
    pub revision: Revision,
}

impl<T> Clone for LiveState<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), error: self.error.clone(), revision: self.revision }
    }
}

impl<T> LiveState<T> {
    fn unread() -> Self {
        Self { value: None, error: None, revision: Revision::ZERO }
    }

    fn is_read(&self) -> bool {
        self.value.is_some() || self.error.is_some()
    }
}

impl<T> fmt::Debug for LiveState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveState")
            .field("has_value", &self.value.is_some())
            .field("error", &self.error)
            .field("revision", &self.revision)
            .finish()
    }
}

/// A typed value that follows one key or a prefix, such as configuration that is reloaded without a restart.
///
/// The last valid value is kept while the stored one is not valid or the key does not exist. [`state`](Self::state) reports the reason.
/// It follows the store with a [`Cache`]: it survives the loss of members, outages and compactions, and after another cluster or
/// history was accepted it reads the range again.
///
/// It is cheap to clone and keeps its client alive. Its watch ends with the last clone.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::json::Live;
///
/// let hosts = Live::<Vec<String>>::key(&client, "config/hosts")?;
/// println!("{:?}", hosts.ready().await?);
/// // Later: the current value, from memory.
/// println!("{:?}", hosts.get());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a live value ends when it is dropped"]
pub struct Live<T> {
    cache: Cache,
    state: watch::Receiver<LiveState<T>>,
    _following: Arc<AbortOnDropHandle<()>>,
}

impl<T: DeserializeOwned + Send + Sync + 'static> Live<T> {
    /// Follows one key with a value in JSON.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the key is empty, and [`NoRuntime`](crate::ErrorKind::NoRuntime) outside
    /// of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::json::Live;
    ///
    /// let limit = Live::<u32>::key(&client, "limits/connections")?;
    /// println!("{}", limit.ready().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(client: &Client, key: impl Into<Key>) -> Result<Self, Error> {
        let key = key.into();
        Self::start(client, KeyRange::one(key.clone()), OneKey::new(key))
    }
}

impl<V: DeserializeOwned + Send + Sync + 'static> Live<LiveMap<V>> {
    /// Follows all keys with a prefix, each with a value in JSON.
    ///
    /// A key that is not valid keeps its last valid value. A key that is deleted is removed.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the prefix is empty, and [`NoRuntime`](crate::ErrorKind::NoRuntime)
    /// outside of a Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::json::{Live, LiveMap};
    ///
    /// let limits = Live::<LiveMap<u32>>::prefix(&client, "limits/")?;
    /// for (key, limit) in &*limits.ready().await? {
    ///     println!("{key:?}: {limit}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn prefix(client: &Client, prefix: impl Into<Key>) -> Result<Self, Error> {
        Self::start(client, KeyRange::prefix(prefix), EachKey::default())
    }
}

impl<T: Send + Sync + 'static> Live<T> {
    fn start(client: &Client, range: KeyRange, reading: impl Reading<T>) -> Result<Self, Error> {
        let cache = Cache::builder(client, range).start()?;
        let (sender, state) = watch::channel(LiveState::unread());
        let following = tokio::spawn(follow(cache.clone(), reading, sender));
        Ok(Self { cache, state, _following: Arc::new(AbortOnDropHandle::new(following)) })
    }

    /// Waits until the range was read for the first time, and returns the value.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](crate::ErrorKind::InvalidData) if there is no valid value: the key does not exist, or its value is not valid.
    /// [`Closed`](crate::ErrorKind::Closed) if the client was closed. It waits while no member can be reached.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let limit = etcd_client_core::json::Live::<u32>::key(&client, "limits/connections")?;
    /// println!("{}", limit.ready().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self) -> Result<Arc<T>, Error> {
        let mut state = self.state.clone();
        // The sender ends only after it has reported an error.
        let read = state.wait_for(LiveState::is_read).await.map(|state| state.clone());
        let read = read.unwrap_or_else(|_| self.state());
        match (read.value, read.error) {
            (Some(value), _) => Ok(value),
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::new(ErrorKind::Closed, "the live value has ended")),
        }
    }

    /// Returns the last valid value from memory, or `None` if there was none yet.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(limit: etcd_client_core::json::Live<u32>) {
    /// println!("{:?}", limit.get());
    /// # }
    /// ```
    pub fn get(&self) -> Option<Arc<T>> {
        self.state.borrow().value.clone()
    }

    /// Returns the state: the last valid value, and the reason why the stored value is not used, if it is not.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(limit: etcd_client_core::json::Live<u32>) {
    /// if let Some(error) = limit.state().error {
    ///     eprintln!("the stored limit is not used: {error}");
    /// }
    /// # }
    /// ```
    pub fn state(&self) -> LiveState<T> {
        self.state.borrow().clone()
    }

    /// Returns the status of the connection to the store. While it is not [`Live`](CacheStatus::Live), the value may be old.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(limit: etcd_client_core::json::Live<u32>) {
    /// println!("{:?}", limit.status());
    /// # }
    /// ```
    pub fn status(&self) -> CacheStatus {
        self.cache.status()
    }

    /// Returns the changes of the state from now on. A slow reader gets only the latest state.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(limit: etcd_client_core::json::Live<u32>) {
    /// let mut changes = limit.changes();
    /// while let Some(state) = changes.next().await {
    ///     println!("{:?}", state.value);
    /// }
    /// # }
    /// ```
    pub fn changes(&self) -> LiveChanges<T> {
        let mut state = self.state.clone();
        state.mark_unchanged();
        LiveChanges { state }
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}

/// The changes of a [`Live`].
#[must_use = "changes are read with `next`"]
pub struct LiveChanges<T> {
    state: watch::Receiver<LiveState<T>>,
}

impl<T: Send + Sync> LiveChanges<T> {
    /// Waits for a change of the value or of the error. Returns `None` after the end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(mut changes: etcd_client_core::json::LiveChanges<u32>) {
    /// while let Some(state) = changes.next().await {
    ///     println!("{:?}", state.value);
    /// }
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<LiveState<T>> {
        self.state.changed().await.ok()?;
        Some(self.state.borrow_and_update().clone())
    }
}

impl<T> fmt::Debug for LiveChanges<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveChanges").finish_non_exhaustive()
    }
}

/// Reads each snapshot of the cache until the cache ends.
async fn follow<T: Send + Sync + 'static>(
    cache: Cache,
    mut reading: impl Reading<T>,
    state: watch::Sender<LiveState<T>>,
) {
    let following = async {
        cache.ready().await?;
        let mut changes = cache.subscribe()?;
        loop {
            let snapshot = changes.snapshot();
            let last = state.borrow().value.clone();
            let (value, error) = reading.read(snapshot, last.as_ref());
            publish(&state, value, error, snapshot.revision());
            match changes.next().await {
                Some(change) => change?,
                None => return Ok::<_, Error>(()),
            };
        }
    };
    if let Err(error) = following.await {
        state.send_modify(|state| state.error = Some(error));
    }
}

/// Notifies the readers if the value or the error has changed.
fn publish<T>(
    state: &watch::Sender<LiveState<T>>,
    value: Option<Arc<T>>,
    error: Option<Error>,
    revision: Revision,
) {
    state.send_if_modified(|state| {
        let same_value = match (&state.value, &value) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (None, None) => true,
            _ => false,
        };
        let text = |error: &Option<Error>| error.as_ref().map(ToString::to_string);
        let changed = !same_value || text(&state.error) != text(&error);
        *state = LiveState { value, error, revision };
        changed
    });
}
