//! The options of one call, whatever it asks for.

use std::time::Duration;

use etcd_errors::Error;

use crate::model::{Endpoint, Value};
use crate::op::{HistoryPin, Invalid};

/// What a single call does differently from the client's defaults.
///
/// ```
/// use std::time::Duration;
/// use etcd_client_core::{CallOptions, Timeout};
///
/// let options = CallOptions::default().timeout(Duration::from_secs(1)).require_leader();
/// assert_eq!(options.chosen_timeout(), Timeout::After(Duration::from_secs(1)));
/// assert!(options.requires_leader());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    timeout: Timeout,
    require_leader: bool,
    metadata: Vec<(String, Value)>,
    endpoint: Option<Endpoint>,
    resend: Resend,
    /// Which of the client's histories may answer.
    history: HistoryPin,
}

/// When a call is sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resend {
    /// Where that cannot apply it twice: a read whenever it may help, a write only if it was definitely not processed.
    #[default]
    WhenSafe,
    /// Never: the first failure is the call's.
    Never,
    /// As a read: the caller knows that applying this write twice does no harm.
    AsIfIdempotent,
}

/// How long a call may take, everything included: connecting, authentication, retries, decoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// What the client says for this kind of call.
    #[default]
    Default,
    /// As long as it takes.
    None,
    /// Until this much time has passed.
    After(Duration),
}

impl CallOptions {
    /// Ends the call after `timeout`. Default: what the client says for this kind of call.
    #[must_use = "returns the changed options"]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeout::After(timeout);
        self
    }

    /// Lets the call take as long as it takes.
    #[must_use = "returns the changed options"]
    pub fn no_timeout(mut self) -> Self {
        self.timeout = Timeout::None;
        self
    }

    /// Has a member that knows of no leader refuse the call at once. Default: it tries for a while.
    #[must_use = "returns the changed options"]
    pub fn require_leader(mut self) -> Self {
        self.require_leader = true;
        self
    }

    /// Adds a gRPC metadata entry. A name that ends in `-bin` takes any bytes, others printable ASCII; both are
    /// checked when the call is sent.
    #[must_use = "returns the changed options"]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.metadata.push((name.into(), value.into()));
        self
    }

    /// Sends the call to this endpoint of the client, and to no other. Default: any member.
    #[must_use = "returns the changed options"]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// When the call is sent again. Default: where that cannot apply it twice.
    #[must_use = "returns the changed options"]
    pub fn resend(mut self, resend: Resend) -> Self {
        self.resend = resend;
        self
    }

    /// The endpoint that the call is for, where it is for one only.
    pub fn chosen_endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// When the call is sent again.
    pub fn chosen_resend(&self) -> Resend {
        self.resend
    }

    /// Reads only from the history that this pin holds.
    pub(crate) fn pinned(mut self, history: &HistoryPin) -> Self {
        self.history = history.clone();
        self
    }

    pub(crate) fn history(&self) -> &HistoryPin {
        &self.history
    }

    pub(crate) fn never_resent(&self) -> bool {
        self.resend == Resend::Never
    }

    /// How long the call may take.
    pub fn chosen_timeout(&self) -> Timeout {
        self.timeout
    }

    /// Whether a member without a leader is to refuse the call.
    pub fn requires_leader(&self) -> bool {
        self.require_leader
    }

    /// The metadata entries, in the order they were added.
    pub fn metadata_entries(&self) -> &[(String, Value)] {
        &self.metadata
    }

    /// What a client checks before it sends anything.
    ///
    /// # Errors
    /// When a metadata name is not one gRPC allows, or belongs to gRPC or to this client; when the value of a
    /// name without `-bin` is not printable ASCII.
    pub fn validate(&self) -> Result<(), Error> {
        for (name, value) in &self.metadata {
            check_name(name)?;
            if !name.ends_with("-bin") && !is_ascii_value(value.as_bytes()) {
                let complaint = format!("value of {name:?} is not printable ASCII without spaces around it");
                return Err(Invalid::new("metadata", complaint).into());
            }
        }
        Ok(())
    }
}

/// Names that carry the call itself, or that the client sets.
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
        let complaint = format!("name {name:?} may hold lower-case letters, digits, '-', '_' and '.' only");
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
    fn metadata_is_checked() {
        for (name, value) in [("x-request-id", "42"), ("a", ""), ("trace-bin", "\n\0"), ("a.b_c", "a b")] {
            let options = CallOptions::default().metadata(name, value);
            assert!(options.validate().is_ok(), "{name}: {value:?}");
        }
        let refused = [
            ("", "v"),
            ("X", "v"),
            ("a b", "v"),
            ("é", "v"),
            (":path", "v"),
            ("grpc-timeout", "1S"),
            ("te", "v"),
        ];
        let values = [("k", "\n"), ("k", "é"), ("k", " v"), ("k", "v "), ("k", "\x7f"), ("token", "t")];
        for (name, value) in refused.into_iter().chain(values) {
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
