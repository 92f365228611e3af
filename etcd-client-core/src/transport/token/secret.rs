//! Header values that contain secrets.

use bytes::Bytes;
use http::HeaderValue;

use crate::types::Secret;

/// Returns a header value that is never printed nor indexed by HPACK, or `None` if the secret contains bytes that a
/// header cannot carry. The bytes are zeroed when the last copy is dropped.
pub(crate) fn header(secret: Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Octets(secret))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Lets a secret own the bytes of a header value.
struct Octets(Secret);

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_it() {
        let header = header(Secret::from("canary")).expect("valid");
        assert!(header.is_sensitive());
        assert_eq!(format!("{header:?}"), "Sensitive");
        assert_eq!(header, "canary");
    }

    #[test]
    fn invalid_header_values_are_rejected() {
        for text in ["a\nb", "a\0", "\x7f"] {
            assert!(header(Secret::from(text)).is_none(), "{text:?}");
        }
    }
}
