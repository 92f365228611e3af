//! The usual answers, each of which reads the request first.

use bytes::Bytes;

use super::{
    frame,
    script::{Answer, Head, Last, Step},
};

/// RST_STREAM and GOAWAY reasons (RFC 9113 section 7).
pub const NO_ERROR: u32 = 0;
/// The peer broke the protocol.
pub const PROTOCOL_ERROR: u32 = 1;
/// The server failed.
pub const INTERNAL_ERROR: u32 = 2;
/// The request was not processed.
pub const REFUSED_STREAM: u32 = 7;
/// NO_ERROR: the stream is no longer needed.
pub const CANCEL: u32 = 8;
/// The peer is too busy.
pub const ENHANCE_YOUR_CALM: u32 = 11;

/// Success with this encoded message.
#[must_use]
pub fn message(message: impl Into<Bytes>) -> Answer {
    body(frame::message(message.into()))
}

/// Success with these bytes as the body, which may be invalid.
#[must_use]
pub fn body(body: impl Into<Bytes>) -> Answer {
    vec![Step::ReadRequest, head(), Step::Data(body.into()), trailers("0", "")]
}

/// A gRPC status with a message, in trailers after the headers, as etcd sends errors.
#[must_use]
pub fn status(code: u32, text: &str) -> Answer {
    trailers_only([("grpc-status", code.to_string().as_str()), ("grpc-message", text)])
}

/// A header block that ends the stream: HTTP status 200, the content type of gRPC, and these headers.
#[must_use]
pub fn trailers_only<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Answer {
    let all = [("content-type", "application/grpc")].into_iter().chain(headers);
    vec![Step::ReadRequest, Step::Head(Head { status: 200, headers: owned(all), end: true })]
}

/// A page of HTML with an HTTP status, as proxies answer.
#[must_use]
pub fn html(status: u16) -> Answer {
    let headers = owned([("content-type", "text/html; charset=utf-8")]);
    let page = Bytes::from_static(b"<html><body><h1>Something is wrong</h1></body></html>");
    vec![Step::ReadRequest, Step::Head(Head { status, headers, end: false }), Step::Data(page), Step::End]
}

/// RST_STREAM instead of an answer.
#[must_use]
pub fn reset(reason: u32) -> Answer {
    vec![Step::ReadRequest, Step::Reset(reason)]
}

/// GOAWAY instead of an answer; the stream stays open.
#[must_use]
pub fn go_away(last: Last, reason: u32) -> Answer {
    vec![Step::ReadRequest, Step::GoAway { last, reason }]
}

/// The end of the connection instead of an answer.
#[must_use]
pub fn close() -> Answer {
    vec![Step::ReadRequest, Step::Close]
}

/// No answer.
#[must_use]
pub fn hang() -> Answer {
    vec![Step::ReadRequest, Step::Hang]
}

/// The header block of a gRPC answer that has messages.
#[must_use]
pub fn head() -> Step {
    head_with(200, [("content-type", "application/grpc")])
}

/// A header block with exactly these headers.
#[must_use]
pub fn head_with<'a>(status: u16, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Step {
    Step::Head(Head { status, headers: owned(headers), end: false })
}

/// The trailers of a gRPC answer; no `grpc-message` where the text is empty.
#[must_use]
pub fn trailers(status: &str, text: &str) -> Step {
    let text = (!text.is_empty()).then_some(("grpc-message", text));
    Step::Trailers(owned([("grpc-status", status)].into_iter().chain(text)))
}

/// Header names and values as steps hold them.
#[must_use]
pub fn owned<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, Bytes)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), Bytes::copy_from_slice(value.as_bytes()));
    headers.into_iter().map(owned).collect()
}
