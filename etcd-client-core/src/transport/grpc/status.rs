//! The status of a call, from the HTTP status, the content type, `grpc-status` and `grpc-message`.

use std::borrow::Cow;

use etcd_errors::GrpcCode;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};

// Parsed once: a lookup by `HeaderName` is faster than one by string.
static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
static GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// A status other than OK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) code: GrpcCode,
    pub(crate) message: String,
}

/// The meaning of a response's header block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Messages and trailers follow.
    Messages,
    /// The call has ended: the header block contains the status ("Trailers-Only").
    Ended(Result<(), Status>),
    /// An empty response. etcd 3.4 with TLS ends calls like this when it is terminated: Go's HTTP server sends it for
    /// a handler that wrote nothing.
    Nothing,
    /// A response that is not gRPC. The message describes it.
    NotGrpc(Status),
}

/// Interprets a response's header block. `ended` is true if the stream ends with it.
pub(crate) fn head(http_status: StatusCode, headers: &HeaderMap, ended: bool) -> Head {
    let grpc = headers.get(CONTENT_TYPE).is_some_and(is_grpc);
    match status(headers) {
        Some(status) if grpc || http_status == StatusCode::OK => return Head::Ended(status),
        _ => {}
    }
    if http_status == StatusCode::OK && grpc {
        return Head::Messages;
    }
    if http_status == StatusCode::OK && ended && !headers.contains_key(CONTENT_TYPE) {
        return Head::Nothing;
    }
    let kind = headers.get(CONTENT_TYPE).map_or(Cow::Borrowed("no content type"), |value| {
        let shown: String = String::from_utf8_lossy(value.as_bytes()).chars().take(80).collect();
        Cow::Owned(format!("content type {shown:?}"))
    });
    let message = format!(
        "the response is not gRPC but HTTP status {} with {kind}{}",
        http_status.as_u16(),
        meaning_of_http(http_status)
    );
    Head::NotGrpc(Status { code: code_of_http(http_status), message })
}

/// Reads `grpc-status` and `grpc-message` from trailers. Returns `None` if there is no status.
pub(crate) fn status(headers: &HeaderMap) -> Option<Result<(), Status>> {
    let value = headers.get(&GRPC_STATUS)?;
    if value == "0" {
        return Some(Ok(()));
    }
    let code = match std::str::from_utf8(value.as_bytes()).ok().and_then(|text| text.parse::<i32>().ok()) {
        Some(0) => return Some(Ok(())),
        Some(number) => GrpcCode::from_i32(number),
        None => GrpcCode::Unknown,
    };
    let message = headers.get(&GRPC_MESSAGE).map(percent_decode).unwrap_or_default();
    Some(Err(Status { code, message }))
}

fn is_grpc(content_type: &HeaderValue) -> bool {
    let Some(rest) = content_type.as_bytes().strip_prefix(b"application/grpc") else { return false };
    matches!(rest.first(), None | Some(b'+' | b';'))
}

/// Explains an HTTP status without gRPC. etcd itself always responds with 200 and a gRPC status.
fn meaning_of_http(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => ": a proxy or server in front of etcd rejects the request",
        401 | 407 => ": a proxy in front of etcd requires credentials",
        403 => ": a proxy in front of etcd denies access",
        404 | 405 => ": no gRPC is served there",
        413 => ": the request exceeds the body limit of a proxy (nginx: client_max_body_size)",
        429 => ": a proxy in front of etcd limits the rate of requests",
        502 => ": a proxy cannot reach the member",
        503 => ": a proxy has no member to pass the request to",
        504 => ": a proxy timed out waiting for the member",
        _ => "",
    }
}

/// Returns the code that gRPC assigns to a response with only an HTTP status ("HTTP to gRPC Status Code Mapping").
fn code_of_http(status: StatusCode) -> GrpcCode {
    match status.as_u16() {
        400 => GrpcCode::Internal,
        401 => GrpcCode::Unauthenticated,
        403 => GrpcCode::PermissionDenied,
        404 => GrpcCode::Unimplemented,
        429 | 502 | 503 | 504 => GrpcCode::Unavailable,
        _ => GrpcCode::Unknown,
    }
}

/// Decodes the percent encoding of `grpc-message`. Invalid escapes are kept as they are.
fn percent_decode(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match escaped {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn trailers() {
        assert_eq!(status(&headers(&[])), None);
        assert_eq!(status(&headers(&[("grpc-status", "0")])), Some(Ok(())));
        for (number, code) in
            [("3", GrpcCode::InvalidArgument), ("99", GrpcCode::Unknown), ("x", GrpcCode::Unknown)]
        {
            let found = status(&headers(&[("grpc-status", number), ("grpc-message", "a%20b%2")]));
            assert_eq!(found, Some(Err(Status { code, message: "a b%2".into() })));
        }
    }

    #[test]
    fn header_blocks() {
        let grpc = ("content-type", "application/grpc");
        assert_eq!(head(StatusCode::OK, &headers(&[grpc]), false), Head::Messages);
        assert_eq!(
            head(StatusCode::OK, &headers(&[("content-type", "application/grpc+proto")]), false),
            Head::Messages
        );
        assert!(matches!(
            head(StatusCode::OK, &headers(&[grpc, ("grpc-status", "14")]), true),
            Head::Ended(Err(Status { code: GrpcCode::Unavailable, .. }))
        ));
    }

    #[test]
    fn only_empty_responses_are_nothing() {
        let length = headers(&[("content-length", "0")]);
        assert_eq!(head(StatusCode::OK, &length, true), Head::Nothing);
        assert!(matches!(head(StatusCode::OK, &length, false), Head::NotGrpc(_)));
        assert!(matches!(head(StatusCode::NOT_FOUND, &length, true), Head::NotGrpc(_)));
        assert!(matches!(head(StatusCode::OK, &headers(&[("grpc-status", "14")]), true), Head::Ended(_)));
    }

    #[test]
    fn non_grpc_responses_are_described() {
        for (http_status, code) in [
            (200, GrpcCode::Unknown),
            (400, GrpcCode::Internal),
            (401, GrpcCode::Unauthenticated),
            (403, GrpcCode::PermissionDenied),
            (404, GrpcCode::Unimplemented),
            (429, GrpcCode::Unavailable),
            (500, GrpcCode::Unknown),
            (502, GrpcCode::Unavailable),
            (503, GrpcCode::Unavailable),
            (504, GrpcCode::Unavailable),
        ] {
            let html = headers(&[("content-type", "text/html")]);
            let Head::NotGrpc(status) = head(StatusCode::from_u16(http_status).expect("valid"), &html, true)
            else {
                panic!("{http_status} with HTML taken for gRPC");
            };
            assert_eq!(status.code, code);
            assert!(status.message.contains("text/html"), "{}", status.message);
            let named = http_status == 200
                || http_status == 500
                || !meaning_of_http(StatusCode::from_u16(http_status).expect("valid")).is_empty();
            assert!(named, "{http_status} is not explained");
        }
        let bare = head(StatusCode::OK, &headers(&[("content-type", "application/grpcweb")]), true);
        assert!(matches!(bare, Head::NotGrpc(_)));
    }
}
