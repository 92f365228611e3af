//! Blocking iteration over a stream.

use std::{fmt, future::poll_fn, pin::Pin};

use etcd_errors::Error;
use futures_core::Stream;

use crate::blocking::runtime::block_on;

/// Turns a stream into an iterator that blocks the thread until the next item arrives.
///
/// # Examples
///
/// ```no_run
/// # fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use etcd_client_core::blocking::{Wait, WaitEach};
///
/// for event in client.watch("config/").prefix().wait()?.events().wait_each() {
///     println!("{:?}", event?.kv.key_str());
/// }
/// # Ok(())
/// # }
/// ```
pub trait WaitEach: Stream + Sized {
    /// Returns an iterator over the items. To end it from another thread, close the client.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::blocking::{Wait, WaitEach};
    ///
    /// let mut events = client.watch("config/limit").wait()?.events().wait_each();
    /// println!("{:?}", events.next().transpose()?);
    /// # Ok(())
    /// # }
    /// ```
    fn wait_each(self) -> Iter<Self>;
}

impl<S, T, E> WaitEach for S
where
    S: Stream<Item = Result<T, E>>,
    E: From<Error>,
{
    fn wait_each(self) -> Iter<S> {
        Iter { stream: Some(Box::pin(self)) }
    }
}

/// An iterator over a stream. It blocks the thread until the next item arrives.
///
/// In async code it yields one error and ends: see the module [`blocking`](crate::blocking).
#[must_use = "an iterator does nothing until it is advanced"]
pub struct Iter<S> {
    /// `None` after the end.
    stream: Option<Pin<Box<S>>>,
}

impl<S, T, E> Iterator for Iter<S>
where
    S: Stream<Item = Result<T, E>>,
    E: From<Error>,
{
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream.as_mut()?;
        match block_on(poll_fn(|cx| stream.as_mut().poll_next(cx))) {
            Ok(Some(item)) => Some(item),
            Ok(None) => {
                self.stream = None;
                None
            }
            Err(error) => {
                self.stream = None;
                Some(Err(error.into()))
            }
        }
    }
}

impl<S> fmt::Debug for Iter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("ended", &self.stream.is_none()).finish_non_exhaustive()
    }
}
