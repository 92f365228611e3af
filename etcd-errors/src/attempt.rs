//! An attempt of a call on one endpoint, as an error records it.

use std::sync::Arc;
use std::time::Duration;

use crate::topic::ErrorTopic;

/// A failed attempt of a call: its endpoint, the reason, its duration, and whether the request was sent.
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
    topic: Option<ErrorTopic>,
}

impl Attempt {
    /// Creates an attempt on `endpoint` that failed for `reason` before anything was sent.
    ///
    /// A user name and a password in the endpoint (`http://user:password@host`) are removed.
    pub fn new(endpoint: impl Into<Arc<str>>, reason: impl Into<String>) -> Self {
        Self {
            endpoint: without_userinfo(endpoint.into()),
            reason: reason.into(),
            sent: false,
            elapsed: None,
            topic: None,
        }
    }

    /// Sets whether any part of the request may have reached the endpoint. The default is `false`.
    #[must_use]
    pub fn with_sent(mut self, sent: bool) -> Self {
        self.sent = sent;
        self
    }

    /// Sets the duration of the attempt. By default it is not known.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = Some(elapsed);
        self
    }

    /// Sets the topic of the reason. By default it has none.
    #[must_use]
    pub fn with_topic(mut self, topic: impl Into<Option<ErrorTopic>>) -> Self {
        self.topic = topic.into();
        self
    }

    /// Returns the endpoint that was tried.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the reason of the failure.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns `true` if any part of the request may have reached the endpoint.
    pub fn sent(&self) -> bool {
        self.sent
    }

    /// Returns the duration of the attempt, if it was measured.
    pub fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }

    /// Returns the topic of the reason, if it has one.
    pub fn topic(&self) -> Option<ErrorTopic> {
        self.topic
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
    fn endpoint_omits_user_and_password() {
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
