//! The topic of an error, where several causes have the same kind.

use std::fmt;

/// The part of the path to etcd that an error or a failed attempt is about, as far as it determines what to do.
///
/// The report of an error chooses its hint by the code, the topic and the kind, in this order.
///
/// # Examples
///
/// ```
/// use etcd_errors::{Error, ErrorKind, ErrorTopic};
///
/// let error = Error::new(ErrorKind::Timeout, "DNS did not respond within 5.0 s").with_topic(ErrorTopic::NameLookup);
/// assert!(error.report().to_string().contains("check the host name"));
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorTopic {
    /// The TLS handshake. The message names the setting to check.
    Tls,
    /// The lookup of a host name or of a DNS record.
    NameLookup,
    /// A proxy that responded instead of a member.
    Proxy,
    /// etcd's gRPC proxy, whose settings the message names.
    GrpcProxy,
    /// A client without connections, because it is built on a service.
    Service,
    /// The etcd version of a member, which is older than the client is configured to accept.
    ServerVersion,
    /// The number of concurrent calls or streams that a connection allows, all of which are in use.
    Capacity,
}

impl ErrorTopic {
    const fn phrase(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::NameLookup => "name lookup",
            Self::Proxy => "proxy",
            Self::GrpcProxy => "etcd's gRPC proxy",
            Self::Service => "client built on a service",
            Self::ServerVersion => "etcd version",
            Self::Capacity => "concurrent calls",
        }
    }
}

impl fmt::Display for ErrorTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.phrase())
    }
}
