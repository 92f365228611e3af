//! The header blocks of requests.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_TYPE, TE, USER_AGENT},
};

use crate::{request::CallOptions, transport::grpc::timeout};

/// The API version of these crates, in the format of the Go client. etcd counts requests by it.
const CLIENT_API_VERSION: HeaderValue = HeaderValue::from_static("3.7");
const API_VERSION_HEADER: HeaderName = HeaderName::from_static("client-api-version");
const REQUIRE_LEADER: HeaderName = HeaderName::from_static("hasleader");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The time by which the server's deadline exceeds the caller's.
const SERVER_GRACE: Duration = Duration::from_secs(1);

/// Header blocks, built once and cloned for each request.
#[derive(Debug)]
pub(crate) struct Headers {
    base: HeaderMap,
    with_default_timeout: HeaderMap,
}

/// The value of the `grpc-timeout` header.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimeoutHeader {
    None,
    Default,
    Left(Duration),
}

impl Headers {
    pub(crate) fn new(default_timeout: Option<Duration>) -> Self {
        let mut base = HeaderMap::with_capacity(8);
        base.insert(TE, HeaderValue::from_static("trailers"));
        base.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        base.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("etcd-client-core/", env!("CARGO_PKG_VERSION"))),
        );
        base.insert(API_VERSION_HEADER, CLIENT_API_VERSION);
        let mut with_default_timeout = base.clone();
        if let Some(default_timeout) = default_timeout {
            with_default_timeout.insert(GRPC_TIMEOUT, server_timeout(default_timeout));
        }
        Self { base, with_default_timeout }
    }

    /// Returns the same blocks with an additional header, if `value` is set.
    pub(crate) fn with(&self, name: &HeaderName, value: Option<&HeaderValue>) -> Self {
        let with = |headers: &HeaderMap| {
            let mut headers = headers.clone();
            headers.extend(value.map(|value| (name.clone(), value.clone())));
            headers
        };
        Self { base: with(&self.base), with_default_timeout: with(&self.with_default_timeout) }
    }

    /// Returns the headers of every request, for requests with headers of their own.
    pub(crate) fn base(&self) -> &HeaderMap {
        &self.base
    }

    /// Returns the header block of a request with these options, which [`CallOptions::validate`] has checked.
    pub(crate) fn of(&self, options: &CallOptions, timeout: TimeoutHeader) -> HeaderMap {
        let mut headers = match timeout {
            TimeoutHeader::Default => self.with_default_timeout.clone(),
            TimeoutHeader::None | TimeoutHeader::Left(_) => self.base.clone(),
        };
        if let TimeoutHeader::Left(left) = timeout {
            headers.insert(GRPC_TIMEOUT, server_timeout(left));
        }
        if options.require_leader {
            headers.insert(REQUIRE_LEADER, HeaderValue::from_static("true"));
        }
        add_metadata(&mut headers, options);
        headers
    }
}

/// Returns the server's deadline, which only frees resources of the server. It is later than the caller's: at its
/// deadline a server resets the stream or returns some error, which would hide from the caller that its own deadline
/// passed.
fn server_timeout(left: Duration) -> HeaderValue {
    timeout::header(left.saturating_add(SERVER_GRACE))
}

fn add_metadata(headers: &mut HeaderMap, options: &CallOptions) {
    for (name, value) in &options.metadata {
        // gRPC transports metadata with this suffix in base64 (gRPC over HTTP/2, "Custom-Metadata").
        let encoded = if name.ends_with("-bin") {
            HeaderValue::try_from(base64(value.as_bytes())).ok()
        } else {
            HeaderValue::from_bytes(value.as_bytes()).ok()
        };
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), encoded) {
            headers.append(name, value);
        }
    }
}

/// Encodes a binary value as gRPC does.
fn base64(value: &[u8]) -> Vec<u8> {
    tonic::metadata::BinaryMetadataValue::from_bytes(value).as_encoded_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_a_user_agent() {
        let headers = Headers::new(None).of(&CallOptions::default(), TimeoutHeader::Default);
        assert_eq!(headers["client-api-version"], "3.7");
        assert_eq!(headers["te"], "trailers");
        assert_eq!(headers["content-type"], "application/grpc");
        assert!(headers["user-agent"].to_str().expect("text").starts_with("etcd-client-core/"));
        assert!(!headers.contains_key("grpc-timeout") && !headers.contains_key("hasleader"));
    }

    #[test]
    fn the_server_gets_a_little_longer_than_the_caller() {
        let prepared = Headers::new(Some(Duration::from_secs(5)));
        let options = CallOptions::default();
        let timeout = |header| prepared.of(&options, header).get("grpc-timeout").cloned();
        assert_eq!(timeout(TimeoutHeader::Default).expect("set"), "6000000u");
        assert_eq!(timeout(TimeoutHeader::Left(Duration::from_millis(2))).expect("set"), "1002000u");
        assert_eq!(timeout(TimeoutHeader::None), None);
    }

    #[test]
    fn options_become_headers() {
        let options = CallOptions::default()
            .require_leader()
            .metadata("x-trace", "a b")
            .metadata("x-trace-bin", vec![0, 255]);
        let headers = Headers::new(None).of(&options, TimeoutHeader::None);
        assert_eq!(headers["hasleader"], "true");
        assert_eq!(headers["x-trace"], "a b");
        assert_eq!(headers["x-trace-bin"], "AP8");
    }
}
