//! The decision of an update's function.

use bytes::Bytes;
use etcd_errors::Error;

use crate::types::{Key, LeaseId, Value};

/// The decision of the function that is passed to [`Client::update`](crate::Client::update).
///
/// Text and bytes convert into [`Put`](Self::Put), so that the function can return them directly.
///
/// # Examples
///
/// ```
/// use etcd_client_core::update::Next;
///
/// assert!(matches!(Next::from("10"), Next::Put(value) if value == "10"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Next {
    /// Writes this value. Creates the key if it is missing.
    Put(Value),
    /// Deletes the key. Does nothing if it is missing.
    Delete,
    /// Leaves the key as it is.
    Keep,
    /// Leaves the key as it is and ends the update with this error.
    Abort(Error),
}

macro_rules! put_from {
    ($($type:ty),+) => {
        $(impl From<$type> for Next {
            fn from(value: $type) -> Self {
                Self::Put(value.into())
            }
        })+
    };
}

put_from!(Value, Bytes, Vec<u8>, String, &[u8], &Vec<u8>, &str, &String);

impl<T: Into<Self>> From<Result<T, Error>> for Next {
    fn from(result: Result<T, Error>) -> Self {
        result.map_or_else(Self::Abort, Into::into)
    }
}

/// A change of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Put { key: Key, value: Value, lease: Option<LeaseId> },
    Delete,
}
