//! The key: a non-empty byte string, ordered bytewise.

use std::fmt;

use bytes::Bytes;

use crate::types::byte_string::byte_string;

/// A key of the store. Keys are byte strings, and etcd orders them bytewise.
///
/// Converts from text, byte slices, arrays and vectors, of which borrowed ones are copied, and from [`Bytes`], which
/// are shared. `Debug` shows the key as escaped text.
///
/// # Examples
/// ```
/// use etcd_client_core::Key;
///
/// let key = Key::from("jobs/1");
/// assert_eq!(key, "jobs/1");
/// assert_eq!(format!("{:?}", Key::from(b"a\xff")), r#""a\xff""#);
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Bytes);

byte_string!(Key);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_give_equal_keys() {
        let text = String::from("k1");
        let vec = b"k1".to_vec();
        let bytes = Bytes::from_static(b"k1");
        let all = [
            Key::from("k1"),
            Key::from(&text),
            Key::from(text.clone()),
            Key::from(b"k1".as_slice()),
            Key::from(&vec),
            Key::from(vec.clone()),
            Key::from(*b"k1"),
            Key::from(b"k1"),
            Key::from(&bytes),
            Key::from(bytes.clone()),
            Key::from_static(b"k1"),
            Key::from(&Key::from("k1")),
        ];
        for key in &all {
            assert_eq!(key, &all[0]);
            assert_eq!(*key, "k1");
            assert_eq!(key.as_bytes(), b"k1");
        }
    }

    #[test]
    fn conversions_share_bytes() {
        let bytes = Bytes::from(vec![7; 64]);
        let at = bytes.as_ptr();
        assert_eq!(Key::from(bytes).into_bytes().as_ptr(), at);
    }

    #[test]
    fn debug_is_escaped_text() {
        assert_eq!(format!("{:?}", Key::from(b"a\"\n\0\xff")), r#""a\"\n\x00\xff""#);
    }
}
