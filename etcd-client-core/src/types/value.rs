//! The value. It may be secret, so `Debug` shows only its length.

use std::fmt;

use bytes::Bytes;

use crate::types::{Key, byte_string::byte_string};

/// A value of the store, which can be any byte string, including the empty one.
///
/// Converts from everything that a [`Key`] converts from, and from a `Key`. `Debug` never shows the contents.
///
/// # Examples
/// ```
/// use etcd_client_core::Value;
///
/// let value = Value::from("hunter2");
/// assert_eq!(value.as_bytes(), b"hunter2");
/// assert_eq!(format!("{value:?}"), "Value(7 bytes)");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(Bytes);

byte_string!(Value);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({} bytes)", self.len())
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        Self(key.into_bytes())
    }
}

impl From<&Key> for Value {
    fn from(key: &Key) -> Self {
        key.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_contents() {
        let shown = format!("{:?} {:#?}", Value::from("secret"), Value::from("secret"));
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(format!("{:?}", Value::from([1, 2, 3])), "Value(3 bytes)");
    }

    #[test]
    fn converts_from_key_without_copy() {
        let key = Key::from(vec![1; 40]);
        let at = key.as_bytes().as_ptr();
        assert_eq!(Value::from(key).as_bytes().as_ptr(), at);
    }
}
