//! One try of a call on one endpoint, as an error remembers it.

use std::sync::Arc;
use std::time::Duration;

/// One try of a call: on which endpoint, whether the request was sent, how long it took and why it failed.
///
/// ```
/// use std::time::Duration;
/// use etcd_errors::Attempt;
///
/// let attempt = Attempt::new("http://10.0.0.1:2379", "connection refused").with_elapsed(Duration::from_millis(3));
/// assert!(!attempt.sent());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    endpoint: Arc<str>,
    reason: String,
    sent: bool,
    elapsed: Option<Duration>,
}

impl Attempt {
    /// A try on `endpoint` that failed for `reason` before anything was sent.
    ///
    /// A user name and password in the endpoint (`http://user:password@host`) are left out.
    pub fn new(endpoint: impl Into<Arc<str>>, reason: impl Into<String>) -> Self {
        Self {
            endpoint: without_userinfo(endpoint.into()),
            reason: reason.into(),
            sent: false,
            elapsed: None,
        }
    }

    /// Whether any part of the request may have reached the endpoint. Default: no.
    #[must_use]
    pub fn with_sent(mut self, sent: bool) -> Self {
        self.sent = sent;
        self
    }

    /// How long the try took. Default: not known.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = Some(elapsed);
        self
    }

    /// The endpoint that was tried.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Why the try failed.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether any part of the request may have reached the endpoint.
    pub fn sent(&self) -> bool {
        self.sent
    }

    /// How long the try took, if that was measured.
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }
}

fn without_userinfo(endpoint: Arc<str>) -> Arc<str> {
    let (scheme, rest) = endpoint.split_at(endpoint.find("://").map_or(0, |at| at + 3));
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{scheme}{}", &rest[at + 1..]).into(),
        None => endpoint,
    }
}

#[cfg(test)]
mod tests {
    use super::Attempt;

    #[test]
    fn an_endpoint_loses_its_password() {
        for (endpoint, shown) in [
            ("http://root:s3cret@h:2379", "http://h:2379"),
            ("root:s3@cret@h:2379", "h:2379"),
            ("https://h:2379/a@b", "https://h:2379/a@b"),
            ("unix:///run/a@b.sock", "unix:///run/a@b.sock"),
            ("h:2379", "h:2379"),
            ("", ""),
        ] {
            assert_eq!(Attempt::new(endpoint, "").endpoint(), shown);
        }
    }
}
