//! A password or a token in memory.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

/// A password or a token: never shown, and wiped from memory when it is dropped.
///
/// What is given as a `&str` leaves the original to its owner. On the way to a member, copies lie in the buffers of HTTP/2 and
/// of TLS, which are reused and not wiped.
///
/// ```
/// use etcd_client_core::Secret;
///
/// let secret = Secret::from("hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a header that is never shown nor indexed; `None` where it holds what no header may. Wiped with its last
    /// copy.
    pub(super) fn into_header(self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Octets(self))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret as the owner of bytes.
struct Octets(Secret);

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        self.0.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_it() {
        assert_eq!(format!("{:?}", Secret::from("canary")), "Secret(..)");
        let header = Secret::from("canary".to_owned()).into_header().expect("valid");
        assert!(header.is_sensitive());
        assert_eq!(format!("{header:?}"), "Sensitive");
        assert_eq!(header, "canary");
    }

    #[test]
    fn what_no_header_may_hold_is_refused() {
        for text in ["a\nb", "a\0", "\x7f"] {
            assert!(Secret::from(text).into_header().is_none(), "{text:?}");
        }
    }
}
