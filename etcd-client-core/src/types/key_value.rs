//! A key with its value and history, as the store returns it.

use std::{fmt, str::Utf8Error};

use bytes::Bytes;

use crate::types::{Key, LeaseId, Revision, Value, Version};

/// A key, its value, and the revisions at which it was written.
///
/// `key` and `value` may be slices of one large buffer, which holds the whole response and stays in memory while any
/// slice of it exists. To keep a few pairs of a large response, copy them with [`into_owned`](Self::into_owned).
/// `Debug` never shows the value.
///
/// # Examples
/// ```
/// use etcd_client_core::{KeyValue, LeaseId};
///
/// let kv = KeyValue::new("jobs/1", "todo").with_revisions(5, 7).with_version(3).with_lease(LeaseId::new(9));
/// assert_eq!(kv.key_str(), Ok("jobs/1"));
/// assert_eq!(kv.mod_revision.get(), 7);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeyValue {
    /// The key.
    pub key: Bytes,
    /// The value; empty if only keys were requested.
    pub value: Bytes,
    /// The revision that created the key.
    pub create_revision: Revision,
    /// The revision that last modified the key.
    pub mod_revision: Revision,
    /// The version: how many times the key was put since its creation.
    pub version: Version,
    /// The lease that the key is attached to. The key is deleted when the lease ends.
    pub lease: Option<LeaseId>,
}

impl KeyValue {
    /// Creates a pair that was created at revision 1 and never modified.
    pub fn new(key: impl Into<Key>, value: impl Into<Value>) -> Self {
        Self {
            key: key.into().into_bytes(),
            value: value.into().into_bytes(),
            create_revision: Revision::new(1),
            mod_revision: Revision::new(1),
            version: Version::new(1),
            lease: None,
        }
    }

    /// Sets the create revision and the revision of the last modification.
    #[must_use = "returns the changed pair"]
    pub fn with_revisions(mut self, create: impl Into<Revision>, modified: impl Into<Revision>) -> Self {
        self.create_revision = create.into();
        self.mod_revision = modified.into();
        self
    }

    /// Sets the version.
    #[must_use = "returns the changed pair"]
    pub fn with_version(mut self, version: impl Into<Version>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets or removes the lease.
    #[must_use = "returns the changed pair"]
    pub fn with_lease(mut self, lease: impl Into<Option<LeaseId>>) -> Self {
        self.lease = lease.into();
        self
    }

    /// Returns the key as text.
    ///
    /// # Errors
    /// Returns an error if the key is not valid UTF-8.
    pub fn key_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.key)
    }

    /// Returns the value as text.
    ///
    /// # Errors
    /// Returns an error if the value is not valid UTF-8.
    pub fn value_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.value)
    }

    /// Copies key and value into a buffer of their own, so that the pair no longer keeps the whole response in
    /// memory.
    #[must_use = "returns the copy"]
    pub fn into_owned(self) -> Self {
        let mut both = Vec::with_capacity(self.key.len() + self.value.len());
        both.extend_from_slice(&self.key);
        both.extend_from_slice(&self.value);
        let mut key = Bytes::from(both);
        let value = key.split_off(self.key.len());
        Self { key, value, ..self }
    }
}

impl fmt::Debug for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyValue")
            .field("key", &Key::from(&self.key))
            .field("value", &Value::from(&self.value))
            .field("create_revision", &self.create_revision.get())
            .field("mod_revision", &self.mod_revision.get())
            .field("version", &self.version.get())
            .field("lease", &self.lease)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_value() {
        let shown = format!("{:?}", KeyValue::new("k\n", "secret"));
        assert!(shown.contains(r#"key: "k\n", value: Value(6 bytes)"#), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn into_owned_releases_the_response() {
        let answer = Bytes::from(vec![b'x'; 4096]);
        let kv = KeyValue::new(answer.slice(10..13), answer.slice(20..25)).with_version(4);
        let owned = kv.clone().into_owned();
        assert_eq!(owned, kv);
        drop(kv);
        assert!(answer.is_unique(), "the copy still holds the answer's buffer");
        assert_eq!(owned.version, Version::new(4));
    }

    #[test]
    fn text_must_be_utf8() {
        let kv = KeyValue::new("k", b"\xff");
        assert_eq!(kv.key_str(), Ok("k"));
        assert!(kv.value_str().is_err());
    }
}
