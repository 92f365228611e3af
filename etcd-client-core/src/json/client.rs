//! The typed operations of a client.

use std::{fmt, marker::PhantomData};

use etcd_errors::Error;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    client::Client,
    json::{
        codec::{Json, decode, encode},
        events::JsonEvents,
    },
    kv::{KvService, Put},
    request::Bound,
    types::{Key, KeyValue},
    update::{Next, Update},
};

/// The operations on values of the type `T` in JSON, returned by [`Client::json`].
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// let hosts = client.json::<Vec<String>>();
/// hosts.put("config/hosts", &vec!["a".to_owned()])?.await?;
/// let found = hosts.get("config/hosts").await?;
/// println!("{:?}", found.map(|found| found.value));
/// # Ok(())
/// # }
/// ```
pub struct JsonClient<'a, T> {
    client: &'a Client,
    value: PhantomData<fn() -> T>,
}

impl Client {
    /// Returns the operations on values of the type `T` in JSON.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let found = client.json::<Vec<String>>().get("config/hosts").await?;
    /// println!("{:?}", found.map(|found| found.value));
    /// # Ok(())
    /// # }
    /// ```
    pub fn json<T>(&self) -> JsonClient<'_, T> {
        JsonClient { client: self, value: PhantomData }
    }
}

impl<'a, T> JsonClient<'a, T> {
    /// Reads one key. Returns `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](crate::ErrorKind::InvalidData) if the value is not valid JSON for `T`, or those of [`Client::get`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// if let Some(found) = client.json::<Vec<String>>().get("config/hosts").await? {
    ///     println!("{:?} at revision {}", found.value, found.kv.mod_revision);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, key: impl Into<Key>) -> Result<Option<Json<T>>, Error>
    where
        T: DeserializeOwned,
    {
        let get = self.client.get(key);
        get.await?.into_first().map(Json::decode).transpose()
    }

    /// Reads all keys with a prefix, in key order. Each value may be valid or not.
    ///
    /// # Errors
    ///
    /// Those of [`Client::get`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// for found in client.json::<u32>().list("limits/").await? {
    ///     match found {
    ///         Ok(limit) => println!("{:?}: {}", limit.kv.key, limit.value),
    ///         Err(error) => eprintln!("{error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, prefix: impl Into<Key>) -> Result<Vec<Result<Json<T>, Error>>, Error>
    where
        T: DeserializeOwned,
    {
        let get = self.client.get(prefix).prefix();
        Ok(get.await?.kvs.into_iter().map(Json::decode).collect())
    }

    /// Returns a put of a value, which can be changed and awaited.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the value cannot be written as JSON, such as a map with keys that are
    /// not text.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client, lease: etcd_client_core::LeaseId) -> Result<(), etcd_client_core::Error> {
    /// client.json::<u32>().put("limits/connections", &10)?.lease(lease).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn put(&self, key: impl Into<Key>, value: &T) -> Result<Put<Bound<'a, dyn KvService>>, Error>
    where
        T: Serialize,
    {
        let value = encode(value).map_err(|error| error.with_operation("put"))?;
        Ok(self.client.put(key, value))
    }

    /// Returns an update of one key, which can be changed and awaited: see [`Client::update`].
    ///
    /// `next` gets `None` if the key does not exist. If the value is not valid JSON for `T`, the update ends with
    /// [`InvalidData`](crate::ErrorKind::InvalidData) and changes nothing.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let add = |hosts: Option<Vec<String>>| {
    ///     let mut hosts = hosts.unwrap_or_default();
    ///     hosts.push("b".to_owned());
    ///     hosts
    /// };
    /// client.json().update("config/hosts", add).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self, key: impl Into<Key>, mut next: impl FnMut(Option<T>) -> T + Send + 'a) -> Update<'a>
    where
        T: Serialize + DeserializeOwned,
    {
        self.client.update(key, move |current: Option<&KeyValue>| -> Next {
            let current = current.map(decode).transpose();
            current.and_then(|current| encode(&next(current))).into()
        })
    }

    /// Watches one key.
    ///
    /// To set options of the watch, convert its events: `JsonEvents::from(client.watch("limits/").prefix().await?.events())`.
    ///
    /// # Errors
    ///
    /// Those of [`Client::watch`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// let mut events = client.json::<u32>().watch("limits/connections").await?;
    /// while let Some(event) = events.next().await {
    ///     println!("{:?}", event?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn watch(&self, key: impl Into<Key>) -> Result<JsonEvents<T>, Error> {
        let watch = self.client.watch(key);
        Ok(watch.await?.events().into())
    }
}

impl<T> Clone for JsonClient<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for JsonClient<'_, T> {}

impl<T> fmt::Debug for JsonClient<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonClient").finish_non_exhaustive()
    }
}
