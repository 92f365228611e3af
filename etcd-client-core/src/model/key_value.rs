//! A key with its value and history, as the store returns it.

use std::fmt;
use std::str::Utf8Error;

use bytes::Bytes;

use super::{Key, LeaseId, Revision, Value, Version};

/// A key, its value, and when it was written.
///
/// `key` and `value` may share one large buffer, the whole answer, which stays in memory as long as any part
/// of it: keep a few pairs of a large answer for long with [`into_owned`](Self::into_owned).
/// `Debug` never shows the value.
///
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
    /// The value; empty where only keys were asked for.
    pub value: Bytes,
    /// The revision that created the key.
    pub create_revision: Revision,
    /// The revision that last changed the key.
    pub mod_revision: Revision,
    /// How many times the key was put since it was created.
    pub version: Version,
    /// The lease the key is attached to: the key is deleted when the lease ends.
    pub lease: Option<LeaseId>,
}

impl KeyValue {
    /// A pair that was created by revision 1 and never changed.
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

    /// Sets the revisions of creation and of the last change.
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

    /// The key as text.
    ///
    /// # Errors
    /// When the key is not UTF-8.
    pub fn key_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.key)
    }

    /// The value as text.
    ///
    /// # Errors
    /// When the value is not UTF-8.
    pub fn value_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.value)
    }

    /// The same pair in a buffer of its own, so that it no longer keeps the whole answer in memory.
    /// Copies key and value once.
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
    fn debug_hides_the_value() {
        let shown = format!("{:?}", KeyValue::new("k\n", "secret"));
        assert!(shown.contains(r#"key: "k\n", value: Value(6 bytes)"#), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn an_owned_pair_lets_go_of_the_answer() {
        let answer = Bytes::from(vec![b'x'; 4096]);
        let kv = KeyValue::new(answer.slice(10..13), answer.slice(20..25)).with_version(4);
        let owned = kv.clone().into_owned();
        assert_eq!(owned, kv);
        drop(kv);
        assert!(answer.is_unique(), "the copy still holds the answer's buffer");
        assert_eq!(owned.version, Version::new(4));
    }

    #[test]
    fn text_is_checked() {
        let kv = KeyValue::new("k", b"\xff");
        assert_eq!(kv.key_str(), Ok("k"));
        assert!(kv.value_str().is_err());
    }
}
