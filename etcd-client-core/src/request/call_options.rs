//! The options of a single call of any kind.

use std::time::Duration;

use etcd_errors::Error;

use crate::{
    request::HistoryPin,
    types::{Endpoint, Invalid, Value},
};

/// The options of a single call, which override the client's defaults.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use etcd_client_core::CallOptions;
/// use etcd_client_core::request::Timeout;
///
/// let options = CallOptions::default().timeout(Duration::from_secs(1)).require_leader();
/// assert_eq!(options.timeout, Timeout::After(Duration::from_secs(1)));
/// assert!(options.require_leader);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallOptions {
    /// The time limit.
    pub timeout: Timeout,
    /// Whether the call fails immediately if the member has no leader.
    pub require_leader: bool,
    /// The metadata entries, in the order in which they were added.
    pub metadata: Vec<(String, Value)>,
    /// The endpoint that the call is restricted to, if any.
    pub endpoint: Option<Endpoint>,
    /// The retry policy.
    pub retry: RetryPolicy,
    /// The history of the cluster that a response may come from.
    history: HistoryPin,
}

/// The retry policy of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryPolicy {
    /// Retries if that cannot apply the call twice: a read whenever a retry may help, a write only if it was
    /// certainly not processed.
    #[default]
    WhenSafe,
    /// Never retries. The first failure is returned.
    Never,
    /// Retries a write like a read. Use it only if applying the write twice is harmless.
    AssumeIdempotent,
}

/// The time limit of a call. It covers everything: connecting, authentication, retries and decoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// The client's time limit for this kind of call.
    #[default]
    Default,
    /// No time limit.
    None,
    /// A limit of this duration.
    After(Duration),
}

impl CallOptions {
    /// Sets the time limit of the call. The default is the client's time limit for this kind of call.
    #[must_use = "returns the changed options"]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Removes the time limit of the call.
    #[must_use = "returns the changed options"]
    pub fn no_timeout(mut self) -> Self {
        self.timeout = Timeout::None;
        self
    }

    /// Fails immediately if the member has no leader. By default the member waits for a while.
    #[doc(alias = "WithRequireLeader")]
    #[must_use = "returns the changed options"]
    pub fn require_leader(mut self) -> Self {
        self.require_leader = true;
        self
    }

    /// Adds a gRPC metadata entry. A name that ends in `-bin` takes any bytes, other names take printable ASCII.
    ///
    /// The entry is validated when the call is sent.
    #[must_use = "returns the changed options"]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.push((name.into(), value.into()));
        self
    }

    /// Sends the call to this endpoint of the client only. By default the client selects a member.
    #[must_use = "returns the changed options"]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets when the call is retried. The default is [`RetryPolicy::WhenSafe`].
    #[must_use = "returns the changed options"]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Restricts reads to the history that this pin holds.
    pub(crate) fn pinned(mut self, history: &HistoryPin) -> Self {
        self.history = history.clone();
        self
    }

    pub(crate) fn history(&self) -> &HistoryPin {
        &self.history
    }

    pub(crate) fn never_retried(&self) -> bool {
        self.retry == RetryPolicy::Never
    }

    /// Validates the request without sending it.
    ///
    /// # Errors
    /// Returns an error if a metadata name is not valid in gRPC or is reserved for gRPC or this client, or if the
    /// value of a name without `-bin` is not printable ASCII.
    pub fn validate(&self) -> Result<(), Error> {
        for (name, value) in &self.metadata {
            check_name(name)?;
            if !name.ends_with("-bin") && !is_ascii_value(value.as_bytes()) {
                let complaint =
                    format!("value of {name:?} must be printable ASCII without leading or trailing spaces");
                return Err(Invalid::new("metadata", complaint).into());
            }
        }
        Ok(())
    }
}

/// The names that carry the call itself, or that the client sets.
const RESERVED: [&str; 15] = [
    "authorization",
    "client-api-version",
    "connection",
    "content-length",
    "content-type",
    "hasleader",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "token",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

fn check_name(name: &str) -> Result<(), Invalid> {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(allowed) {
        let complaint =
            format!("name {name:?} may contain only lower-case letters, digits, '-', '_' and '.'");
        return Err(Invalid::new("metadata", complaint));
    }
    if name.starts_with("grpc-") || RESERVED.contains(&name) {
        return Err(Invalid::new("metadata", format!("name {name:?} is reserved")));
    }
    Ok(())
}

fn is_ascii_value(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' '..=b'~')) && value.trim_ascii() == value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validates_metadata() {
        for (name, value) in [("x-request-id", "42"), ("a", ""), ("trace-bin", "\n\0"), ("a.b_c", "a b")] {
            let options = CallOptions::default().metadata(name, value);
            assert!(options.validate().is_ok(), "{name}: {value:?}");
        }
        let rejected = [
            ("", "v"),
            ("X", "v"),
            ("a b", "v"),
            ("é", "v"),
            (":path", "v"),
            ("grpc-timeout", "1S"),
            ("te", "v"),
        ];
        let values = [("k", "\n"), ("k", "é"), ("k", " v"), ("k", "v "), ("k", "\x7f"), ("token", "t")];
        for (name, value) in rejected.into_iter().chain(values) {
            let options = CallOptions::default().metadata(name, value);
            let error = options.validate().expect_err(name);
            assert!(error.to_string().contains("metadata"), "{error}");
            assert_eq!(error.field(), Some("metadata"));
        }
    }

    #[test]
    fn debug_hides_metadata_values() {
        let shown = format!("{:?}", CallOptions::default().metadata("api-key", "secret"));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
