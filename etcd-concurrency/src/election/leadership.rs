//! What a leader has in hand.

use std::fmt;

use etcd_client_core::{Compare, Key, Revision, Value};

use crate::{Error, Guard, Session, place::Place};

/// The leadership of an [`Election`](crate::Election), until it is resigned, lost or dropped; dropping it resigns in the background.
///
/// It keeps its session and its client alive.
#[must_use = "a leadership that is dropped is resigned"]
pub struct Leadership {
    guard: Guard,
}

impl Leadership {
    pub(super) fn new(place: Place) -> Self {
        Self { guard: Guard::new(place) }
    }

    /// Replaces the value that everybody sees.
    ///
    /// # Errors
    /// [`Error::NotOwner`] when the leadership was lost, [`Error::Expired`] when the session is over, else the client's: its
    /// outcome says whether the value may be shown.
    pub async fn proclaim(&self, value: impl Into<Value> + Send) -> Result<(), Error> {
        let value = value.into();
        self.guard.place().put(value).await
    }

    /// The fence: the revision that created the leader's key. Every later leader has a higher one.
    pub fn fence(&self) -> Revision {
        self.guard.fence()
    }

    /// The leader's key.
    pub fn key(&self) -> &Key {
        self.guard.key()
    }

    /// The session that it is held by.
    pub fn session(&self) -> &Session {
        self.guard.session()
    }

    /// Holds while the leadership does: see [`Guard::owned`].
    pub fn owned(&self) -> Compare {
        self.guard.owned()
    }

    /// Waits until the leadership is lost: see [`Guard::lost`].
    pub fn lost(&self) -> impl Future<Output = Error> + Send + 'static + use<> {
        self.guard.lost()
    }

    /// Runs a future for as long as the leadership holds: see [`Guard::scope`].
    ///
    /// # Errors
    /// When it was lost; the future was not polled again.
    pub async fn scope<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        self.guard.scope(future).await
    }

    /// Gives the leadership up.
    ///
    /// Where the future is dropped or fails, the session gives it up in the background.
    ///
    /// # Errors
    /// As [`Guard::unlock`].
    pub async fn resign(self) -> Result<(), Error> {
        self.guard.unlock().await
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership")
            .field("key", self.key())
            .field("fence", &self.fence())
            .finish_non_exhaustive()
    }
}
