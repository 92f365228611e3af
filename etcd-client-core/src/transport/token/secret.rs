//! A token as a header.

use bytes::Bytes;
use http::HeaderValue;

use crate::model::Secret;

/// The value of a header that is never shown nor indexed; `None` where it holds what no header may. Wiped with its last copy.
pub(super) fn header(secret: Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(Octets(secret))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A secret as the owner of bytes.
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
    fn what_no_header_may_hold_is_refused() {
        for text in ["a\nb", "a\0", "\x7f"] {
            assert!(header(Secret::from(text)).is_none(), "{text:?}");
        }
    }
}
