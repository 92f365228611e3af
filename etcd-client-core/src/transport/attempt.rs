//! One try of one unary call on one connection.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::HeaderMap;

use super::{connection::InFlight, exchange, failure::Failure, method::Method};
use crate::mechanism::grpc::frame::Decoder;

/// Sends `frame` and reads the one message of the answer; `begun` is set once its head has come.
///
/// Dropping the future resets the stream, which cancels the call on the server.
pub(crate) async fn unary(
    flight: &InFlight,
    method: Method,
    headers: HeaderMap,
    frame: Bytes,
    max_receive: usize,
    begun: &AtomicBool,
) -> Result<Bytes, Failure> {
    let response = exchange::send(&flight.connection, method, headers, frame)?;
    let response = response.await.map_err(|error| Failure::stream(&error))?;
    begun.store(true, Ordering::Relaxed);
    let Some(mut body) = exchange::body(response)? else {
        return Err(Failure::malformed("the call succeeded without an answer"));
    };
    let mut decoder = Decoder::new(max_receive);
    let mut message = None;
    while exchange::receive(&mut body, &mut decoder).await? {
        while let Some(next) = decoder.pop().map_err(Failure::frame)? {
            if message.replace(next).is_some() {
                return Err(Failure::malformed("the answer of a unary call holds two messages"));
            }
        }
    }
    exchange::end(&mut body, &decoder).await?;
    message.ok_or_else(|| Failure::malformed("the call succeeded without a message"))
}
