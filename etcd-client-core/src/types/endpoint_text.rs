//! The endpoint of one member, in the form in which the caller wrote it.

use std::{borrow::Cow, fmt};

/// The endpoint of the member that a call goes to, as text in the format of [`Endpoint`](crate::types::Endpoint).
///
/// The text is parsed when the call is made. `Debug` omits user information, which is not valid in an endpoint.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EndpointText(String);

impl EndpointText {
    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for EndpointText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for EndpointText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&String> for EndpointText {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl fmt::Debug for EndpointText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&without_user(&self.0), f)
    }
}

/// Returns an endpoint or URL without its user information, which may contain a password and must not be shown.
pub(crate) fn without_user(text: &str) -> Cow<'_, str> {
    let Some((before, host)) = text.rsplit_once('@') else { return Cow::Borrowed(text) };
    let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    Cow::Owned(format!("{scheme}..@{host}"))
}

#[cfg(test)]
mod tests {
    use crate::types::EndpointText;

    #[test]
    fn debug_hides_password() {
        let shown = format!("{:?}", EndpointText::from("http://user:canary@host:1"));
        assert_eq!(shown, r#""http://..@host:1""#);
    }
}
