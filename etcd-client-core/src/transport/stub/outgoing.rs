//! Request heads of stub calls.

use std::time::Duration;

use http::{HeaderMap, Request, Uri, Version, header::AUTHORIZATION, request::Parts};

use crate::{
    request::CallOptions,
    transport::{
        call::channel::Channel,
        connection::verified::Connection,
        grpc::{headers::TimeoutHeader, method::Method},
        token::{Carried, TOKEN},
    },
};

const TIMEOUT: &str = "grpc-timeout";

/// Builds the request for this connection. Also returns the token that it carries.
pub(crate) fn request(channel: &Channel, connection: &Connection, head: &Parts) -> (Request<()>, Carried) {
    let (headers, carried) = headers(channel, head);
    let mut request = Request::new(());
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri(connection, &head.uri);
    *request.headers_mut() = headers;
    (request, carried)
}

/// Returns `true` if the call carries the client's token. Calls with credentials of their own do not, nor does
/// Authenticate.
pub(crate) fn takes_token(head: &Parts) -> bool {
    let own = [&TOKEN, &AUTHORIZATION].into_iter().any(|name| head.headers.contains_key(name));
    !own && head.uri.path() != Method::Authenticate.path().path()
}

/// Returns the timeout that the stub set, as encoded by tonic.
pub(crate) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    parse_timeout(headers.get(TIMEOUT)?.as_bytes())
}

fn uri(connection: &Connection, path: &Uri) -> Uri {
    let mut parts = connection.member.origin().clone().into_parts();
    parts.path_and_query = path.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_else(|_| connection.member.origin().clone())
}

/// Returns the default headers, overridden by the stub's headers with all of their values.
fn headers(channel: &Channel, head: &Parts) -> (HeaderMap, Carried) {
    let own = &head.headers;
    // The deadline in the header is later than the caller's, so that the caller's own timer fires first and
    // the outcome is known to be a client-side timeout.
    let base = match timeout(own) {
        None => channel.base_headers().clone(),
        Some(limit) => channel.headers(&CallOptions::default(), TimeoutHeader::Left(limit)),
    };
    let mut headers = merge(base, own);
    let carried = if takes_token(head) { channel.tokens().attach(&mut headers) } else { Carried::default() };
    (headers, carried)
}

fn merge(mut all: HeaderMap, own: &HeaderMap) -> HeaderMap {
    let own_names = || own.keys().filter(|name| *name != TIMEOUT);
    for name in own_names() {
        // Removed first, so that the values of the stub replace the default instead of adding to it.
        all.remove(name);
        for value in own.get_all(name) {
            all.append(name.clone(), value.clone());
        }
    }
    all
}

/// Parses the value of a `grpc-timeout` header (gRPC over HTTP/2: at most 8 digits and a unit).
fn parse_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(amount * 3_600)),
        b'M' => Some(Duration::from_secs(amount * 60)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::transport::grpc::timeout::header;

    #[test]
    fn timeouts_are_read_as_they_are_written() {
        for millis in [1, 250, 5_000, 3_600_000] {
            let timeout = Duration::from_millis(millis);
            assert_eq!(parse_timeout(header(timeout).as_bytes()), Some(timeout));
        }
        for nonsense in [&b""[..], b"S", b"123456789S", b"1x", b"-1S", b"1"] {
            assert_eq!(parse_timeout(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn own_headers_replace_and_keep_all_their_values() {
        let map = |entries: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in entries {
                map.append(*name, HeaderValue::from_static(value));
            }
            map
        };
        let base = map(&[("te", "trailers"), ("x-base", "1"), (TIMEOUT, "2S")]);
        let own = map(&[("x-own", "a"), ("x-base", "2"), ("x-own", "b"), ("x-base", "3"), (TIMEOUT, "1S")]);
        let expected = [("te", "trailers"), ("x-base", "2"), ("x-base", "3"), (TIMEOUT, "2S")];
        let expected = [&expected[..], &[("x-own", "a"), ("x-own", "b")]].concat();
        assert_eq!(merge(base, &own), map(&expected));
    }
}
