//! Fetching a token: from the token provider, or by the Authenticate call, which exchanges a user and a password for one.

use std::sync::Arc;

use bytes::Bytes;
use etcd_errors::{Code, Error, ErrorKind};
use etcd_proto::etcdserverpb as pb;
use futures_util::{FutureExt as _, future::BoxFuture};
use http::HeaderValue;
use prost::Message as _;
use tokio::time::timeout;
use zeroize::Zeroize as _;

use crate::{
    request::CallOptions,
    transport::{
        call::{call_state::CallState, channel::Channel, unary::Call},
        grpc::{failure::Failure, frame, method::Method, observation::Observation},
        pool::closed,
        token::{Carried, RENEWAL_TIMEOUT, credentials, credentials::Source, provider::TokenProvider},
    },
    types::Secret,
};

/// Waits until the client has a newer token than the rejected one. One renewal serves all calls that wait for it.
///
/// It runs in a task of the client. In a caller's future, callers with short deadlines would restart it again and
/// again; in the task, no caller's drop, deadline or runtime affects the others.
///
/// Boxed: the Authenticate call is itself a call that could renew a token, so its future would contain itself.
pub(crate) fn renew(channel: &Channel, rejected: Carried) -> BoxFuture<'_, Result<(), Error>> {
    let start = || {
        let (tokens, channel) = (Arc::clone(channel.tokens()), channel.for_tokens());
        let pool = Arc::clone(channel.pool());
        pool.spawn(async move { tokens.settle(fetch(&channel, tokens.source()).await) })
    };
    channel.tokens().renew(rejected, start).boxed()
}

async fn fetch(channel: &Channel, source: &Source) -> Result<Option<HeaderValue>, Error> {
    match source {
        Source::Password { user, password } => authenticate(channel, user, password).await,
        Source::Provider(provider) => provided(channel, &**provider).await,
        // Unreachable: these sources are not renewable, so `Tokens::is_missing` and `reject` ignore them.
        Source::Token(value) => Ok(Some(value.clone())),
        Source::Nowhere => Ok(None),
    }
}

async fn provided(channel: &Channel, provider: &dyn TokenProvider) -> Result<Option<HeaderValue>, Error> {
    let token = tokio::select! {
        token = timeout(RENEWAL_TIMEOUT, provider.token()) => token,
        () = channel.pool().shutdown() => return Err(closed()),
    };
    let late = || Error::new(ErrorKind::Timeout, "the token provider returned no token within 5 s");
    credentials::header(token.unwrap_or_else(|_elapsed| Err(late()))?).map(Some)
}

/// Fetches a token for the user, or `None` if auth is disabled. The call is retried like a read.
async fn authenticate(
    channel: &Channel,
    user: &str,
    password: &Secret,
) -> Result<Option<HeaderValue>, Error> {
    let options = CallOptions::default().timeout(RENEWAL_TIMEOUT);
    let mut progress = CallState::start(channel, Call::new(Method::Authenticate, &options))?;
    let frame = frame(user, password);
    let (permit, answer) = match channel.unary_bytes(&mut progress, &|| frame.clone()).await {
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
            progress.finished(&permit.connection);
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
