//! Typed events of a watch.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use etcd_errors::Error;
use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::{
    json::codec::{Json, decode},
    types::{Event, EventType},
    watch::EventStream,
};

/// A change of a key with a value in JSON.
#[derive(Clone)]
#[non_exhaustive]
pub enum JsonEvent<T> {
    /// The key was put with a valid value.
    Put(Json<T>),
    /// The key was deleted, or its lease expired.
    Deleted(Event),
    /// The key was put with a value that is not valid JSON for `T`.
    Invalid {
        /// The event.
        event: Event,
        /// The reason, without the value.
        error: Error,
    },
}

impl<T> fmt::Debug for JsonEvent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(json) => f.debug_tuple("Put").field(json).finish(),
            Self::Deleted(event) => f.debug_tuple("Deleted").field(event).finish(),
            Self::Invalid { event, error } => {
                f.debug_struct("Invalid").field("event", event).field("error", error).finish()
            }
        }
    }
}

impl<T: DeserializeOwned> JsonEvent<T> {
    /// Decodes an event.
    pub(super) fn decode(event: Event) -> Self {
        if event.event_type == EventType::Delete {
            return Self::Deleted(event);
        }
        match decode(&event.kv) {
            Ok(value) => Self::Put(Json { value, kv: event.kv }),
            Err(error) => Self::Invalid { event, error },
        }
    }
}

/// The typed events of a watch, as a stream. A value that is not valid does not end it.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::json::{JsonEvent, JsonEvents};
///
/// let mut events = JsonEvents::<u32>::from(client.watch("limits/").prefix().await?.events());
/// while let Some(event) = events.next().await {
///     match event? {
///         JsonEvent::Put(limit) => println!("{:?}: {}", limit.kv.key, limit.value),
///         JsonEvent::Deleted(event) => println!("{:?} was deleted", event.kv.key),
///         JsonEvent::Invalid { error, .. } => eprintln!("{error}"),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "events are read with `next` or as a stream"]
pub struct JsonEvents<T> {
    events: EventStream,
    value: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> JsonEvents<T> {
    /// Returns the next event, or `None` after the end of the watch.
    ///
    /// # Errors
    ///
    /// Returns the error that ended the watch.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
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
    pub async fn next(&mut self) -> Option<Result<JsonEvent<T>, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T> From<EventStream> for JsonEvents<T> {
    fn from(events: EventStream) -> Self {
        Self { events, value: PhantomData }
    }
}

impl<T: DeserializeOwned> Stream for JsonEvents<T> {
    type Item = Result<JsonEvent<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.events).poll_next(cx).map(|event| event.map(|event| event.map(JsonEvent::decode)))
    }
}

impl<T> fmt::Debug for JsonEvents<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonEvents").finish_non_exhaustive()
    }
}
