//! The Authenticate call, which exchanges a user and a password for a token.

use bytes::Bytes;
use etcd_errors::{Code, Error};
use etcd_proto::etcdserverpb as pb;
use http::HeaderValue;
use prost::Message as _;
use zeroize::Zeroize as _;

use crate::{
    request::CallOptions,
    transport::{
        call::{call_state::Progress, channel::Channel, unary::Call},
        grpc::{failure::Failure, frame, method::Method, observation::Observation},
        token::{RENEWAL_TIMEOUT, credentials},
    },
    types::Secret,
};

/// Fetches a token for the user, or `None` if auth is disabled. The call is retried like a read.
pub(crate) async fn authenticate(
    channel: &Channel,
    user: &str,
    password: &Secret,
) -> Result<Option<HeaderValue>, Error> {
    let options = CallOptions::default().timeout(RENEWAL_TIMEOUT);
    let mut progress = Progress::start(channel, Call::new(Method::Authenticate, &options))?;
    let frame = frame(user, password);
    let (flight, answer) = match channel.unary_bytes(&mut progress, &|| frame.clone()).await {
        Ok(answered) => answered,
        Err(error) if error.code() == Some(Code::AuthNotEnabled) => return Ok(None),
        Err(error) => return Err(error),
    };
    let token = pb::AuthenticateResponse::decode(answer)
        .map_err(|error| Failure::decode(&error))
        .map(|response| Secret::from(response.token))
        .and_then(|token| {
            credentials::header(token)
                .map_err(|_| malformed("the response contains a token that is not a valid header value"))
        });
    match token {
        Ok(token) => {
            progress.finished(&flight.connection);
            Ok(Some(token))
        }
        Err(failure) => Err(progress.fail(channel, failure.into_error())),
    }
}

fn malformed(text: &'static str) -> Failure {
    Failure::new(Observation::Malformed, text)
}

/// Encodes the request. Its buffers are zeroed when the last copy is dropped.
fn frame(user: &str, password: &Secret) -> Bytes {
    let mut request =
        pb::AuthenticateRequest { name: user.to_owned(), password: password.expose().to_owned() };
    let frame = frame::encode_wiped(&request);
    request.password.zeroize();
    frame
}
