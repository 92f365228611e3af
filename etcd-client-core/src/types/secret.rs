//! A password in memory, which is wiped when dropped and never shown.

use std::fmt;

use zeroize::Zeroizing;

/// A password that is never shown and is wiped from memory when it is dropped.
///
/// A password given as `&str` is copied; wiping the original is up to its owner. On the way to a member, the password
/// is also copied to the buffers of HTTP/2 and TLS, which are reused and not wiped.
///
/// # Examples
/// ```
/// use etcd_client_core::types::Secret;
///
/// let secret = Secret::from("hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(secret.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the secret. Use it only in the request that carries it, and never show it.
    pub fn expose(&self) -> &str {
        &self.0
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

impl From<&String> for Secret {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<&Self> for Secret {
    fn from(secret: &Self) -> Self {
        secret.clone()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
