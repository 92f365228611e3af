//! Conversion between values and JSON.

use std::fmt;

use etcd_errors::{Error, ErrorKind};
use serde::{Serialize, de::DeserializeOwned};

use crate::types::{Key, KeyValue, Value};

/// A decoded value with the pair that it was read from.
///
/// `Debug` shows the pair without the value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Json<T> {
    /// The decoded value.
    pub value: T,
    /// The pair, with its revisions and its lease.
    pub kv: KeyValue,
}

impl<T: DeserializeOwned> Json<T> {
    /// Decodes the value of a pair.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](ErrorKind::InvalidData) if the value is not valid JSON for `T`. The message names the key and its revision, and
    /// shows no part of the value except names of fields.
    ///
    /// # Examples
    ///
    /// ```
    /// use etcd_client_core::KeyValue;
    /// use etcd_client_core::json::Json;
    ///
    /// let decoded = Json::<Vec<u32>>::decode(KeyValue::new("k", "[1, 2]"))?;
    /// assert_eq!(decoded.value, [1, 2]);
    /// # Ok::<(), etcd_client_core::Error>(())
    /// ```
    pub fn decode(kv: KeyValue) -> Result<Self, Error> {
        Ok(Self { value: decode(&kv)?, kv })
    }
}

impl<T> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Json").field("kv", &self.kv).finish_non_exhaustive()
    }
}

/// Encodes a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    let bytes = serde_json::to_vec(value);
    Ok(bytes
        .map_err(|error| {
            Error::invalid_request("value", format!("value cannot be written as JSON: {error}"))
        })?
        .into())
}

/// Decodes the value of a pair.
pub(super) fn decode<T: DeserializeOwned>(kv: &KeyValue) -> Result<T, Error> {
    serde_json::from_slice(&kv.value).map_err(|error| {
        let (key, revision) = (Key::from(&kv.key), kv.mod_revision);
        let text = format!("the value of {key:?} at revision {revision} is not valid: {}", reason(&error));
        Error::new(ErrorKind::InvalidData, text)
    })
}

/// Returns the reason without the unexpected value, which may be secret.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let quotes =
        ["invalid type: ", "invalid value: ", "unknown variant "].iter().any(|start| text.starts_with(start));
    match text.split_once(", expected ") {
        Some((_, expected)) if quotes => format!("expected {expected}"),
        _ => text,
    }
}
