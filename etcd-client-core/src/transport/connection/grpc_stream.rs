//! The stages of a gRPC call: sending or opening the request, reading the response head, and reading the status.

use bytes::Bytes;
use h2::{
    RecvStream, SendStream,
    client::{ResponseFuture, SendRequest},
};
use http::{HeaderMap, Request, Response, Version};

use crate::transport::{
    connection::{member::Member, verified::Connection},
    grpc::{failure::Failure, frame::Decoder, method::Method, status, status::Head},
};

/// Hands the complete request to the connection.
pub(crate) fn send(
    connection: &Connection,
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
) -> Result<ResponseFuture, Failure> {
    let (response, mut body) = open(connection, method, headers)?;
    // Fails if the member has already ended the stream, for example because it does not implement the RPC.
    // The response contains the reason.
    let _ = body.send_data(frame, true);
    Ok(response)
}

/// Sends like [`send`], but leaves the request stream open.
pub(crate) fn send_open(
    connection: &Connection,
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
) -> Result<(ResponseFuture, SendStream<Bytes>), Failure> {
    let (response, mut body) = open(connection, method, headers)?;
    // Fails like in `send`.
    let _ = body.send_data(frame, false);
    Ok((response, body))
}

/// Hands the head of the request to the connection. The messages follow later.
pub(crate) fn open(
    connection: &Connection,
    method: Method,
    headers: HeaderMap,
) -> Result<(ResponseFuture, SendStream<Bytes>), Failure> {
    begin(connection.sender(), &connection.member, method, headers)
}

/// Like [`open`], on a connection that is not available to calls yet.
pub(crate) fn begin(
    mut sender: SendRequest<Bytes>,
    member: &Member,
    method: Method,
    headers: HeaderMap,
) -> Result<(ResponseFuture, SendStream<Bytes>), Failure> {
    let mut request = Request::new(());
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = member.uri(method);
    *request.headers_mut() = headers;
    sender.send_request(request, false).map_err(|error| Failure::not_sent(&error))
}

/// Returns the body with the messages, or `None` if the call succeeded without messages.
pub(crate) fn body(response: Response<RecvStream>) -> Result<Option<RecvStream>, Failure> {
    let (head, body) = response.into_parts();
    match status::head(head.status, &head.headers, body.is_end_stream()) {
        Head::Messages => Ok(Some(body)),
        Head::Ended(Ok(())) => Ok(None),
        Head::Ended(Err(status)) => Err(Failure::status(status)),
        Head::Nothing => Err(Failure::without_status()),
        Head::NotGrpc(status) => Err(Failure::not_grpc(status)),
    }
}

/// Moves the next payload to `decoder`. Returns `false` after the last one.
pub(crate) async fn receive(body: &mut RecvStream, decoder: &mut Decoder) -> Result<bool, Failure> {
    let Some(payload) = body.data().await else { return Ok(false) };
    let payload = payload.map_err(|error| Failure::after_head(&error))?;
    // Releasing fails only if the stream has ended, and then its window no longer matters.
    let _ = body.flow_control().release_capacity(payload.len());
    decoder.push(payload);
    Ok(true)
}

/// Reads the status of the call after its last payload.
pub(crate) async fn end(body: &mut RecvStream, decoder: &Decoder) -> Result<(), Failure> {
    let trailers = body.trailers().await.map_err(|error| Failure::after_head(&error))?;
    match trailers.as_ref().and_then(status::status) {
        Some(Ok(())) if decoder.is_empty() => Ok(()),
        Some(Ok(())) => Err(Failure::malformed("the response ends within a message")),
        Some(Err(status)) => Err(Failure::status(status)),
        None => Err(Failure::without_status()),
    }
}
