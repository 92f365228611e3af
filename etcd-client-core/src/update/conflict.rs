//! The error of an update that was overtaken by other writers too often.

use std::{error::Error as StdError, fmt};

use etcd_errors::{Error, ErrorKind};

use crate::types::{KeyValue, Revision};

/// The last conflict of an update that made its maximum number of attempts, or ran out of time.
///
/// It is the source of an [`Error`] of the kind [`Conflict`](ErrorKind::Conflict). Nothing was written.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: etcd_client_core::Client) {
/// use etcd_client_core::update::Conflict;
///
/// if let Err(error) = client.swap("config/limit", "20").max_attempts(3).await {
///     if let Some(conflict) = Conflict::of(&error) {
///         println!("after {} attempts another client had written {:?}", conflict.attempts(), conflict.current());
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Conflict {
    attempts: u32,
    current: Option<KeyValue>,
    revision: Revision,
}

impl Conflict {
    pub(super) fn new(attempts: u32, current: Option<KeyValue>, revision: Revision) -> Self {
        Self { attempts, current, revision }
    }

    /// Returns the conflict that an error reports, or `None` if the error has another reason.
    pub fn of(error: &Error) -> Option<&Self> {
        error.source()?.downcast_ref()
    }

    /// Returns the number of attempts.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the key as the last attempt found it, or `None` if it did not exist.
    pub fn current(&self) -> Option<&KeyValue> {
        self.current.as_ref()
    }

    /// Returns the revision of the store at which the last attempt was rejected.
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.current {
            Some(kv) => write!(f, "the key was last written at revision {}", kv.mod_revision),
            None => write!(f, "the key was missing at revision {}", self.revision),
        }
    }
}

impl StdError for Conflict {}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        let message = format!("other clients changed the key during each of {} attempts", conflict.attempts);
        Self::new(ErrorKind::Conflict, message).with_source(conflict)
    }
}
